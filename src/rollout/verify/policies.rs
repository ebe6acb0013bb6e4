//! Which policies are still there, and is anything made by them?

use std::collections::BTreeMap;

use super::finding::{Finding, Kind};
use super::labels::Reached;
use super::{NamespaceState, Target, listed};
use crate::migrate::lineage::workload_of;
use crate::objects::meta::Name;
use crate::objects::pod::Pod;
use crate::objects::psp::PodSecurityPolicy;
use crate::objects::snapshot::Snapshot;

/// What is found of policies; the bypass is for namespaces that enforce a level; `states` are the namespaces that are looked at.
pub(super) fn findings(
    snapshot: &Snapshot,
    bypass: &Name,
    target: Option<Target>,
    states: &[NamespaceState],
    found: &mut Vec<Finding>,
) {
    if snapshot.policies.is_empty() {
        return;
    }
    existing(snapshot, target, found);
    let wants_bypass = matches!(target, Some(Target::Bypass | Target::After));
    let Some(policy) = snapshot.policies.get(bypass) else {
        if wants_bypass {
            found.push(
                Finding::of_cluster(
                    Kind::BypassMissing,
                    format!(
                        "the policy {bypass}, which lets every pod pass as it is, does not exist"
                    ),
                )
                .hint("run step 5 of the rollout (5-bypass.sh)"),
            );
        }
        return;
    };
    for state in states {
        let is_bypassed = may_use(snapshot, bypass, &state.name);
        if is_bypassed {
            in_use(snapshot, policy, &state.name, found);
        } else if wants_bypass && state.reached >= Reached::Enforce {
            let message = format!("no binding lets its pods use {bypass}");
            let hint = "run step 5 of the rollout again (5-bypass.sh)";
            found.push(Finding::of(&state.name, Kind::BypassMissing, message).hint(hint));
        }
    }
}

fn existing(snapshot: &Snapshot, target: Option<Target>, found: &mut Vec<Finding>) {
    let names: Vec<String> = snapshot.policies.keys().map(ToString::to_string).collect();
    let n = names.len();
    let policies = if n == 1 { "1 policy still exists" } else { "policies still exist" };
    let listed = listed(&names);
    let message =
        if n == 1 { format!("{policies}: {listed}") } else { format!("{n} {policies}: {listed}") };
    let is_late = target == Some(Target::Removed);
    let hint = if is_late {
        "run step 8 of the rollout; see psp2psa review for those of others"
    } else {
        ""
    };
    found.push(
        Finding::of_cluster(Kind::PolicyExists, message)
            .hint(hint)
            .details(names)
            .information_if(!is_late),
    );
}

/// Whether a binding as the rollout makes it reaches a namespace.
fn may_use(snapshot: &Snapshot, bypass: &Name, namespace: &Name) -> bool {
    [Some(namespace.clone()), None].into_iter().any(|place| {
        let from = (place.clone(), Name::from(""));
        snapshot
            .bindings
            .range(from..)
            .take_while(|((of, _), _)| *of == place)
            .any(|(_, binding)| binding.role_ref.name == **bypass)
    })
}

/// Pods of a namespace that were made after the bypass and went through another policy.
fn in_use(
    snapshot: &Snapshot,
    bypass: &PodSecurityPolicy,
    namespace: &Name,
    found: &mut Vec<Finding>,
) {
    let mut later: BTreeMap<(&str, String), BTreeMap<&Name, usize>> = BTreeMap::new();
    let mut n_unknown = 0;
    for pod in pods_of(snapshot, namespace).filter(|pod| !pod.is_finished()) {
        let Some(policy) = pod.psp.as_ref().filter(|policy| **policy != bypass.name) else {
            continue;
        };
        match (pod.created, bypass.created) {
            (Some(made), Some(since)) if made > since => {
                let top = workload_of(snapshot, pod);
                let object = top.map_or(("Pod", &*pod.name), |it| (it.kind.as_str(), &*it.name));
                let key = (object.0, object.1.to_owned());
                *later.entry(key).or_default().entry(policy).or_default() += 1;
            }
            (Some(_), Some(_)) => {}
            _ => n_unknown += 1,
        }
    }
    for ((kind, name), policies) in later {
        let n: usize = policies.values().sum();
        let names: Vec<&str> = policies.keys().map(|name| &***name).collect();
        let pods = if n == 1 { "1 pod was".to_owned() } else { format!("{n} pods were") };
        let (names, of) = (names.join(", "), &bypass.name);
        let message = format!("{pods} made after the bypass {of}, and admitted by {names}");
        let hint = format!(
            "see that the name {of} is sorted before {names} and that the pods' account may use it"
        );
        found.push(
            Finding::of(namespace, Kind::PolicyInUse, message).object(kind, &name).hint(hint),
        );
    }
    if n_unknown > 0 {
        let pods = if n_unknown == 1 {
            "1 pod names".to_owned()
        } else {
            format!("{n_unknown} pods name")
        };
        let message = format!(
            "{pods} another policy than the bypass; the input does not say whether they are older"
        );
        found.push(Finding::of(namespace, Kind::PolicyInUse, message).information_if(true));
    }
}

/// The pods of a namespace, among which they stand together.
fn pods_of<'s>(snapshot: &'s Snapshot, namespace: &Name) -> impl Iterator<Item = &'s Pod> {
    let start = snapshot.pods.partition_point(|pod| pod.namespace < *namespace);
    let end = snapshot.pods.partition_point(|pod| pod.namespace <= *namespace);
    snapshot.pods[start..end].iter()
}
