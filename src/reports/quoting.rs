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

/// Whether the API server could have a namespace of that name (a DNS label).
#[must_use]
pub fn is_namespace_name(name: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = name.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return false };
    bytes.len() <= 63
        && is_inner(*first)
        && is_inner(*last)
        && bytes.iter().all(|byte| is_inner(*byte) || *byte == b'-')
}

/// Whether the API server could have a workload of that name (a DNS subdomain).
#[must_use]
pub fn is_object_name(name: &str) -> bool {
    name.len() <= 253 && name.split('.').all(is_namespace_name)
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
        assert!(is_object_name("web.v1-2") && !is_object_name("web..x") && !is_object_name("-f"));
    }

    #[test]
    fn only_dns_labels_are_namespaces() {
        assert!(is_namespace_name("kube-system"));
        let long = "a".repeat(64);
        for bad in ["", "-x", "x-", "a.b", "A", "$(x)", "a\nb", long.as_str()] {
            assert!(!is_namespace_name(bad), "{bad:?}");
        }
    }
}
