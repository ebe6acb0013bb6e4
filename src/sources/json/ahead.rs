//! Where can JSON be cut between objects, and how is a piece decoded?
//!
//! The cut is guessed from the layout, as a raw line end cannot stand within a string. A wrong guess
//! shows: the object before the cut is not whole, and decoding stops there. Where the layout tells
//! nothing, all on one line say, brackets are looked at.

use super::reader;
use super::scan::Scanner;
use crate::objects::decode::{Decoded, Expected, ObjectSeed};
use crate::sources::ahead::{self, Layout, Run, lines};
use crate::sources::buffer::{Buffer, MAX_OBJECT_BYTES};
use crate::sources::decode::{Outcome, Text};
use crate::sources::emit::Emitter;

/// Where objects follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In a list, with commas between.
    List,
    /// At the outermost level, with nothing between.
    Top,
}

/// Reads as many objects as can be read ahead; see [`ahead::read`].
pub(super) fn read(
    buffer: &mut Buffer<'_>,
    emitter: &mut Emitter<'_, '_>,
    expected: &Expected,
    place: Place,
) -> u64 {
    let border = border(buffer, place);
    let border = border.as_deref();
    let kept = if place == Place::List { "},".len() } else { "}".len() };
    let cut = |bytes: &[u8]| {
        // Of its bytes, fewest lines have the bracket at its end.
        match border.and_then(|border| ahead::last_border(bytes, border, border.len() - 1)) {
            Some(found) => Some(found + kept),
            None => objects_at_start(bytes, place),
        }
    };
    let decode = |text| decode(text, expected, place);
    ahead::read(buffer, emitter, &Layout { cut: &cut, decode: &decode })
}

/// What stands between two objects: the end of one, a line end, the indent of the next and its start.
/// `None` where they do not stand on lines of their own.
fn border(buffer: &Buffer<'_>, place: Place) -> Option<Vec<u8>> {
    let indent = buffer.indent()?;
    let end: &[u8] = if place == Place::List { b"},\n" } else { b"}\n" };
    Some([end, indent, b"{"].concat())
}

/// How much of the bytes is whole objects, each with what separates it from the next; `None` where
/// there is none.
fn objects_at_start(bytes: &[u8], place: Place) -> Option<usize> {
    let mut scanner = Scanner::passing(bytes);
    let mut length = None;
    while scanner.peek().is_ok_and(|byte| byte == b'{')
        && scanner.pass_value().is_ok()
        && (place == Place::Top || scanner.expect(b',').is_ok())
    {
        length = Some(scanner.position());
    }
    length
}

/// Decodes objects up to the first that is not just one, or the end.
fn decode(text: Vec<u8>, expected: &Expected, place: Place) -> Run {
    let valid = str::from_utf8(&text).ok();
    let mut objects = Vec::new();
    let (mut taken, mut n_lines) = (0, 0);
    loop {
        let start = taken + blanks(&text[taken..]);
        let plain = valid.and_then(|text| text.get(start..));
        let Some((decoded, length)) = decode_one(&text[start..], plain, expected) else { break };
        // The walker says so.
        if length > MAX_OBJECT_BYTES {
            break;
        }
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

/// The object that the text begins with, which is given a second time where it is UTF-8.
fn decode_one(text: &[u8], plain: Option<&str>, expected: &Expected) -> Option<(Decoded, usize)> {
    if let Some(Ok(read)) =
        plain.map(|text| reader::read(text, ObjectSeed { expected, detour: &mut None }))
    {
        return Some(read);
    }
    match Text::Json(text).decode(expected) {
        Outcome::Done(decoded, length) => Some((decoded, length)),
        _ => None,
    }
}

fn blanks(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}
