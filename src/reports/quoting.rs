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
    fn only_dns_labels_are_namespaces() {
        assert!(is_namespace_name("kube-system"));
        let long = "a".repeat(64);
        for bad in ["", "-x", "x-", "a.b", "A", "$(x)", "a\nb", long.as_str()] {
            assert!(!is_namespace_name(bad), "{bad:?}");
        }
    }
}
