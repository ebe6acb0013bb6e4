//! What goes when PSP goes, and which policy field had written it?

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::Value as Json;

use super::attribution;
use super::lineage::{Revision, Top, Unit};
use super::places::Places;
use super::states::States;
use crate::level::Level;
use crate::objects::change::{Change, Value};
use crate::objects::meta::Name;
use crate::objects::path::{FieldPath, Segment};
use crate::objects::pod::{APPARMOR_CONTAINER_ANNOTATION_PREFIX, Phase, PodTemplateSpec};
use crate::objects::slice::Slice;
use crate::psa;
use crate::version::Version;

/// A value that PSP writes into a workload's pods and that they will not have without it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Lost {
    /// Where, in the pod; list elements by name.
    #[serde(serialize_with = "by_name")]
    pub path: FieldPath,
    /// The value; for lists, the one element that PSP adds.
    pub value: Json,
    /// The policy that writes it.
    pub policy: Name,
    /// The policy's field; `None` where the policy is not in the input any more.
    pub policy_field: Option<&'static str>,
    /// Whether a live pod of the current revision, running and with all containers ready, carries
    /// the value.
    pub proven: bool,
    /// Whether the value may as well be the author's or a webhook's: the author's text is not in the
    /// input, PSP wrote after a webhook had changed the pod, or no policy admits the template today.
    /// It is taken for PSP's to be on the safe side.
    pub assumed: bool,
    /// Whether the value loosens the pod, which becomes stricter without, or is as loose by default.
    pub loosens: bool,
}

fn by_name<S: Serializer>(path: &FieldPath, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.by_name())
}

/// What a unit loses, sorted by path, judged at a version of the standards.
#[must_use]
pub fn of(unit: &Unit<'_>, states: &States, version: Version) -> Vec<Lost> {
    if states.all_changes().next().is_none() {
        return Vec::new();
    }
    let proofs: Vec<&Arc<PodTemplateSpec>> = unit
        .pods
        .iter()
        .filter(|member| {
            let is_current =
                matches!(member.revision, Revision::Current) || matches!(unit.top, Top::Pod(_));
            is_current && member.pod.status.phase == Phase::Running && member.pod.status.is_ready
        })
        .map(|member| &member.pod.template)
        .fold(Vec::new(), |mut distinct, slice| {
            if !distinct.iter().any(|seen| Arc::ptr_eq(seen, slice)) {
                distinct.push(slice);
            }
            distinct
        });

    let mut lost: Vec<Lost> = Vec::new();
    let mut known = BTreeSet::new();
    let mut places = Places::of(&states.authored);
    let certain = states.changes.iter().map(|change| (change, states.is_assumed));
    let assumed = states.changes_after_injection.iter().map(|change| (change, true));
    for (change, is_assumed) in certain.chain(assumed) {
        for (path, value) in values(change) {
            let path = places.settle(path);
            let stays = states.future.iter().all(|pod| holds(pod, &path, &value));
            if stays || !known.insert((path.clone(), value.to_string())) {
                continue;
            }
            lost.push(Lost {
                proven: proofs.iter().any(|pod| holds(pod, &path, &value)),
                assumed: is_assumed || change.policy_field.is_none(),
                loosens: loosens(&path, &value, version),
                path,
                value,
                policy: change.policy.clone(),
                policy_field: change.policy_field,
            });
        }
    }
    lost.sort_by(|a, b| (&a.path, a.value.to_string()).cmp(&(&b.path, b.value.to_string())));
    lost
}

/// Whether PSP loosens a pod where it writes a value there. The rest hardens it, or lets it reach its
/// data.
#[must_use]
pub fn loosens(path: &FieldPath, value: &Json, version: Version) -> bool {
    match path.segments().last() {
        Some(Segment::Field("add")) => true,
        Some(Segment::Field("allowPrivilegeEscalation")) => value == true,
        Some(Segment::Field("runAsUser")) => value == 0,
        Some(Segment::Field("seLinuxOptions")) => {
            let mut pod = PodTemplateSpec::default();
            pod.set(FieldPath::new("spec.securityContext.seLinuxOptions").segments(), value);
            !psa::allows(Level::Baseline, version, &pod)
        }
        Some(Segment::Field("seccompProfile")) => value["type"] == "Unconfined",
        Some(Segment::Key(key)) => {
            key.starts_with(APPARMOR_CONTAINER_ANNOTATION_PREFIX) && value == "unconfined"
        }
        _ => false,
    }
}

/// The single values of a change: one for each element that was added to a list, and the field for a
/// seccomp annotation, which servers copy there.
#[must_use]
pub fn values(change: &Change) -> Vec<(FieldPath, Json)> {
    if let Some(field) = attribution::seccomp_field(change) {
        return vec![field];
    }
    let added = match (&change.before, &change.after) {
        (Some(Value::Strings(before)), Value::Strings(after)) => after
            .iter()
            .filter(|item| !before.contains(item))
            .map(|item| item.as_str().into())
            .collect(),
        (_, Value::Strings(after)) => after.iter().map(|item| item.as_str().into()).collect(),
        (_, Value::Integers(after)) => after.iter().map(|item| (*item).into()).collect(),
        (_, after) => vec![attribution::json(after)],
    };
    added.into_iter().map(|value| (change.path.clone(), value)).collect()
}

/// Whether a pod has a value, or a list with it, at a path.
pub(crate) fn holds(pod: &PodTemplateSpec, path: &FieldPath, value: &Json) -> bool {
    match pod.get(path.segments()) {
        Some(Json::Array(items)) => items.contains(value),
        there => there.as_ref() == Some(value),
    }
}
