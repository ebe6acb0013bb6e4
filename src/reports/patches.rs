//! `plan -o patches`: the labels as one patch for each namespace.

use std::collections::BTreeMap;

use serde::Serialize;

use super::yaml;
use crate::migrate::plan::{NamespacePlan, Plan};
use crate::objects::source::printable;
use crate::rollout::Labelling;

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
