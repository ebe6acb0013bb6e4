//! How is YAML of any size read object by object?
//!
//! The stream is cut at document markers, as Kubernetes does, and a document that is a list in
//! block style, as kubectl prints it, is cut at its items. Each piece is parsed by itself, so one
//! bad piece costs one object, and no big list is ever in memory. Everything else is parsed as a
//! whole document.
//!
//! A piece that looks as kubectl prints it is read line by line (see `lines`), and the items of a
//! list on several threads (see `items`). For everything else there is the full parser (see
//! `parse`).

mod items;
mod lines;
mod list;
mod parse;
mod prune;

use std::io;

use serde::de::DeserializeSeed;
use serde_json::Value;

use list::BlockList;
use parse::parse;

#[cfg(any(test, fuzzing))]
pub(super) use lines::agreement;
pub(crate) use parse::parse_strictly;

use super::Source;
use super::buffer::{Buffer, MAX_OBJECT_BYTES};
use super::decode::{Outcome, Text};
use super::dump::Found;
use super::emit::{Emitter, Fault, KIND_TOO_LATE};
use super::json::{LISTS_TOO_DEEP, MAX_LIST_DEPTH, NO_KIND, deliver_held, expected_items};
use crate::objects::decode::{Expected, Header, HeaderSeed};

/// How much more memory a value takes than its text.
const VALUE_PER_TEXT: usize = 10;

/// What some editors put before UTF-8.
pub(super) const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

/// Reads YAML documents one after another.
pub(super) fn read(buffer: &mut Buffer<'_>, emitter: &mut Emitter<'_, '_>) -> io::Result<Found> {
    let mut found = Found::Nothing;
    let mut document = Document::default();
    let mut one_by_one_until = 0;
    while let Some(mut range) = buffer.line_at(0)? {
        if let Document::List(list) = &mut document
            && buffer.position() >= one_by_one_until
            && list.starts_item(&buffer.bytes()[range.clone()])
        {
            one_by_one_until = list.read_ahead(buffer, emitter);
            match buffer.line_at(0)? {
                Some(next) => range = next,
                None => break,
            }
        }
        let (number, length) = (buffer.line(), range.len());
        let line = &buffer.bytes()[range];
        let line = line.strip_prefix(&BYTE_ORDER_MARK).unwrap_or(line);
        match Marker::of(line) {
            None => document.push(line, number, emitter),
            Some(marker) => {
                if document.finish(emitter) == Found::Something {
                    found = Found::Something;
                }
                document = Document::default();
                // The content may start beside the marker: `--- {kind: Pod}`.
                if marker == Marker::StartWithContent {
                    document.push(line, number, emitter);
                }
            }
        }
        buffer.consume(length);
    }
    if document.finish(emitter) == Found::Something {
        found = Found::Something;
    }
    Ok(found)
}

/// A line between documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Marker {
    /// `---` or `...`, alone or with a comment.
    Alone,
    /// `---` with something behind it.
    StartWithContent,
}

impl Marker {
    /// Upstream: `staging/src/k8s.io/apimachinery/pkg/util/yaml/decoder.go`, `YAMLReader.Read`
    /// (v1.24).
    fn of(line: &[u8]) -> Option<Self> {
        let rest = line.strip_prefix(b"---").or_else(|| line.strip_prefix(b"..."))?;
        match rest.first() {
            Some(byte) if !byte.is_ascii_whitespace() => return None,
            _ => {}
        }
        Some(match rest.trim_ascii().first() {
            Some(b'#') | None => Self::Alone,
            Some(_) => Self::StartWithContent,
        })
    }
}

/// Text of a file, and where it starts.
#[derive(Debug, Default)]
struct Piece {
    text: Vec<u8>,
    /// The number of the first line; 0 while there is none.
    line: usize,
    is_cut: bool,
}

impl Piece {
    fn push(&mut self, line: &[u8], number: usize) {
        if self.line == 0 {
            self.line = number;
        }
        self.is_cut |= self.text.len() + line.len() > MAX_OBJECT_BYTES;
        if !self.is_cut {
            self.text.extend_from_slice(line);
        }
    }

    /// Whether there is nothing but white space, comments and directives.
    fn is_blank(&self) -> bool {
        self.text.split(|byte| *byte == b'\n').all(|line| {
            line.starts_with(b"%") || matches!(line.trim_ascii().first(), None | Some(b'#'))
        })
    }
}

/// A document that is being read.
#[derive(Debug)]
enum Document {
    /// What is before the items of what may be a list in block style.
    Head(Piece),
    /// What is before the items, and their key, which starts at that byte.
    ItemsKey(Piece, usize),
    /// A list in block style.
    List(Box<BlockList>),
    /// Anything else.
    Whole(Piece),
}

impl Default for Document {
    fn default() -> Self {
        Self::Head(Piece::default())
    }
}

impl Document {
    fn push(&mut self, line: &[u8], number: usize, emitter: &mut Emitter<'_, '_>) {
        *self = match std::mem::take(self) {
            Self::Head(mut head) => {
                let start = head.text.len();
                head.push(line, number);
                if is_items_key(line) { Self::ItemsKey(head, start) } else { Self::Head(head) }
            }
            Self::ItemsKey(mut head, key) => {
                let indent = list::indent_of_dash(line);
                if let Some(mut list) = indent.and_then(|indent| BlockList::new(&head, key, indent))
                {
                    list.push(line, number, emitter);
                    Self::List(Box::new(list))
                } else {
                    head.push(line, number);
                    if list::is_blank(line) { Self::ItemsKey(head, key) } else { Self::Whole(head) }
                }
            }
            Self::List(mut list) => {
                list.push(line, number, emitter);
                Self::List(list)
            }
            Self::Whole(mut piece) => {
                piece.push(line, number);
                Self::Whole(piece)
            }
        };
    }

    fn finish(self, emitter: &mut Emitter<'_, '_>) -> Found {
        match self {
            Self::List(list) => {
                list.finish(emitter);
                Found::Something
            }
            Self::Head(piece) | Self::ItemsKey(piece, _) | Self::Whole(piece) => {
                if piece.is_blank() {
                    return Found::Nothing;
                }
                // What is left of a text that was cut could be taken for an object.
                if !piece.is_cut
                    && let Some(decoded) = lines::document(&piece.text, &Expected::Unknown)
                {
                    let source = emitter.next_source(Some(piece.line));
                    emitter.deliver(source, decoded);
                    return Found::Something;
                }
                match parse(&piece) {
                    // As for kubectl, a document that is null is none.
                    Ok(Value::Null) => return Found::Nothing,
                    Ok(value) => Values { emitter, line: piece.line, held: None }.deliver(&value),
                    Err(fault) => {
                        let source = emitter.next_source(Some(piece.line));
                        emitter.fail(source, Header::default(), fault);
                    }
                }
                Found::Something
            }
        }
    }
}

/// Whether the line is the key `items` of a block mapping at the outermost level.
fn is_items_key(line: &[u8]) -> bool {
    line.strip_prefix(b"items:").is_some_and(list::is_blank)
}

/// Delivers what has been parsed.
struct Values<'v, 'a, 's> {
    emitter: &'v mut Emitter<'a, 's>,
    /// Where the text starts.
    line: usize,
    /// Where to put an object without a kind whose list's kind may still become known, and the length of
    /// its text.
    held: Option<(&'v mut Vec<(Source, Value)>, usize)>,
}

impl Values<'_, '_, '_> {
    fn deliver(&mut self, value: &Value) {
        self.deliver_as(value, &Expected::Unknown, 0);
    }

    fn deliver_as(&mut self, value: &Value, expected: &Expected, depth: usize) {
        let outcome = Text::Value(value).decode(expected);
        if matches!(outcome, Outcome::List) && depth < MAX_LIST_DEPTH {
            return self.deliver_list(value, depth);
        }
        let source = self.emitter.next_source(Some(self.line));
        match outcome {
            Outcome::Done(decoded, _) => self.emitter.deliver(source, decoded),
            Outcome::Bad(header, fault, _) | Outcome::Broken(header, fault) => {
                self.emitter.fail(source, header, fault);
            }
            Outcome::Kindless(header, _) | Outcome::Unfinished(header) => match &mut self.held {
                Some((held, n_bytes)) if depth == 0 => {
                    if self.emitter.reserve(&source, *n_bytes * VALUE_PER_TEXT) {
                        held.push((source, value.clone()));
                    } else {
                        self.emitter.fail(source, header, Fault::new(KIND_TOO_LATE));
                    }
                }
                _ => self.emitter.fail(source, header, Fault::new(NO_KIND)),
            },
            Outcome::List => {
                self.emitter.fail(source, Header::default(), Fault::new(LISTS_TOO_DEEP));
            }
        }
    }

    fn deliver_list(&mut self, list: &Value, depth: usize) {
        let header = header_of(list);
        let (expected, _) = expected_items(&header);
        match &list["items"] {
            Value::Null => {}
            Value::Array(items) => {
                for item in items {
                    self.deliver_as(item, &expected, depth + 1);
                }
                self.emitter.end_list(Some(self.line), &header);
            }
            _ => {
                let source = self.emitter.next_source(Some(self.line));
                let fault = Fault { field: "items".to_owned(), ..Fault::new("expected a list") };
                self.emitter.fail(source, header, fault);
            }
        }
    }
}

/// The names in an object.
fn header_of(value: &Value) -> Header {
    let mut header = Header::default();
    // It takes any value, so there is no error.
    let _ = HeaderSeed::Object(&mut header).deserialize(value);
    header
}
