//! What does the page say of a workload's patch?

use std::collections::{BTreeMap, BTreeSet};

use super::section::lines;
use super::{Shown, shown};
use crate::level::Level;
use crate::migrate::harden::Patch;
use crate::migrate::plan::{NamespacePlan, WorkloadPlan};
use crate::reports::workload_patches::{self, Part, when_in_words};

/// A workload's patch.
pub(super) struct WorkloadPatch<'p> {
    pub(super) plan: &'p Patch,
    /// How it reaches the pods.
    pub(super) delivery: &'static str,
    /// What PSP makes softer and the patch keeps: fields with their values.
    pub(super) loosening: Vec<String>,
    /// The checks that it does not mend, by level.
    pub(super) remaining: BTreeMap<Level, BTreeSet<&'static str>>,
    /// The parts, each to be applied by itself; none where nothing can be added.
    pub(super) parts: Vec<File<'p>>,
}

/// A part of a patch, as a file.
pub(super) struct File<'p> {
    pub(super) does: &'static str,
    pub(super) path: String,
    /// The text, line by line.
    pub(super) lines: Vec<String>,
    /// The workload's level without PSP, without the part and with it.
    pub(super) levels: [Shown; 2],
    /// When it may be applied, as in JSON.
    pub(super) when: &'static str,
    /// The same in words.
    pub(super) when_in_words: String,
    pub(super) why_not_now: Option<&'p str>,
}

impl<'p> WorkloadPatch<'p> {
    pub(super) fn of(
        namespace: &NamespacePlan,
        workload: &'p WorkloadPlan,
        taken: &mut BTreeSet<String>,
    ) -> Option<Self> {
        let patch = workload.patch.as_ref()?;
        let parts = workload_patches::of_workload(namespace, workload, taken);
        let mut remaining = BTreeMap::<_, BTreeSet<_>>::new();
        for violation in &patch.remaining {
            remaining.entry(violation.level).or_default().insert(violation.check);
        }
        let loosening = patch.keep.iter().filter(|kept| kept.loosens);
        Some(Self {
            plan: patch,
            loosening: loosening
                .map(|kept| format!("{}: {}", kept.path.by_name(), kept.value))
                .collect(),
            remaining,
            delivery: workload_patches::delivery(workload, patch),
            parts: parts.into_iter().map(File::of).collect(),
        })
    }
}

impl<'p> File<'p> {
    fn of(part: Part<'p>) -> Self {
        Self {
            does: part.does,
            lines: lines(&part.file.text),
            path: part.file.path,
            levels: [shown(part.before), shown(part.after)],
            when: part.when.as_str(),
            when_in_words: when_in_words(part.when),
            why_not_now: part.why_not_now,
        }
    }
}
