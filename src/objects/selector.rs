//! Which objects does a label selector select?

use std::collections::BTreeMap;
use std::str::FromStr;

/// A label selector as kubectl's `-l` takes it: requirements, all of which must hold.
///
/// Upstream: `staging/src/k8s.io/apimachinery/pkg/labels/selector.go`, `Parse` (v1.36).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selector {
    requirements: Vec<Requirement>,
}

/// A text that is not a label selector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a label requirement such as `team=shop`, `env in (dev,test)` or `!legacy`"
)]
pub struct ParseSelectorError {
    text: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement {
    key: String,
    operator: Operator,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Operator {
    Exists,
    DoesNotExist,
    In(Vec<String>),
    /// Holds too where the label is absent.
    NotIn(Vec<String>),
}

impl Selector {
    /// Whether labels satisfy every requirement.
    #[must_use]
    pub fn selects(&self, labels: &BTreeMap<String, String>) -> bool {
        self.requirements.iter().all(|Requirement { key, operator }| {
            let value = labels.get(key);
            match operator {
                Operator::Exists => value.is_some(),
                Operator::DoesNotExist => value.is_none(),
                Operator::In(values) => value.is_some_and(|value| values.contains(value)),
                Operator::NotIn(values) => value.is_none_or(|value| !values.contains(value)),
            }
        })
    }
}

impl FromStr for Selector {
    type Err = ParseSelectorError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let requirements = split_outside_parentheses(text).into_iter().map(requirement);
        Ok(Self { requirements: requirements.collect::<Result<_, _>>()? })
    }
}

fn split_outside_parentheses(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0_usize, 0);
    for (index, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&text[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn requirement(text: &str) -> Result<Requirement, ParseSelectorError> {
    let text = text.trim();
    let error = || ParseSelectorError { text: text.to_owned() };
    let (key, operator) = if let Some(key) = text.strip_prefix('!') {
        (key, Operator::DoesNotExist)
    } else if let Some((key, value)) = text.split_once("!=") {
        (key, Operator::NotIn(vec![plain(value).ok_or_else(error)?]))
    } else if let Some((key, value)) = text.split_once("==").or_else(|| text.split_once('=')) {
        (key, Operator::In(vec![plain(value).ok_or_else(error)?]))
    } else if let Some((key, values)) =
        text.split_once(" notin ").or_else(|| text.split_once(" notin("))
    {
        (key, Operator::NotIn(set(values).ok_or_else(error)?))
    } else if let Some((key, values)) = text.split_once(" in ").or_else(|| text.split_once(" in("))
    {
        (key, Operator::In(set(values).ok_or_else(error)?))
    } else {
        (text, Operator::Exists)
    };
    let key = key.trim();
    let is_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    if key.is_empty() || !key.chars().all(is_key) {
        return Err(error());
    }
    Ok(Requirement { key: key.to_owned(), operator })
}

/// A label value; empty is one too.
fn plain(text: &str) -> Option<String> {
    let text = text.trim();
    let is_value = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    text.chars().all(is_value).then(|| text.to_owned())
}

/// The values of `(a,b)`, the opening parenthesis of which may be cut off.
fn set(text: &str) -> Option<Vec<String>> {
    let text = text.trim();
    let text = text.strip_prefix('(').unwrap_or(text).strip_suffix(')')?;
    text.split(',').map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selects_as_kubectl_does() {
        let labels = BTreeMap::from([
            ("team".to_owned(), "shop".to_owned()),
            ("env".to_owned(), "dev".to_owned()),
        ]);
        for (text, selects) in [
            ("", true),
            ("team=shop", true),
            ("team==shop,env!=prod", true),
            ("team!=shop", false),
            ("absent!=x", true),
            ("env in (dev, test),team", true),
            ("env notin (dev)", false),
            ("!absent", true),
            ("!team", false),
            ("absent", false),
        ] {
            assert_eq!(text.parse::<Selector>().unwrap().selects(&labels), selects, "{text}");
        }
        for bad in ["=x", "a in (b", "a b", "a=b c", ","] {
            assert!(bad.parse::<Selector>().is_err(), "{bad}");
        }
    }
}
