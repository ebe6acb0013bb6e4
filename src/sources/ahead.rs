//! How are runs of objects decoded on several threads?
//!
//! ```text
//! buffer ── cut between objects ──► text ──► worker: decode ──► run ──┐
//!   ▲                               text ──► worker: decode ──► run ──┴─ in order ──► emitter
//!   └─────── what a worker has not taken, to be read object by object ◄──┘
//! ```
//!
//! Where to cut is told by the layout of what kubectl prints, or by a look at the brackets; the
//! formats know how it looks, and how a wrong guess shows. A worker stops at anything that is not
//! just the next object, a fault or a list say; all that remains then goes back. Every object that
//! counts was read behind others that count, as if they had been read one by one.

use std::collections::VecDeque;
use std::num::NonZero;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, Scope};

use super::buffer::{Buffer, CHUNK_BYTES};
use super::emit::Emitter;
use crate::objects::decode::Decoded;

/// More would wait for the one thread that reads and collects.
const MAX_WORKERS: usize = 4;

/// What is less is read before threads have started.
const WORTH_BYTES: usize = CHUNK_BYTES / 2;

/// How many texts a worker has, the one that it decodes included, so that it need not wait.
const TEXTS_AHEAD: usize = 2;

/// Where a text can be cut, and how one becomes objects.
pub(super) struct Layout<'a> {
    /// How much of some bytes is whole objects, with what separates them; `None` where that cannot be
    /// told of any.
    pub(super) cut: &'a dyn Fn(&[u8]) -> Option<usize>,
    /// Decodes the objects of a text, up to the first that is not just one.
    pub(super) decode: &'a (dyn Fn(Vec<u8>) -> Run + Sync),
}

/// A run of objects, and the text that they were.
pub(super) struct Run {
    pub(super) text: Vec<u8>,
    /// The objects, each with the number of line ends before it.
    pub(super) objects: Vec<(usize, Decoded)>,
    /// How much of the text they take, with what separates them.
    pub(super) taken: usize,
    /// How many line ends are in what was taken.
    pub(super) n_lines: usize,
}

/// Reads as many objects from the start of the buffer, where one must begin, as can be read ahead.
/// Where it stops, an object must begin again; those up to the returned position are better read one
/// by one.
pub(super) fn read(
    buffer: &mut Buffer<'_>,
    emitter: &mut Emitter<'_, '_>,
    layout: &Layout<'_>,
) -> u64 {
    if buffer.bytes().len() < WORTH_BYTES {
        return buffer.position();
    }
    let all_in_memory = buffer.position() + buffer.bytes().len() as u64;
    let Some(first) = next_text(buffer, layout.cut) else { return all_in_memory };
    let n_workers = thread::available_parallelism().map_or(1, NonZero::get).min(MAX_WORKERS);
    thread::scope(|scope| {
        let workers = (0..n_workers).map(|_| Worker::start(scope, layout.decode)).collect();
        Reader { buffer, emitter, cut: layout.cut, workers }.read(first)
    })
}

/// The next text to decode: whole objects, if the layout does not deceive; `None` where there are
/// none any more.
fn next_text(buffer: &mut Buffer<'_>, cut: &dyn Fn(&[u8]) -> Option<usize>) -> Option<Vec<u8>> {
    if buffer.bytes().len() < CHUNK_BYTES {
        buffer.fill_ahead();
    }
    let length = cut(buffer.bytes())?;
    Some(buffer.take(length))
}

struct Reader<'a, 'r, 'e, 's> {
    buffer: &'a mut Buffer<'r>,
    emitter: &'a mut Emitter<'e, 's>,
    cut: &'a dyn Fn(&[u8]) -> Option<usize>,
    workers: Vec<Worker>,
}

impl Reader<'_, '_, '_, '_> {
    fn read(self, first: Vec<u8>) -> u64 {
        let Self { buffer, emitter, cut, workers } = self;
        let mut next = Some(first);
        let mut in_flight: VecDeque<&Worker> = VecDeque::new();
        let mut in_turn = workers.iter().cycle();
        loop {
            while let Some(text) = next.take_if(|_| in_flight.len() < workers.len() * TEXTS_AHEAD) {
                let Some(worker) = in_turn.next() else { break };
                worker.send(text);
                in_flight.push_back(worker);
                next = next_text(buffer, cut);
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
        decode: &'scope (dyn Fn(Vec<u8>) -> Run + Sync),
    ) -> Self {
        let (texts, texts_to_decode) = mpsc::channel();
        let (runs_to_send, runs) = mpsc::channel();
        scope.spawn(move || {
            for text in texts_to_decode {
                if runs_to_send.send(decode(text)).is_err() {
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

/// Where a border between objects begins last. To find it, its byte at `at`, which must be within it, is
/// looked for by blocks: memchr's own search from the end goes byte by byte through an object's text.
pub(super) fn last_border(bytes: &[u8], border: &[u8], at: usize) -> Option<usize> {
    memchr::memrchr_iter(border[at], bytes)
        .filter_map(|found| found.checked_sub(at))
        .find(|start| bytes[*start..].starts_with(border))
}

/// How many line ends there are.
pub(super) fn lines(text: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', text).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_border_is_where_a_search_finds_it() {
        let border = b"},\n {";
        for text in
            ["", "{", "},\n {", "},\n{ },\n {a},\n {},\n  {", "},\n {{{", "\n {},\n {}", " {"]
        {
            let expected = text.rfind("},\n {");
            for at in 0..border.len() {
                assert_eq!(last_border(text.as_bytes(), border, at), expected, "{text:?} {at}");
            }
        }
    }
}
