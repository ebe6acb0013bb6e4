//! What does a patch set, and what does it look like?

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};

use crate::objects::path::{FieldPath, Segment};
use crate::objects::pod::{ContainerKind, PodTemplateSpec};
use crate::objects::slice::Slice;

/// Values with their paths in a pod template; of two values at a path the later counts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Settings(BTreeMap<FieldPath, Json>);

impl Settings {
    pub(super) fn of<'v>(values: impl IntoIterator<Item = (&'v FieldPath, &'v Json)>) -> Self {
        let values = values.into_iter();
        Self(values.map(|(path, value)| (path.clone(), value.clone())).collect())
    }

    /// These settings, and of others those of other paths.
    pub(super) fn over(mut self, others: &Self) -> Self {
        for (path, value) in &others.0 {
            self.0.entry(path.clone()).or_insert_with(|| value.clone());
        }
        self
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&FieldPath, &Json)> {
        self.0.iter()
    }

    /// The template with the values.
    pub(super) fn applied_to(&self, template: &PodTemplateSpec) -> PodTemplateSpec {
        let mut patched = template.clone();
        for (path, value) in &self.0 {
            patched.set(path.segments(), value);
        }
        patched
    }

    /// What a strategic merge puts over a pod template to set the values: containers by name.
    pub(super) fn overlay(&self) -> Json {
        let mut overlay = Json::Object(Map::new());
        for (path, value) in &self.0 {
            let mut place = &mut overlay;
            for segment in path.segments() {
                place = below(place, segment);
            }
            *place = value.clone();
        }
        overlay
    }
}

fn below<'a>(place: &'a mut Json, segment: &Segment) -> &'a mut Json {
    let key = match segment {
        Segment::Field(field) => *field,
        Segment::Key(key) => key,
        Segment::Index(_, name) => {
            if !place.is_array() {
                *place = Json::Array(Vec::new());
            }
            let Json::Array(items) = place else { return place };
            let name = Json::from(name.as_deref().unwrap_or_default());
            let position = items.iter().position(|item| item.get("name") == Some(&name));
            let position = position.unwrap_or(items.len());
            if position == items.len() {
                items.push(Json::Object(Map::from_iter([("name".to_owned(), name)])));
            }
            return &mut items[position];
        }
    };
    if !place.is_object() {
        *place = Json::Object(Map::new());
    }
    &mut place[key]
}

/// The containers of a template that a strategic merge can name, with their paths: no two of a list
/// may have the same name.
pub(super) fn addressable_containers(
    template: &PodTemplateSpec,
) -> impl Iterator<Item = (FieldPath, &crate::objects::pod::Container)> {
    [ContainerKind::Init, ContainerKind::Regular].into_iter().flat_map(|kind| {
        let containers = template.spec.containers_of(kind);
        let mut names = BTreeSet::new();
        let twice: BTreeSet<&str> = containers
            .iter()
            .map(|container| container.name.as_str())
            .filter(|name| name.is_empty() || !names.insert(*name))
            .collect();
        let list = FieldPath::new("spec").child(kind.field());
        containers.iter().enumerate().filter_map(move |(index, container)| {
            let is_addressable = !twice.contains(container.name.as_str());
            is_addressable.then(|| (list.named_index(index, &container.name), &**container))
        })
    })
}

/// Whether a pod is for Windows, whose kubelet and API take no Linux fields. Those that do not say
/// so in `spec.os`, which servers with PSP hardly know, show it.
pub(super) fn is_windows(pod: &PodTemplateSpec) -> bool {
    match &pod.spec.os {
        Some(os) => os.name == "windows",
        None => looks_like_windows(pod),
    }
}

/// Whether a pod asks for a node with Windows, or it or one of its containers has `windowsOptions`.
pub(super) fn looks_like_windows(pod: &PodTemplateSpec) -> bool {
    let node = &pod.spec.node_selector;
    if node.os == "windows" || node.beta_os == "windows" {
        return true;
    }
    let of_pod = pod.spec.security_context.as_ref();
    let mut contexts = pod.spec.all_containers().filter_map(|it| it.security_context.as_ref());
    of_pod.is_some_and(|context| context.windows_options.is_some())
        || contexts.any(|context| context.windows_options.is_some())
}

/// Whether a field holds a list that grows by what is written into it.
pub(super) fn is_list(path: &FieldPath) -> bool {
    matches!(path.last_field(), "add" | "drop" | "supplementalGroups")
}

/// A field that pods which say that they are for Windows may not have.
///
/// Upstream: `pkg/apis/core/validation/validation.go`, `validateWindows` (v1.24).
pub(super) fn linux_field(pod: &PodTemplateSpec) -> Option<&'static str> {
    let of_pod = pod.spec.security_context.iter().flat_map(|context| {
        [
            ("seLinuxOptions", context.se_linux_options.is_some()),
            ("seccompProfile", context.seccomp_profile.is_some()),
            ("fsGroup", context.fs_group.is_some()),
            ("sysctls", !context.sysctls.is_empty()),
            ("runAsUser", context.run_as_user.is_some()),
            ("runAsGroup", context.run_as_group.is_some()),
            ("supplementalGroups", context.supplemental_groups.is_some()),
        ]
    });
    let contexts = pod.spec.all_containers().filter_map(|it| it.security_context.as_ref());
    let of_containers = contexts.flat_map(|context| {
        [
            ("seLinuxOptions", context.se_linux_options.is_some()),
            ("seccompProfile", context.seccomp_profile.is_some()),
            ("capabilities", context.capabilities.is_some()),
            ("readOnlyRootFilesystem", context.read_only_root_filesystem.is_some()),
            ("privileged", context.privileged.is_some()),
            ("allowPrivilegeEscalation", context.allow_privilege_escalation.is_some()),
            ("procMount", context.proc_mount.is_some()),
            ("runAsUser", context.run_as_user.is_some()),
            ("runAsGroup", context.run_as_group.is_some()),
        ]
    });
    of_pod.chain(of_containers).find(|(_, is_set)| *is_set).map(|(field, _)| field)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::migrate::tests::pod;

    #[test]
    fn what_pods_of_windows_may_not_have_is_named() {
        let of_pod = |context: Json| json!({"securityContext": context});
        let of_container =
            |context: Json| json!({"containers": [{"name": "app", "securityContext": context}]});
        for (spec, field) in [
            (of_pod(json!({"seLinuxOptions": {"level": "s0"}})), "seLinuxOptions"),
            (of_pod(json!({"seccompProfile": {"type": "RuntimeDefault"}})), "seccompProfile"),
            (of_pod(json!({"fsGroup": 0})), "fsGroup"),
            (of_pod(json!({"sysctls": [{"name": "a", "value": "1"}]})), "sysctls"),
            (of_pod(json!({"runAsUser": 0})), "runAsUser"),
            (of_pod(json!({"runAsGroup": 0})), "runAsGroup"),
            (of_pod(json!({"supplementalGroups": [0]})), "supplementalGroups"),
            (of_container(json!({"seLinuxOptions": {"level": "s0"}})), "seLinuxOptions"),
            (of_container(json!({"seccompProfile": {"type": "Unconfined"}})), "seccompProfile"),
            (of_container(json!({"capabilities": {"drop": ["ALL"]}})), "capabilities"),
            (of_container(json!({"readOnlyRootFilesystem": false})), "readOnlyRootFilesystem"),
            (of_container(json!({"allowPrivilegeEscalation": false})), "allowPrivilegeEscalation"),
            (of_container(json!({"privileged": false})), "privileged"),
            (of_container(json!({"procMount": "Default"})), "procMount"),
            (of_container(json!({"runAsUser": 0})), "runAsUser"),
            (of_container(json!({"runAsGroup": 0})), "runAsGroup"),
        ] {
            assert_eq!(linux_field(&pod(&spec)), Some(field), "{spec}");
        }
        let unset = pod(&json!({"securityContext": {"runAsNonRoot": true},
            "containers": [{"name": "app", "securityContext": {"runAsNonRoot": true}}]}));
        assert_eq!(linux_field(&unset), None);
    }
}
