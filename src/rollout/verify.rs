//! Does the cluster agree with the plan, at the stage of the rollout that has been reached?
//!
//! ```text
//!  present: snapshot ──► plan ─────┐
//!  before:  snapshot ──► plan ─┐   ├──► findings: labels, pods, hardening, policies, drift
//!  or plan.json ───────────────┴► Reference
//! ```
//!
//! Without anything from before, the present state is held against its own plan: labels by stage,
//! pods that are refused or missing, and levels that do not hold.

mod drift;
pub mod finding;
mod hardening;
pub mod labels;
mod pods;
mod policies;
pub mod reference;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Labelling, Stage};
use crate::migrate::lineage::{self, Unit};
use crate::migrate::plan::{Missing, NamespacePlan, Plan};
use crate::objects::meta::Name;
use crate::objects::names::is_namespace_name;
use crate::objects::snapshot::Snapshot;
use crate::psa::policy::Mode;
use finding::{Finding, Kind, Severity};
use labels::Reached;
use reference::{PlannedNamespace, Reference};

/// The stage that the cluster shall have reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Target {
    /// Namespaces warn and audit.
    Warn,
    /// They enforce.
    Enforce,
    /// And get past PSP.
    Bypass,
    /// And enforce what is safe without PSP.
    After,
    /// And PSP is gone.
    Removed,
}

impl Target {
    /// The last stage whose labels are set by then.
    #[must_use]
    pub fn stage(self) -> Stage {
        match self {
            Self::Warn => Stage::Warn,
            Self::Enforce | Self::Bypass => Stage::Enforce,
            Self::After | Self::Removed => Stage::EnforceAfter,
        }
    }
}

/// What is compared with what.
#[derive(Debug, Clone, Copy)]
pub struct Comparison<'a> {
    /// The plan of the present state, over the namespaces that are looked at.
    pub plan: &'a Plan,
    /// The present state.
    pub snapshot: &'a Snapshot,
    /// What was planned before; `None` where only the present state is known.
    pub reference: Option<&'a Reference>,
    /// The state before the stage.
    pub before: Option<&'a Snapshot>,
    /// The stage; `None` for each namespace the one that its labels show.
    pub target: Option<Target>,
    /// Which namespaces the rollout labels.
    pub labelling: Labelling,
}

/// The report of `verify`. Scripts depend on its names: they stay, and more may be added.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verification {
    /// Whether the input held everything that the answer depends on.
    pub complete: bool,
    /// What the input lacked.
    pub missing: Vec<Missing>,
    /// The stage that was asked about.
    pub stage: Option<Target>,
    /// What could not be compared, and why, which is no fault of the input.
    pub not_checked: Vec<Missing>,
    /// Counts.
    pub summary: Summary,
    /// How far each namespace is, by name.
    pub namespaces: Vec<NamespaceState>,
    /// What was found: first what asks for action, then by namespace.
    pub findings: Vec<Finding>,
}

/// Counts over a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Findings that ask for action.
    pub findings: usize,
    /// What is worth knowing besides.
    pub information: usize,
    /// Namespaces that the rollout does not label.
    pub left_out: usize,
    /// Namespaces that no stage has labelled.
    pub none: usize,
    /// Those that warn and audit.
    pub warn: usize,
    /// Those that enforce what is safe with PSP.
    pub enforce: usize,
    /// Those that enforce a stricter level than with PSP.
    pub after: usize,
}

/// How far a namespace is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NamespaceState {
    /// The name.
    pub name: Name,
    /// The last stage whose labels it has.
    pub reached: Reached,
    /// How many findings it has that ask for action.
    pub findings: usize,
}

/// Compares the present state with what was planned.
#[must_use]
pub fn verify(comparison: &Comparison<'_>) -> Verification {
    let Comparison { plan, snapshot, before, target, .. } = *comparison;
    let own = comparison.reference.is_none().then(|| Reference::from(plan));
    let none = Reference::default();
    let reference = comparison.reference.or(own.as_ref()).unwrap_or(&none);
    let planned = reference.by_name();
    let mut found = Vec::new();
    let mut states = Vec::new();
    let units = Units::of(snapshot);
    let earlier = before.map(Units::of);
    for namespace in &plan.namespaces {
        let known = planned.get(&*namespace.name).copied();
        states.push(comparison.labels(namespace, known, &mut found));
        drift::level(known, namespace, &mut found);
        if let (Some(known), Some(_)) = (known, comparison.reference) {
            drift::workloads(known, namespace, &mut found);
            let of = &namespace.name;
            let earlier = earlier.as_ref().map(|units| units.of_namespace(of));
            hardening::findings(known, namespace, units.of_namespace(of), earlier, &mut found);
        }
    }
    gone(reference, plan, snapshot, &mut found);
    let looked_at: BTreeSet<&str> = plan.namespaces.iter().map(|it| &*it.name).collect();
    let is_meant = |name: &str| looked_at.contains(name);
    pods::findings(snapshot, before, &planned, &is_meant, &mut found);
    policies::findings(snapshot, &reference.bypass(), target, &states, &mut found);
    found.sort();
    found.dedup();
    for state in &mut states {
        state.findings = found
            .iter()
            .filter(|it| {
                it.severity == Severity::Finding && it.namespace.as_ref() == Some(&state.name)
            })
            .count();
    }
    Verification {
        complete: plan.complete && before.is_none_or(|before| before.reading.is_complete()),
        missing: comparison.missing(),
        stage: target,
        not_checked: comparison.not_checked(),
        summary: summary(&states, &found),
        namespaces: states,
        findings: found,
    }
}

impl Comparison<'_> {
    fn labels(
        &self,
        namespace: &NamespacePlan,
        known: Option<&PlannedNamespace>,
        found: &mut Vec<Finding>,
    ) -> NamespaceState {
        let present = &namespace.current_labels;
        let name = namespace.name.clone();
        let Some(known) = known else {
            let label = present.get(Mode::Enforce.level_label());
            let message = match label {
                Some(level) => format!("is new since the plan, and enforces {level}"),
                None => "is new since the plan, and enforces nothing".to_owned(),
            };
            let is_meant = !namespace.system && self.target.is_none_or(|it| it >= Target::Enforce);
            found.push(
                Finding::of(&name, Kind::NamespaceNew, message)
                    .object("Namespace", &name)
                    .hint("plan again, with this namespace")
                    .information_if(label.is_some() || !is_meant),
            );
            return NamespaceState { name, reached: Reached::None, findings: 0 };
        };
        let is_left_out = !is_namespace_name(&known.name)
            || known.exempt
            || (known.system && !self.labelling.includes_system)
            || (!known.complete && !self.labelling.includes_incomplete);
        if is_left_out {
            labels::findings(known, None, present, found);
            return NamespaceState { name, reached: Reached::LeftOut, findings: 0 };
        }
        let reached = labels::reached(known, present);
        let stage = self.target.map(Target::stage).or(reached.stage());
        labels::findings(known, stage, present, found);
        NamespaceState { name, reached, findings: 0 }
    }

    fn missing(&self) -> Vec<Missing> {
        let mut missing = self.plan.missing.clone();
        for namespace in &self.plan.namespaces {
            missing.extend(namespace.missing.iter().cloned());
        }
        if let Some(before) = self.before.filter(|before| !before.reading.is_complete()) {
            let reading = &before.reading;
            let n_unread =
                reading.unreadable.len() + reading.unlisted.len() + reading.unreadable_inputs.len();
            let part = |why| Missing { what: "a part of the state before".to_owned(), why };
            if n_unread > 0 {
                let why = format!("{n_unread} objects, lists or files could not be read");
                missing.push(part(why));
            }
            if !reading.conflicts.is_empty() {
                let n = reading.conflicts.len();
                missing.push(part(format!("of {n} objects the newest version is not known")));
            }
        }
        missing.sort();
        missing.dedup();
        missing
    }

    fn not_checked(&self) -> Vec<Missing> {
        let mut not_checked = Vec::new();
        let mut say = |what: &str, why: &str| {
            not_checked.push(Missing { what: what.to_owned(), why: why.to_owned() });
        };
        let reading = &self.snapshot.reading;
        let has_events = reading.listed.contains("Event") || !self.snapshot.events.is_empty();
        // A list that was refused is missing, and said to be.
        if !has_events && reading.unlisted.iter().all(|it| &*it.kind != "Event") {
            say(
                "events",
                "the input has none that tell of refused pods, so that pods which StatefulSets, DaemonSets and \
                 Jobs cannot make are only seen to be missing; servers keep events for an hour",
            );
        }
        if self.reference.is_none() {
            say(
                "what has changed",
                "neither --before nor --plan is given, so that labels are held against a plan of the \
                 present state",
            );
        } else if self.before.is_none() {
            say(
                "what was wrong before",
                "no --before is given, so that pods which were missing then already count too",
            );
        }
        not_checked
    }
}

/// The units of a snapshot, by namespace.
struct Units<'s>(Vec<Unit<'s>>);

impl<'s> Units<'s> {
    fn of(snapshot: &'s Snapshot) -> Self {
        Self(lineage::units(snapshot))
    }

    fn of_namespace(&self, name: &Name) -> &[Unit<'s>] {
        let start = self.0.partition_point(|unit| unit.namespace() < name);
        let end = self.0.partition_point(|unit| unit.namespace() <= name);
        &self.0[start..end]
    }
}

/// Namespaces that were planned and do not exist any more.
fn gone(reference: &Reference, plan: &Plan, snapshot: &Snapshot, found: &mut Vec<Finding>) {
    // Where there are no Namespaces at all, they are missing from the input.
    if snapshot.namespaces.is_empty() {
        return;
    }
    let is_there = |name: &str| {
        let known = plan.namespaces.binary_search_by(|it| (*it.name).cmp(name)).is_ok();
        known || snapshot.namespaces.contains_key(name)
    };
    let missing = reference.namespaces.iter().filter(|it| !is_there(&it.name));
    found.extend(missing.map(|namespace| {
        Finding::of(&namespace.name, Kind::NamespaceGone, "is gone since the plan")
            .object("Namespace", &namespace.name)
            .information_if(true)
    }));
}

fn summary(states: &[NamespaceState], found: &[Finding]) -> Summary {
    let findings = found.iter().filter(|it| it.severity == Severity::Finding).count();
    let reached = |stage| states.iter().filter(|state| state.reached == stage).count();
    Summary {
        findings,
        information: found.len() - findings,
        left_out: reached(Reached::LeftOut),
        none: reached(Reached::None),
        warn: reached(Reached::Warn),
        enforce: reached(Reached::Enforce),
        after: reached(Reached::After),
    }
}

/// Names with commas between, of many only the first.
fn listed(names: &[String]) -> String {
    const MAX: usize = 5;
    match names.len().checked_sub(MAX) {
        Some(n_more) if n_more > 0 => format!("{} and {n_more} more", names[..MAX].join(", ")),
        _ => names.join(", "),
    }
}
