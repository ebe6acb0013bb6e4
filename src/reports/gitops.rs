//! `plan --out-dir`: the labels for a kustomization that holds the Namespaces.
//!
//! ```text
//! gitops/kustomization.yaml         a component with the patches
//! gitops/namespaces/<name>.yaml     the labels of one namespace, a strategic merge patch
//! ```

use serde::Serialize;

use super::patches::{namespace_patch, skipped};
use super::workload_patches::File;
use super::yaml;
use crate::migrate::plan::Plan;
use crate::rollout::Labelling;

/// The directory of the component in a bundle.
pub const DIRECTORY: &str = "gitops";

// kustomize refuses a patch whose resource is not there, unless the entry has a target: then it is one
// for whatever the target selects. It has been able to read components since v3.7; the v2 within
// kubectl up to v1.20 cannot.
const HEAD: &str = "\
# The labels of `psp2psa plan` as a kustomize component: list its directory under `components` of the
# kustomization whose resources are the Namespaces. Each patch has a target, so that one whose
# Namespace is not there does nothing. Nothing but these labels is changed.
#
# kustomize must know components: v3.7 or newer, or `kubectl kustomize` of v1.21 or newer.
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
";

/// The files of the component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// A patch for each namespace.
    pub patches: Vec<File>,
    /// What names them.
    pub kustomization: File,
}

#[derive(Serialize)]
struct Entry<'p> {
    path: String,
    target: Target<'p>,
}

#[derive(Serialize)]
struct Target<'p> {
    version: &'static str,
    kind: &'static str,
    name: &'p str,
}

/// The component for every namespace that is to be labelled; those that are left out stand there as
/// comments.
#[must_use]
pub fn component(plan: &Plan, labelling: &Labelling) -> Component {
    let mut patches = Vec::new();
    let (mut entries, mut comments) = (String::new(), String::new());
    for namespace in &plan.namespaces {
        if let Some(reason) = labelling.reason_to_skip(plan, namespace) {
            comments.push_str(&skipped(namespace, &reason));
            continue;
        }
        // What is labelled has a name that is a file's name, too: letters, digits and dashes.
        let path = format!("namespaces/{}.yaml", namespace.name);
        let target = Target { version: "v1", kind: "Namespace", name: &namespace.name };
        entries.push_str(&yaml::to_string(&[Entry { path: path.clone(), target }]));
        let text = namespace_patch(namespace);
        patches.push(File { path: format!("{DIRECTORY}/{path}"), text });
    }
    let list = if entries.is_empty() { "patches: []\n" } else { "patches:\n" };
    let text = [HEAD, list, &entries, &comments].concat();
    let kustomization = File { path: format!("{DIRECTORY}/kustomization.yaml"), text };
    Component { patches, kustomization }
}
