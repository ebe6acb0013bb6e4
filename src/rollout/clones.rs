//! Which copy of each policy asks only for what Pod Security admission can ask for too?
//!
//! The migration guide's way to find out early what breaks: a clone of every policy without the
//! fields that only write into pods or that no level knows, with a name that sorts before the
//! original's, usable wherever the original is. PSP takes it for every pod that it admits, so that
//! pods are made as they will be without those fields, and the original still catches the rest.

mod effect;
mod grants;
mod naming;
mod simplify;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde::Serialize;

use super::object_ref::ObjectRef;
use crate::migrate::Options;
use crate::migrate::plan::Plan;
use crate::migrate::policies::{UsedBy, is_used_by, relies_on, used_by};
use crate::migrate::simulation::Simulation;
use crate::objects::meta::Name;
use crate::objects::psp::PodSecurityPolicy;
use crate::objects::rbac::{Binding, Role};
use crate::objects::snapshot::Snapshot;
pub use effect::{Effect, Written};
pub use simplify::Simplification;

/// The clones of a cluster's policies, in the order of the originals.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Clones {
    /// The policies that have a clone.
    pub clones: Vec<PolicyClone>,
    /// The policies that have none, and why.
    pub without: Vec<(Name, WithoutClone)>,
    /// Whether the input holds what it takes to say what clones do to pods: roles and bindings.
    pub simulated: bool,
    /// The roles, bound to somebody, that allow the use of every policy and so of every clone: it can
    /// be used through them as soon as it exists.
    pub for_every_policy: Vec<ObjectRef>,
}

/// Why a policy has no clone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum WithoutClone {
    /// It has nothing that a clone would leave out.
    Simple,
    /// It takes no part in admission.
    Broken,
    /// No name that is free sorts before its own.
    NoName,
}

/// A simplified copy of a policy with the RBAC objects that make it usable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyClone {
    /// The name of the original.
    pub original: Name,
    /// The clone.
    pub policy: PodSecurityPolicy,
    /// What it leaves out, in the order of the guide.
    pub simplifications: Vec<Simplified>,
    /// The roles that mirror those which name the original.
    pub roles: Vec<Role>,
    /// The bindings of these roles, to the subjects of the originals'.
    pub bindings: Vec<Binding>,
    /// The workloads whose pods will be made by the clone.
    pub effects: Vec<Effect>,
    /// The workloads whose pods the original goes on making, as no clone takes them.
    pub left_to_original: Vec<UsedBy>,
}

/// A field that a clone leaves out, and who relies on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Simplified {
    /// What is left out.
    pub simplification: Simplification,
    /// The workloads of the original into whose pods the field writes, or whose values it checks.
    pub relied_on_by: Vec<UsedBy>,
}

/// The clones of all policies, or of `only` one, and what they would do to the workloads of a plan
/// over all namespaces, with all of them in force.
#[must_use]
pub fn clones(
    plan: &Plan,
    snapshot: &Snapshot,
    simulation: &Simulation<'_>,
    options: &Options,
    only: Option<&str>,
) -> Clones {
    let for_every_policy = grants::for_every_policy(snapshot);
    let simulated = simulation.is_possible();
    let mut clones = Clones { simulated, for_every_policy, ..Clones::default() };
    let mut taken: BTreeSet<Name> = BTreeSet::new();
    for original in snapshot.policies.values() {
        if only.is_some_and(|only| *original.name != *only) {
            continue;
        }
        match clone_of(original, plan, snapshot, simulation, &mut taken) {
            Ok(clone) => clones.clones.push(clone),
            Err(why) => clones.without.push((original.name.clone(), why)),
        }
    }
    effect::note_effects(&mut clones.clones, plan, snapshot, simulation, options);
    clones
}

fn clone_of(
    original: &PodSecurityPolicy,
    plan: &Plan,
    snapshot: &Snapshot,
    simulation: &Simulation<'_>,
    taken: &mut BTreeSet<Name>,
) -> Result<PolicyClone, WithoutClone> {
    if simulation.policy(&original.name).is_none() {
        return Err(WithoutClone::Broken);
    }
    let (mut policy, simplifications) = simplify::simplified(original);
    if simplifications.is_empty() {
        return Err(WithoutClone::Simple);
    }
    // A clone that was applied before keeps its name, so that it can be applied again.
    let is_free = |name: &str| {
        let there = snapshot.policies.get(name);
        !taken.contains(name) && there.is_none_or(|there| simplify::is_same(there, &policy))
    };
    let name = naming::name_before(&original.name, is_free).ok_or(WithoutClone::NoName)?;
    policy.name = Name::from(name);
    taken.insert(policy.name.clone());
    let grants = grants::mirrored(&original.name, &policy.name, snapshot);
    let simplifications = simplifications
        .into_iter()
        .map(|simplification| Simplified {
            relied_on_by: relied_on_by(&original.name, simplification.field, plan),
            simplification,
        })
        .collect();
    Ok(PolicyClone {
        original: original.name.clone(),
        policy,
        simplifications,
        roles: grants.roles,
        bindings: grants.bindings,
        effects: Vec::new(),
        left_to_original: Vec::new(),
    })
}

fn relied_on_by(policy: &Name, field: &str, plan: &Plan) -> Vec<UsedBy> {
    let mut workloads = Vec::new();
    for namespace in &plan.namespaces {
        let users = namespace.workloads.iter().filter(|workload| is_used_by(policy, workload));
        let relying = users.filter(|workload| relies_on(workload, policy, field));
        workloads.extend(relying.map(|workload| used_by(namespace, workload)));
    }
    workloads
}
