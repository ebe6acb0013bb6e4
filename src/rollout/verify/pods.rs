//! Is every pod there that shall be, and does admission refuse any?
//!
//! The object that makes the pods is looked at (a ReplicaSet, a Job), and what is found is said of
//! the workload at its top (the Deployment, the CronJob).

use std::collections::{BTreeMap, BTreeSet};

use super::finding::{Finding, Kind};
use super::reference::PlannedNamespace;
use crate::migrate::lineage::top_of;
use crate::objects::meta::Name;
use crate::objects::snapshot::Snapshot;
use crate::objects::workload::{Workload, WorkloadKind};

/// What is wrong with the pods of a workload.
#[derive(Debug, Default, PartialEq, Eq)]
struct Trouble {
    /// What admission says, of pods that are still missing.
    refusals: BTreeSet<Name>,
    /// What it said, of an object that has all its pods by now or is gone.
    past_refusals: BTreeSet<Name>,
    /// Pods that there are and that there shall be, where these are more.
    missing: Option<(u32, u32)>,
    /// Ready pods, and those that there shall be.
    ready: Option<(u32, u32)>,
    /// Jobs that have failed.
    failed_jobs: BTreeSet<String>,
}

type Troubles = BTreeMap<(Name, &'static str, String), Trouble>;

/// What is wrong with pods, by namespace, kind and name of the workload.
fn troubles(snapshot: &Snapshot) -> Troubles {
    let mut troubles = Troubles::new();
    for workload in snapshot.workloads.values() {
        let trouble = troubles.entry(key(top_of(snapshot, workload))).or_default();
        trouble.refusals.extend(workload.status.refusal.clone());
        if workload.status.is_failed {
            trouble.failed_jobs.insert(name_of(workload).to_owned());
        }
        let counts = (workload.status.made, workload.wanted_pods());
        if is_at_work(workload)
            && let (Some(made), Some(wanted)) = counts
        {
            // Of a Deployment and its ReplicaSets, whichever lacks more.
            if made < wanted && trouble.missing.is_none_or(|(m, w)| wanted - made > w - m) {
                trouble.missing = Some((made, wanted));
            }
            if let (Some(ready), true) = (workload.status.ready, is_top(snapshot, workload)) {
                trouble.ready = Some((ready, wanted));
            }
        }
    }
    for event in &snapshot.events {
        let direct = WorkloadKind::from_kind(&event.kind).and_then(|kind| {
            let key = (event.namespace.clone(), kind, event.object.to_string().into());
            snapshot.workloads.get(&key)
        });
        let Some(direct) = direct else { continue };
        let trouble = troubles.entry(key(top_of(snapshot, direct))).or_default();
        let refusals =
            if lacks_none(direct) { &mut trouble.past_refusals } else { &mut trouble.refusals };
        refusals.insert(event.refusal.clone());
    }
    troubles.retain(|_, trouble| *trouble != Trouble::default());
    troubles
}

fn key(workload: &Workload) -> (Name, &'static str, String) {
    (workload.namespace.clone(), workload.kind.as_str(), name_of(workload).to_owned())
}

fn name_of(workload: &Workload) -> &str {
    if workload.name.is_empty() { &workload.generate_name } else { &workload.name }
}

fn is_top(snapshot: &Snapshot, workload: &Workload) -> bool {
    std::ptr::eq(top_of(snapshot, workload), workload)
}

/// Whether its controller makes pods for it now: a paused Deployment does, a suspended Job does not.
fn is_at_work(workload: &Workload) -> bool {
    let is_stopped = workload.is_suspended && workload.kind != WorkloadKind::Deployment;
    !workload.is_finished && !is_stopped
}

/// Whether an object has all pods that it wants, as far as it is known.
fn lacks_none(workload: &Workload) -> bool {
    let has_all = match (workload.status.made, workload.wanted_pods()) {
        (Some(made), Some(wanted)) => made >= wanted,
        _ => false,
    };
    !is_at_work(workload) || (has_all && workload.status.refusal.is_none())
}

/// What is wrong with pods in the namespaces for which `is_meant` holds, compared with what was wrong
/// before.
pub(super) fn findings(
    snapshot: &Snapshot,
    before: Option<&Snapshot>,
    planned: &BTreeMap<&str, &PlannedNamespace>,
    is_meant: &dyn Fn(&str) -> bool,
    found: &mut Vec<Finding>,
) {
    let earlier = before.map(troubles);
    let nothing = Trouble::default();
    for (key, trouble) in troubles(snapshot) {
        let (namespace, kind, name) = &key;
        if !is_meant(namespace) {
            continue;
        }
        let workload = planned.get(&**namespace).and_then(|it| it.workload(kind, name));
        let case = Case {
            namespace,
            kind,
            name,
            trouble: &trouble,
            earlier: earlier.as_ref().map(|earlier| earlier.get(&key).unwrap_or(&nothing)),
            refused_when_planned: workload.is_some_and(|it| it.refused_today),
        };
        found.extend(case.refused().into_iter().chain(case.not_ready()).chain(case.failed()));
    }
}

/// A workload with what is wrong and what was.
struct Case<'a> {
    namespace: &'a str,
    kind: &'a str,
    name: &'a str,
    trouble: &'a Trouble,
    /// `None` where nothing is known of before.
    earlier: Option<&'a Trouble>,
    refused_when_planned: bool,
}

impl Case<'_> {
    fn finding(&self, kind: Kind, message: String) -> Finding {
        Finding::of(self.namespace, kind, message).object(self.kind, self.name)
    }

    fn refused(&self) -> Option<Finding> {
        let Trouble { refusals, past_refusals, missing, .. } = self.trouble;
        let details = |from: &BTreeSet<Name>| from.iter().map(ToString::to_string).collect();
        let count = missing.map(|(made, wanted)| format!("{made} of {wanted} pods are there"));
        let Some(first) = refusals.first() else {
            let Some(count) = count else {
                let said = past_refusals.first()?;
                let message = format!("pods were refused, and none is missing now: {said}");
                return Some(
                    self.finding(Kind::PodsRefused, message)
                        .details(details(past_refusals))
                        .information_if(true),
                );
            };
            let was = self.was(|it| it.missing.is_some_and(|(m, w)| w - m >= lack(*missing)));
            let message = format!("{count}, and the input does not say why{}", before(was));
            return Some(
                self.finding(Kind::PodsMissing, message).hint(self.describe()).information_if(was),
            );
        };
        let is_psp = refusals.iter().all(|text| text.starts_with("PodSecurityPolicy: "));
        let was = self.was(|it| refusals.is_subset(&it.refusals));
        let known = is_psp && self.refused_when_planned;
        let after = match (was, known) {
            (true, _) => " (as before)",
            (false, true) => " (as the plan says)",
            (false, false) => "",
        };
        let count = count.map(|count| format!("{count}; ")).unwrap_or_default();
        let message = format!("{count}pods are refused{after}: {first}");
        let hint = if is_psp {
            format!("psp2psa explain -n {} {}/{}", self.namespace, self.kind, self.name)
        } else {
            format!(
                "apply the workload's patch, or set the namespace back with the stage's undo; psp2psa explain -n {} {}/{}",
                self.namespace, self.kind, self.name
            )
        };
        Some(
            self.finding(Kind::PodsRefused, message)
                .hint(hint)
                .details(details(refusals))
                .information_if(was || known),
        )
    }

    fn not_ready(&self) -> Option<Finding> {
        let (ready, wanted) = self.trouble.ready?;
        let (was_ready, _) = self.earlier?.ready?;
        (ready < wanted && ready < was_ready).then(|| {
            let message =
                format!("{ready} of {wanted} pods are ready, and {was_ready} were before");
            self.finding(Kind::PodsNotReady, message).hint(self.describe())
        })
    }

    fn failed(&self) -> Option<Finding> {
        let jobs = &self.trouble.failed_jobs;
        let known = |it: &Trouble| jobs.is_subset(&it.failed_jobs);
        // Jobs fail for reasons of their own, so only those count that have failed since.
        let was = self.earlier.is_none_or(known);
        let names: Vec<String> = jobs.iter().cloned().collect();
        let message = match names.as_slice() {
            [] => return None,
            [name] => format!("Job {name} has failed"),
            names => format!("{} Jobs have failed", names.len()),
        };
        let message = format!("{message}{}", before(was && self.earlier.is_some()));
        Some(
            self.finding(Kind::JobFailed, message)
                .hint(self.describe())
                .details(names)
                .information_if(was),
        )
    }

    fn was(&self, is_so: impl Fn(&Trouble) -> bool) -> bool {
        self.earlier.is_some_and(is_so)
    }

    fn describe(&self) -> String {
        format!("kubectl describe -n {} {}/{}", self.namespace, self.kind, self.name)
    }
}

fn before(was: bool) -> &'static str {
    if was { " (as before)" } else { "" }
}

fn lack(missing: Option<(u32, u32)>) -> u32 {
    missing.map_or(0, |(made, wanted)| wanted - made)
}
