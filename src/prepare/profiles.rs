//! How do seccomp and AppArmor profiles move between annotations and fields?
//!
//! Both began as annotations and became fields. Servers copy one to the other when a pod is stored,
//! each in a span of versions, and only for pods: a template keeps what its author wrote.

use crate::objects::pod::{
    APPARMOR_CONTAINER_ANNOTATION_PREFIX, Container, ContainerKind, PodTemplateSpec, Profile,
    SECCOMP_CONTAINER_ANNOTATION_PREFIX, SECCOMP_POD_ANNOTATION,
};
use crate::objects::shared::Shared;
use crate::version::Version;

/// The first version that no longer copies seccomp annotations to fields.
pub const SECCOMP_ANNOTATIONS_IGNORED_SINCE: Version = Version::v1(27);

/// The profile field that stands for an annotation's value; `None` for values without a meaning.
///
/// Upstream: `pkg/api/pod/util.go`, `SeccompFieldForAnnotation` (v1.21), `ApparmorFieldForAnnotation`
/// (v1.36).
#[must_use]
pub fn field_for_annotation(value: &str) -> Option<Profile> {
    let typed = |type_: &str, localhost_profile: Option<&str>| {
        Some(Profile {
            type_: type_.to_owned(),
            localhost_profile: localhost_profile.map(str::to_owned),
        })
    };
    match value {
        "unconfined" => typed("Unconfined", None),
        "runtime/default" | "docker/default" => typed("RuntimeDefault", None),
        _ => match value.strip_prefix("localhost/") {
            Some(profile) if !profile.is_empty() => typed("Localhost", Some(profile)),
            _ => None,
        },
    }
}

/// The annotation value that stands for a profile field; `None` for fields without a meaning.
///
/// Upstream: `pkg/api/pod/util.go`, `SeccompAnnotationForField` (v1.21).
#[must_use]
pub fn annotation_for_field(profile: &Profile) -> Option<String> {
    match profile.type_.as_str() {
        "Unconfined" => Some("unconfined".to_owned()),
        "RuntimeDefault" => Some("runtime/default".to_owned()),
        "Localhost" => profile.localhost_profile.as_ref().map(|path| format!("localhost/{path}")),
        _ => None,
    }
}

/// Copies seccomp profiles both ways between annotations and fields, for the pod and for each
/// container, as servers up to v1.26 do when they store a pod, after PSP has changed it.
///
/// Upstream: `pkg/registry/core/pod/strategy.go`, `applySeccompVersionSkew` (v1.21).
pub fn copy_seccomp(pod: &mut PodTemplateSpec) {
    if !has_seccomp(pod) {
        return;
    }
    let field =
        pod.spec.security_context.as_ref().and_then(|context| context.seccomp_profile.clone());
    match (field, pod.annotation(SECCOMP_POD_ANNOTATION)) {
        (Some(field), None) => {
            if let Some(value) = annotation_for_field(&field) {
                pod.annotations_mut().insert(SECCOMP_POD_ANNOTATION.to_owned(), value);
            }
        }
        (None, Some(value)) => {
            if let Some(field) = field_for_annotation(value) {
                pod.spec.security_context.get_or_insert_default().seccomp_profile = Some(field);
            }
        }
        _ => {}
    }
    let had_annotations = pod.annotations.is_some();
    let mut annotations = pod.annotations.take().unwrap_or_default();
    for_each_container(pod, |container| {
        let field = seccomp_of(container);
        if field.is_none() && annotations.is_empty() {
            return;
        }
        let key = format!("{SECCOMP_CONTAINER_ANNOTATION_PREFIX}{}", container.name);
        match (field, annotations.get(&key)) {
            (Some(field), None) => {
                annotations.extend(annotation_for_field(field).map(|value| (key, value)));
            }
            (None, Some(value)) => {
                if let Some(field) = field_for_annotation(value) {
                    container.security_context.get_or_insert_default().seccomp_profile =
                        Some(field);
                }
            }
            _ => {}
        }
    });
    if had_annotations || !annotations.is_empty() {
        pod.annotations = Some(annotations);
    }
}

/// Whether a pod has any seccomp profile, in an annotation or in a field.
fn has_seccomp(pod: &PodTemplateSpec) -> bool {
    let of_pod = pod.spec.security_context.as_ref();
    of_pod.is_some_and(|context| context.seccomp_profile.is_some())
        || pod.spec.all_containers().any(|container| seccomp_of(container).is_some())
        || has_seccomp_annotation(pod)
}

fn seccomp_of(container: &Container) -> Option<&Profile> {
    container.security_context.as_ref()?.seccomp_profile.as_ref()
}

fn has_seccomp_annotation(pod: &PodTemplateSpec) -> bool {
    pod.security_annotations().any(|(key, _)| {
        key == SECCOMP_POD_ANNOTATION || key.starts_with(SECCOMP_CONTAINER_ANNOTATION_PREFIX)
    })
}

/// Copies AppArmor annotations to the fields of containers that have none, as servers from v1.30 do
/// when they store a pod; not for Windows pods, nor where the pod's own profile says the same.
///
/// Upstream: `pkg/registry/core/pod/strategy.go`, `applyAppArmorVersionSkew` (v1.36).
pub fn copy_app_armor_annotations(pod: &mut PodTemplateSpec) {
    if pod.spec.is_windows() {
        return;
    }
    let Some(annotations) = pod.annotations.clone() else { return };
    let of_pod =
        pod.spec.security_context.as_ref().and_then(|context| context.app_armor_profile.clone());
    for_each_container(pod, |container| {
        let key = format!("{APPARMOR_CONTAINER_ANNOTATION_PREFIX}{}", container.name);
        let Some(field) = annotations.get(&key).and_then(|value| field_for_app_armor(value)) else {
            return;
        };
        let has_field = container
            .security_context
            .as_ref()
            .is_some_and(|context| context.app_armor_profile.is_some());
        if !has_field && of_pod.as_deref() != Some(&field) {
            container.security_context.get_or_insert_default().app_armor_profile =
                Some(field.into());
        }
    });
}

fn field_for_app_armor(value: &str) -> Option<Profile> {
    // `docker/default` was an alias of seccomp's only.
    if value == "docker/default" { None } else { field_for_annotation(value) }
}

/// Whether any seccomp annotation of the pod has a meaning that its fields do not say already, so
/// that a server which ignores annotations treats it differently.
#[must_use]
pub fn has_seccomp_only_by_annotation(pod: &PodTemplateSpec) -> bool {
    if !has_seccomp_annotation(pod) {
        return false;
    }
    let mut copied = pod.clone();
    copy_seccomp(&mut copied);
    copied.spec != pod.spec
}

fn for_each_container(pod: &mut PodTemplateSpec, mut f: impl FnMut(&mut Shared<Container>)) {
    for kind in ContainerKind::ALL {
        pod.spec.containers_of_mut(kind).iter_mut().for_each(&mut f);
    }
}
