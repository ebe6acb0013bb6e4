//! Which name sorts before a policy's own?

/// The longest name that the API server takes.
const MAX_LENGTH: usize = 253;

/// A name for the clone of `original` that sorts before it and that `is_free`: `0` and the original's
/// name where that will do. `None` where there is none, as for a policy called `0`.
pub(super) fn name_before(original: &str, is_free: impl Fn(&str) -> bool) -> Option<String> {
    const PREFIXES: [&str; 6] = ["0", "00", "000", "0-", "0--", "0---"];
    let whole = PREFIXES.iter().map(|prefix| format!("{prefix}{original}"));
    // Too long a name gives way to a part of it and a number.
    let shortened = PREFIXES.iter().flat_map(|prefix| {
        let start: String = original.chars().take(MAX_LENGTH - 10).collect();
        let start = start.trim_end_matches(['-', '.']).to_owned();
        (1..=9).map(move |number| format!("{prefix}{start}-{number}"))
    });
    whole
        .chain(shortened)
        .find(|name| name.as_str() < original && name.len() <= MAX_LENGTH && is_free(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_before_the_originals() {
        let long = "a".repeat(253);
        let shortened = format!("0{}-1", "a".repeat(243));
        for (original, expected) in [
            ("restricted", Some("0restricted")),
            ("00-first", Some("0-00-first")),
            ("0-first", Some("0-0-first")),
            ("0-0", Some("0--0-0")),
            ("0", None),
            (long.as_str(), Some(shortened.as_str())),
        ] {
            let name = name_before(original, |_| true);
            assert_eq!(name.as_deref(), expected, "{original}");
        }
    }

    #[test]
    fn names_that_are_taken_are_passed_over() {
        let name = name_before("restricted", |name| name != "0restricted");
        assert_eq!(name.as_deref(), Some("00restricted"));
        assert_eq!(name_before("restricted", |_| false), None);
    }
}
