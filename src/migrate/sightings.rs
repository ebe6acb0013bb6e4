//! Which inputs show a workload, and which could have shown it and do not?
//!
//! Inputs of different times are evidence together: a Job of last night counts although this
//! morning's input lacks it. That it is lacking is said, as the workload may be gone for good.

use std::collections::{BTreeMap, BTreeSet};

use super::lineage::{Top, Unit};
use super::plan::WorkloadPlan;
use crate::objects::meta::Name;
use crate::objects::snapshot::Input;

/// Notes in which inputs the units of one namespace were seen; nothing where there is one input.
pub(super) fn note(inputs: &[Input], units: &[Unit<'_>], workloads: &mut [WorkloadPlan]) {
    if inputs.len() < 2 {
        return;
    }
    let seen: Vec<BTreeSet<u32>> = units.iter().map(seen_in).collect();
    // An input could have shown what is of a kind that it has in the namespace.
    let mut of_kind: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
    for (workload, seen) in workloads.iter().zip(&seen) {
        of_kind.entry(workload.kind).or_default().extend(seen);
    }
    for (workload, seen) in workloads.iter_mut().zip(&seen) {
        let all = of_kind.get(workload.kind);
        let unseen = all.into_iter().flat_map(|all| all.difference(seen)).copied();
        workload.not_seen_in = names(inputs, unseen);
        workload.seen_in = names(inputs, seen.iter().copied());
    }
}

fn seen_in(unit: &Unit<'_>) -> BTreeSet<u32> {
    let top = match unit.top {
        Top::Workload(workload) => &workload.seen_in,
        Top::Pod(pod) => &pod.seen_in,
    };
    let pods = unit.pods.iter().map(|member| &member.pod.seen_in);
    pods.chain([top]).flat_map(|inputs| inputs.iter().copied()).collect()
}

fn names(inputs: &[Input], places: impl Iterator<Item = u32>) -> Vec<Name> {
    places.filter_map(|place| Some(inputs.get(place as usize)?.name.clone())).collect()
}
