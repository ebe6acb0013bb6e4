//! Which values of a live pod did PSP write?
//!
//! A live pod does not tell PSP's values from its author's or a webhook's. What a policy would
//! write, were it unset, and stands there with just that value, is taken to be the policy's: where
//! the author or a webhook wrote the same, hardening is reported lost that may stay, which errs on
//! the safe side.

use serde_json::Value as Json;

use crate::objects::change::{Change, Value};
use crate::objects::meta::Name;
use crate::objects::path::FieldPath;
use crate::objects::pod::{
    APPARMOR_CONTAINER_ANNOTATION_PREFIX, Container, ContainerKind, PodTemplateSpec,
    SECCOMP_POD_ANNOTATION, SecurityContext,
};
use crate::objects::slice::Slice;
use crate::prepare::profiles;
use crate::psp::Policy;

/// A live pod without what PSP wrote into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stripped {
    /// The pod without those values.
    pub pod: PodTemplateSpec,
    /// Those values; [`Change::policy_field`] is `None` where the policy is not known.
    pub changes: Vec<Change>,
}

/// Takes the values out of `live` that `policy` writes where they are unset, but for those that
/// `keep` has too.
#[must_use]
pub fn without_values_of(
    policy: &Policy,
    live: &PodTemplateSpec,
    keep: &PodTemplateSpec,
) -> Stripped {
    let mut cleared = cleared(live, keep);
    let written = policy.mutate(&mut cleared);
    let mut stripped = strip(live, keep, written).pod;
    // Some values depend on others: PSP writes no runAsNonRoot where there is a runAsUser. So what
    // it does not write beside the values that are left was not its own.
    let written = policy.mutate(&mut stripped);
    strip(live, keep, written)
}

/// Takes the values out of `live` that a policy which is not known may have written to harden it,
/// but for those that `keep` has too. Values that loosen a pod are left, as they may be another's.
#[must_use]
pub fn without_values_of_unknown(
    policy: &Name,
    live: &PodTemplateSpec,
    keep: &PodTemplateSpec,
) -> Stripped {
    let cleared = cleared(live, keep);
    let possible = hardening_since(&cleared, live, policy);
    strip(live, keep, possible)
}

/// `pod` without the values of every field that PSP writes, but for those that `keep` has too.
fn cleared(pod: &PodTemplateSpec, keep: &PodTemplateSpec) -> PodTemplateSpec {
    let mut pod = pod.clone();
    let kept_context = keep.spec.security_context.clone().unwrap_or_default();
    let keeps_seccomp =
        kept_context.seccomp_profile.is_some() || keep.annotation(SECCOMP_POD_ANNOTATION).is_some();
    if let Some(context) = &mut pod.spec.security_context {
        context.fs_group = context.fs_group.filter(|_| kept_context.fs_group.is_some());
        clear(&mut context.supplemental_groups, kept_context.supplemental_groups.is_some());
        clear(&mut context.se_linux_options, kept_context.se_linux_options.is_some());
        clear(&mut context.seccomp_profile, keeps_seccomp);
    }
    clear(&mut pod.spec.runtime_class_name, keep.spec.runtime_class_name.is_some());
    if let Some(annotations) = &mut pod.annotations {
        annotations.retain(|key, _| {
            let is_psps = key == SECCOMP_POD_ANNOTATION && !keeps_seccomp
                || key.starts_with(APPARMOR_CONTAINER_ANNOTATION_PREFIX)
                    && keep.annotation(key).is_none();
            !is_psps
        });
    }
    let empty = SecurityContext::default();
    for kind in ContainerKind::ALL {
        for container in pod.spec.containers_of_mut(kind) {
            let kept =
                keep.spec.containers_of(kind).iter().find(|kept| kept.name == container.name);
            let kept = kept.and_then(|kept| kept.security_context.as_deref()).unwrap_or(&empty);
            clear_container(container, kept);
        }
    }
    pod
}

fn clear_container(container: &mut Container, kept: &SecurityContext) {
    let Some(context) = &mut container.security_context else { return };
    clear(&mut context.run_as_user, kept.run_as_user.is_some());
    clear(&mut context.run_as_group, kept.run_as_group.is_some());
    clear(&mut context.run_as_non_root, kept.run_as_non_root.is_some());
    clear(&mut context.se_linux_options, kept.se_linux_options.is_some());
    clear(&mut context.read_only_root_filesystem, kept.read_only_root_filesystem.is_some());
    clear(&mut context.allow_privilege_escalation, kept.allow_privilege_escalation.is_some());
    if let Some(capabilities) = &mut context.capabilities {
        let kept = kept.capabilities.clone().unwrap_or_default();
        capabilities.add.retain(|name| kept.add.contains(name));
        capabilities.drop.retain(|name| kept.drop.contains(name));
        if capabilities.add.is_empty() && capabilities.drop.is_empty() {
            context.capabilities = None;
        }
    }
}

fn clear<T>(field: &mut Option<T>, is_kept: bool) {
    if !is_kept {
        *field = None;
    }
}

/// Takes those of the `written` values out of `live` that stand there.
fn strip(live: &PodTemplateSpec, keep: &PodTemplateSpec, written: Vec<Change>) -> Stripped {
    if written.is_empty() {
        return Stripped { pod: live.clone(), changes: written };
    }
    let mut pod = live.clone();
    let mut changes = Vec::new();
    for change in written {
        let path = change.path.segments();
        let Some(there) = pod.get(path) else { continue };
        if let Value::Strings(after) = &change.after {
            let before = match &change.before {
                Some(Value::Strings(before)) => before.as_slice(),
                _ => &[],
            };
            let added: Vec<&String> = after.iter().filter(|name| !before.contains(name)).collect();
            let is_added = |item: &Json| added.iter().any(|name| item == name.as_str());
            let there = there.as_array().cloned().unwrap_or_default();
            let rest: Vec<Json> = there.iter().filter(|item| !is_added(item)).cloned().collect();
            if rest.len() == there.len() {
                continue;
            }
            if rest.is_empty() {
                pod.remove(path, Some(keep));
            } else {
                pod.set(path, &Json::Array(rest));
            }
        } else if there == json(&change.after) {
            pod.remove(path, Some(keep));
            if let Some((path, profile)) = seccomp_field(&change)
                && pod.get(path.segments()) == Some(profile)
            {
                pod.remove(path.segments(), Some(keep));
            }
        } else {
            continue;
        }
        changes.push(change);
    }
    Stripped { pod, changes }
}

/// The JSON form of a value that PSP writes.
#[must_use]
pub fn json(value: &Value) -> Json {
    serde_json::to_value(value).expect("values have string keys only, so they have a JSON form")
}

/// Where the API server puts the seccomp profile that PSP wrote as an annotation, and in what form;
/// `None` for other changes.
#[must_use]
pub fn seccomp_field(change: &Change) -> Option<(FieldPath, Json)> {
    let Value::String(value) = &change.after else { return None };
    if change.path != FieldPath::new("metadata.annotations").key(SECCOMP_POD_ANNOTATION) {
        return None;
    }
    let profile = profiles::field_for_annotation(value)?;
    let profile = serde_json::to_value(profile).ok()?;
    Some((FieldPath::new("spec.securityContext.seccompProfile"), profile))
}

/// The values of `live` that `cleared` lacks and that harden a pod, as an unknown policy's changes.
fn hardening_since(
    cleared: &PodTemplateSpec,
    live: &PodTemplateSpec,
    policy: &Name,
) -> Vec<Change> {
    let mut values = Vec::new();
    hardening_of_pod(cleared, live, &mut values);
    for kind in ContainerKind::ALL {
        let both = live.spec.containers_of(kind).iter().zip(cleared.spec.containers_of(kind));
        for (index, (live, cleared)) in both.enumerate() {
            let contexts = (&live.security_context, &cleared.security_context);
            let (Some(of_live), Some(of_cleared)) = contexts else { continue };
            let path = FieldPath::new("spec").child(kind.field()).named_index(index, &live.name);
            hardening_of_container(
                &path.child("securityContext"),
                of_cleared,
                of_live,
                &mut values,
            );
        }
    }
    let change = |Hardening { path, before, after }| Change {
        path,
        before,
        after,
        policy: policy.clone(),
        policy_field: None,
    };
    values.into_iter().map(change).collect()
}

/// A value that hardens a pod, and what was left of it.
struct Hardening {
    path: FieldPath,
    before: Option<Value>,
    after: Value,
}

impl Hardening {
    fn added(path: FieldPath, after: Value) -> Self {
        Self { path, before: None, after }
    }
}

fn hardening_of_pod(
    cleared: &PodTemplateSpec,
    live: &PodTemplateSpec,
    values: &mut Vec<Hardening>,
) {
    let annotations = FieldPath::new("metadata.annotations");
    for (key, value) in live.security_annotations() {
        if cleared.annotation(key).is_none() && value != "unconfined" {
            values.push(Hardening::added(annotations.key(key), Value::String(value.to_owned())));
        }
    }
    let contexts = (&live.spec.security_context, &cleared.spec.security_context);
    if let (Some(live), Some(cleared)) = contexts {
        let path = FieldPath::new("spec.securityContext");
        if let (Some(id), None) = (live.fs_group, cleared.fs_group) {
            values.push(Hardening::added(path.child("fsGroup"), Value::Integer(id)));
        }
        if let (Some(ids), None) = (&live.supplemental_groups, &cleared.supplemental_groups) {
            let path = path.child("supplementalGroups");
            values.push(Hardening::added(path, Value::Integers(ids.clone())));
        }
    }
    if let (Some(name), None) = (&live.spec.runtime_class_name, &cleared.spec.runtime_class_name) {
        let path = FieldPath::new("spec.runtimeClassName");
        values.push(Hardening::added(path, Value::String(name.clone())));
    }
}

fn hardening_of_container(
    path: &FieldPath,
    cleared: &SecurityContext,
    live: &SecurityContext,
    values: &mut Vec<Hardening>,
) {
    for (field, live, cleared) in [
        ("runAsUser", live.run_as_user.filter(|id| *id != 0), cleared.run_as_user),
        ("runAsGroup", live.run_as_group, cleared.run_as_group),
    ] {
        if let (Some(id), None) = (live, cleared) {
            values.push(Hardening::added(path.child(field), Value::Integer(id)));
        }
    }
    let read_only = (live.read_only_root_filesystem, cleared.read_only_root_filesystem);
    let escalation = (live.allow_privilege_escalation, cleared.allow_privilege_escalation);
    for (field, (live, cleared), hardened) in [
        ("runAsNonRoot", (live.run_as_non_root, cleared.run_as_non_root), true),
        ("readOnlyRootFilesystem", read_only, true),
        ("allowPrivilegeEscalation", escalation, false),
    ] {
        if live == Some(hardened) && cleared.is_none() {
            values.push(Hardening::added(path.child(field), Value::Bool(hardened)));
        }
    }
    let drop = live.capabilities.as_ref().map_or(&[][..], |live| &live.drop);
    let kept = cleared.capabilities.as_ref().map_or(&[][..], |cleared| &cleared.drop);
    if drop.len() > kept.len() {
        values.push(Hardening {
            path: path.child("capabilities.drop"),
            before: (!kept.is_empty()).then(|| Value::Strings(kept.to_vec())),
            after: Value::Strings(drop.to_vec()),
        });
    }
}
