//! How are names from a cluster made safe where they are printed?
//!
//! Names come from the input, and input is not trusted: it may hold terminal escapes, newlines that
//! would end a comment, or words that a shell would run.

use crate::objects::source::printable;

/// A word of a POSIX shell that stands for `text`; `None` where no word can (it holds a NUL).
#[must_use]
pub fn shell_word(text: &str) -> Option<String> {
    shlex::try_quote(text).ok().map(std::borrow::Cow::into_owned)
}

/// A part of a file's name that stands for `text`: without path separators, hidden files or
/// characters that a file system takes for special.
#[must_use]
pub fn file_name_part(text: &str) -> String {
    let is_plain =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.' | '_');
    let plain = text.chars().map(|c| if is_plain(c) { c } else { '_' }).take(200);
    let plain: String = plain.collect();
    match plain.strip_prefix('.') {
        Some(rest) => format!("_{rest}"),
        None if plain.is_empty() => "_".to_owned(),
        None => plain,
    }
}

/// The cells of a table's row, safe for a terminal.
#[must_use]
pub fn printable_row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(|cell| printable(cell).into_owned()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_only_where_needed() {
        assert_eq!(shell_word("shop").unwrap(), "shop");
        assert_eq!(shell_word("$(reboot)").unwrap(), "'$(reboot)'");
        assert_eq!(shell_word("a\0b"), None);
    }

    #[test]
    fn file_names_stay_in_their_directory() {
        for (text, want) in [
            ("web-1.2", "web-1.2"),
            ("../../etc/passwd", "_./.._etc_passwd"),
            ("..", "_."),
            ("", "_"),
            ("a\u{0}b\nC:\\d", "a_b____d"),
        ] {
            assert_eq!(file_name_part(text), want.replace('/', "_"), "{text:?}");
        }
        assert_eq!(file_name_part(&"a".repeat(999)).len(), 200);
    }
}
