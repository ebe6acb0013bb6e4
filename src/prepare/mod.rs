//! What does the API server make of a pod before admission judges it?
//!
//! Admission never sees a manifest as written. Controllers copy templates into pods, decoding fills
//! in defaults, the ServiceAccount plugin mounts a token, and the pod strategy copies between
//! annotations and fields. What is done depends on the server's [`Version`].

pub mod defaults;
pub mod profiles;
pub mod service_account;

use std::borrow::Cow;

use crate::objects::namespace::ServiceAccount;
use crate::objects::pod::PodTemplateSpec;
use crate::objects::volume::{Volume, VolumeSource};
use crate::objects::workload::Workload;
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

/// What a workload's controller copies into its pods: the template, and for a StatefulSet a volume
/// for each claim, which stands before the template's own and replaces one of the same name. `None`
/// for a workload without a template.
///
/// Upstream: `pkg/controller/statefulset/stateful_set_utils.go`, `updateStorage` (v1.21).
#[must_use]
pub fn template_of(workload: &Workload) -> Option<Cow<'_, PodTemplateSpec>> {
    let template = workload.template.as_deref()?;
    if workload.claims.is_empty() {
        return Some(Cow::Borrowed(template));
    }
    let is_claimed = |volume: &Volume| workload.claims.iter().any(|claim| **claim == *volume.name);
    let claims = workload.claims.iter().map(|claim| Volume {
        name: claim.to_string(),
        sources: vec![VolumeSource::PersistentVolumeClaim],
    });
    let own = template.spec.volumes.iter().filter(|volume| !is_claimed(volume)).cloned();
    let mut made = template.clone();
    made.spec.volumes = claims.chain(own).collect();
    Some(Cow::Owned(made))
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
    // A source that no server with PSP knows: decoding drops it.
    let is_unknown = |source: &VolumeSource| *source == VolumeSource::Image;
    if pod.spec.volumes.iter().any(|volume| volume.sources.iter().any(is_unknown)) {
        for volume in pod.spec.volumes.to_mut() {
            volume.sources.retain(|source| !is_unknown(source));
        }
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
