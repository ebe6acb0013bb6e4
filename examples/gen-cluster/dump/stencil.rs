//! How are many objects written that differ in a few values only?
//!
//! The object is built with [`hole`]s, rendered once in the form that is wanted, and cut at them.

use std::io::{self, Write};

use serde_json::Value;

/// Holes are characters of Unicode's private use, which stand nowhere else.
const FIRST_HOLE: u32 = 0xe000;
const N_HOLES: u32 = 0x100;

/// A string that stands for the value number `n`, whole or within a longer string.
pub(crate) fn hole(n: usize) -> String {
    let code = u32::try_from(n).ok().filter(|n| *n < N_HOLES).map(|n| FIRST_HOLE + n);
    code.and_then(char::from_u32).map(String::from).expect("an object has few holes")
}

/// A string that is a [`hole`], as a value.
pub(crate) fn hole_value(n: usize) -> Value {
    Value::String(hole(n))
}

/// What a hole is filled with.
#[derive(Debug, Clone)]
pub(crate) enum Drawn {
    Text(String),
    Number(usize),
}

/// The text of an object, with holes.
#[derive(Debug)]
pub(crate) struct Stencil {
    /// What stands before each hole, and its number.
    pieces: Vec<(String, Hole)>,
    rest: String,
}

#[derive(Debug, Clone, Copy)]
struct Hole {
    n: usize,
    /// Whether the hole is the whole string, so that its quotes depend on what it is filled with.
    is_whole: bool,
}

impl Stencil {
    /// Cuts a rendered object at its holes.
    pub(crate) fn new(text: &str) -> Self {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((at, n, hole)) = find(rest) {
            let (before, after) = (&rest[..at], &rest[at + hole.len_utf8()..]);
            let whole = before.strip_suffix('"').zip(after.strip_prefix('"'));
            let (before, after) = whole.unwrap_or((before, after));
            pieces.push((before.to_owned(), Hole { n, is_whole: whole.is_some() }));
            rest = after;
        }
        Self { pieces, rest: rest.to_owned() }
    }

    /// Writes the object with these values; `write_string` writes a string as the form wants it.
    pub(crate) fn fill(
        &self,
        output: &mut dyn Write,
        drawn: &[Drawn],
        write_string: fn(&mut dyn Write, &str) -> io::Result<()>,
    ) -> io::Result<()> {
        for (piece, hole) in &self.pieces {
            output.write_all(piece.as_bytes())?;
            match &drawn[hole.n] {
                Drawn::Text(text) if hole.is_whole => write_string(output, text)?,
                Drawn::Text(text) => output.write_all(text.as_bytes())?,
                Drawn::Number(number) => write!(output, "{number}")?,
            }
        }
        output.write_all(self.rest.as_bytes())
    }
}

/// The next hole: where it stands, its number and its character.
fn find(text: &str) -> Option<(usize, usize, char)> {
    text.char_indices().find_map(|(at, c)| {
        let n = u32::from(c).checked_sub(FIRST_HOLE).filter(|n| *n < N_HOLES)?;
        Some((at, usize::try_from(n).ok()?, c))
    })
}
