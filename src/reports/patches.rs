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

const HEAD: &str = "\
# The labels of `psp2psa plan`, one patch for each namespace. Let the server check them, then apply them:
#
#   kubectl apply --server-side --field-manager=psp2psa --dry-run=server -f namespaces.yaml
#   kubectl apply --server-side --field-manager=psp2psa -f namespaces.yaml
#
# Server-side apply owns these labels and takes nothing else away. What psp2psa has applied before and
# is not here any more, it removes. A namespace that is gone is made anew.
#
# Where another manager (kubectl label, Argo CD, Flux) has set one of these labels to another value, the
# server refuses with a conflict. Change the value where that manager has it from. `--force-conflicts`
# takes the label over instead; a manager that goes on applying its own value sets it back.
";

/// One YAML document for each namespace that is to be labelled, for `kubectl apply --server-side`;
/// those that are left out stand there as comments.
#[must_use]
pub fn patches(plan: &Plan, labelling: &Labelling) -> String {
    let mut text = HEAD.to_owned();
    for namespace in &plan.namespaces {
        if let Some(reason) = labelling.reason_to_skip(plan, namespace) {
            text.push_str(&skipped(namespace, &reason));
            continue;
        }
        text.push_str("---\n");
        text.push_str(&namespace_patch(namespace));
    }
    text
}

/// A Namespace with nothing but its name and the labels of the plan.
pub(super) fn namespace_patch(namespace: &NamespacePlan) -> String {
    yaml::to_string(&NamespacePatch {
        api_version: "v1",
        kind: "Namespace",
        metadata: PatchMetadata { name: &namespace.name, labels: &namespace.labels },
    })
}

/// The comment for a namespace that is left out.
#[must_use]
pub fn skipped(namespace: &NamespacePlan, reason: &str) -> String {
    format!("# {}: left out: {}\n", printable(&namespace.name), printable(reason))
}
