//! Which documents does a file hold, and where does each begin?

/// What some editors put before UTF-8.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// One YAML document of a file. What the documents of a file hold, one after another, is the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Document<'t> {
    /// The line with `---` or `...` before it, a byte order mark; empty where there is none.
    pub head: &'t str,
    /// The document itself.
    pub body: &'t str,
    /// The number of the body's first line, from 1.
    pub line: usize,
}

impl Document<'_> {
    /// Whether there is nothing but white space, comments and directives.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        let is_blank = |line: &str| {
            line.starts_with('%') || line.trim().is_empty() || line.trim_start().starts_with('#')
        };
        self.body.lines().all(is_blank)
    }
}

/// The documents of a file, cut as the API's tools cut them: at lines that begin with a marker.
#[must_use]
pub fn documents(text: &str) -> Vec<Document<'_>> {
    let mut documents = Vec::new();
    let (mut start, mut body, mut line) = (0, 0, 1);
    if text.starts_with(BYTE_ORDER_MARK) {
        body = BYTE_ORDER_MARK.len_utf8();
    }
    let mut at = body;
    for (n, text_of_line) in text[at..].split_inclusive('\n').enumerate() {
        let end = at + text_of_line.len();
        if let Some(is_alone) = marker(text_of_line) {
            // A marker at the very beginning opens the first document, and closes none.
            if at > body {
                documents.push(Document { head: &text[start..body], body: &text[body..at], line });
                start = at;
            }
            (body, line) = if is_alone { (end, n + 2) } else { (at, n + 1) };
        }
        at = end;
    }
    documents.push(Document { head: &text[start..body], body: &text[body..], line });
    documents
}

/// Whether a line stands between documents, and if so, whether it stands there alone.
fn marker(line: &str) -> Option<bool> {
    let rest = line.strip_prefix("---").or_else(|| line.strip_prefix("..."))?;
    if rest.starts_with(|c: char| !c.is_ascii_whitespace()) {
        return None;
    }
    let rest = rest.trim_start();
    Some(rest.is_empty() || rest.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_together_are_the_file() {
        for (text, want) in [
            ("", &[("", 1)][..]),
            ("a: 1", &[("a: 1", 1)]),
            ("---\na: 1\n---\nb: 1\n", &[("a: 1\n", 2), ("b: 1\n", 4)]),
            ("\u{feff}---\r\na: 1\r\n", &[("a: 1\r\n", 2)]),
            ("\u{feff}a: 1\n", &[("a: 1\n", 1)]),
            ("%YAML 1.1\n--- # x\na: 1\n...\n", &[("%YAML 1.1\n", 1), ("a: 1\n", 3), ("", 5)]),
            ("# c\n--- {a: 1}\n---x\n", &[("# c\n", 1), ("--- {a: 1}\n---x\n", 2)]),
            ("---\n---\na: 1\n", &[("a: 1\n", 3)]),
        ] {
            let found = documents(text);
            let together: String =
                found.iter().flat_map(|document| [document.head, document.body]).collect();
            assert_eq!(together, text);
            let found: Vec<_> = found.iter().map(|it| (it.body, it.line)).collect();
            assert_eq!(found, want, "{text:?}");
        }
    }
}
