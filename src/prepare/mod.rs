//! What does the API server make of a pod before admission judges it?
//!
//! Admission never sees a manifest as written. Controllers copy templates into pods, decoding fills
//! in defaults, the ServiceAccount plugin mounts a token, and the pod strategy copies between
//! annotations and fields. What is done depends on the server's [`Version`].

pub mod defaults;
pub mod profiles;
pub mod service_account;

use crate::objects::namespace::ServiceAccount;
use crate::objects::pod::PodTemplateSpec;
use crate::objects::volume::VolumeSource;
use crate::version::Version;

/// The pod of a template as it reaches PSP: made by a controller, defaulted, with its service
/// account and token volume.
///
/// `account` is the ServiceAccount object that the pod uses, where it is known.
#[must_use]
pub fn pod_of_template(
    template: &PodTemplateSpec,
    account: Option<&ServiceAccount>,
    server: Version,
) -> PodTemplateSpec {
    let mut pod = template.clone();
    if let Some(context) = &mut pod.spec.security_context {
        // Storing a template loses the difference between an empty list and none.
        let groups = context.supplemental_groups.take();
        context.supplemental_groups = groups.filter(|ids| !ids.is_empty());
    }
    created_pod(&pod, account, server)
}

/// A Pod as it reaches PSP when it is created as written: defaulted, with its service account and
/// token volume.
#[must_use]
pub fn created_pod(
    pod: &PodTemplateSpec,
    account: Option<&ServiceAccount>,
    server: Version,
) -> PodTemplateSpec {
    let mut pod = defaulted_pod(pod);
    service_account::admit(&mut pod, account, server);
    pod
}

/// A Pod as a server with PSP decodes it.
#[must_use]
pub fn defaulted_pod(pod: &PodTemplateSpec) -> PodTemplateSpec {
    let mut pod = pod.clone();
    for volume in &mut pod.spec.volumes {
        // A source that no server with PSP knows: decoding drops it.
        volume.sources.retain(|source| *source != VolumeSource::Image);
    }
    defaults::apply_defaults(&mut pod);
    pod
}

/// The pod that Pod Security admission judges on a server without PSP: defaulted, and with AppArmor
/// annotations copied to fields.
///
/// Upstream: `pkg/registry/core/pod/strategy.go`, `PrepareForCreate` (v1.36).
#[must_use]
pub fn for_pod_security(template: &PodTemplateSpec) -> PodTemplateSpec {
    let mut pod = template.clone();
    defaults::apply_defaults(&mut pod);
    profiles::copy_app_armor_annotations(&mut pod);
    pod
}
