//! Where does an object come from, and what is wrong with it?

use std::borrow::Cow;
use std::fmt;

use super::meta::Name;

/// Where an object stands in the input.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source {
    /// The file as the user named it, `stdin`, or the request of a live list.
    pub file: Name,
    /// The ordinal of the object within that file, from 0; a list's items count, not the list.
    pub index: usize,
    /// The line where the object starts, from 1; `None` where it is not known.
    pub line: Option<usize>,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&printable(&self.file))?;
        match self.line {
            Some(line) => write!(f, ":{line}: item {}", self.index),
            None => write!(f, ": item {}", self.index),
        }
    }
}

/// An object that could not be read.
///
/// Never holds a value of the object: dumps contain secrets. Its strings are as they stand in the
/// input; what is displayed has gone through [`printable`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectError {
    /// Where the object stands.
    pub at: Source,
    /// The line of the fault itself, from 1; `None` where it is not known.
    pub line: Option<usize>,
    /// `apiVersion`; empty where it is not known.
    pub api_version: String,
    /// `kind`; empty where it is not known.
    pub kind: String,
    /// `metadata.namespace`; empty where there is none or it is not known.
    pub namespace: String,
    /// `metadata.name`, else `metadata.generateName`; empty where it is not known.
    pub name: String,
    /// The path of the field at fault, such as `spec.containers[0].ports`; empty where it is the
    /// object as a whole.
    pub field: String,
    /// What is wrong, such as `expected a list, not a string`.
    pub reason: String,
}

impl fmt::Display for ObjectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = Source { line: self.line.or(self.at.line), ..self.at.clone() };
        write!(f, "{at}: ")?;
        if !self.kind.is_empty() {
            f.write_str(&printable(&self.kind))?;
            match (self.namespace.as_str(), self.name.as_str()) {
                (_, "") => f.write_str(": ")?,
                ("", name) => write!(f, " `{}`: ", printable(name))?,
                (namespace, name) => {
                    write!(f, " `{}/{}`: ", printable(namespace), printable(name))?;
                }
            }
        }
        if !self.field.is_empty() {
            write!(f, "{}: ", printable(&self.field))?;
        }
        f.write_str(&printable(&self.reason))
    }
}

impl std::error::Error for ObjectError {}

/// The text with every character escaped that a terminal would act on instead of showing it:
/// control characters, and those that reorder or hide their neighbours.
///
/// Names come from the input, and input is not trusted. Data keeps them raw; whatever prints one
/// to a person goes through here.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unprintable) {
        return Cow::Borrowed(text);
    }
    let mut printed = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_unprintable(c) {
            printed.extend(c.escape_unicode());
        } else {
            printed.push(c);
        }
    }
    Cow::Owned(printed)
}

/// Whether a terminal would act on the character; see [`printable`].
#[must_use]
pub fn is_unprintable(c: char) -> bool {
    // Bidirectional marks, embeddings and isolates; separators that end a line; invisible
    // characters that make two names look alike.
    const REORDERING: &[std::ops::RangeInclusive<char>] = &[
        '\u{61c}'..='\u{61c}',
        '\u{200b}'..='\u{200f}',
        '\u{2028}'..='\u{202e}',
        '\u{2060}'..='\u{206f}',
        '\u{feff}'..='\u{feff}',
    ];
    c.is_control() || (c > '\u{7f}' && REORDERING.iter().any(|range| range.contains(&c)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminals_see_no_escape() {
        assert_eq!(printable("web-0"), "web-0");
        assert_eq!(printable("a\u{1b}[2Jb\nc"), "a\\u{1b}[2Jb\\u{a}c");
        assert_eq!(printable("\u{202e}gpj"), "\\u{202e}gpj");
        assert_eq!(printable("naïve"), "naïve");
    }

    #[test]
    fn an_error_names_file_line_object_and_field() {
        let at = Source { file: "dump.yaml".into(), index: 3, line: Some(10) };
        let error = ObjectError {
            at: at.clone(),
            line: Some(17),
            api_version: "v1".into(),
            kind: "Pod".into(),
            namespace: "web".into(),
            name: "api-0\u{7}".into(),
            field: "spec.containers".into(),
            reason: "expected a list, not a string".into(),
        };
        assert_eq!(
            error.to_string(),
            "dump.yaml:17: item 3: Pod `web/api-0\\u{7}`: spec.containers: expected a list, not a string"
        );
        assert_eq!(at.to_string(), "dump.yaml:10: item 3");
    }
}
