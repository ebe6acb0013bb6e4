//! `plan --edit`: what changes in a checkout, and what does not.

use std::fmt::Write as _;

use serde::Serialize;
use similar::TextDiff;

use crate::manifests::Edits;
use crate::objects::source::printable;

/// How many names a line lists.
const MAX_NAMES: usize = 20;

/// What was, or would be, changed.
#[derive(Debug, Serialize)]
pub struct EditReport<'e> {
    /// Whether the files have been written.
    pub written: bool,
    /// What changes.
    #[serde(flatten)]
    pub edits: &'e Edits,
}

/// The changes as a unified diff, for `git apply` or `patch -p1` in the checkout's directory. Text of
/// the files stands in it as it is.
#[must_use]
pub fn diff(edits: &Edits) -> String {
    let mut text = String::new();
    for file in &edits.files {
        let path = printable(&file.path);
        let lines = TextDiff::from_lines(&file.before, &file.after);
        let mut diff = lines.unified_diff();
        // Writing to a String cannot fail.
        let _ = write!(text, "{}", diff.header(&format!("a/{path}"), &format!("b/{path}")));
    }
    text
}

/// What stays as it is and why, a line each.
#[must_use]
pub fn notes(edits: &Edits) -> Vec<String> {
    let mut notes = Vec::new();
    for file in &edits.left_alone {
        notes.push(format!("left alone: {}: {}", file.path, file.reason));
    }
    for kept in &edits.kept {
        notes.push(format!(
            "kept: {}: namespace {}: {}={} is stricter than {}",
            kept.path, kept.namespace, kept.label, kept.value, kept.planned,
        ));
    }
    for left_out in &edits.left_out {
        let (path, namespace) = (&left_out.path, &left_out.namespace);
        notes.push(format!("left out: {path}: namespace {namespace}: {}", left_out.reason));
    }
    let places: Vec<String> = edits
        .not_in_plan
        .iter()
        .map(|place| format!("{} ({}:{})", place.namespace, place.path, place.line))
        .collect();
    notes.extend(listed("not in the plan", &places));
    notes.extend(listed("no manifest for", &edits.without_manifest));
    notes.iter().map(|note| printable(note).into_owned()).collect()
}

fn listed(head: &str, names: &[String]) -> Option<String> {
    let shown = names.get(..MAX_NAMES).unwrap_or(names).join(", ");
    match names.len() {
        0 => None,
        n if n > MAX_NAMES => Some(format!("{head}: {shown} and {} more", n - MAX_NAMES)),
        _ => Some(format!("{head}: {shown}")),
    }
}

/// How much there is to change, such as `2 files (3 namespaces)`.
#[must_use]
pub fn extent(edits: &Edits) -> String {
    let n_namespaces: usize = edits.files.iter().map(|file| file.namespaces.len()).sum();
    let counted = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let files = counted(edits.files.len(), "file");
    format!("{files} ({})", counted(n_namespaces, "namespace"))
}
