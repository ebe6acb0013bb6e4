//! Do live pods still have what PSP wrote into them?

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::finding::{Finding, Kind};
use super::reference::{PlannedNamespace, PlannedValue, PlannedWorkload};
use crate::migrate::lineage::{Top, Unit};
use crate::migrate::plan::NamespacePlan;
use crate::objects::pod::PodTemplateSpec;
use crate::rollout::template_drift::compared_values;

/// A workload's kind and name.
pub(super) type Named = (String, String);

/// The units of a namespace by kind and name.
pub(super) fn by_name<'u, 's>(units: &'u [Unit<'s>]) -> BTreeMap<Named, &'u Unit<'s>> {
    let named = units.iter().map(|unit| {
        let (kind, name, generated) = match unit.top {
            Top::Workload(it) => (it.kind.as_str(), &*it.name, &*it.generate_name),
            Top::Pod(it) => ("Pod", &*it.name, &*it.generate_name),
        };
        let name = if name.is_empty() { generated } else { name };
        ((kind.to_owned(), name.to_owned()), unit)
    });
    named.collect()
}

/// How the live pods of a namespace differ from those that the plan saw; `before` are the units of
/// that time where they are at hand.
pub(super) fn findings(
    planned: &PlannedNamespace,
    present: &NamespacePlan,
    units: &[Unit<'_>],
    before: Option<&[Unit<'_>]>,
    found: &mut Vec<Finding>,
) {
    let now = by_name(units);
    let before = before.map(by_name);
    for workload in &planned.workloads {
        let key = (workload.kind.clone(), workload.name.clone());
        let Some(unit) = now.get(&key) else { continue };
        // What had no pods had nothing that could be lost.
        if workload.pods > 0 {
            let earlier = before
                .as_ref()
                .map(|before| before.get(&key).map(|unit| distinct(unit)).unwrap_or_default());
            values(&planned.name, workload, unit, earlier.as_deref(), found);
        }
        let plan = present
            .workloads
            .iter()
            .find(|it| it.kind == workload.kind && it.name == workload.name);
        let (Some(was), Some(is)) =
            (workload.levels.running, plan.and_then(|plan| plan.levels.running))
        else {
            continue;
        };
        if is == was {
            continue;
        }
        let kind = if is < was { Kind::PodsLooser } else { Kind::PodsStricter };
        let hint = match kind {
            Kind::PodsLooser => {
                format!("psp2psa explain -n {} {}/{}", planned.name, key.0, key.1)
            }
            _ => String::new(),
        };
        found.push(
            Finding::of(&planned.name, kind, format!("live pods satisfy {is}, and {was} before"))
                .object(&key.0, &key.1)
                .hint(hint)
                .information_if(is > was),
        );
    }
}

/// What live pods lack of what PSP wrote. Pods without a container of that name lack nothing of it.
fn values(
    namespace: &str,
    workload: &PlannedWorkload,
    unit: &Unit<'_>,
    earlier: Option<&[(usize, Values)]>,
    found: &mut Vec<Finding>,
) {
    let pods = distinct(unit);
    let n_pods: usize = pods.iter().map(|(n, _)| n).sum();
    for loosens in [false, true] {
        let mut lacking = BTreeSet::new();
        let mut fields = Vec::new();
        for value in workload.lost.iter().filter(|it| it.loosens == loosens) {
            // What PSP would write has been in live pods only where they were made by that policy.
            let was_there = match earlier {
                Some(pods) => pods.iter().any(|(_, pod)| holds(pod, value)),
                None => workload.policy_in_use.contains(&value.policy),
            };
            let without: Vec<usize> = pods
                .iter()
                .enumerate()
                .filter(|(_, (_, pod))| has_place(pod, value) && !holds(pod, value))
                .map(|(index, _)| index)
                .collect();
            if was_there && !without.is_empty() {
                lacking.extend(without);
                let by = value.policy_field.as_deref().unwrap_or("-");
                fields.push(format!("{}: {} ({}: {by})", value.path, value.value, value.policy));
            }
        }
        if fields.is_empty() {
            continue;
        }
        let n_lacking: usize = lacking.into_iter().map(|index| pods[index].0).sum();
        let of = if n_pods == 1 { "1 pod".to_owned() } else { format!("{n_pods} pods") };
        let n = fields.len();
        let values = if n == 1 { "1 value".to_owned() } else { format!("{n} values") };
        let lack = if n_lacking == 1 { "lacks" } else { "lack" };
        let (kind, message) = if loosens {
            (
                Kind::BecameStricter,
                format!("{n_lacking} of {of} {lack} {values} by which PSP loosened them"),
            )
        } else {
            (
                Kind::HardeningLost,
                format!("{n_lacking} of {of} {lack} {values} that PSP wrote and nothing else does"),
            )
        };
        let hint = if loosens {
            "test that the application works without".to_owned()
        } else {
            "write the values into the template: step 2 of the rollout, or psp2psa plan -o diff"
                .to_owned()
        };
        found.push(
            Finding::of(namespace, kind, message)
                .object(&workload.kind, &workload.name)
                .hint(hint)
                .details(fields)
                .information_if(loosens),
        );
    }
}

/// The values of the unfinished pods, with how many pods share them.
fn distinct(unit: &Unit<'_>) -> Vec<(usize, Values)> {
    let mut slices: Vec<(usize, &PodTemplateSpec)> = Vec::new();
    for member in unit.unfinished_pods() {
        let slice = &*member.pod.template;
        match slices.iter_mut().find(|(_, known)| *known == slice) {
            Some((n, _)) => *n += 1,
            None => slices.push((1, slice)),
        }
    }
    slices.into_iter().map(|(n, slice)| (n, Values::of(slice))).collect()
}

struct Values {
    by_path: BTreeMap<String, Json>,
    containers: BTreeSet<String>,
}

impl Values {
    fn of(pod: &PodTemplateSpec) -> Self {
        let containers = pod.spec.all_containers().map(|it| it.name.clone()).collect();
        Self { by_path: compared_values(pod), containers }
    }
}

/// Whether a pod has the value, or a list with it.
fn holds(pod: &Values, value: &PlannedValue) -> bool {
    match pod.by_path.get(&value.path) {
        Some(Json::Array(items)) => items.contains(&value.value),
        there => there == Some(&value.value),
    }
}

/// Whether a pod has the container that a value is for.
fn has_place(pod: &Values, value: &PlannedValue) -> bool {
    let container = value
        .path
        .split_once("ontainers[name=")
        .and_then(|(_, rest)| rest.split_once("].").map(|(name, _)| name));
    container.is_none_or(|name| pod.containers.contains(name))
}
