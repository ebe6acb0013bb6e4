//! How does Go quote a string?
//!
//! Some texts of the API server hold values printed with `%q`. To repeat them character for
//! character takes Go's escapes and Go's idea of what is printable, which is the Unicode version
//! of its tables and not ours.

mod printable;

use std::fmt::Write as _;

use printable::BOUNDARIES;

/// Quotes a text as Go's `%q` does: in double quotes, with everything escaped that is not
/// printable.
///
/// Upstream: Go's `strconv/quote.go`, `Quote` (go1.26, Unicode 15.0.0).
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        push_escaped(&mut quoted, character);
    }
    quoted.push('"');
    quoted
}

fn push_escaped(quoted: &mut String, character: char) {
    let escape = match character {
        '"' | '\\' => character,
        '\x07' => 'a',
        '\x08' => 'b',
        '\x0c' => 'f',
        '\n' => 'n',
        '\r' => 'r',
        '\t' => 't',
        '\x0b' => 'v',
        _ if is_printable(character) => return quoted.push(character),
        _ => return push_code_point(quoted, u32::from(character)),
    };
    quoted.push('\\');
    quoted.push(escape);
}

fn push_code_point(quoted: &mut String, code_point: u32) {
    // Writing to a String cannot fail.
    let _ = match code_point {
        // U+0080 to U+009F take four digits: `\x80` would be a byte and no character.
        0..=0x7f => write!(quoted, "\\x{code_point:02x}"),
        0x80..=0xffff => write!(quoted, "\\u{code_point:04x}"),
        _ => write!(quoted, "\\U{code_point:08x}"),
    };
}

/// Whether Go prints a character as it is.
///
/// Upstream: Go's `strconv/quote.go`, `IsPrint` (go1.26, Unicode 15.0.0).
fn is_printable(character: char) -> bool {
    let code_point = u32::from(character);
    BOUNDARIES.partition_point(|boundary| *boundary <= code_point) % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_as_go_does() {
        let cases = [
            ("", r#""""#),
            ("unconfined", r#""unconfined""#),
            ("a b", r#""a b""#),
            ("\x07\x08\x0c\n\r\t\x0b\\\"", r#""\a\b\f\n\r\t\v\\\"""#),
            ("'`", r#""'`""#),
            ("\0\x1b\x7f", r#""\x00\x1b\x7f""#),
            ("\u{80}\u{a0}\u{ad}", r#""\u0080\u00a0\u00ad""#),
            ("\u{200b}\u{2028}\u{3000}\u{feff}", r#""\u200b\u2028\u3000\ufeff""#),
            ("é日🦀\u{fffd}\u{301}", "\"é日🦀\u{fffd}\u{301}\""),
            ("\u{e000}\u{ffff}", r#""\ue000\uffff""#),
            ("\u{e0001}\u{10ffff}", r#""\U000e0001\U0010ffff""#),
        ];
        for (text, expected) in cases {
            assert_eq!(quoted(text), expected, "{text:?}");
        }
    }

    #[test]
    fn knows_unicode_15_and_no_later() {
        // U+1FAE8 came with 15.0, U+2FFC with 15.1, U+1C89 with 16.0.
        assert!(is_printable('\u{1fae8}'));
        assert!(!is_printable('\u{2ffc}'));
        assert!(!is_printable('\u{1c89}'));
    }

    #[test]
    fn the_table_is_in_order_and_closed() {
        assert!(BOUNDARIES.is_sorted_by(|a, b| a < b));
        assert_eq!(BOUNDARIES.len() % 2, 0);
        assert_eq!(BOUNDARIES.first(), Some(&0x20));
    }
}
