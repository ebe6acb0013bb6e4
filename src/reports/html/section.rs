//! What does the page say of one namespace?

use std::collections::BTreeSet;

use super::changes::{Diff, Run, runs};
use super::patch::WorkloadPatch;
use super::{Shown, anchor, shown};
use crate::migrate::findings::{self, FindingKind};
use crate::migrate::plan::{Missing, NamespacePlan, OtherVersion, Plan, WorkloadPlan};
use crate::reports::digest::{
    Failure, LostValue, disagreement, failures, lost, marks, n_losing, n_pods, n_refused, note,
};
use crate::reports::findings::short_title;
use crate::reports::{diff, script};
use crate::rollout::Labelling;

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
    pub(super) levels: [(&'static str, Shown); 7],
    pub(super) missing: &'p [Missing],
    pub(super) findings: Vec<OfKind<'p>>,
    pub(super) conflict: Option<&'p str>,
    pub(super) other_versions: &'p [OtherVersion],
    /// Why the namespace gets no labels; `None` if it does.
    pub(super) skipped: Option<String>,
    /// The command that sets the labels, line by line; empty where there is none.
    pub(super) command: Vec<String>,
    /// The diff of the labels.
    pub(super) labels: Vec<Run>,
    pub(super) workloads: Vec<Workload<'p>>,
}

/// The findings of a kind.
pub(super) struct OfKind<'p> {
    pub(super) title: &'static str,
    pub(super) findings: Vec<Finding<'p>>,
    /// What helps, each once.
    pub(super) suggestions: BTreeSet<&'p str>,
}

/// What should be known before the upgrade.
pub(super) struct Finding<'p> {
    pub(super) message: &'p str,
    /// Empty where the workload's own part of the page shows it.
    pub(super) evidence: &'p [String],
}

/// A workload.
pub(super) struct Workload<'p> {
    pub(super) plan: &'p WorkloadPlan,
    pub(super) levels: [(&'static str, Shown); 5],
    pub(super) failures: Vec<Failure<'p>>,
    pub(super) lost: Vec<LostValue<'p>>,
    pub(super) notes: Vec<&'static str>,
    pub(super) disagreements: Vec<String>,
    pub(super) patch: Option<WorkloadPatch<'p>>,
    pub(super) diffs: Vec<Diff>,
}

impl<'p> Section<'p> {
    pub(super) fn of(
        index: usize,
        namespace: &'p NamespacePlan,
        findings: &[&'p findings::Finding],
        plan: &Plan,
        labelling: Labelling,
        taken: &mut BTreeSet<String>,
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
                ("After PSP, raised", shown(levels.raised)),
                ("Allowed by policies", shown(levels.allowed_by_policies)),
                ("Enforce after PSP", shown(namespace.enforce_after)),
            ],
            missing: &namespace.missing,
            findings: findings.chunk_by(|a, b| a.kind == b.kind).filter_map(OfKind::of).collect(),
            conflict: namespace.conflict.as_deref(),
            other_versions: &namespace.other_versions,
            command: if skipped.is_none() { command(namespace) } else { Vec::new() },
            skipped,
            labels: runs(&diff::labels_diff(namespace)),
            workloads: namespace
                .workloads
                .iter()
                .map(|workload| Workload::of(namespace, workload, taken))
                .collect(),
        }
    }
}

impl<'p> OfKind<'p> {
    /// `None` for no finding.
    fn of(findings: &[&'p findings::Finding]) -> Option<Self> {
        Some(Self {
            title: short_title(findings.first()?.kind),
            findings: findings.iter().map(|finding| Finding::of(finding)).collect(),
            suggestions: findings
                .iter()
                .filter_map(|finding| finding.suggestion.as_deref())
                .collect(),
        })
    }
}

impl<'p> Finding<'p> {
    fn of(finding: &'p findings::Finding) -> Self {
        Self {
            message: &finding.message,
            evidence: match finding.kind {
                FindingKind::LosesHardening | FindingKind::BecomesStricter => &[],
                _ => &finding.evidence,
            },
        }
    }
}

impl<'p> Workload<'p> {
    fn of(namespace: &NamespacePlan, plan: &'p WorkloadPlan, taken: &mut BTreeSet<String>) -> Self {
        let levels = &plan.levels;
        Self {
            plan,
            levels: [
                ("Running", shown(levels.running)),
                ("Admitted today", shown(levels.admitted)),
                ("After PSP", shown(levels.future)),
                ("After PSP, kept", shown(levels.kept)),
                ("After PSP, raised", shown(levels.raised)),
            ],
            failures: failures(plan),
            lost: lost(plan),
            notes: plan.notes.iter().copied().map(note).collect(),
            disagreements: plan.disagreements.iter().map(|it| disagreement(plan, it)).collect(),
            patch: WorkloadPatch::of(namespace, plan, taken),
            diffs: diff::of_workload(&namespace.name, plan)
                .iter()
                .filter(|diff| !diff.is_empty())
                .map(|diff| Diff::of(diff))
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

pub(super) fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}
