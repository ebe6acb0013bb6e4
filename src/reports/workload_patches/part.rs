//! What does each part of a workload's patch do, and when? Its file says so above the patch.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use super::{DIRECTORY, File};
use crate::level::Level;
use crate::migrate::harden::{Delivery, Kept, NeedsChange, Patch, Raised, When};
use crate::migrate::plan::{NamespacePlan, WorkloadPlan};
use crate::objects::source::printable;
use crate::reports::quoting::file_name_part;
use crate::reports::yaml;

const KEEPS: &str = "keeps what PSP gives its pods";

/// A part of a workload's patch, to be applied by itself.
pub(in crate::reports) struct Part<'p> {
    /// What it does, as a verb with its object.
    pub(in crate::reports) does: &'static str,
    /// The file that holds it, as a bundle has it.
    pub(in crate::reports) file: File,
    /// Whether it is all that is to be done, not only the part that keeps.
    pub(in crate::reports) is_whole: bool,
    /// Whether it adds what PSP does not write, which is to be tested.
    pub(in crate::reports) raises: bool,
    /// The workload's level without PSP and without the part; `None` without a template.
    pub(in crate::reports) before: Option<Level>,
    /// The workload's level without PSP and with the part; `None` without a template.
    pub(in crate::reports) after: Option<Level>,
    pub(in crate::reports) when: When,
    pub(in crate::reports) why_not_now: Option<&'p str>,
}

/// The parts of a workload's patch, each with a file name that no other has.
pub(in crate::reports) fn of_workload<'p>(
    namespace: &NamespacePlan,
    workload: &'p WorkloadPlan,
    taken: &mut BTreeSet<String>,
) -> Vec<Part<'p>> {
    let Some(patch) = &workload.patch else { return Vec::new() };
    // The whole is the first to get its name.
    let whole =
        whole(workload, patch).map(|part| part.filed(namespace, workload, patch, ".yaml", taken));
    let keep = keep(workload, patch)
        .map(|part| part.filed(namespace, workload, patch, ".keep.yaml", taken));
    keep.into_iter().chain(whole).collect()
}

/// The part that does everything; its file is yet to come.
fn whole<'p>(workload: &WorkloadPlan, patch: &'p Patch) -> Option<Part<'p>> {
    let hardens = patch.keep.iter().any(|kept| !kept.loosens);
    Some(Part {
        does: match (patch.raise.is_empty(), hardens) {
            (false, false) => "raises its pods",
            (false, true) => "keeps what PSP gives its pods, and raises them",
            (true, _) if patch.raises() => "keeps what PSP gives its pods and hardens them",
            (true, _) => KEEPS,
        },
        file: File::default(),
        is_whole: true,
        raises: !patch.raise.is_empty(),
        before: workload.levels.future,
        after: if patch.raises() { workload.levels.raised } else { workload.levels.kept },
        when: patch.when?,
        why_not_now: patch.why_not_now.as_deref(),
    })
}

/// The part that only keeps, where the whole does more; its file is yet to come.
fn keep<'p>(workload: &WorkloadPlan, patch: &'p Patch) -> Option<Part<'p>> {
    if !patch.raises() {
        return None;
    }
    Some(Part {
        does: KEEPS,
        file: File::default(),
        is_whole: false,
        raises: false,
        before: workload.levels.future,
        after: workload.levels.kept,
        when: patch.keep_when?,
        why_not_now: patch.keep_why_not_now.as_deref(),
    })
}

impl Part<'_> {
    /// Why it is not to be applied without a thought though it only keeps: it also keeps what loosens
    /// the pods, and they would have a level without it.
    pub(super) fn loosening(&self) -> Option<String> {
        let (before, after) = (self.before?, self.after?);
        (after < before).then(|| {
            format!(
                "it keeps what PSP loosens too, and takes the level from {before} to {after}: for \
                 workloads that need that"
            )
        })
    }

    /// The part with its file.
    fn filed(
        self,
        namespace: &NamespacePlan,
        workload: &WorkloadPlan,
        patch: &Patch,
        extension: &str,
        taken: &mut BTreeSet<String>,
    ) -> Self {
        let overlay = if self.is_whole { patch.overlay() } else { patch.keep_overlay() };
        let manifest = yaml::to_string(&manifest(namespace, workload, overlay));
        let text = comments(&head(namespace, workload, patch, &self)) + &manifest;
        let file = File { path: free_path(namespace, workload, extension, taken), text };
        Self { file, ..self }
    }
}

fn free_path(
    namespace: &NamespacePlan,
    workload: &WorkloadPlan,
    extension: &str,
    taken: &mut BTreeSet<String>,
) -> String {
    let directory = file_name_part(&namespace.name);
    let kind = workload.kind.to_ascii_lowercase();
    let stem = format!("{DIRECTORY}/{directory}/{kind}-{}", file_name_part(&workload.name));
    let mut free = format!("{stem}{extension}");
    let mut n = 2;
    while !taken.insert(free.clone()) {
        free = format!("{stem}_{n}{extension}");
        n += 1;
    }
    free
}

/// The patch as an object: a strategic merge goes by kind, namespace and name.
#[must_use]
pub fn manifest(namespace: &NamespacePlan, workload: &WorkloadPlan, template: Json) -> Json {
    let mut manifest = match workload.kind {
        "Pod" => template,
        "PodTemplate" => json!({"template": template}),
        "CronJob" => json!({"spec": {"jobTemplate": {"spec": {"template": template}}}}),
        _ => json!({"spec": {"template": template}}),
    };
    manifest["apiVersion"] = json!(workload.api_version);
    manifest["kind"] = json!(workload.kind);
    // Annotations stand beside them in a Pod's.
    manifest["metadata"]["name"] = json!(workload.name);
    manifest["metadata"]["namespace"] = json!(namespace.name);
    manifest
}

/// What a reader of a patch should know, line by line.
fn head(
    namespace: &NamespacePlan,
    workload: &WorkloadPlan,
    patch: &Patch,
    part: &Part<'_>,
) -> Vec<String> {
    let mut lines =
        vec![format!("{} {}/{}: {}.", workload.kind, namespace.name, workload.name, part.does)];
    if let (Some(before), Some(after)) = (part.before, part.after) {
        lines.push(format!("Level without PSP: {before}; with this patch: {after}."));
    }
    let why = part.why_not_now.map(|why| format!(": {why}")).unwrap_or_default();
    lines.push(format!("When: {}{why}.", part.when));
    lines.push(delivery(workload, patch).to_owned());
    if let Some(by) = reverted_by(workload) {
        lines.push(format!("{by} would revert it: change it there."));
    }
    lines.push(String::new());
    for kept in &patch.keep {
        let verb = if part.is_whole && kept.loosens { "leave out" } else { "keep" };
        lines.push(format!("{verb} {}", kept_value(kept)));
    }
    for raised in patch.raise.iter().filter(|_| part.is_whole) {
        lines.push(format!("raise {}", raised_value(raised)));
        if let Some(what) = &raised.may_break {
            lines.push(format!("  test it: {what}"));
        }
    }
    for needed in patch.needs_change.iter().filter(|_| part.is_whole) {
        lines.push(format!("needs a change for {}", needed_change(needed)));
    }
    lines
}

/// `FIELD: VALUE`, with the policy field that writes it.
pub(in crate::reports) fn kept_value(kept: &Kept) -> String {
    let by = kept.policy_field.map(|field| format!(" {field}")).unwrap_or_default();
    let proof = if kept.proven { "proven by running pods" } else { "no running pod proves it" };
    let loosens = if kept.loosens { ", loosens" } else { "" };
    let (field, value, policy) = (kept.path.by_name(), &kept.value, &kept.policy);
    format!("{field}: {value} (policy {policy}{by}; {proof}{loosens})")
}

/// `FIELD: VALUE`, with the violation that it ends.
pub(in crate::reports) fn raised_value(raised: &Raised) -> String {
    format!("{}: {} ({})", raised.path.by_name(), raised.value, raised.reason)
}

/// The level that is in the way, the check, and `FIELD: VALUE` as it stands there.
pub(in crate::reports) fn needed_change(needed: &NeedsChange) -> String {
    let who = if needed.injected { ", set by a webhook" } else { "" };
    let (level, check, field) = (needed.level, needed.check, needed.path.by_name());
    format!("{level} ({check}{who}): {field}: {}", needed.value)
}

pub(super) fn comments(lines: &[String]) -> String {
    let mut text = String::new();
    for line in lines {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}", format!("# {}", printable(line)).trim_end());
    }
    text
}

/// When a part may be applied, where no table of the words is at hand.
pub(in crate::reports) fn when_in_words(when: When) -> String {
    match when {
        When::Now => "now".to_owned(),
        When::AfterBypass => "once its pods may use the bypass policy".to_owned(),
        When::AfterPsp => "once PSP is gone".to_owned(),
    }
}

/// How the patch reaches the pods, as a sentence.
pub(in crate::reports) fn delivery(workload: &WorkloadPlan, patch: &Patch) -> &'static str {
    match patch.delivery {
        Delivery::Rollout => "Its controller replaces the pods.",
        Delivery::NewPods => "Pods made from then on have it; delete those that run.",
        Delivery::NextRun => "The next run has it.",
        Delivery::Recreate if workload.kind == "Job" => {
            "A Job's template is immutable: delete it and make it anew."
        }
        Delivery::Recreate => "These fields of a Pod are immutable: delete it and make it anew.",
        Delivery::Owner => "The pod's owner makes it anew: change the template there.",
        Delivery::Node => "A static pod: change its manifest on the node.",
    }
}

/// Who would revert a change by hand, where that is not told by the delivery already.
pub(in crate::reports) fn reverted_by(workload: &WorkloadPlan) -> Option<&str> {
    workload.managed_by.as_deref()
}
