//! What does a template have to say so that its pods keep what PSP writes into them?

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::Kept;
use super::settings::{Settings, addressable_containers, is_list, is_windows};
use crate::migrate::lost::Lost;
use crate::migrate::states::States;
use crate::objects::path::FieldPath;
use crate::objects::pod::PodTemplateSpec;
use crate::objects::slice::Slice;

/// What containers take from the pod where they do not set it themselves, and PSP writes into each
/// of them.
const INHERITED: [&str; 3] = ["runAsGroup", "runAsNonRoot", "runAsUser"];

/// What a pod lacks without PSP, as settings of its template: lists whole, and for the pod what all
/// of its containers get. `lost` is sorted by path.
pub(super) fn of(states: &States, lost: &[Lost]) -> Vec<Kept> {
    if lost.is_empty() {
        return Vec::new();
    }
    let is_windows = is_windows(&states.authored);
    let containers: BTreeSet<String> =
        addressable_containers(&states.authored).map(|(path, _)| path.by_name()).collect();
    let mut keep: Vec<Kept> = Vec::new();
    for lost in lost {
        if is_windows && !is_for_windows(&lost.path) {
            continue;
        }
        match keep.last_mut() {
            Some(kept) if kept.path == lost.path => join(kept, lost),
            _ => keep.push(start(lost, &states.authored)),
        }
    }
    for field in INHERITED {
        hoist(field, &mut keep, states);
    }
    keep.retain(|kept| match kept.path.named_element() {
        Some((container, _)) => containers.contains(&container.by_name()),
        None => true,
    });
    keep.sort_by(|a, b| a.path.cmp(&b.path));
    keep
}

/// Whether a Windows pod may have a field that PSP writes.
fn is_for_windows(path: &FieldPath) -> bool {
    matches!(path.last_field(), "runAsNonRoot" | "runtimeClassName")
}

fn start(lost: &Lost, template: &PodTemplateSpec) -> Kept {
    let value = if is_list(&lost.path) {
        let mut items = match template.get(lost.path.segments()) {
            Some(Json::Array(items)) => items,
            _ => Vec::new(),
        };
        push_new(&mut items, &lost.value);
        Json::Array(items)
    } else {
        lost.value.clone()
    };
    Kept {
        path: lost.path.clone(),
        value,
        policy: lost.policy.clone(),
        policy_field: lost.policy_field,
        proven: lost.proven,
        assumed: lost.assumed,
        loosens: loosens(lost),
    }
}

/// Takes another value of the same field into account: lists grow, of single values the certain one
/// stays.
fn join(kept: &mut Kept, lost: &Lost) {
    if let (true, Json::Array(items)) = (is_list(&lost.path), &mut kept.value) {
        push_new(items, &lost.value);
        kept.proven &= lost.proven;
        kept.assumed |= lost.assumed;
        kept.loosens |= loosens(lost);
    } else if kept.assumed && !lost.assumed {
        kept.value = lost.value.clone();
        kept.policy = lost.policy.clone();
        kept.policy_field = lost.policy_field;
        kept.proven = lost.proven;
        kept.assumed = false;
        kept.loosens = loosens(lost);
    }
}

/// What takes back what is kept though it loosens: the author's value, or none (null), for a strategic
/// merge over a template in which it has been written down.
pub(super) fn undo(template: &PodTemplateSpec, keep: &[Kept]) -> Settings {
    let undone = keep.iter().filter(|kept| kept.loosens).map(|kept| {
        let own = template.get(kept.path.segments());
        let value = match &kept.value {
            Json::Array(items) => {
                let own = own.as_ref().and_then(Json::as_array);
                let stays = |item: &&Json| {
                    own.is_some_and(|own| own.contains(item)) || **item == "NET_BIND_SERVICE"
                };
                Json::Array(items.iter().filter(stays).cloned().collect())
            }
            _ => own.unwrap_or_default(),
        };
        (&kept.path, value)
    });
    let undone: Vec<(&FieldPath, Json)> = undone.collect();
    Settings::of(undone.iter().map(|(path, value)| (*path, value)))
}

fn push_new(items: &mut Vec<Json>, item: &Json) {
    if !items.contains(item) {
        items.push(item.clone());
    }
}

/// Whether a value is to be left out of the whole patch: it loosens the pod, and is none that every
/// level allows.
fn loosens(lost: &Lost) -> bool {
    lost.loosens && !(lost.path.last_field() == "add" && lost.value == "NET_BIND_SERVICE")
}

/// Sets a field for the pod where every container is to have the same, so that one value does for
/// all; containers with a value of their own keep that.
fn hoist(field: &'static str, keep: &mut Vec<Kept>, states: &States) {
    let of_pod = FieldPath::new("spec.securityContext").child(field);
    let template = &states.authored;
    if template.get(of_pod.segments()).is_some() {
        return;
    }
    let is_written = |kept: &Kept| kept.path.last_field() == field;
    let written = || keep.iter().filter(|kept| is_written(kept));
    // What is known of an injected container says nothing of the template.
    let of_template = written().find(|kept| !is_injected(template, &kept.path));
    let Some(first) = of_template.or_else(|| written().next()) else { return };
    // Injection may have moved a container, so it is found by list and name.
    let by_name: BTreeMap<String, &Kept> =
        written().map(|kept| (kept.path.by_name(), kept)).collect();
    let mut hoisted = Kept { path: of_pod, ..first.clone() };
    for pod in &states.future {
        for (path, _) in addressable_containers(pod) {
            let path = path.child("securityContext").child(field);
            if pod.get(path.segments()).is_some() {
                continue;
            }
            let same = by_name.get(&path.by_name());
            let Some(same) = same.filter(|kept| kept.value == hoisted.value) else { return };
            hoisted.proven &= same.proven;
            hoisted.assumed |= same.assumed && !is_injected(template, &path);
        }
        let n_addressable = addressable_containers(pod).count();
        if n_addressable != pod.spec.containers.len() + pod.spec.init_containers.len() {
            return;
        }
    }
    keep.retain(|kept| !is_written(kept));
    keep.push(hoisted);
}

fn is_injected(template: &PodTemplateSpec, path: &FieldPath) -> bool {
    path.named_element().is_some_and(|(container, _)| template.get(container.segments()).is_none())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    /// A webhook may take away what PSP wrote first, and PSP then write another value.
    #[test]
    fn of_two_values_the_certain_one_is_kept() {
        let spec = json!({"containers": [{"name": "app"}, {"name": "other"}]});
        let authored = Arc::new(PodTemplateSpec::deserialize(json!({"spec": spec})).unwrap());
        let future = vec![Arc::clone(&authored)];
        let states = States { authored, future, ..States::default() };
        let path = FieldPath::new("spec.containers").named_index(0, "app");
        let lost = |value: i64, assumed: bool| Lost {
            path: path.child("securityContext.runAsUser"),
            value: value.into(),
            policy: if assumed { "second" } else { "first" }.into(),
            policy_field: Some("spec.runAsUser.rule"),
            proven: !assumed,
            assumed,
            loosens: false,
        };
        let (certain, assumed) = (lost(2, false), lost(1, true));
        for both in [[assumed.clone(), certain.clone()], [certain.clone(), assumed]] {
            let kept = of(&states, &both);
            let [kept] = kept.as_slice() else { panic!("{kept:?}") };
            assert_eq!((&kept.path, &kept.value), (&certain.path, &certain.value));
            assert_eq!((&*kept.policy, kept.proven, kept.assumed), ("first", true, false));
        }
    }
}
