//! What will the clones do to the pods of each workload?

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value as Json;

use super::PolicyClone;
use crate::migrate::plan::{NamespacePlan, Plan, WorkloadPlan};
use crate::migrate::policies::{UsedBy, used_by};
use crate::migrate::simulation::Simulation;
use crate::migrate::{Options, lost};
use crate::objects::change::Change;
use crate::objects::meta::Name;
use crate::objects::snapshot::Snapshot;
use crate::objects::workload::WorkloadKind;
use crate::psp::Verdict;

/// A workload whose pods will be made by a clone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Effect {
    /// The workload.
    #[serde(flatten)]
    pub workload: UsedBy,
    /// The policy by which they are made today; `None` where no policy admits them.
    pub today: Option<Name>,
    /// What PSP writes into them today and will not write any more.
    pub lost: Vec<Written>,
    /// What it will write instead.
    pub gained: Vec<Written>,
}

/// A value that PSP writes into a pod.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Written {
    /// Where; list elements by name.
    pub path: String,
    /// The value; for lists, the one element that PSP adds.
    pub value: Json,
    /// The policy's field.
    pub policy_field: Option<&'static str>,
}

impl Effect {
    /// Whether the pods come out otherwise than today.
    #[must_use]
    pub fn is_change(&self) -> bool {
        self.today.is_none() || !self.lost.is_empty() || !self.gained.is_empty()
    }
}

/// Fills in the effects of every clone, with all clones in force.
///
/// Originals stay, so a pod that is admitted today still is; it is made by what it was made by, or by
/// a clone.
pub(super) fn note_effects(
    clones: &mut [PolicyClone],
    plan: &Plan,
    snapshot: &Snapshot,
    today: &Simulation<'_>,
    options: &Options,
) {
    let with_clones = with_clones(clones, snapshot);
    let user = options.controllers_user.as_deref();
    let then = Simulation::new(&with_clones, options.cluster_version, user);
    let mut effects: BTreeMap<Name, Vec<Effect>> = BTreeMap::new();
    for namespace in &plan.namespaces {
        for workload in &namespace.workloads {
            if let Some((policy, effect)) = effect(namespace, workload, today, &then) {
                effects.entry(policy).or_default().push(effect);
            }
        }
    }
    for clone in clones {
        clone.effects = effects.remove(&clone.policy.name).unwrap_or_default();
        let by_original = effects.remove(&clone.original).unwrap_or_default();
        clone.left_to_original = by_original.into_iter().map(|effect| effect.workload).collect();
    }
}

/// What PSP goes by, with the clones: pods and workloads are not looked at.
fn with_clones(clones: &[PolicyClone], snapshot: &Snapshot) -> Snapshot {
    let mut policies = snapshot.policies.clone();
    let mut roles = snapshot.roles.clone();
    let mut bindings = snapshot.bindings.clone();
    for clone in clones {
        policies.insert(clone.policy.name.clone(), clone.policy.clone());
        for role in &clone.roles {
            roles.insert((role.namespace.clone(), role.name.clone()), role.clone());
        }
        for binding in &clone.bindings {
            bindings.insert((binding.namespace.clone(), binding.name.clone()), binding.clone());
        }
    }
    let service_accounts = snapshot.service_accounts.clone();
    Snapshot { policies, roles, bindings, service_accounts, ..Snapshot::default() }
}

/// The policy by which a workload's pods will be made, and what that changes; `None` where nobody
/// makes any, or no policy will admit them.
fn effect(
    namespace: &NamespacePlan,
    workload: &WorkloadPlan,
    today: &Simulation<'_>,
    then: &Simulation<'_>,
) -> Option<(Name, Effect)> {
    let kind = WorkloadKind::from_kind(workload.kind);
    if kind == Some(WorkloadKind::PodTemplate) {
        return None;
    }
    let requester = kind.and_then(|kind| today.requester_of(kind));
    let pod = &workload.states.authored;
    let verdict = |simulation: &Simulation<'_>| -> Option<(Name, Vec<Change>)> {
        match simulation.admit(&namespace.name, pod, requester.as_ref())? {
            Verdict::Admitted(admitted) => Some((admitted.policy, admitted.changes)),
            Verdict::Refused(_) => None,
        }
    };
    let (policy, changes) = verdict(then)?;
    let before = verdict(today);
    let written_today = before.as_ref().map(|(_, changes)| written(changes)).unwrap_or_default();
    let written_then = written(&changes);
    let beside = |these: &[Written], those: &[Written]| -> Vec<Written> {
        let is_there = |it: &&Written| {
            !those.iter().any(|other| (&it.path, &it.value) == (&other.path, &other.value))
        };
        these.iter().filter(is_there).cloned().collect()
    };
    let effect = Effect {
        workload: used_by(namespace, workload),
        today: before.map(|(policy, _)| policy),
        lost: beside(&written_today, &written_then),
        gained: beside(&written_then, &written_today),
    };
    Some((policy, effect))
}

fn written(changes: &[Change]) -> Vec<Written> {
    let mut written: Vec<Written> = Vec::new();
    for change in changes {
        for (path, value) in lost::values(change) {
            let path = path.by_name();
            // A seccomp profile is written as a field and as an annotation, which is one value.
            if !written.iter().any(|known| known.path == path && known.value == value) {
                written.push(Written { path, value, policy_field: change.policy_field });
            }
        }
    }
    written
}
