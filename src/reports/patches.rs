//! `plan -o patches`: the labels as one patch for each namespace.

use std::collections::BTreeMap;

use serde::Serialize;

use super::yaml;
use crate::migrate::plan::{NamespacePlan, Plan};
use crate::objects::source::printable;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NamespacePatch<'p> {
    api_version: &'static str,
    kind: &'static str,
    metadata: PatchMetadata<'p>,
}

#[derive(Serialize)]
struct PatchMetadata<'p> {
    name: &'p str,
    labels: &'p BTreeMap<String, String>,
}

/// One YAML document for each namespace that is to be labelled, for `kubectl apply --server-side`;
/// those that are left out stand there as comments.
#[must_use]
pub fn patches(plan: &Plan, labelling: &Labelling) -> String {
    let mut text = String::new();
    for namespace in &plan.namespaces {
        if let Some(reason) = labelling.reason_to_skip(plan, namespace) {
            text.push_str(&skipped(namespace, &reason));
            continue;
        }
        text.push_str("---\n");
        text.push_str(&yaml::to_string(&NamespacePatch {
            api_version: "v1",
            kind: "Namespace",
            metadata: PatchMetadata { name: &namespace.name, labels: &namespace.labels },
        }));
    }
    text
}

/// The comment for a namespace that is left out.
#[must_use]
pub fn skipped(namespace: &NamespacePlan, reason: &str) -> String {
    format!("# {}: left out: {}\n", printable(&namespace.name), printable(reason))
}

/// Which namespaces scripts and patches may touch.
#[derive(Debug, Clone, Copy, Default)]
pub struct Labelling {
    /// Whether system namespaces are labelled too.
    pub includes_system: bool,
    /// Whether namespaces are labelled whose answer is uncertain.
    pub includes_incomplete: bool,
}

impl Labelling {
    /// Why a namespace of the plan is left out; `None` if it is labelled.
    #[must_use]
    pub fn reason_to_skip(&self, plan: &Plan, namespace: &NamespacePlan) -> Option<String> {
        if !super::quoting::is_namespace_name(&namespace.name) {
            return Some("not a name that a namespace can have".to_owned());
        }
        if namespace.system && !self.includes_system {
            return Some("a system namespace (--include-system labels it)".to_owned());
        }
        if !namespace.complete && !self.includes_incomplete {
            let mut missing = namespace.missing.iter().chain(&plan.missing);
            let first = missing.next().map_or("see the plan", |missing| missing.what.as_str());
            let what = match missing.count() {
                0 => first.to_owned(),
                n => format!("{first}, and {n} more"),
            };
            return Some(format!("incomplete input: {what} (--allow-incomplete labels it)"));
        }
        None
    }
}
