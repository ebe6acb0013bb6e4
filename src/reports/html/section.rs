//! What does the page say of one namespace?

use super::{Shown, anchor, shown};
use crate::migrate::plan::{Missing, NamespacePlan, OtherVersion, Plan, WorkloadPlan};
use crate::reports::digest::{
    Failure, LostValue, disagreement, failures, lost, marks, n_losing, n_pods, n_refused, note,
};
use crate::reports::patches::Labelling;
use crate::reports::{diff, script};

/// A namespace.
pub(super) struct Section<'p> {
    pub(super) anchor: String,
    pub(super) name: &'p str,
    pub(super) marks: Vec<&'static str>,
    pub(super) enforce: Shown,
    pub(super) n_workloads: usize,
    pub(super) n_pods: usize,
    pub(super) n_losing: usize,
    pub(super) n_refused: usize,
    /// The states with their levels.
    pub(super) levels: [(&'static str, Shown); 6],
    pub(super) missing: &'p [Missing],
    pub(super) conflict: Option<&'p str>,
    pub(super) other_versions: &'p [OtherVersion],
    /// Why the namespace gets no labels; `None` if it does.
    pub(super) skipped: Option<String>,
    /// The command that sets the labels, line by line; empty where there is none.
    pub(super) command: Vec<String>,
    /// The diff of the labels, line by line.
    pub(super) labels: Vec<String>,
    pub(super) workloads: Vec<Workload<'p>>,
}

/// A workload.
pub(super) struct Workload<'p> {
    pub(super) plan: &'p WorkloadPlan,
    pub(super) levels: [(&'static str, Shown); 4],
    pub(super) failures: Vec<Failure<'p>>,
    pub(super) lost: Vec<LostValue<'p>>,
    pub(super) notes: Vec<&'static str>,
    pub(super) disagreements: Vec<String>,
    /// The diffs of the template, each line by line.
    pub(super) diffs: Vec<Vec<String>>,
}

impl<'p> Section<'p> {
    pub(super) fn of(
        index: usize,
        namespace: &'p NamespacePlan,
        plan: &Plan,
        labelling: Labelling,
    ) -> Self {
        let levels = &namespace.levels;
        let skipped = labelling.reason_to_skip(plan, namespace);
        Self {
            anchor: anchor(index, namespace),
            name: &namespace.name,
            marks: marks(namespace),
            enforce: shown(namespace.enforce),
            n_workloads: namespace.workloads.len(),
            n_pods: n_pods(namespace),
            n_losing: n_losing(namespace),
            n_refused: n_refused(namespace),
            levels: [
                ("Running", shown(levels.running)),
                ("Admitted today", shown(levels.admitted)),
                ("After PSP", shown(levels.future)),
                ("After PSP, kept", shown(levels.kept)),
                ("Allowed by policies", shown(levels.allowed_by_policies)),
                ("Enforce after PSP", shown(namespace.enforce_after)),
            ],
            missing: &namespace.missing,
            conflict: namespace.conflict.as_deref(),
            other_versions: &namespace.other_versions,
            command: if skipped.is_none() { command(namespace) } else { Vec::new() },
            skipped,
            labels: lines(&diff::labels_diff(namespace)),
            workloads: namespace
                .workloads
                .iter()
                .map(|workload| Workload::of(namespace, workload))
                .collect(),
        }
    }
}

impl<'p> Workload<'p> {
    fn of(namespace: &NamespacePlan, plan: &'p WorkloadPlan) -> Self {
        let levels = &plan.levels;
        Self {
            plan,
            levels: [
                ("Running", shown(levels.running)),
                ("Admitted today", shown(levels.admitted)),
                ("After PSP", shown(levels.future)),
                ("After PSP, kept", shown(levels.kept)),
            ],
            failures: failures(plan),
            lost: lost(plan),
            notes: plan.notes.iter().copied().map(note).collect(),
            disagreements: plan.disagreements.iter().map(disagreement).collect(),
            diffs: diff::of_workload(&namespace.name, plan)
                .iter()
                .filter(|diff| !diff.is_empty())
                .map(|diff| lines(diff))
                .collect(),
        }
    }
}

/// The command that sets the labels, a word a line.
fn command(namespace: &NamespacePlan) -> Vec<String> {
    let Some(words) = script::words(namespace) else { return Vec::new() };
    let n_words = words.len();
    words
        .into_iter()
        .enumerate()
        .map(|(index, word)| {
            let head = if index == 0 { "kubectl label --overwrite namespace " } else { "  " };
            let tail = if index + 1 == n_words { "" } else { " \\" };
            format!("{head}{word}{tail}")
        })
        .collect()
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}
