//! How is a stream read that comes when it likes, such as a pipe?
//!
//! A thread reads it, so that what has come can be told from what is yet to come: objects are given
//! out as soon as they are there, and large pieces are still read as such.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// What is read at once: as much as a pipe holds on Linux.
const PIECE_BYTES: usize = 64 << 10;

/// How many pieces may wait to be taken.
const MAX_PIECES: usize = 32;

/// A stream, and what of it has come.
pub(super) struct Arriving {
    pieces: Receiver<io::Result<Vec<u8>>>,
    piece: Vec<u8>,
    n_taken: usize,
    /// What has ended the stream, to be told once what came before has been taken.
    error: Option<io::Error>,
}

impl Arriving {
    /// Begins to read a stream.
    pub(super) fn new(stream: impl Read + Send + 'static) -> Self {
        let (sender, pieces) = sync_channel(MAX_PIECES);
        // It ends with the stream, or with the program where nobody takes the rest.
        thread::spawn(move || send_all(stream, &sender));
        Self { pieces, piece: Vec::new(), n_taken: 0, error: None }
    }

    /// Whether it begins with `mark`; waits until that can be told. Nothing may have been taken.
    pub(super) fn begins_with(&mut self, mark: &[u8]) -> bool {
        while self.piece.len() < mark.len() {
            match self.pieces.recv() {
                Ok(Ok(more)) => self.piece.extend(more),
                Ok(Err(error)) => {
                    self.error = Some(error);
                    break;
                }
                Err(_) => break,
            }
        }
        self.piece.starts_with(mark)
    }

    /// Takes what has come, as much as fits; waits only where nothing has, and `waits`. 0 is the end of
    /// the stream, or that nothing has come.
    pub(super) fn take_arrived(&mut self, buffer: &mut [u8], waits: bool) -> io::Result<usize> {
        let mut n = 0;
        while n < buffer.len() {
            let rest = &self.piece[self.n_taken..];
            if !rest.is_empty() {
                let length = rest.len().min(buffer.len() - n);
                buffer[n..n + length].copy_from_slice(&rest[..length]);
                self.n_taken += length;
                n += length;
                continue;
            }
            if self.error.is_some() {
                break;
            }
            let waits = waits && n == 0;
            let next = if waits { self.pieces.recv().ok() } else { self.pieces.try_recv().ok() };
            match next {
                None => break,
                Some(Ok(piece)) => (self.piece, self.n_taken) = (piece, 0),
                Some(Err(error)) => self.error = Some(error),
            }
        }
        match self.error.take_if(|_| n == 0) {
            Some(error) => Err(error),
            None => Ok(n),
        }
    }
}

fn send_all(mut stream: impl Read, pieces: &SyncSender<io::Result<Vec<u8>>>) {
    let mut read = vec![0; PIECE_BYTES];
    loop {
        let piece = match stream.read(&mut read) {
            Ok(0) => return,
            // As large as what has come: many small pieces may wait.
            Ok(n) => Ok(read[..n].to_vec()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let is_end = piece.is_err();
        if pieces.send(piece).is_err() || is_end {
            return;
        }
    }
}

/// Waits for what comes.
impl Read for Arriving {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.take_arrived(buffer, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives out its pieces one by one, each when it is asked for.
    struct Pieces(Receiver<&'static str>);

    impl Read for Pieces {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let Ok(piece) = self.0.recv() else { return Ok(0) };
            buffer[..piece.len()].copy_from_slice(piece.as_bytes());
            Ok(piece.len())
        }
    }

    #[test]
    fn what_has_come_is_taken_without_what_has_not() {
        let (sender, pieces) = sync_channel(8);
        let mut stream = Arriving::new(Pieces(pieces));
        let mut buffer = [0; 64];
        assert_eq!(stream.take_arrived(&mut buffer, false).unwrap(), 0);
        sender.send("{").unwrap();
        sender.send("}\n").unwrap();
        assert!(stream.begins_with(b"{}"));
        assert_eq!(stream.take_arrived(&mut buffer, true).unwrap(), 3);
        assert_eq!(&buffer[..3], b"{}\n");
        drop(sender);
        assert_eq!(stream.take_arrived(&mut buffer, true).unwrap(), 0);
    }
}
