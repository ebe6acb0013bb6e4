//! What can be wrong with an input, and how do we say it without quoting it?

use std::io;

use crate::objects::meta::Name;
use crate::objects::source::printable;

/// Something that is wrong with an input as a whole; single objects have
/// [`ObjectError`](crate::objects::source::ObjectError).
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The file or directory cannot be opened.
    #[error("`{}` cannot be opened", printable(.file))]
    Open {
        /// The file as named.
        file: Name,
        /// The cause.
        source: io::Error,
    },
    /// Reading failed on the way: what came before has been delivered.
    #[error("`{}` cannot be read to its end", printable(.file))]
    Read {
        /// The file as named.
        file: Name,
        /// The cause.
        source: io::Error,
    },
    /// The bytes are no text.
    #[error("`{}` is neither YAML nor JSON: it is not text", printable(.file))]
    NotText {
        /// The file as named.
        file: Name,
    },
    /// The text is in an encoding that Kubernetes does not read.
    #[error("`{}` is UTF-16: Kubernetes reads UTF-8 only", printable(.file))]
    Utf16 {
        /// The file as named.
        file: Name,
    },
    /// There is no object in the file.
    #[error("`{}` holds no object", printable(.file))]
    NoObjects {
        /// The file or directory as named.
        file: Name,
    },
    /// The directory is not read, as it stands in too many others.
    #[error("`{}` is not read: it is more than 64 directories deep", printable(.directory))]
    TooDeep {
        /// The directory as named.
        directory: Name,
    },
    /// There is no file in the directory that could hold objects.
    #[error("`{}` has no .yaml, .yml, .json or .jsonl file (nor one of these with .gz)", printable(.directory))]
    NoManifests {
        /// The directory as named.
        directory: Name,
    },
}

/// What serde says, without the value that it says it of.
///
/// The texts of serde_json's syntax errors are fixed; those about a value's type quote the value,
/// which is why only the part after `expected` is taken, and that is our own.
pub(super) fn scrubbed(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = match text.rfind(" at line ") {
        Some(end) if error.line() > 0 => &text[..end],
        _ => &text,
    };
    if !error.is_data() {
        return text.to_owned();
    }
    let expected = text.rfind(", expected ").map(|start| &text[start + ", expected ".len()..]);
    let Some(expected) = expected else { return "invalid value".to_owned() };
    match text.strip_prefix("invalid type: ").and_then(found) {
        Some(found) => format!("expected {expected}, not {found}"),
        None => format!("expected {expected}"),
    }
}

/// What serde calls the type of a value, in our words.
fn found(text: &str) -> Option<&'static str> {
    [
        ("string", "a string"),
        ("boolean", "a boolean"),
        ("integer", "a number"),
        ("floating point", "a number"),
        ("sequence", "a list"),
        ("map", "an object"),
        ("null", "null"),
        ("unit", "null"),
    ]
    .into_iter()
    .find_map(|(prefix, name)| text.starts_with(prefix).then_some(name))
}

/// What is wrong with a YAML text: where (line from 1, 0 where not known), and what. None of the
/// parser's own texts is used, as some quote the text.
pub(super) fn yaml_fault(error: &serde_yaml::Error) -> (usize, String) {
    use serde_yaml::Error as E;
    let line = error.location().map_or(0, |at| usize::try_from(at.line()).unwrap_or(0));
    let reason = match error.without_snippet() {
        E::Eof { .. } => "the document ends too early",
        E::DuplicateMappingKey { .. } => "a key stands twice in an object",
        E::MultipleDocuments { .. } => "it holds more than one document",
        E::UnknownAnchor { .. } => "an alias names an anchor that does not exist",
        E::MergeValueNotMapOrSeqOfMaps { .. } => "a merge key (`<<`) needs an object",
        E::NonFiniteFloat { .. } => "infinity and not-a-number do not exist in JSON",
        E::AliasReplayCounterOverflow { .. }
        | E::AliasReplayLimitExceeded { .. }
        | E::AliasExpansionLimitExceeded { .. }
        | E::AliasReplayStackDepthExceeded { .. } => ALIAS_BOMB,
        E::RecursiveReferencesRequireWeakTypes { .. } => "an anchor contains itself",
        E::Budget { breach, .. } => return (line, breach_text(breach).to_owned()),
        // The scanner, which runs ahead of the budget, has no variant of its own for this.
        E::ExternalMessage { msg, .. } if msg.contains("recursion limit") => TOO_DEEP,
        E::InvalidUtf8Input => "it is not UTF-8",
        E::AliasError { error, .. } => return yaml_fault(error),
        E::SerdeInvalidType { .. } | E::SerdeInvalidValue { .. } | E::InvalidScalar { .. } => {
            "a value is not what its place or tag asks for"
        }
        _ => "it is not valid YAML",
    };
    (line, reason.to_owned())
}

/// What is said where aliases would make much of a small text.
pub(super) const ALIAS_BOMB: &str = "aliases unfold to too much";

const TOO_DEEP: &str = "it is nested too deep";

fn breach_text(breach: &serde_yaml::budget::BudgetBreach) -> &'static str {
    use serde_yaml::budget::BudgetBreach as B;
    match breach {
        B::Depth { .. } => TOO_DEEP,
        // The limits grow with the text, so that only what aliases repeat can exceed them.
        B::Aliases { .. }
        | B::Anchors { .. }
        | B::Events { .. }
        | B::Nodes { .. }
        | B::ScalarBytes { .. } => ALIAS_BOMB,
        B::MergeKeys { .. } => "it has too many merge keys",
        _ => "it is too large for one document",
    }
}
