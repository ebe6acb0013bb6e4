//! How are runs of objects decoded on several threads?
//!
//! ```text
//! buffer ── cut between objects ──► text ──► worker: decode ──► run ──┐
//!   ▲                               text ──► worker: decode ──► run ──┴─ in order ──► emitter
//!   └─────── what a worker has not taken, to be read object by object ◄──┘
//! ```
//!
//! Where to cut is guessed from the layout, as a raw line end cannot stand within a string. A wrong
//! guess shows: the object before the cut is not whole, and its worker stops there. So does a worker
//! at anything that is not just the next object, a fault or a list say; all that remains then goes
//! back. Every object that counts was read behind others that count, as if they had been read one
//! by one.

use std::collections::VecDeque;
use std::num::NonZero;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, Scope};

use memchr::memmem;

use crate::objects::decode::{Decoded, Expected};
use crate::sources::buffer::{Buffer, CHUNK_BYTES};
use crate::sources::decode::{Outcome, Text};
use crate::sources::emit::Emitter;

/// More would wait for the one thread that reads and collects.
const MAX_WORKERS: usize = 4;

/// What is less is read before threads have started.
const WORTH_BYTES: usize = CHUNK_BYTES / 2;

/// How many texts a worker has, the one that it decodes included, so that it need not wait.
const TEXTS_AHEAD: usize = 2;

/// Where objects follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In a list, with commas between.
    List,
    /// At the outermost level, with nothing between.
    Top,
}

/// A run of objects, and the text that they were.
struct Run {
    text: Vec<u8>,
    /// The objects, each with the number of line ends before it.
    objects: Vec<(usize, Decoded)>,
    /// How much of the text they take, commas behind them included.
    taken: usize,
    /// How many line ends are in what was taken.
    n_lines: usize,
}

/// Reads as many objects from the start of the buffer, where one must begin, as can be read ahead.
/// Where it stops, an object must begin again; those up to the returned position are better read one
/// by one.
pub(super) fn read(
    buffer: &mut Buffer<'_>,
    emitter: &mut Emitter<'_, '_>,
    expected: &Expected,
    place: Place,
) -> u64 {
    if buffer.bytes().len() < WORTH_BYTES {
        return buffer.position();
    }
    let all_in_memory = buffer.position() + buffer.bytes().len() as u64;
    let Some(border) = border(buffer, place) else { return all_in_memory };
    let border = memmem::FinderRev::new(&border);
    let Some(first) = next_text(buffer, &border, place) else { return all_in_memory };
    let n_workers = thread::available_parallelism().map_or(1, NonZero::get).min(MAX_WORKERS);
    thread::scope(|scope| {
        let workers = (0..n_workers).map(|_| Worker::start(scope, expected, place)).collect();
        Reader { buffer, emitter, border, place, workers }.read(first)
    })
}

/// What stands between two objects: the end of one, a line end, the indent of the next and its start.
/// `None` where they do not stand on lines of their own.
fn border(buffer: &Buffer<'_>, place: Place) -> Option<Vec<u8>> {
    let indent = buffer.indent()?;
    let end: &[u8] = if place == Place::List { b"},\n" } else { b"}\n" };
    Some([end, indent, b"{"].concat())
}

/// The next text to decode: whole objects, if the layout does not deceive; `None` where there is no
/// border any more.
fn next_text(
    buffer: &mut Buffer<'_>,
    border: &memmem::FinderRev<'_>,
    place: Place,
) -> Option<Vec<u8>> {
    if buffer.bytes().len() < CHUNK_BYTES {
        buffer.fill_ahead();
    }
    let found = border.rfind(buffer.bytes())?;
    let end = if place == Place::List { "},".len() } else { "}".len() };
    Some(buffer.take(found + end))
}

struct Reader<'a, 'r, 'e, 's> {
    buffer: &'a mut Buffer<'r>,
    emitter: &'a mut Emitter<'e, 's>,
    border: memmem::FinderRev<'a>,
    place: Place,
    workers: Vec<Worker>,
}

impl Reader<'_, '_, '_, '_> {
    fn read(self, first: Vec<u8>) -> u64 {
        let Self { buffer, emitter, border, place, workers } = self;
        let mut next = Some(first);
        let mut in_flight: VecDeque<&Worker> = VecDeque::new();
        let mut in_turn = workers.iter().cycle();
        loop {
            while let Some(text) = next.take_if(|_| in_flight.len() < workers.len() * TEXTS_AHEAD) {
                let Some(worker) = in_turn.next() else { break };
                worker.send(text);
                in_flight.push_back(worker);
                next = next_text(buffer, &border, place);
            }
            let Some(worker) = in_flight.pop_front() else { break };
            let Run { text, objects, taken, n_lines } = worker.receive();
            for (n_lines_before, decoded) in objects {
                let source = emitter.next_source(Some(buffer.line() + n_lines_before));
                emitter.deliver(source, decoded);
            }
            buffer.count_lines(n_lines);
            if taken < text.len() {
                let in_flight = in_flight.into_iter().map(|worker| worker.receive().text);
                let untaken: Vec<u8> = [text[taken..].to_vec()]
                    .into_iter()
                    .chain(in_flight)
                    .chain(next)
                    .flatten()
                    .collect();
                let until = buffer.position();
                buffer.put_back(&untaken);
                return until;
            }
            buffer.recycle(text);
        }
        buffer.position()
    }
}

/// A thread that decodes texts in the order in which it gets them, until there is no one to send any.
struct Worker {
    texts: Sender<Vec<u8>>,
    runs: Receiver<Run>,
}

impl Worker {
    fn start<'scope>(
        scope: &'scope Scope<'scope, '_>,
        expected: &'scope Expected,
        place: Place,
    ) -> Self {
        let (texts, texts_to_decode) = mpsc::channel();
        let (runs_to_send, runs) = mpsc::channel();
        scope.spawn(move || {
            for text in texts_to_decode {
                if runs_to_send.send(decode(text, expected, place)).is_err() {
                    break;
                }
            }
        });
        Self { texts, runs }
    }

    fn send(&self, text: Vec<u8>) {
        self.texts.send(text).expect("a worker listens for as long as there is one to talk to it");
    }

    fn receive(&self) -> Run {
        self.runs.recv().expect("a worker answers every text")
    }
}

/// Decodes objects up to the first that is not just one, or the end.
fn decode(text: Vec<u8>, expected: &Expected, place: Place) -> Run {
    let mut objects = Vec::new();
    let (mut taken, mut n_lines) = (0, 0);
    loop {
        let start = taken + blanks(&text[taken..]);
        let Outcome::Done(decoded, length) = Text::Json(&text[start..]).decode(expected) else {
            break;
        };
        let mut end = start + length;
        if place == Place::List {
            end += blanks(&text[end..]);
            if text.get(end) != Some(&b',') {
                break;
            }
            end += 1;
        }
        let n_lines_before = n_lines + lines(&text[taken..start]);
        objects.push((n_lines_before, decoded));
        n_lines = n_lines_before + lines(&text[start..end]);
        taken = end;
        if text[taken..].iter().all(u8::is_ascii_whitespace) {
            n_lines += lines(&text[taken..]);
            taken = text.len();
            break;
        }
    }
    Run { text, objects, taken, n_lines }
}

fn blanks(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

fn lines(text: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', text).count()
}
