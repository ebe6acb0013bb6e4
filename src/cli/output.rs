//! What becomes of the output once nobody takes it any more?
//!
//! A reader that goes away early (`| head`) is no failure, and changes no verdict: what is written
//! after that is dropped, and the run comes to its own end and exit code.

use std::io::{self, BufWriter, StdoutLock, Write};

/// Standard output.
pub(super) struct Output(BufWriter<Heeded<StdoutLock<'static>>>);

impl Output {
    pub(super) fn new() -> Self {
        let heeded = Heeded { to: io::stdout().lock(), has_reader: true };
        Self(BufWriter::with_capacity(1 << 16, heeded))
    }

    /// Whether somebody may still take what is written: not known until a buffer has been flushed.
    pub(super) fn has_reader(&self) -> bool {
        self.0.get_ref().has_reader
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    // The one that is given would loop over `write`, and reports come in many small pieces.
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// A writer to a pipe whose other end may be closed.
struct Heeded<W> {
    to: W,
    has_reader: bool,
}

impl<W: Write> Heeded<W> {
    fn heed<T>(&mut self, result: io::Result<T>, dropped: T) -> io::Result<T> {
        match result {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.has_reader = false;
                Ok(dropped)
            }
            result => result,
        }
    }
}

impl<W: Write> Write for Heeded<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.has_reader {
            return Ok(bytes.len());
        }
        let written = self.to.write(bytes);
        self.heed(written, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.has_reader {
            return Ok(());
        }
        let flushed = self.to.flush();
        self.heed(flushed, ())
    }
}
