//! Why is a file left alone?

/// Why a file of a checkout is left alone. Lines are counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// It is not YAML, or a key stands twice.
    #[error("{}{reason}", at(*line))]
    Syntax {
        /// Where, if that is known.
        line: Option<usize>,
        /// What is wrong.
        reason: String,
    },
    /// It is made by a template engine.
    #[error("line {line}: it is a template (`{{{{ }}}}`)")]
    Template {
        /// The line.
        line: usize,
    },
    /// A line is indented by tabs.
    #[error("line {line}: it is indented by a tab")]
    Tab {
        /// The line.
        line: usize,
    },
    /// A line ends in a carriage return alone.
    #[error("line {line}: a carriage return stands alone")]
    CarriageReturn {
        /// The line.
        line: usize,
    },
    /// One text may stand for several.
    #[error("line {line}: an anchor, alias, tag or merge key")]
    Anchor {
        /// The line.
        line: usize,
    },
    /// A mapping that would have to be edited is in flow style.
    #[error("line {line}: it is in flow style (`{{…}}`)")]
    Flow {
        /// The line.
        line: usize,
    },
    /// The lines are not laid out as they are understood.
    #[error("line {line}: it is laid out in a way that is not edited")]
    Layout {
        /// The line.
        line: usize,
    },
    /// The edited text says something else than was meant.
    #[error("line {line}: edited, it would not be read as the same object with the labels")]
    NotAsMeant {
        /// Where the document begins.
        line: usize,
    },
    /// Another document is about the same namespace.
    #[error("line {line}: namespace `{namespace}` is also in {other}")]
    Several {
        /// Where the document begins.
        line: usize,
        /// The namespace.
        namespace: String,
        /// The other place.
        other: String,
    },
    /// The namespace is an item of a List.
    #[error("line {line}: the Namespace is an item of a List")]
    List {
        /// Where the document begins.
        line: usize,
    },
    /// The Namespace has no name that one can have.
    #[error("line {line}: the Namespace has no name, or none that a namespace can have")]
    Name {
        /// Where the document begins.
        line: usize,
    },
    /// It is JSON.
    #[error("it is JSON, which is not edited")]
    Json,
    /// It cannot be read, or is not a file of this checkout.
    #[error("{0}")]
    Unreadable(String),
}

fn at(line: Option<usize>) -> String {
    line.map_or(String::new(), |line| format!("line {line}: "))
}
