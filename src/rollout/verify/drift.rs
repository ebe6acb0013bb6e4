//! What has changed since the plan, and does its level still hold?

use std::collections::{BTreeMap, BTreeSet};

use super::finding::{Finding, Kind};
use super::listed;
use super::reference::PlannedNamespace;
use crate::level::Level;
use crate::migrate::plan::{NamespacePlan, WorkloadPlan};
use crate::psa::policy::Mode;

/// Workloads that have come, gone, or have another template.
pub(super) fn workloads(
    planned: &PlannedNamespace,
    present: &NamespacePlan,
    found: &mut Vec<Finding>,
) {
    let before: BTreeMap<(&str, &str), Option<&str>> = planned
        .workloads
        .iter()
        .map(|it| ((it.kind.as_str(), it.name.as_str()), it.template_revision.as_deref()))
        .collect();
    let now: BTreeMap<(&str, &str), Option<&str>> = present
        .workloads
        .iter()
        .map(|it| ((it.kind, it.name.as_str()), it.template_revision.as_deref()))
        .collect();
    let new = now.keys().filter(|key| !before.contains_key(*key));
    let gone = before.keys().filter(|key| !now.contains_key(*key));
    let changed = now.iter().filter(|(key, revision)| {
        let known = before.get(*key).copied().flatten();
        known.is_some() && revision.is_some() && known != **revision
    });
    let mut say = |kind: Kind, names: Vec<String>, what: &str| {
        if names.is_empty() {
            return;
        }
        let n = names.len();
        let workloads = if n == 1 { "workload" } else { "workloads" };
        let message = format!("{n} {workloads} {what}: {}", listed(&names));
        found.push(Finding::of(&planned.name, kind, message).details(names).information_if(true));
    };
    let named = |(kind, name): &(&str, &str)| format!("{kind} {name}");
    say(Kind::WorkloadNew, new.map(named).collect(), "new since the plan");
    say(Kind::WorkloadGone, gone.map(named).collect(), "gone since the plan");
    say(
        Kind::TemplateChanged,
        changed.map(|(key, _)| named(key)).collect(),
        "with another template since the plan",
    );
}

/// Workloads whose next pods the level of the namespace refuses, or the one that the plan sets next.
pub(super) fn level(
    planned: Option<&PlannedNamespace>,
    present: &NamespacePlan,
    found: &mut Vec<Finding>,
) {
    let Some(holds) = present.enforce.filter(|_| !present.exempt) else { return };
    let label = Mode::Enforce.level_label();
    let enforced: Option<Level> = present.current_labels.get(label).and_then(|it| it.parse().ok());
    // What PSP refused when the plan was made has never run: that it is refused by another now, since
    // nothing is refused by PSP any more, is what the plan says.
    let was_refused = |workload: &WorkloadPlan| {
        planned
            .into_iter()
            .flat_map(|planned| &planned.workloads)
            .any(|it| it.refused_today && it.kind == workload.kind && it.name == workload.name)
    };
    let wanted = planned.and_then(|planned| planned.enforce);
    let (kind, level) = match (enforced, wanted) {
        (Some(level), _) if level > holds => (Kind::WouldBeRefused, level),
        (Some(level), Some(planned)) if planned > holds && planned > level => {
            (Kind::PlanTooStrict, planned)
        }
        (None, Some(planned)) if planned > holds => (Kind::PlanTooStrict, planned),
        _ => return,
    };
    for workload in present.workloads.iter().filter(|it| it.is_against(level)) {
        let (reasons, is_future) = reasons(workload, level);
        let what = match (kind, is_future) {
            (Kind::WouldBeRefused, true) => {
                format!("its next pods violate {level}, which is enforced")
            }
            (Kind::WouldBeRefused, false) => {
                format!(
                    "its live pods violate {level}, which is enforced, and its template does not"
                )
            }
            _ => format!("its pods violate {level}, which the plan enforces"),
        };
        let namespace = &present.name;
        let hint = match kind {
            Kind::WouldBeRefused => format!(
                "patch the workload, or lower the label: kubectl label --overwrite namespace {namespace} {label}={holds}"
            ),
            _ => "plan again before the next stage".to_owned(),
        };
        found.push(
            Finding::of(namespace, kind, format!("{what}: {}", reasons.join(", ")))
                .object(workload.kind, &workload.name)
                .hint(hint)
                .details(reasons)
                .information_if(
                    kind == Kind::WouldBeRefused && !is_future || was_refused(workload),
                ),
        );
    }
}

/// Why a workload violates a level, and whether its next pods do.
fn reasons(workload: &WorkloadPlan, level: Level) -> (Vec<String>, bool) {
    let of_future = workload.violations_that_count(level).any(|it| it.state != "running");
    let reasons: BTreeSet<String> = workload
        .violations_that_count(level)
        .filter(|it| !of_future || it.state != "running")
        .map(|it| it.reason.to_owned())
        .collect();
    (reasons.into_iter().collect(), of_future || !workload.counted)
}
