//! `apply`: what was changed in a cluster, and what was not.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::table::aligned;
use crate::objects::source::printable;

/// The report of `apply`; its field names are a contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApplyReport {
    /// `warn`, `enforce` or `bypass`.
    pub stage: String,
    /// Whether the stage was put back, not applied.
    pub undo: bool,
    /// Whether nothing was to be changed.
    pub dry_run: bool,
    /// The server's address.
    pub server: String,
    /// Where it stands what was there before; `None` where nothing was changed.
    pub undo_file: Option<String>,
    /// Whether everything was done that was to be done.
    pub complete: bool,
    /// What became of each object, in the order in which they were taken up.
    pub items: Vec<ApplyItem>,
}

/// What became of one object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApplyItem {
    /// The kind.
    pub kind: String,
    /// The namespace; empty for objects of the cluster.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// The name.
    pub name: String,
    /// What became of it.
    pub result: Fate,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The labels that it was to get; `null` for those to be removed.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, Option<String>>,
    /// What the server warned of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// What became of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Fate {
    /// Its labels were set, or put back.
    Set,
    /// It was made.
    Made,
    /// It was deleted.
    Deleted,
    /// It would be changed; this was a dry run.
    WouldChange,
    /// It was as it should be.
    Unchanged,
    /// It was left out on purpose.
    Skipped,
    /// It could not be changed, which has ended the run.
    Failed,
    /// It was not reached.
    Pending,
}

impl Fate {
    fn as_str(self) -> &'static str {
        match self {
            Self::Set => "set",
            Self::Made => "made",
            Self::Deleted => "deleted",
            Self::WouldChange => "would change",
            Self::Unchanged => "unchanged",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
            Self::Pending => "not reached",
        }
    }
}

impl ApplyItem {
    /// A namespace that is to get labels.
    #[must_use]
    pub fn namespace(name: &str, result: Fate) -> Self {
        Self {
            kind: "Namespace".to_owned(),
            namespace: String::new(),
            name: name.to_owned(),
            result,
            reason: None,
            labels: BTreeMap::new(),
            warnings: Vec::new(),
        }
    }

    /// The same with a reason.
    #[must_use]
    pub fn because(self, reason: impl Into<String>) -> Self {
        Self { reason: Some(reason.into()), ..self }
    }

    /// The same with the labels that are set.
    #[must_use]
    pub fn with_labels(self, labels: &BTreeMap<String, Option<String>>) -> Self {
        Self { labels: labels.clone(), ..self }
    }
}

/// Labels in one line, without the prefix that all of them have.
#[must_use]
pub fn labels_text(labels: &BTreeMap<String, Option<String>>) -> String {
    let word = |(key, value): (&String, &Option<String>)| {
        let key = key.trim_start_matches(crate::objects::meta::POD_SECURITY_PREFIX);
        value.as_ref().map_or_else(|| format!("{key}-"), |value| format!("{key}={value}"))
    };
    printable(&labels.iter().map(word).collect::<Vec<_>>().join(" ")).into_owned()
}

/// One line for each object, then the count of each fate.
#[must_use]
pub fn text(report: &ApplyReport) -> String {
    let header = ["OBJECT", "RESULT", "DETAIL"].map(str::to_owned).to_vec();
    let rows = report.items.iter().map(|item| {
        let name = match (item.kind.as_str(), item.namespace.as_str()) {
            ("Namespace", _) => item.name.clone(),
            (kind, "") => format!("{kind} {}", item.name),
            (kind, namespace) => format!("{kind} {namespace}/{}", item.name),
        };
        let detail = match &item.reason {
            Some(reason) => printable(reason).into_owned(),
            None => labels_text(&item.labels),
        };
        vec![printable(&name).into_owned(), item.result.as_str().to_owned(), detail]
    });
    let mut text = aligned(&std::iter::once(header).chain(rows).collect::<Vec<_>>(), None);
    let mut counts: Vec<(Fate, usize)> = Vec::new();
    for item in &report.items {
        match counts.iter_mut().find(|(fate, _)| *fate == item.result) {
            Some((_, n)) => *n += 1,
            None => counts.push((item.result, 1)),
        }
    }
    let counts: Vec<String> =
        counts.iter().map(|(fate, n)| format!("{n} {}", fate.as_str())).collect();
    if !counts.is_empty() {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "\n{}", counts.join(", "));
    }
    text
}
