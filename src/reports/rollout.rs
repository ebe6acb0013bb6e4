//! `plan --out-dir`: the rollout as shell scripts, one for each step, each with its undoing.
//!
//! ```text
//! rollout/README.md          the steps, and what each does in this cluster
//! rollout/N-<step>.sh        a step: a list of calls, one for each namespace or object
//! rollout/N-<step>.undo.sh   puts back what was there before it
//! rollout/lib/               what the steps share: the same for every cluster
//! rollout/admission.yaml     the API server's configuration for namespaces that nobody labels
//! rollout/guard.yaml         what takes its place where it cannot be set
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

use super::admission_config::commented;
use super::guard::guard;
use super::quoting::shell_word;
use super::workload_patches::{File, Keeping};
use crate::migrate::admission_config::propose;
use crate::migrate::plan::Plan;
use crate::rollout::Labelling;
use crate::rollout::removal::Removal;
use crate::version::Version;

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
    /// The cluster's server, where it is known.
    pub server: Option<Version>,
    /// Whether the plan is of some of the cluster's namespaces only.
    pub is_partial: bool,
    /// How many namespaces are labelled at a time.
    pub wave_size: NonZeroUsize,
    /// The patches that keep what PSP writes.
    pub keeping: &'p [Keeping<'p>],
    /// What goes with PSP.
    pub removal: &'p Removal,
}

impl Rollout<'_> {
    /// Which namespaces the plan is of, as `need_fresh` has it.
    fn scope(&self) -> &'static str {
        if self.is_partial { "some" } else { "all" }
    }
}

/// The files of the rollout, sorted by path.
#[must_use]
pub fn files(rollout: &Rollout<'_>) -> Vec<File> {
    let mut files: Vec<File> = LIBRARY
        .iter()
        .map(|(path, text)| File { path: (*path).to_owned(), text: (*text).to_owned() })
        .chain(data::files(rollout))
        .chain(steps::files(rollout))
        .chain(for_new_namespaces(rollout))
        .collect();
    files.push(preflight::file(rollout));
    files.push(readme::file(rollout));
    files.sort_by(|a, b| a.path.cmp(&b.path));
    for file in &mut files {
        file.path = format!("{DIRECTORY}/{}", file.path);
    }
    files
}

/// What holds where nobody sets labels: the API server's configuration, or what takes its place. It is
/// for all namespaces, so only a plan of all can tell.
fn for_new_namespaces(rollout: &Rollout<'_>) -> Vec<File> {
    let Rollout { plan, labelling, server, .. } = *rollout;
    if rollout.is_partial {
        return Vec::new();
    }
    let proposal = propose(plan, None, |namespace| labelling.reason_to_skip(plan, namespace));
    [
        ("admission.yaml", commented(plan, &proposal, server)),
        ("guard.yaml", guard(&proposal, server)),
    ]
    .map(|(path, text)| File { path: path.to_owned(), text })
    .to_vec()
}

/// What is the same for every cluster.
const LIBRARY: &[(&str, &str)] = &[
    ("7-disable-psp.md", include_str!("../../templates/rollout/disable-psp.md")),
    ("data/hardened-pod.json", include_str!("../../templates/rollout/data/hardened-pod.json")),
    ("data/plain-pod.json", include_str!("../../templates/rollout/data/plain-pod.json")),
    ("data/privileged-pod.json", include_str!("../../templates/rollout/data/privileged-pod.json")),
    ("lib/bypass.sh", include_str!("../../templates/rollout/lib/bypass.sh")),
    ("lib/fresh.sh", include_str!("../../templates/rollout/lib/fresh.sh")),
    ("lib/labels.sh", include_str!("../../templates/rollout/lib/labels.sh")),
    ("lib/objects.sh", include_str!("../../templates/rollout/lib/objects.sh")),
    ("lib/permissions.sh", include_str!("../../templates/rollout/lib/permissions.sh")),
    ("lib/pod-security.sh", include_str!("../../templates/rollout/lib/pod-security.sh")),
    ("lib/step.sh", include_str!("../../templates/rollout/lib/step.sh")),
    ("lib/undo.sh", include_str!("../../templates/rollout/lib/undo.sh")),
];

/// A call of a function with its words; `None` where no shell can pass one of them, or it holds a
/// control character, which has no place in a script that is to be read.
fn call<'w>(function: &str, words: impl IntoIterator<Item = &'w str>) -> Option<String> {
    let is_readable = |word: &&str| !word.contains(char::is_control);
    let word = |word| Some(word).filter(is_readable).and_then(shell_word);
    let words: Option<Vec<String>> = words.into_iter().map(word).collect();
    Some(format!("{function} {}\n", words?.join(" ")))
}
