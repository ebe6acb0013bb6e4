//! What does a policy hold against a pod, and how does the API server say it?

use std::fmt;

use crate::objects::path::FieldPath;
use crate::quote::quoted;

/// A value of a pod that a policy does not allow.
///
/// Prints as the API server prints it. Upstream:
/// `staging/src/k8s.io/apimachinery/pkg/util/validation/field/errors.go`, `Error` (v1.21).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// Where, as the API server spells it, which is not always where the field really stands.
    pub path: FieldPath,
    /// What is wrong.
    pub kind: ErrorKind,
    /// The explanation; may be empty.
    pub detail: String,
}

/// What is wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorKind {
    /// The value is not one of those allowed.
    Invalid(BadValue),
    /// The field may not be set like that.
    Forbidden,
    /// The field must be set.
    Required,
}

/// A value that is not allowed; prints as Go prints it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadValue {
    /// None where one is needed.
    Null,
    /// A boolean.
    Bool(bool),
    /// An id or a port.
    Integer(i64),
    /// A string.
    String(String),
    /// A list of ids; `None` where the field is absent.
    Integers(Option<Vec<i64>>),
    /// A list of capabilities.
    Capabilities(Vec<String>),
}

impl FieldError {
    pub(super) fn invalid(path: FieldPath, value: BadValue, detail: impl Into<String>) -> Self {
        Self { path, kind: ErrorKind::Invalid(value), detail: detail.into() }
    }

    pub(super) fn forbidden(path: FieldPath, detail: impl Into<String>) -> Self {
        Self { path, kind: ErrorKind::Forbidden, detail: detail.into() }
    }

    pub(super) fn required(path: FieldPath, detail: impl Into<String>) -> Self {
        Self { path, kind: ErrorKind::Required, detail: detail.into() }
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.kind)?;
        if self.detail.is_empty() { Ok(()) } else { write!(f, ": {}", self.detail) }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(value) => write!(f, "Invalid value: {value}"),
            Self::Forbidden => f.write_str("Forbidden"),
            Self::Required => f.write_str("Required value"),
        }
    }
}

impl fmt::Display for BadValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("\"null\""),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Integer(value) => write!(f, "{value}"),
            Self::String(value) => f.write_str(&quoted(value)),
            Self::Integers(None) => f.write_str("[]int64(nil)"),
            Self::Integers(Some(values)) => {
                write!(f, "[]int64{{{}}}", joined(values.iter().map(ToString::to_string)))
            }
            Self::Capabilities(names) if names.is_empty() => f.write_str("[]core.Capability(nil)"),
            Self::Capabilities(names) => {
                let names = names.iter().map(|name| quoted(name));
                write!(f, "[]core.Capability{{{}}}", joined(names))
            }
        }
    }
}

fn joined(values: impl Iterator<Item = String>) -> String {
    values.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_the_api_server_does() {
        let path = || FieldPath::new("spec.containers").index(0);
        for (error, expected) in [
            (
                FieldError::invalid(path(), BadValue::Bool(true), "no"),
                "spec.containers[0]: Invalid value: true: no",
            ),
            (
                FieldError::invalid(path(), BadValue::String("a\"b".to_owned()), ""),
                r#"spec.containers[0]: Invalid value: "a\"b""#,
            ),
            (
                FieldError::invalid(path(), BadValue::Integers(Some(vec![1, 6])), "x"),
                "spec.containers[0]: Invalid value: []int64{1, 6}: x",
            ),
            (
                FieldError::invalid(path(), BadValue::Integers(Some(vec![])), "x"),
                "spec.containers[0]: Invalid value: []int64{}: x",
            ),
            (
                FieldError::invalid(path(), BadValue::Null, "x"),
                r#"spec.containers[0]: Invalid value: "null": x"#,
            ),
            (
                FieldError::invalid(path(), BadValue::Capabilities(vec![]), "x"),
                "spec.containers[0]: Invalid value: []core.Capability(nil): x",
            ),
            (
                FieldError::invalid(path(), BadValue::Capabilities(vec!["A".to_owned()]), "x"),
                "spec.containers[0]: Invalid value: []core.Capability{\"A\"}: x",
            ),
            (FieldError::forbidden(path(), "x"), "spec.containers[0]: Forbidden: x"),
            (FieldError::required(path(), ""), "spec.containers[0]: Required value"),
        ] {
            assert_eq!(error.to_string(), expected);
        }
    }
}
