//! Which bytes of the input are in memory?

use std::io::{self, Read};
use std::ops::Range;

use super::arriving::Arriving;

/// How much is read at a time.
pub(super) const CHUNK_BYTES: usize = 1 << 18;

/// How far before an object its line may start to be told.
const MAX_INDENT: usize = 256;

/// What has to be in memory to know the form of the input by: a byte order mark, say.
const MAX_MARK_BYTES: usize = 4;

/// How large an object is read. The API server takes requests of 3 MB and etcd objects of 1.5 MB, which
/// printing with indents makes some ten times as large; what is larger is no cluster's. It bounds the
/// memory that reading takes: the window is hardly more, and what the full parser of YAML makes of it is
/// ten times the text.
pub(super) const MAX_OBJECT_BYTES: usize = 16 << 20;

/// Where the input comes from.
enum Stream<'r> {
    /// From where all of it is, or can be waited for.
    Whole(Box<dyn Read + 'r>),
    /// From where it comes when it likes.
    Arriving(Arriving),
}

/// A window on the input: what has been read and not yet been consumed.
pub(super) struct Buffer<'r> {
    stream: Stream<'r>,
    /// The window is between `start` and `end`; what is behind is room, which is not cleared again for
    /// each piece that comes.
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    is_at_end: bool,
    /// What has ended reading, to be returned once what came before has been consumed.
    error: Option<io::Error>,
    /// The number of the line at `start`, from 1.
    line: usize,
    /// How much has been consumed or taken.
    position: u64,
    /// Memory to be used again.
    spare: Vec<Vec<u8>>,
}

impl<'r> Buffer<'r> {
    pub(super) fn new(reader: impl Read + 'r) -> Self {
        Self::of(Stream::Whole(Box::new(reader)))
    }

    /// A window on what comes when it likes: nothing that has come waits for what has not.
    pub(super) fn arriving(stream: Arriving) -> Self {
        Self::of(Stream::Arriving(stream))
    }

    fn of(stream: Stream<'r>) -> Self {
        Self {
            stream,
            bytes: Vec::new(),
            start: 0,
            end: 0,
            is_at_end: false,
            error: None,
            line: 1,
            position: 0,
            spare: Vec::new(),
        }
    }

    /// What is in memory.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// The number of the first line in memory, from 1.
    pub(super) fn line(&self) -> usize {
        self.line
    }

    /// How many bytes of the input are before those in memory.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// The blanks between the last line end and the first byte in memory; `None` where there is
    /// something else, or the line's start is not in memory any more.
    pub(super) fn indent(&self) -> Option<&[u8]> {
        let n_near = self.start.min(MAX_INDENT);
        let before = &self.bytes[self.start - n_near..self.start];
        let line = match memchr::memrchr(b'\n', before) {
            Some(end) => end + 1,
            // The input's first line.
            None if self.position == n_near as u64 => 0,
            None => return None,
        };
        let indent = &before[line..];
        indent.iter().all(|byte| matches!(byte, b' ' | b'\t')).then_some(indent)
    }

    /// Forgets the first `n` bytes.
    pub(super) fn consume(&mut self, n: usize) {
        let end = self.start + n;
        self.line += memchr::memchr_iter(b'\n', &self.bytes[self.start..end]).count();
        self.start = end;
        self.position += n as u64;
    }

    /// Gives the first `n` bytes away. Their lines do not count yet; see [`Self::count_lines`].
    pub(super) fn take(&mut self, n: usize) -> Vec<u8> {
        let end = self.start + n;
        let rest = &self.bytes[end..self.end];
        let n_rest = rest.len();
        let mut next = self.spare.pop().unwrap_or_default();
        make_room(&mut next, n_rest);
        next[..n_rest].copy_from_slice(rest);
        let mut taken = std::mem::replace(&mut self.bytes, next);
        taken.truncate(end);
        taken.drain(..self.start);
        self.start = 0;
        self.end = n_rest;
        self.position += n as u64;
        taken
    }

    /// Counts the lines of what was taken.
    pub(super) fn count_lines(&mut self, n_lines: usize) {
        self.line += n_lines;
    }

    /// Takes back what was taken last; its lines must not have been counted.
    pub(super) fn put_back(&mut self, bytes: &[u8]) {
        let rest = std::mem::take(&mut self.bytes);
        self.bytes = [bytes, &rest[self.start..self.end]].concat();
        self.start = 0;
        self.end = self.bytes.len();
        self.position -= bytes.len() as u64;
    }

    /// Memory for what is read later.
    pub(super) fn recycle(&mut self, bytes: Vec<u8>) {
        self.spare.push(bytes);
    }

    /// Whether an object that is not whole yet is larger than any that is read: no more will come.
    pub(super) fn is_full(&self) -> bool {
        self.bytes().len() > MAX_OBJECT_BYTES
    }

    /// Reads more, at least as much as there is: the cost of looking at an object again after each
    /// read stays proportional to its size. Returns whether anything was added.
    pub(super) fn fill(&mut self) -> io::Result<bool> {
        self.fill_from(true)
    }

    fn fill_from(&mut self, waits: bool) -> io::Result<bool> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        if self.is_at_end {
            return Ok(false);
        }
        if self.start > 0 {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        let held = self.end;
        if self.is_full() {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "a line or part is too large"));
        }
        let wanted = (held + held.max(CHUNK_BYTES)).min(MAX_OBJECT_BYTES + CHUNK_BYTES);
        make_room(&mut self.bytes, wanted);
        while self.end < wanted {
            let free = &mut self.bytes[self.end..wanted];
            let (read, has_waited) = match &mut self.stream {
                Stream::Whole(reader) => (reader.read(free), true),
                Stream::Arriving(stream) => {
                    let waits = waits && self.end - held <= held.max(MAX_MARK_BYTES);
                    (stream.take_arrived(free, waits), waits)
                }
            };
            match read {
                Ok(0) => {
                    self.is_at_end = has_waited;
                    break;
                }
                Ok(n) => self.end += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.is_at_end = true;
                    self.error = Some(error);
                    break;
                }
            }
        }
        let is_more = self.end > held;
        match self.error.take_if(|_| !is_more) {
            Some(error) => Err(error),
            None => Ok(is_more),
        }
    }

    /// As [`Self::fill`], before what is in memory has been consumed: an error waits until then, and
    /// nothing is waited for.
    pub(super) fn fill_ahead(&mut self) {
        if self.error.is_none()
            && let Err(error) = self.fill_from(false)
        {
            self.error = Some(error);
        }
    }

    /// Skips white space; the byte after it, `None` at the end of the input.
    pub(super) fn peek(&mut self) -> io::Result<Option<u8>> {
        loop {
            let n = self.bytes().iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            self.consume(n);
            if let Some(&byte) = self.bytes().first() {
                return Ok(Some(byte));
            }
            if !self.fill()? {
                return Ok(None);
            }
        }
    }

    /// The first byte that is not white space, without consuming what is before it.
    pub(super) fn first_visible(&mut self) -> io::Result<Option<u8>> {
        loop {
            if let Some(&byte) = self.bytes().iter().find(|byte| !byte.is_ascii_whitespace()) {
                return Ok(Some(byte));
            }
            if !self.fill()? {
                return Ok(None);
            }
        }
    }

    /// The extent of the line that starts `offset` bytes into memory, its end included; `None` at
    /// the end of the input.
    pub(super) fn line_at(&mut self, offset: usize) -> io::Result<Option<Range<usize>>> {
        let mut searched = offset;
        loop {
            if let Some(length) = memchr::memchr(b'\n', &self.bytes()[searched..]) {
                return Ok(Some(offset..searched + length + 1));
            }
            searched = self.bytes().len();
            if !self.fill()? {
                return Ok((searched > offset).then_some(offset..searched));
            }
        }
    }
}

/// Lets there be at least that many bytes, whatever they are.
fn make_room(bytes: &mut Vec<u8>, n: usize) {
    if bytes.len() < n {
        bytes.resize(n, 0);
    }
}
