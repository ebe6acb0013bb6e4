//! How is YAML read fast where it looks as kubectl prints it?
//!
//! Line by line: in kubectl's block style the indent of a line says what it belongs to, and what the
//! decoders do not ask for is passed over without being built. There is no list of fields here: the
//! decoders themselves drive the reading, through [`node`].
//!
//! What is passed over is still looked at, line by line, as the full parser would refuse an object
//! for a fault anywhere. Whatever is unusual is declined, and the caller gives the object to the full
//! parser: flow style but `{}` and `[]`, anchors, aliases, tags, comments, merge keys, tabs,
//! characters that do not print, scalars that go on over lines in what is read (literal ones apart),
//! plain scalars that are not clearly text, whole numbers, booleans or null. An object that is
//! accepted is the one that the full parser gives.

mod node;
mod plain;
mod scalar;

use serde::de::DeserializeSeed;

use self::node::{Node, NodeReader};
use self::scalar::Quoted;
use crate::objects::decode::{Decoded, Detour, Expected, Header, HeaderSeed, ObjectSeed};
use crate::sources::declined::{Declined, Result};
use crate::sources::decode::type_meta_of;

/// How deep collections may stand in each other; the full parser takes more.
const MAX_DEPTH: usize = 48;

/// The longest key; the full parser takes some more.
const MAX_KEY_BYTES: usize = 1_000;

/// What the object is that is a whole document; `None` where the full parser has to say.
pub(super) fn document(text: &[u8], expected: &Expected) -> Option<Decoded> {
    let clean = clean(text);
    let (decoded, end) = object(clean, None, expected)?;
    (end == text.len()).then_some(decoded)
}

/// The object that is the item at the start of the text, its dash at `indent`, and where the line
/// behind it starts; `None` where the full parser has to say.
pub(super) fn item(text: &str, indent: usize, expected: &Expected) -> Option<(Decoded, usize)> {
    object(text, Some(indent), expected)
}

/// The longest start of a text in which every character is plain to read.
pub(super) fn clean(text: &[u8]) -> &str {
    // Without leaving early this takes many bytes at a time.
    let is_ascii = |chunk: &[u8]| {
        let odd = |byte: u8| u8::from(!(b' '..=b'~').contains(&byte)) & u8::from(byte != b'\n');
        chunk.iter().fold(0, |any, byte| any | odd(*byte)) == 0
    };
    let text = match str::from_utf8(text) {
        Ok(text) => text,
        Err(error) => str::from_utf8(&text[..error.valid_up_to()]).unwrap_or_default(),
    };
    if text.as_bytes().chunks(1 << 10).all(is_ascii) {
        return text;
    }
    let is_unclean = |c: char| {
        !matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{2027}' | '\u{202a}'..='\u{d7ff}')
            && !matches!(c, '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}' | '\u{10000}'..)
    };
    &text[..text.find(is_unclean).unwrap_or(text.len())]
}

fn object(text: &str, dash: Option<usize>, expected: &Expected) -> Option<(Decoded, usize)> {
    let mut detour = None;
    match run(text, dash, ObjectSeed { expected, detour: &mut detour }) {
        Ok(read) => Some(read),
        Err(Declined) if detour == Some(Detour::KindLate) => {
            let mut header = Header::default();
            run(text, dash, HeaderSeed::Object(&mut header)).ok()?;
            let certain = Expected::Certain(type_meta_of(&header, expected)?);
            run(text, dash, ObjectSeed { expected: &certain, detour: &mut detour }).ok()
        }
        Err(Declined) => None,
    }
}

/// Reads the first object, and says where the line behind it starts.
fn run<'t, S: DeserializeSeed<'t>>(
    text: &'t str,
    dash: Option<usize>,
    seed: S,
) -> Result<(S::Value, usize)> {
    let mut lines = Lines::new(text)?;
    let root = match (dash, lines.line) {
        (Some(indent), Some(line)) if line.column == indent && lines.is_dash(line) => {
            lines.item_node(line)?
        }
        (None, Some(line)) if line.column == 0 => Node::Map(0),
        _ => return Err(Declined),
    };
    let value = seed.deserialize(NodeReader { lines: &mut lines, node: root })?;
    match lines.line {
        None => Ok((value, text.len())),
        Some(line) if dash.is_some_and(|indent| line.column <= indent) => Ok((value, line.from)),
        Some(_) => Err(Declined),
    }
}

/// A text, and the line in it that is read next.
struct Lines<'t> {
    text: &'t str,
    /// `None` behind the last.
    line: Option<Line>,
    /// How many collections are open.
    depth: usize,
    /// The key at the start of an item, once it has been found.
    first_key: Option<Key>,
}

/// What is left of a line, behind its indent and any dashes.
#[derive(Debug, Clone, Copy)]
struct Line {
    /// Where the line starts in the text.
    from: usize,
    start: usize,
    /// Where its line end stands.
    end: usize,
    /// How far `start` is from the line's start.
    column: usize,
}

/// The key of a line.
#[derive(Debug, Clone, Copy)]
struct Key {
    /// Where it stands, with its quotes.
    start: usize,
    end: usize,
    /// Where its value starts; the line's end where there is none beside it.
    value: usize,
}

impl<'t> Lines<'t> {
    fn new(text: &'t str) -> Result<Self> {
        let mut lines = Self { text, line: None, depth: 0, first_key: None };
        lines.line = lines.line_at(0)?;
        Ok(lines)
    }

    fn bytes(&self) -> &'t [u8] {
        self.text.as_bytes()
    }

    /// The first line with something on it, from the line start `at` on.
    fn line_at(&self, mut at: usize) -> Result<Option<Line>> {
        let bytes = self.bytes();
        while bytes.get(at) == Some(&b'\n') {
            at += 1;
        }
        let line = self.raw_line_at(at)?;
        match line {
            Some(line) if line.start == line.end => Err(Declined),
            line => Ok(line),
        }
    }

    /// The line that starts at `at`, whatever is on it. One without a line end may be cut off.
    fn raw_line_at(&self, at: usize) -> Result<Option<Line>> {
        let rest = &self.bytes()[at..];
        if rest.is_empty() {
            return Ok(None);
        }
        let length = memchr::memchr(b'\n', rest).ok_or(Declined)?;
        let column = rest.iter().take_while(|byte| **byte == b' ').count();
        Ok(Some(Line { from: at, start: at + column, end: at + length, column }))
    }

    /// Goes to the line behind the one that ends at `end`.
    fn go_behind(&mut self, end: usize) -> Result<()> {
        self.line = self.line_at(end + 1)?;
        Ok(())
    }

    /// Whether a dash of a list is what comes next on the line.
    fn is_dash(&self, line: Line) -> bool {
        let rest = &self.bytes()[line.start..line.end];
        rest == b"-" || rest.starts_with(b"- ")
    }

    /// The key that stands next on the line; `None` where that is something else.
    fn key(&self, line: Line) -> Result<Option<Key>> {
        let bytes = self.bytes();
        let Line { start, end, .. } = line;
        let colon = match bytes[start] {
            quote @ (b'"' | b'\'') => match self.quoted(quote, start + 1, end, None)? {
                Quoted::Closed(close) if bytes.get(close + 1) == Some(&b':') => close + 1,
                _ => return Ok(None),
            },
            first if plain::can_start(first) => match plain::find_colon(&bytes[start..end])? {
                Some(colon) => start + colon,
                None => return Ok(None),
            },
            _ => return Ok(None),
        };
        let value = match &bytes[colon + 1..end] {
            [] => end,
            [b' ', b' ', ..] | [b' '] => return Err(Declined),
            [b' ', ..] => colon + 2,
            _ => return Err(Declined),
        };
        if colon - start > MAX_KEY_BYTES || bytes[colon - 1] == b' ' {
            return Err(Declined);
        }
        Ok(Some(Key { start, end: colon, value }))
    }

    /// The next entry of the mapping in that column: its key and value.
    fn next_entry(&mut self, column: usize) -> Result<Option<(Key, Node)>> {
        let line = match self.line {
            Some(line) if line.column == column => line,
            Some(line) if line.column > column => return Err(Declined),
            _ => return Ok(None),
        };
        let key = match self.first_key.take().filter(|key| key.start == line.start) {
            Some(key) => key,
            None if self.is_dash(line) => return Err(Declined),
            None => self.key(line)?.ok_or(Declined)?,
        };
        if key.value < line.end {
            return Ok(Some((key, Node::Scalar { start: key.value, end: line.end, column })));
        }
        self.go_behind(line.end)?;
        let node = match self.line {
            // The list of a key may stand in the key's own column.
            Some(next) if next.column >= column && self.is_dash(next) => {
                Node::List { column: next.column, is_in_mapping: next.column == column }
            }
            Some(next) if next.column > column => Node::Map(next.column),
            _ => Node::Null,
        };
        Ok(Some((key, node)))
    }

    /// The next item of the list in that column.
    fn next_item(&mut self, column: usize, is_in_mapping: bool) -> Result<Option<Node>> {
        match self.line {
            Some(line) if line.column > column => Err(Declined),
            Some(line) if line.column == column => {
                if self.is_dash(line) {
                    self.item_node(line).map(Some)
                } else if is_in_mapping {
                    Ok(None)
                } else {
                    Err(Declined)
                }
            }
            _ => Ok(None),
        }
    }

    /// What stands behind the dash of a line.
    fn item_node(&mut self, dash: Line) -> Result<Node> {
        let line = Line { start: dash.start + 2, column: dash.column + 2, ..dash };
        if line.start >= line.end || self.bytes()[line.start] == b' ' {
            return Err(Declined);
        }
        self.line = Some(line);
        Ok(if self.is_dash(line) {
            Node::List { column: line.column, is_in_mapping: false }
        } else if let Some(key) = self.key(line)? {
            self.first_key = Some(key);
            Node::Map(line.column)
        } else {
            Node::Scalar { start: line.start, end: line.end, column: dash.column }
        })
    }

    fn open(&mut self) -> Result<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH { Err(Declined) } else { Ok(()) }
    }

    fn close(&mut self) {
        self.depth -= 1;
    }

    /// Passes over a value that is not read.
    fn pass(&mut self, node: Node) -> Result<()> {
        match node {
            Node::Null => Ok(()),
            Node::Scalar { start, end, column } => self.pass_scalar(start, end, column),
            Node::Map(column) => {
                self.open()?;
                while let Some((key, value)) = self.next_entry(column)? {
                    self.check_key(key)?;
                    self.pass(value)?;
                }
                self.close();
                Ok(())
            }
            Node::List { column, is_in_mapping } => {
                self.open()?;
                while let Some(item) = self.next_item(column, is_in_mapping)? {
                    self.pass(item)?;
                }
                self.close();
                Ok(())
            }
        }
    }
}

#[cfg(any(test, fuzzing))]
pub(in crate::sources) mod agreement;
#[cfg(test)]
mod tests;
