//! How is a list in block style read item by item?
//!
//! ```yaml
//! apiVersion: v1        # head
//! items:
//! - apiVersion: v1      # an item starts at each dash of this indent …
//!   kind: Pod           # … and goes on over deeper lines
//! kind: List            # tail
//! ```
//!
//! Within an item no line can start with that dash: block scalars and nested collections are
//! indented deeper than the mapping that they stand in.

use serde_json::Value;

use super::parse::{Failure, parse, parse_items};
use super::prune::pruned;
use super::{
    Piece, Source, Text, Values, deliver_held, expected_items, header_of, is_items_key, items,
    lines,
};
use crate::objects::decode::{Decoded, Expected, Header};
use crate::sources::buffer::Buffer;
use crate::sources::emit::{Emitter, Fault};
use crate::sources::errors::ALIAS_BOMB;
use crate::sources::json::ITEMS_TWICE;

/// How much text with anchors is kept for aliases in later items.
const MAX_ANCHORED_BYTES: usize = 4 << 20;

/// How much of that text is read again in all, for items with aliases into it.
const MAX_REREAD_BYTES: usize = 16 << 20;

#[derive(Debug)]
pub(super) struct BlockList {
    /// What is before the items.
    head: Vec<u8>,
    header: Header,
    /// Of the dashes.
    indent: usize,
    item: Piece,
    /// The items so far that have anchors.
    anchored: Vec<u8>,
    /// How much text was read again for items with aliases.
    n_reread: usize,
    /// What is after the items.
    tail: Option<Piece>,
    /// Items that say no kind, while the list's is not known.
    held: Vec<(Source, Value)>,
}

impl BlockList {
    /// The list whose `head` holds the key `items` from byte `key` on. `None` where that is no
    /// list: it cannot be read, or has a kind that is none.
    pub(super) fn new(head: &Piece, key: usize, indent: usize) -> Option<Self> {
        let text = &head.text[..key];
        let head = Piece { text: text.to_vec(), ..Piece::default() };
        let header = if head.is_blank() {
            Header::default()
        } else {
            match parse(&head).ok()? {
                value @ Value::Object(_) => header_of(&value),
                _ => return None,
            }
        };
        if !header.kind.is_empty() && !header.kind.ends_with("List") {
            return None;
        }
        Some(Self {
            head: head.text,
            header,
            indent,
            item: Piece::default(),
            anchored: Vec::new(),
            n_reread: 0,
            tail: None,
            held: Vec::new(),
        })
    }

    pub(super) fn push(&mut self, line: &[u8], number: usize, emitter: &mut Emitter<'_, '_>) {
        if let Some(tail) = &mut self.tail {
            if is_items_key(line) || line.starts_with(b"items:") {
                let source = emitter.next_source(Some(number));
                emitter.fail(source, self.header.clone(), Fault::new(ITEMS_TWICE));
            }
            tail.push(line, number);
            return;
        }
        let is_tail = indent_of(line) == 0 && !is_blank(line);
        if indent_of_dash(line) == Some(self.indent) {
            self.finish_item(emitter);
        } else if is_tail {
            self.finish_item(emitter);
            self.tail = Some(Piece::default());
            self.push(line, number, emitter);
            return;
        }
        self.item.push(line, number);
    }

    /// Whether the line starts another item.
    pub(super) fn starts_item(&self, line: &[u8]) -> bool {
        self.tail.is_none() && indent_of_dash(line) == Some(self.indent)
    }

    /// Reads items from the start of the buffer, where one must begin, on several threads; those up
    /// to the returned position are better read one by one.
    pub(super) fn read_ahead(
        &mut self,
        buffer: &mut Buffer<'_>,
        emitter: &mut Emitter<'_, '_>,
    ) -> u64 {
        self.finish_item(emitter);
        items::read(buffer, emitter, self.indent, &self.expected())
    }

    /// What the items are unless they say it.
    fn expected(&self) -> Expected {
        expected_items(&self.header).0
    }

    pub(super) fn finish(mut self, emitter: &mut Emitter<'_, '_>) {
        self.finish_item(emitter);
        let mut header = self.header;
        match self.tail.as_ref().map(|tail| (tail, parse(tail))) {
            None => {}
            Some((_, Ok(value))) => {
                let tail = header_of(&value);
                let token = (tail.metadata.continue_token, &mut header.metadata.continue_token);
                for (from, to) in [
                    (tail.api_version, &mut header.api_version),
                    (tail.kind, &mut header.kind),
                    token,
                ] {
                    if !from.is_empty() {
                        *to = from;
                    }
                }
            }
            Some((tail, Err(fault))) => {
                let source = emitter.next_source(Some(tail.line));
                emitter.fail(source, header.clone(), fault);
            }
        }
        let (expected, _) = expected_items(&header);
        for (source, value) in self.held {
            deliver_held(emitter, source, Text::Value(&value), &expected);
        }
        emitter.end_list(self.tail.map(|tail| tail.line), &header);
    }

    fn finish_item(&mut self, emitter: &mut Emitter<'_, '_>) {
        let item = std::mem::take(&mut self.item);
        if item.line == 0 {
            return;
        }
        if let Some(decoded) = read_fast(&item, self.indent, &self.expected()) {
            let source = emitter.next_source(Some(item.line));
            return emitter.deliver(source, decoded);
        }
        let result = match parse_item(&item) {
            // Anchors hold for the whole document, so the items that have some are read again
            // before this one.
            Err(Failure { is_unknown_anchor: true, .. }) => self.parse_with_anchors(&item),
            result => result,
        };
        if has_anchor(&item.text) && self.anchored.len() + item.text.len() <= MAX_ANCHORED_BYTES {
            self.anchored.extend_from_slice(&item.text);
            if !item.text.ends_with(b"\n") {
                self.anchored.push(b'\n');
            }
        }
        match result {
            Ok(mut items) if items.len() == 1 => {
                let (expected, can_hold) = expected_items(&self.header);
                let value = items.pop().unwrap_or_default();
                let held = can_hold.then_some((&mut self.held, item.text.len()));
                Values { emitter, line: item.line, held }.deliver_as(&value, &expected, 0);
            }
            Ok(_) => fail(emitter, &item, Fault::new("it is not valid YAML")),
            Err(failure) => fail(emitter, &item, failure.fault),
        }
    }

    fn parse_with_anchors(&mut self, item: &Piece) -> Result<Vec<Value>, Failure> {
        self.n_reread += self.anchored.len();
        if self.n_reread > MAX_REREAD_BYTES {
            let fault = Fault::new(ALIAS_BOMB);
            return Err(Failure { fault, is_unknown_anchor: false });
        }
        let mut text = self.head.clone();
        text.extend_from_slice(b"items:\n");
        text.extend_from_slice(&self.anchored);
        let n_lines = memchr::memchr_iter(b'\n', &text).count();
        text.extend_from_slice(&item.text);
        let whole = Piece { text, line: 1, is_cut: item.is_cut };
        match parse(&whole) {
            Ok(mut value) => match value["items"].take() {
                Value::Array(mut items) => Ok(items.pop().into_iter().collect()),
                _ => Ok(Vec::new()),
            },
            Err(fault) => {
                let line = fault.line.and_then(|line| line.checked_sub(n_lines));
                let line = line.filter(|line| *line > 0).map(|line| line + item.line - 1);
                Err(Failure { fault: Fault { line, ..fault }, is_unknown_anchor: false })
            }
        }
    }
}

/// The object of an item in kubectl's block style.
fn read_fast(item: &Piece, indent: usize, expected: &Expected) -> Option<Decoded> {
    if item.is_cut {
        return None;
    }
    let text = lines::clean(&item.text);
    let (decoded, end) = lines::item(text, indent, expected)?;
    (end == item.text.len()).then_some(decoded)
}

/// Parses an item.
pub(super) fn parse_item(item: &Piece) -> Result<Vec<Value>, Failure> {
    let pruned =
        pruned(&item.text).map(|text| Piece { text, line: item.line, is_cut: item.is_cut });
    match pruned.and_then(|pruned| parse_items(&pruned).ok()) {
        Some(items) => Ok(items),
        None => parse_items(item),
    }
}

fn fail(emitter: &mut Emitter<'_, '_>, item: &Piece, fault: Fault) {
    let source = emitter.next_source(Some(item.line));
    emitter.fail(source, guessed_header(item), fault);
}

/// The kind and name in the text of an item that cannot be parsed, as kubectl would print them.
fn guessed_header(item: &Piece) -> Header {
    let mut header = Header::default();
    let mut is_in_metadata = false;
    let mut lines = item.text.split(|byte| *byte == b'\n');
    let base = item.text.iter().position(|byte| *byte == b'-').unwrap_or(0) + 2;
    let first = lines.next().map(|line| {
        let mut line = line.to_vec();
        if let Some(dash) = line.iter().position(|byte| *byte == b'-') {
            line[dash] = b' ';
        }
        line
    });
    for line in first.as_deref().into_iter().chain(lines) {
        let Ok(text) = str::from_utf8(line) else { continue };
        let indent = indent_of(line);
        let Some((key, value)) = text.trim().split_once(':') else { continue };
        let value = value.trim().trim_matches(['"', '\'']).to_owned();
        if indent == base {
            is_in_metadata = key == "metadata";
        }
        match (indent == base, key) {
            (true, "kind") => header.kind = value,
            (true, "apiVersion") => header.api_version = value,
            (false, "name") if is_in_metadata && indent == base + 2 => header.metadata.name = value,
            (false, "namespace") if is_in_metadata && indent == base + 2 => {
                header.metadata.namespace = value;
            }
            _ => {}
        }
    }
    header
}

/// The number of spaces before the text of a line.
pub(super) fn indent_of(line: &[u8]) -> usize {
    line.iter().take_while(|byte| **byte == b' ').count()
}

/// The indent of a line that starts an item.
pub(super) fn indent_of_dash(line: &[u8]) -> Option<usize> {
    let indent = indent_of(line);
    match &line[indent..] {
        [b'-', rest @ ..] => rest.first().is_none_or(u8::is_ascii_whitespace).then_some(indent),
        _ => None,
    }
}

/// Whether there is nothing but white space or a comment.
pub(super) fn is_blank(line: &[u8]) -> bool {
    matches!(line.trim_ascii_start().first(), None | Some(b'#'))
}

/// Whether the text may define an anchor: a `&` where a value can start.
pub(super) fn has_anchor(text: &[u8]) -> bool {
    memchr::memchr_iter(b'&', text).any(|at| {
        let before = text[..at].trim_ascii_end().last();
        let stands_apart = at == 0 || matches!(text[at - 1], b' ' | b'\t' | b'[' | b'{' | b',');
        let names_something = text.get(at + 1).is_some_and(|byte| {
            !byte.is_ascii_whitespace() && !matches!(byte, b'&' | b'[' | b'{' | b',')
        });
        stands_apart
            && names_something
            && matches!(before, None | Some(b':' | b'-' | b'?' | b'[' | b'{' | b','))
    })
}
