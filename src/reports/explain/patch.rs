//! `explain`: how a workload is hardened: what its patch keeps, what it raises, what is left.

use crate::level::Level;
use crate::migrate::harden::{Kept, Patch, When};
use crate::migrate::plan::{NamespacePlan, WorkloadPlan};
use crate::reports::outline::Outline;
use crate::reports::workload_patches::{
    delivery, kept_value, needed_change, obstacle, raised_value,
};

/// Says what the patch of a workload writes, part by part, and how far each part goes.
pub(super) fn of_workload(outline: &mut Outline, workload: &WorkloadPlan) {
    let Some(patch) = &workload.patch else { return };
    outline.heading(2, "How to harden it");
    if patch.keep.is_empty() && !patch.raises() && patch.needs_change.is_empty() {
        outline.item(0, "no patch does: what stands against the levels is to be changed by hand");
    }
    if !patch.keep.is_empty() {
        let goal = level_and_time(
            workload.levels.kept,
            patch.keep_when,
            patch.keep_why_not_now.as_deref(),
        );
        outline.item(0, format!("keep what PSP writes: {goal}"));
        for kept in &patch.keep {
            outline.item(1, kept_value(kept));
        }
    }
    if patch.raises() && patch.when.is_none() {
        let level = workload.levels.future.map_or("level not known", Level::as_str);
        outline.item(0, format!("or leave it as it is: {level} without PSP, as all this loosens"));
    } else if patch.raises() {
        let goal = level_and_time(workload.levels.raised, patch.when, patch.why_not_now.as_deref());
        let what = match (patch.raise.is_empty(), patch.keep.is_empty()) {
            (true, _) => "or keep only what hardens",
            (false, true) => "raise it, to be tested",
            (false, false) => "raise it besides, to be tested",
        };
        outline.item(0, format!("{what}: {goal}"));
        for raised in &patch.raise {
            outline.item(1, raised_value(raised));
            if let Some(what) = &raised.may_break {
                outline.item(2, format!("may break: {what}"));
            }
        }
        let left_out: Vec<String> = patch.keep.iter().filter_map(left_out_of_the_whole).collect();
        if !left_out.is_empty() {
            outline.item(1, format!("without what loosens: {}", left_out.join(", ")));
        }
    }
    if !patch.needs_change.is_empty() {
        outline.item(0, "change by hand, as patches only add and keep:");
        for needed in &patch.needs_change {
            outline.item(1, needed_change(needed));
        }
    }
    // Without a patch, what is in the way is what stands against the levels.
    if patch.when.or(patch.keep_when).is_some() {
        remaining(outline, patch);
        outline.item(0, delivery(workload, patch));
    }
}

/// `restricted; now`: the level that a part reaches, and when it may be applied.
fn level_and_time(level: Option<Level>, when: Option<When>, why_not_now: Option<&str>) -> String {
    let level = level.map_or("level not known", Level::as_str);
    let time = when.and_then(|when| obstacle(when, why_not_now));
    format!("{level}; {}", time.unwrap_or_else(|| "may be applied now".to_owned()))
}

fn left_out_of_the_whole(kept: &Kept) -> Option<String> {
    kept.loosens.then(|| kept.path.by_name())
}

/// What still stands against the levels, each check once with the most lenient.
fn remaining(outline: &mut Outline, patch: &Patch) {
    let mut told = Vec::new();
    for remaining in &patch.remaining {
        if told.contains(&(remaining.check, &remaining.detail)) {
            continue;
        }
        if told.is_empty() {
            outline.item(0, "then still in the way:");
        }
        told.push((remaining.check, &remaining.detail));
        let (level, reason, detail) = (remaining.level, remaining.reason, &remaining.detail);
        outline.item(1, format!("{level}: {reason} ({detail})"));
    }
}

/// Lists what patches leave, with the workloads of a namespace that have it: what a webhook
/// injects is the same in many.
pub(super) fn changes_by_hand(outline: &mut Outline, namespace: &NamespacePlan) {
    let mut told: Vec<(Vec<String>, Vec<String>)> = Vec::new();
    for workload in &namespace.workloads {
        let needed = workload.patch.iter().flat_map(|patch| &patch.needs_change);
        let needed: Vec<String> = needed.map(needed_change).collect();
        let name = format!("{} {}", workload.kind, workload.name);
        match told.iter_mut().find(|(of_others, _)| *of_others == needed) {
            Some((_, names)) => names.push(name),
            None => told.push((needed, vec![name])),
        }
    }
    told.retain(|(needed, _)| !needed.is_empty());
    if told.is_empty() {
        return;
    }
    outline.heading(2, "What needs a change by hand");
    for (needed, names) in told {
        outline.item(0, names.join(", "));
        for needed in needed {
            outline.item(1, needed);
        }
    }
}
