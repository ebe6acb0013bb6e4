//! What does a server warn of, in the headers of an answer?

use http::HeaderMap;
use http::header::WARNING;

/// The texts of the warnings, in their order; what cannot be read is left out.
pub(super) fn warnings(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(WARNING).iter();
    values.flat_map(|value| texts(&String::from_utf8_lossy(value.as_bytes()))).collect()
}

/// The texts of one header: `299 - "TEXT"`, perhaps with a date, perhaps several.
///
/// Upstream: `staging/src/k8s.io/apimachinery/pkg/util/net/http.go`, `ParseWarningHeader`.
fn texts(header: &str) -> Vec<String> {
    let mut texts = Vec::new();
    let mut rest = header.trim_start();
    while let Some((code, behind)) = rest.split_once(' ') {
        let Some((_agent, behind)) = behind.split_once(' ') else { break };
        if code != "299" {
            break;
        }
        let Some((text, behind)) = quoted(behind) else { break };
        texts.push(text);
        // A date may follow, which is quoted too.
        let behind = quoted(behind).map_or(behind, |(_, behind)| behind);
        rest = behind.trim_start().trim_start_matches(',').trim_start();
    }
    texts
}

/// A quoted string, and what is behind it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let inner = text.trim_start().strip_prefix('"')?;
    let mut unquoted = String::new();
    let mut chars = inner.char_indices();
    while let Some((index, char)) = chars.next() {
        match char {
            '"' => return Some((unquoted, &inner[index + 1..])),
            '\\' => unquoted.push(chars.next()?.1),
            char => unquoted.push(char),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::texts;

    #[test]
    fn texts_are_unquoted() {
        assert_eq!(texts(r#"299 - "a \"b\" \\""#), [r#"a "b" \"#]);
        assert_eq!(texts(r#"299 - "a", 299 agent "b" "Wed, 21 Oct", 299 - "c""#), ["a", "b", "c"]);
        for bad in ["", "299", "299 -", "199 - \"a\"", "299 - a", "299 - \"a", "299 - \"a\\"] {
            assert_eq!(texts(bad), Vec::<String>::new(), "{bad}");
        }
    }
}
