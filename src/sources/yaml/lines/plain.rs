//! What is a plain scalar?
//!
//! YAML 1.1 has many spellings of numbers and booleans; those that kubectl prints are resolved, and
//! what could be another is declined.

use super::{Declined, Result};

/// A plain scalar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plain {
    Null,
    Bool(bool),
    Unsigned(u64),
    Negative(i64),
    Text,
}

/// More digits might not fit.
const MAX_DIGITS: usize = 18;

/// Whether a plain scalar may start with it.
pub(super) fn can_start(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'-' | b'$' | b'(' | b'<' | b'~')
}

/// Where the colon of a key stands in what starts with a plain scalar.
pub(super) fn find_colon(line: &[u8]) -> Result<Option<usize>> {
    // Keys are too short for a search by vectors to be worth its start.
    for (at, byte) in line.iter().enumerate() {
        if (*byte == b':' || *byte == b'#') && ends_plain(line, at)? {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

/// Whether the colon or number sign at `at` ends a plain scalar, as that of a key; a comment is
/// declined.
fn ends_plain(line: &[u8], at: usize) -> Result<bool> {
    match (line[at], line.get(at + 1)) {
        (b':', None | Some(b' ')) => Ok(true),
        (b'#', _) if at > 0 && line[at - 1] == b' ' => Err(Declined),
        _ => Ok(false),
    }
}

/// Declines what is more, or less, than one line of a plain scalar.
pub(super) fn check(line: &[u8]) -> Result<()> {
    match (line.first(), line.last()) {
        (Some(first), Some(last)) if can_start(*first) && *last != b' ' => {}
        _ => return Err(Declined),
    }
    for at in memchr::memchr2_iter(b':', b'#', line) {
        if ends_plain(line, at)? {
            return Err(Declined);
        }
    }
    Ok(())
}

/// What a plain scalar for which [`check`] holds stands for.
pub(super) fn resolve(text: &str) -> Result<Plain> {
    let bytes = text.as_bytes();
    let is_text = match bytes {
        [b'a'..=b'z' | b'A'..=b'Z', ..] => return word(text),
        [b'0'..=b'9', ..] => return number(text),
        [b'~'] => return Ok(Plain::Null),
        [b'-', b'1'..=b'9', digits @ ..]
            if digits.len() < MAX_DIGITS && digits.iter().all(u8::is_ascii_digit) =>
        {
            return text.parse().map(Plain::Negative).map_err(|_| Declined);
        }
        [b'-', b'-', third, ..] => *third != b'-',
        [b'-', letter, ..] => letter.is_ascii_alphabetic(),
        [b'/' | b'$' | b'(', ..] | [b'.'] => true,
        [b'.', b'i' | b'I' | b'n' | b'N', ..] => false,
        [b'.', next, ..] => next.is_ascii_alphabetic() || *next == b'/',
        [b'<', next, ..] => *next != b'<',
        _ => false,
    };
    if is_text { Ok(Plain::Text) } else { Err(Declined) }
}

/// Declines a plain scalar that nobody can read: a number that JSON does not have.
pub(super) fn check_unread(text: &str) -> Result<()> {
    let is_finite = || {
        text.len() <= MAX_DIGITS
            && !text.contains(['e', 'E'])
            && text.starts_with(|c: char| c.is_ascii_digit())
    };
    let is_word = text.starts_with(|c: char| c.is_ascii_alphabetic());
    if is_word || is_finite() || resolve(text).is_ok() { Ok(()) } else { Err(Declined) }
}

/// What starts with a letter.
fn word(text: &str) -> Result<Plain> {
    const WORDS: [&str; 11] =
        ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"];
    if !matches!(text.as_bytes()[0] | 0x20, b'y' | b'n' | b'o' | b't' | b'f' | b'i') {
        return Ok(Plain::Text);
    }
    match text {
        "true" => Ok(Plain::Bool(true)),
        "false" => Ok(Plain::Bool(false)),
        "null" => Ok(Plain::Null),
        _ if text.len() <= 5 && WORDS.iter().any(|word| text.eq_ignore_ascii_case(word)) => {
            Err(Declined)
        }
        _ => Ok(Plain::Text),
    }
}

/// What starts with a digit: a whole number, or text that is none in any spelling.
fn number(text: &str) -> Result<Plain> {
    let bytes = text.as_bytes();
    if bytes.iter().all(u8::is_ascii_digit) {
        return match bytes {
            [b'0', _, ..] => Err(Declined),
            _ if bytes.len() > MAX_DIGITS => Err(Declined),
            _ => text.parse().map(Plain::Unsigned).map_err(|_| Declined),
        };
    }
    let n_dashes = memchr::memchr_iter(b'-', bytes).count();
    // Only zero starts a number in another base.
    let is_of_no_number: fn(&u8) -> bool = if bytes[0] == b'0' {
        |byte| byte.is_ascii_alphabetic() && !byte.is_ascii_hexdigit() && !b"xXoO".contains(byte)
    } else {
        |byte| byte.is_ascii_alphabetic() && !matches!(byte, b'e' | b'E')
    };
    let is_text = n_dashes > 1 || bytes.iter().any(|byte| *byte == b'/' || is_of_no_number(byte));
    if is_text && !bytes.contains(&b'_') { Ok(Plain::Text) } else { Err(Declined) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_certain_is_resolved() {
        for (text, expected) in [
            ("null", Some(Plain::Null)),
            ("true", Some(Plain::Bool(true))),
            ("0", Some(Plain::Unsigned(0))),
            ("8080", Some(Plain::Unsigned(8080))),
            ("-1", Some(Plain::Negative(-1))),
            ("Running", Some(Plain::Text)),
            ("2f1e0c9a-1111-4222-8333-944455556666", Some(Plain::Text)),
            ("12345678-1111-4222-8333-944455556666", Some(Plain::Text)),
            ("100m", Some(Plain::Text)),
            ("--flag", Some(Plain::Text)),
            ("yes", None),
            ("Off", None),
            ("True", None),
            ("NULL", None),
            ("0644", None),
            ("0x1f", None),
            ("1e3", None),
            ("1.5", None),
            ("1_000", None),
            ("12:30", None),
            (".inf", None),
            ("+1", None),
            ("-0", None),
            ("<<", None),
            ("9999999999999999999", None),
        ] {
            assert_eq!(resolve(text).ok(), expected, "{text}");
        }
    }
}
