//! What do the namespace manifests of a checkout become by a plan?
//!
//! ```text
//!  files ──► look: documents, Namespaces ──► which labels differ ──► edit: lines ──► read again ──► Edits
//! ```
//!
//! A file is edited as a whole or left alone as a whole, with the reason. Nothing here reads or writes
//! files.

mod document;
mod edit;
mod layout;
mod look;
mod reason;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value as Json;

pub use document::{Document, documents};
pub use edit::edited;
pub use look::mentions_namespaces;
use look::{Found, Look};
pub use reason::Reason;

use crate::level::Level;
use crate::migrate::plan::{NamespacePlan, Plan};
use crate::psa::policy::Mode;
use crate::rollout::Labelling;

/// A file of a checkout.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// Its path from the checkout's directory, with `/` between the names.
    pub path: String,
    /// What it holds, or why that cannot be known.
    pub text: Result<String, Reason>,
}

/// What becomes of a checkout. Files are in the order in which they were given.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Edits {
    /// The files that change.
    pub files: Vec<FileEdit>,
    /// The files that would have to change, and are left alone.
    pub left_alone: Vec<LeftAlone>,
    /// Labels that stay, as they are stricter than what the plan asks for.
    pub kept: Vec<Kept>,
    /// Manifests of namespaces that the plan labels in no way, and why.
    pub left_out: Vec<LeftOut>,
    /// Namespaces that the plan labels, and of which there is no manifest.
    pub without_manifest: Vec<String>,
    /// Manifests of namespaces that the plan does not know; empty where it is about some only.
    pub not_in_plan: Vec<Place>,
}

/// A file that changes.
#[derive(Debug, Clone, Serialize)]
pub struct FileEdit {
    /// Its path.
    pub path: String,
    /// What it holds.
    #[serde(skip)]
    pub before: String,
    /// What it is to hold.
    #[serde(skip)]
    pub after: String,
    /// The namespaces of it whose labels change.
    pub namespaces: Vec<NamespaceEdit>,
}

/// A namespace whose labels change.
#[derive(Debug, Clone, Serialize)]
pub struct NamespaceEdit {
    /// Its name.
    pub name: String,
    /// The line at which its document begins, from 1.
    pub line: usize,
    /// Its labels that change.
    pub labels: BTreeMap<String, Change>,
}

/// How a label changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What it is; `None` where it is not there.
    pub before: Option<String>,
    /// What it is to be.
    pub after: String,
}

/// A file that is left alone.
#[derive(Debug, Clone, Serialize)]
pub struct LeftAlone {
    /// Its path.
    pub path: String,
    /// Why.
    #[serde(serialize_with = "as_text")]
    pub reason: Reason,
}

fn as_text<S: serde::Serializer>(reason: &Reason, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(reason)
}

/// A label of a manifest that stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// The file.
    pub path: String,
    /// The namespace.
    pub namespace: String,
    /// The label.
    pub label: String,
    /// Its value.
    pub value: Level,
    /// What the plan asks for.
    pub planned: Level,
}

/// A namespace that is not labelled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// The file.
    pub path: String,
    /// The namespace.
    pub namespace: String,
    /// Why.
    pub reason: String,
}

/// Where a namespace's manifest stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The namespace.
    pub namespace: String,
    /// The file.
    pub path: String,
    /// The line at which its document begins, from 1.
    pub line: usize,
}

/// What the plan's labels make of the files. A plan that `is_partial` is about some namespaces only,
/// and says nothing of the others.
#[must_use]
pub fn edits(plan: &Plan, labelling: &Labelling, is_partial: bool, files: &[Manifest]) -> Edits {
    let planned: BTreeMap<&str, &NamespacePlan> =
        plan.namespaces.iter().map(|namespace| (&*namespace.name, namespace)).collect();
    let looks: Vec<_> = files.iter().map(|file| (file, Look::at(file))).collect();
    let places = places(&looks);
    let mut edits = Edits::default();
    for (file, look) in &looks {
        let mut wanted = Vec::new();
        for found in &look.found {
            let Some(name) = &found.name else { continue };
            let Some(namespace) = planned.get(name.as_str()) else {
                if !is_partial {
                    edits.not_in_plan.push(found.place(name, &file.path));
                }
                continue;
            };
            let (path, name) = (file.path.clone(), name.clone());
            if let Some(reason) = labelling.reason_to_skip(plan, namespace) {
                edits.left_out.push(LeftOut { path, namespace: name, reason });
                continue;
            }
            let (labels, stricter) = differing(&namespace.labels, &found.labels);
            edits.kept.extend(stricter.into_iter().map(|stricter| Kept {
                path: path.clone(),
                namespace: name.clone(),
                label: stricter.label.to_owned(),
                value: stricter.value,
                planned: stricter.planned,
            }));
            if !labels.is_empty() {
                wanted.push((found, name, labels));
            }
        }
        match file_edit(file, look, wanted, &places) {
            Ok(None) => {}
            Ok(Some(edit)) => edits.files.push(edit),
            Err(reason) => edits.left_alone.push(LeftAlone { path: file.path.clone(), reason }),
        }
    }
    edits.without_manifest = plan
        .namespaces
        .iter()
        .filter(|it| !it.labels.is_empty() && labelling.reason_to_skip(plan, it).is_none())
        .filter(|it| !places.contains_key(&*it.name))
        .map(|it| it.name.to_string())
        .collect();
    edits
}

/// Where each namespace's manifests stand.
fn places(looks: &[(&Manifest, Look<'_>)]) -> BTreeMap<String, Vec<Place>> {
    let mut places: BTreeMap<String, Vec<Place>> = BTreeMap::new();
    for (file, look) in looks {
        for found in &look.found {
            if let Some(name) = &found.name {
                places.entry(name.clone()).or_default().push(found.place(name, &file.path));
            }
        }
    }
    places
}

/// A label of a manifest that is stricter than the plan's.
struct Stricter {
    label: &'static str,
    value: Level,
    planned: Level,
}

/// The labels of a plan that a manifest lacks or has otherwise, and those of which its own are
/// stricter: these stay, with their versions.
fn differing(
    planned: &BTreeMap<String, String>,
    present: &Json,
) -> (BTreeMap<String, String>, Vec<Stricter>) {
    let mut differing: BTreeMap<String, String> = planned
        .iter()
        .filter(|(key, value)| present[key.as_str()].as_str() != Some(value.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let mut stricter = Vec::new();
    for mode in Mode::ALL {
        let label = mode.level_label();
        let level = |value: Option<&str>| value.and_then(|value| value.parse::<Level>().ok());
        let wanted = level(planned.get(label).map(String::as_str));
        if let (Some(value), Some(planned)) = (level(present[label].as_str()), wanted)
            && value > planned
        {
            differing.remove(label);
            differing.remove(mode.version_label());
            stricter.push(Stricter { label, value, planned });
        }
    }
    (differing, stricter)
}

type Wanted<'f> = (&'f Found, String, BTreeMap<String, String>);

/// The file with the labels; `None` where nothing is to change.
fn file_edit(
    file: &Manifest,
    look: &Look<'_>,
    wanted: Vec<Wanted<'_>>,
    places: &BTreeMap<String, Vec<Place>>,
) -> Result<Option<FileEdit>, Reason> {
    if let Some(reason) = &look.trouble {
        return Err(reason.clone());
    }
    let (false, Ok(before)) = (wanted.is_empty(), &file.text) else { return Ok(None) };
    let mut bodies: BTreeMap<usize, String> = BTreeMap::new();
    let mut namespaces = Vec::new();
    for (found, name, labels) in wanted {
        found.is_editable(file, &name, places)?;
        bodies.insert(found.document, edited(&look.documents[found.document], &labels)?);
        let change = |(key, after): (String, String)| {
            let before = match &found.labels[key.as_str()] {
                Json::Null => None,
                Json::String(text) => Some(text.clone()),
                other => Some(other.to_string()),
            };
            (key, Change { before, after })
        };
        let labels = labels.into_iter().map(change).collect();
        namespaces.push(NamespaceEdit { name, line: found.line, labels });
    }
    look.is_yaml_throughout()?;
    let mut after = String::new();
    for (n, document) in look.documents.iter().enumerate() {
        after.push_str(document.head);
        after.push_str(bodies.get(&n).map_or(document.body, String::as_str));
    }
    let edit = FileEdit { path: file.path.clone(), before: before.clone(), after, namespaces };
    Ok(Some(edit))
}

#[cfg(test)]
mod tests;
