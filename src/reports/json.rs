//! How is JSON written: on lines or on one, and so that no terminal acts on it?

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

use crate::objects::source::is_unprintable;

/// The end of an element and of its line, and the blanks of the next: more than any report begins a line
/// with.
const NEXT_LINE: &str = ",\n                                                                ";

/// How many blanks a level is indented by.
const INDENT: usize = 2;

/// Writes data as indented JSON, as it goes, as it may be large; without a newline behind it.
///
/// # Errors
/// Those of `out`.
pub fn write_indented(data: &impl Serialize, out: &mut impl Write) -> io::Result<()> {
    data.serialize(&mut Serializer::with_formatter(out, Indented::default()))?;
    Ok(())
}

/// The text of data as indented JSON, with a newline at the end; empty where it has no JSON form, as
/// with keys that are no strings.
#[must_use]
pub fn text(data: &impl Serialize) -> String {
    let mut text = Vec::new();
    if write_indented(data, &mut text).is_err() {
        return String::new();
    }
    text.push(b'\n');
    String::from_utf8(text).unwrap_or_default()
}

/// Writes data as JSON without a newline in it or behind it.
///
/// # Errors
/// Those of `out`.
pub fn write_compact(data: &impl Serialize, out: &mut impl Write) -> io::Result<()> {
    data.serialize(&mut Serializer::with_formatter(out, Compact))?;
    Ok(())
}

/// Writes a part of a text; what a terminal would act on is escaped, and so means the same.
fn write_shown<W: ?Sized + Write>(out: &mut W, fragment: &str) -> io::Result<()> {
    // JSON escapes the other control characters by itself.
    if fragment.is_ascii() && memchr::memchr(0x7f, fragment.as_bytes()).is_none() {
        return out.write_all(fragment.as_bytes());
    }
    let mut units = [0; 2];
    let mut rest = fragment;
    while let Some(at) = rest.find(is_unprintable) {
        let (before, from) = rest.split_at(at);
        out.write_all(before.as_bytes())?;
        let mut chars = from.chars();
        for unit in chars.next().map(|c| c.encode_utf16(&mut units)).into_iter().flatten() {
            write!(out, "\\u{unit:04x}")?;
        }
        rest = chars.as_str();
    }
    out.write_all(rest.as_bytes())
}

struct Compact;

impl Formatter for Compact {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        write_shown(out, fragment)
    }
}

/// Lines as `serde_json`'s own has them, which writes the blanks of a line level by level: with reports
/// of many short lines that is a third of the time.
#[derive(Default)]
struct Indented {
    depth: usize,
    /// Whether the array or object that ends next holds anything.
    has_content: bool,
}

impl Indented {
    fn begin<W: ?Sized + Write>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.has_content = false;
        out.write_all(bracket)
    }

    fn end<W: ?Sized + Write>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth -= 1;
        if self.has_content {
            self.begin_line(out, false)?;
        }
        // What ends is content of what it stands in.
        self.has_content = true;
        out.write_all(bracket)
    }

    fn begin_line<W: ?Sized + Write>(&mut self, out: &mut W, has_comma: bool) -> io::Result<()> {
        self.has_content = true;
        let start = usize::from(!has_comma);
        let n_blanks = INDENT * self.depth;
        let (line, room) = (NEXT_LINE.as_bytes(), NEXT_LINE.len() - ",\n".len());
        out.write_all(&line[start..",\n".len() + n_blanks.min(room)])?;
        (room..n_blanks).try_for_each(|_| out.write_all(b" "))
    }
}

impl Formatter for Indented {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        write_shown(out, fragment)
    }

    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.begin(out, b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.end(out, b"]")
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.begin_line(out, !first)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.begin(out, b"{")
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.end(out, b"}")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.begin_line(out, !first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn indented(data: &Value) -> String {
        let mut written = Vec::new();
        write_indented(data, &mut written).unwrap();
        String::from_utf8(written).unwrap()
    }

    #[test]
    fn what_a_terminal_would_act_on_is_escaped_and_means_the_same() {
        let text = "a\u{9b}31m\u{7f}\u{202e}\u{1b}\n naïve 🦀\u{feff}";
        let escaped = "\"a\\u009b31m\\u007f\\u202e\\u001b\\n naïve 🦀\\ufeff\"";
        let mut compact = Vec::new();
        write_compact(&text, &mut compact).unwrap();
        for written in [indented(&json!(text)), String::from_utf8(compact).unwrap()] {
            assert_eq!(written, escaped);
            assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
        }
    }

    #[test]
    fn lines_are_those_of_serde_json() {
        let nested = (0..80).fold(json!(1), |inner, n| match n % 3 {
            0 => json!([inner]),
            1 => json!({"a": inner, "b": []}),
            _ => json!([{}, [], inner, {"c": [[], {}]}]),
        });
        for data in [json!([]), json!({}), json!(null), json!([[], [[]], {}, "x"]), nested] {
            let lines = serde_json::to_string_pretty(&data).unwrap();
            assert_eq!(indented(&data), lines);
            assert_eq!(text(&data), lines + "\n");
        }
    }
}
