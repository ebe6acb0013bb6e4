//! How are the items of a list read on several threads?
//!
//! The text is cut where a line starts with the dash of an item, as in a list that is read item by
//! item (see `list`). What could be more than the next item, a line at the outermost level say, or
//! less, one that cannot be read, is left to that.

use super::list::{has_anchor, indent_of, indent_of_dash, is_blank, parse_item};
use super::{Piece, Text, lines};
use crate::objects::decode::{Decoded, Expected};
use crate::sources::ahead::{self, Layout, Run};
use crate::sources::buffer::Buffer;
use crate::sources::decode::Outcome;
use crate::sources::emit::Emitter;

/// Reads as many items as can be read ahead; see [`ahead::read`].
pub(super) fn read(
    buffer: &mut Buffer<'_>,
    emitter: &mut Emitter<'_, '_>,
    indent: usize,
    expected: &Expected,
) -> u64 {
    let border = [b"\n", " ".repeat(indent).as_bytes(), b"- "].concat();
    // By its line end: blanks are on every line, and dashes within most names.
    let cut = |bytes: &[u8]| Some(ahead::last_border(bytes, &border, 0)? + 1);
    let decode = |text| decode(text, indent, expected);
    ahead::read(buffer, emitter, &Layout { cut: &cut, decode: &decode })
}

/// Decodes items up to the first that is not just one, or the end.
fn decode(text: Vec<u8>, indent: usize, expected: &Expected) -> Run {
    let mut objects = Vec::new();
    let (mut taken, mut n_lines) = (0, 0);
    // Where the text at hand starts that is plain to read.
    let mut start = 0;
    let mut clean = lines::clean(&text);
    while taken < text.len() {
        if start + clean.len() < taken {
            start = taken;
            clean = lines::clean(&text[start..]);
        }
        let fast = lines::item(&clean[taken - start..], indent, expected)
            .map(|(decoded, length)| (decoded, taken + length))
            .filter(|(_, end)| *end == text.len() || is_item(&text[*end..], indent));
        let Some((decoded, end)) = fast.or_else(|| read_slowly(&text, taken, indent, expected))
        else {
            break;
        };
        objects.push((n_lines, decoded));
        n_lines += ahead::lines(&text[taken..end]);
        taken = end;
    }
    Run { text, objects, taken, n_lines }
}

/// Whether the text starts with an item's dash.
fn is_item(text: &[u8], indent: usize) -> bool {
    let line = memchr::memchr(b'\n', text).map_or(text, |end| &text[..end]);
    indent_of_dash(line) == Some(indent)
}

/// Parses the item that starts at `start`; with it, where it ends.
fn read_slowly(
    text: &[u8],
    start: usize,
    indent: usize,
    expected: &Expected,
) -> Option<(Decoded, usize)> {
    let end = end_of_item(text, start, indent)?;
    let item = Piece { text: text[start..end].to_vec(), line: 1, is_cut: false };
    // An anchor may be meant by items to come, and an alias by those before.
    if has_anchor(&item.text) {
        return None;
    }
    let items = parse_item(&item).ok()?;
    let [value] = items.as_slice() else { return None };
    match Text::Value(value).decode(expected) {
        Outcome::Done(decoded, _) => Some((decoded, end)),
        _ => None,
    }
}

/// Where the next item starts; `None` where something else is before it.
fn end_of_item(text: &[u8], start: usize, indent: usize) -> Option<usize> {
    let mut at = start;
    for line in text[start..].split_inclusive(|byte| *byte == b'\n') {
        if at > start {
            if indent_of_dash(line) == Some(indent) {
                return Some(at);
            }
            if indent_of(line) == 0 && !is_blank(line) {
                return None;
            }
        }
        at += line.len();
    }
    Some(at)
}
