//! Which pods differ from their templates in what PodSecurityPolicy is about, and who did it?
//!
//! The guide has the admin compare pods and templates field by field. Here the comparison is the one
//! that the plan rests on: what PSP wrote, and what somebody else did to the pod besides.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value as Json;

use crate::migrate::injection::Webhooks;
use crate::migrate::lineage::{self, Top, Unit};
use crate::migrate::lost;
use crate::migrate::policies::UsedBy;
use crate::migrate::simulation::Simulation;
use crate::migrate::states::{self, States};
use crate::objects::change::Change;
use crate::objects::meta::Name;
use crate::objects::pod::{
    APPARMOR_CONTAINER_ANNOTATION_PREFIX, PodTemplateSpec, SECCOMP_POD_ANNOTATION,
};
use crate::objects::snapshot::Snapshot;

/// A workload whose live pods differ from the template that they were made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TemplateDrift {
    /// The workload.
    #[serde(flatten)]
    pub workload: UsedBy,
    /// The fields that differ, sorted.
    pub differences: Vec<Difference>,
    /// The containers of the pods that the template does not have, sorted; their fields are no
    /// differences.
    pub added_containers: Vec<String>,
}

/// A field that differs between a live pod and its template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// Where, in the pod; list elements by name.
    pub path: String,
    /// The value in the pod, for lists that PSP adds to, what it adds; `None` where only the template
    /// has one.
    pub value: Option<Json>,
    /// The policy that wrote it; `None` where something else did, such as a webhook.
    pub policy: Option<Name>,
    /// The policy's field; `None` where the policy is not in the input any more, too.
    pub policy_field: Option<&'static str>,
    /// Whether it is taken for PSP's though a webhook, or the pod's author, may have written the same.
    pub assumed: bool,
}

/// The fields of a pod's `securityContext` that the guide compares.
const POD_FIELDS: [&str; 4] = ["fsGroup", "seccompProfile", "seLinuxOptions", "supplementalGroups"];

/// The fields of a container's `securityContext` that the guide compares.
const CONTAINER_FIELDS: [&str; 9] = [
    "allowPrivilegeEscalation",
    "capabilities.add",
    "capabilities.drop",
    "readOnlyRootFilesystem",
    "runAsGroup",
    "runAsNonRoot",
    "runAsUser",
    "seccompProfile",
    "seLinuxOptions",
];

/// The workloads whose live pods differ from their templates, sorted by namespace, kind and name.
///
/// Pods of which it is not known what they were made from say nothing. Finished pods do, as the next
/// ones will be alike.
#[must_use]
pub fn template_drift<'s>(
    snapshot: &'s Snapshot,
    simulation: &Simulation<'s>,
) -> Vec<TemplateDrift> {
    let units = lineage::units(snapshot);
    let mut drift = Vec::new();
    for of_namespace in units.chunk_by(|one, other| one.namespace() == other.namespace()) {
        drift.extend(of_namespace.iter().filter_map(|unit| drift_of(unit, simulation)));
        simulation.forget();
    }
    drift.sort_by(|one, other| one.workload.cmp(&other.workload));
    drift
}

fn drift_of<'s>(unit: &Unit<'s>, simulation: &Simulation<'s>) -> Option<TemplateDrift> {
    if unit.pods.is_empty() {
        return None;
    }
    let (states, _) = states::of(unit, simulation);
    let mut differences = Vec::new();
    let mut added_containers = Vec::new();
    if states.is_assumed {
        by_policy(&states, &states.changes, true, &mut differences);
    }
    for webhooks in &states.webhooks {
        by_policy(&states, &webhooks.changes_before, false, &mut differences);
        by_policy(&states, &webhooks.changes_after, true, &mut differences);
        by_others(webhooks, &mut differences, &mut added_containers);
    }
    differences.sort_by_key(|it: &Difference| (it.path.clone(), json_text(it.value.as_ref())));
    differences.dedup_by(|one, other| (&one.path, &one.value) == (&other.path, &other.value));
    added_containers.sort();
    added_containers.dedup();
    let differs = !differences.is_empty() || !added_containers.is_empty();
    differs.then(|| TemplateDrift { workload: named(unit), differences, added_containers })
}

fn named(unit: &Unit<'_>) -> UsedBy {
    let (kind, name, generate_name) = match unit.top {
        Top::Workload(it) => (it.kind.as_str(), &*it.name, &*it.generate_name),
        Top::Pod(it) => ("Pod", &*it.name, &*it.generate_name),
    };
    let name = if name.is_empty() { generate_name } else { name };
    UsedBy {
        namespace: unit.namespace().clone(),
        kind,
        name: name.to_string(),
        pods: unit.unfinished_pods().count(),
    }
}

fn json_text(value: Option<&Json>) -> String {
    value.map(Json::to_string).unwrap_or_default()
}

fn by_policy(
    states: &States,
    changes: &[Change],
    assumed: bool,
    differences: &mut Vec<Difference>,
) {
    for change in changes {
        for (path, value) in lost::values(change) {
            // Every policy copies a profile of the template into the annotation, for no field.
            if change.policy_field.is_none() && lost::holds(&states.authored, &path, &value) {
                continue;
            }
            differences.push(Difference {
                path: path.by_name(),
                value: Some(value),
                policy: Some(change.policy.clone()),
                policy_field: change.policy_field,
                assumed: assumed || change.policy_field.is_none(),
            });
        }
    }
}

fn by_others(
    webhooks: &Webhooks,
    differences: &mut Vec<Difference>,
    added_containers: &mut Vec<String>,
) {
    if webhooks.did_nothing() {
        return;
    }
    let is_added = |name: &str| !webhooks.before.spec.all_containers().any(|it| it.name == name);
    let after = webhooks.after.spec.all_containers();
    added_containers.extend(after.filter(|it| is_added(&it.name)).map(|it| it.name.clone()));
    let (before, after) = (compared_values(&webhooks.before), compared_values(&webhooks.after));
    for path in before.keys().chain(after.keys()) {
        let (old, new) = (before.get(path), after.get(path));
        // Every container of the pod stands there, so only that of an added one has no like.
        let of_added = added_containers.iter().any(|name| path.contains(&format!("[name={name}]")));
        if old != new && !of_added {
            differences.push(Difference {
                path: path.clone(),
                value: new.cloned(),
                policy: None,
                policy_field: None,
                assumed: false,
            });
        }
    }
}

/// The values of a pod that the guide compares, by their paths; those that are not set are left out.
pub(super) fn compared_values(pod: &PodTemplateSpec) -> BTreeMap<String, Json> {
    let mut values = BTreeMap::new();
    let pod = serde_json::to_value(pod).unwrap_or_default();
    let mut note = |path: String, value: &Json| {
        if !value.is_null() {
            values.insert(path, value.clone());
        }
    };
    for (key, value) in pod["metadata"]["annotations"].as_object().into_iter().flatten() {
        if key.starts_with(APPARMOR_CONTAINER_ANNOTATION_PREFIX) || key == SECCOMP_POD_ANNOTATION {
            note(format!("metadata.annotations[{key}]"), value);
        }
    }
    let spec = &pod["spec"];
    note("spec.runtimeClassName".to_owned(), &spec["runtimeClassName"]);
    for field in POD_FIELDS {
        note(format!("spec.securityContext.{field}"), &spec["securityContext"][field]);
    }
    for list in ["initContainers", "containers"] {
        for container in spec[list].as_array().into_iter().flatten() {
            let name = container["name"].as_str().unwrap_or_default();
            for field in CONTAINER_FIELDS {
                let value =
                    field.split('.').fold(&container["securityContext"], |value, key| &value[key]);
                note(format!("spec.{list}[name={name}].securityContext.{field}"), value);
            }
        }
    }
    values
}
