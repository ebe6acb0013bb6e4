//! `plan --out-dir`: the rollout as shell scripts, one for each step, each with its undoing.
//!
//! ```text
//! rollout/README.md          the steps, and what each does in this cluster
//! rollout/N-<step>.sh        a step: a list of calls, one for each namespace or object
//! rollout/N-<step>.undo.sh   puts back what was there before it
//! rollout/lib/               what the steps share: the same for every cluster
//! rollout/data/              what the steps go by: objects, patches, what the plan has seen
//! ```
//!
//! Names from the cluster stand in scripts as quoted words, in data as lines of words without
//! metacharacters; what could not be a name is left out.

mod data;
mod preflight;
mod readme;
mod steps;

use std::num::NonZeroUsize;

use super::quoting::shell_word;
use super::workload_patches::{File, Keeping};
use crate::migrate::plan::Plan;
use crate::rollout::Labelling;
use crate::rollout::removal::Removal;

/// The directory of the rollout in a bundle.
const DIRECTORY: &str = "rollout";

/// The file to begin with, in a bundle.
pub const README: &str = "rollout/README.md";

/// What the scripts are made of.
#[derive(Debug, Clone, Copy)]
pub struct Rollout<'p> {
    /// The plan.
    pub plan: &'p Plan,
    /// Which of its namespaces are labelled.
    pub labelling: Labelling,
    /// Whether the plan is of some of the cluster's namespaces only.
    pub is_partial: bool,
    /// How many namespaces are labelled at a time.
    pub wave_size: NonZeroUsize,
    /// The patches that keep what PSP writes.
    pub keeping: &'p [Keeping<'p>],
    /// What goes with PSP.
    pub removal: &'p Removal,
}

/// The files of the rollout, sorted by path.
#[must_use]
pub fn files(rollout: &Rollout<'_>) -> Vec<File> {
    let mut files: Vec<File> = LIBRARY
        .iter()
        .map(|(path, text)| File { path: (*path).to_owned(), text: (*text).to_owned() })
        .chain(data::files(rollout))
        .chain(steps::files(rollout))
        .collect();
    files.push(preflight::file(rollout));
    files.push(readme::file(rollout));
    files.sort_by(|a, b| a.path.cmp(&b.path));
    for file in &mut files {
        file.path = format!("{DIRECTORY}/{}", file.path);
    }
    files
}

/// What is the same for every cluster.
const LIBRARY: &[(&str, &str)] = &[
    ("7-disable-psp.md", include_str!("../../templates/rollout/disable-psp.md")),
    ("data/hardened-pod.json", include_str!("../../templates/rollout/data/hardened-pod.json")),
    ("data/plain-pod.json", include_str!("../../templates/rollout/data/plain-pod.json")),
    ("data/preflight.yaml", include_str!("../../templates/rollout/data/preflight.yaml")),
    ("data/privileged-pod.json", include_str!("../../templates/rollout/data/privileged-pod.json")),
    ("lib/bypass.sh", include_str!("../../templates/rollout/lib/bypass.sh")),
    ("lib/fresh.sh", include_str!("../../templates/rollout/lib/fresh.sh")),
    ("lib/labels.sh", include_str!("../../templates/rollout/lib/labels.sh")),
    ("lib/objects.sh", include_str!("../../templates/rollout/lib/objects.sh")),
    ("lib/permissions.sh", include_str!("../../templates/rollout/lib/permissions.sh")),
    ("lib/pod-security.sh", include_str!("../../templates/rollout/lib/pod-security.sh")),
    ("lib/step.sh", include_str!("../../templates/rollout/lib/step.sh")),
];

/// A call of a function with its words; `None` where no shell can pass one of them.
fn call<'w>(function: &str, words: impl IntoIterator<Item = &'w str>) -> Option<String> {
    let words: Option<Vec<String>> = words.into_iter().map(shell_word).collect();
    Some(format!("{function} {}\n", words?.join(" ")))
}
