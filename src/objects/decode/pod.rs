//! What do we keep of a live pod?

use std::sync::Arc;

use serde::de::MapAccess;

use super::name_unless_empty;
use crate::objects::meta::{KeptAnnotations, LAST_APPLIED_ANNOTATION, ObjectMeta};
use crate::objects::pod::{
    PSP_ANNOTATION, Phase, Pod, PodRevision, PodSpec, PodStatus, PodTemplateSpec,
    is_security_annotation,
};
use crate::objects::slim::{Nullable, slim};
use crate::objects::snapshot::SeenIn;
use crate::objects::volume::{Volume, VolumeSource};

/// The fields of a pod besides its metadata.
#[derive(Default)]
pub(super) struct PodBody {
    spec: PodSpec,
    status: Status,
}

slim! {
    /// `status` of a pod.
    pub(super) struct Status as "a pod status" {
        /// `phase`.
        "phase" phase: String,
        /// `conditions`.
        "conditions" conditions: Vec<Condition>,
        /// `containerStatuses`.
        "containerStatuses" container_statuses: Vec<ContainerStatus>,
    }
}

slim! {
    /// One of the `conditions` of a status.
    pub(super) struct Condition as "a condition" with long parts {
        /// `type`.
        "type" type_: String,
        /// `status`.
        "status" status: String,
        /// `reason`.
        "reason" reason: String,
        /// `message`.
        "message" message: String,
    }
}

slim! {
    /// One of `containerStatuses`.
    pub(super) struct ContainerStatus as "a container status" {
        /// `ready`.
        "ready" is_ready: bool,
    }
}

impl Condition {
    /// Whether it is of that type and true.
    pub(super) fn holds(&self, type_: &str) -> bool {
        self.type_ == type_ && self.status == "True"
    }
}

impl PodBody {
    pub(super) fn read<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
    ) -> Result<bool, A::Error> {
        match key {
            "spec" => self.spec = map.next_value_seed(Nullable::seed())?,
            "status" => self.status = map.next_value_seed(Nullable::seed())?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    pub(super) fn finish(self, metadata: ObjectMeta) -> Pod {
        let label = |key: &str| name_unless_empty(metadata.labels.get(key).map(String::as_str));
        let controller = metadata.controller().cloned().map(Arc::new);
        let last_applied = match &controller {
            Some(_) => None,
            None => metadata.annotation(LAST_APPLIED_ANNOTATION).and_then(last_applied),
        };
        let mut template = PodTemplateSpec {
            annotations: metadata.annotations.as_ref().map(|KeptAnnotations(kept)| {
                kept.iter()
                    .filter(|(key, _)| is_security_annotation(key))
                    .map(|(key, value)| (key.clone(), value.clone()))
                    .collect()
            }),
            spec: self.spec,
        };
        name_token_volume_alike(&mut template.spec);
        Pod {
            revision: PodRevision {
                controller_revision_hash: label("controller-revision-hash"),
                template_generation: label("pod-template-generation"),
            },
            psp: metadata.annotation(PSP_ANNOTATION).map(Into::into),
            created: metadata.created.0,
            last_applied,
            managed_by: metadata.managed_by().map(Into::into),
            status: self.status.summary(),
            template: Arc::new(template),
            namespace: metadata.namespace.into(),
            name: metadata.name.into(),
            generate_name: metadata.generate_name.into(),
            resource_version: metadata.resource_version.into(),
            controller,
            seen_in: SeenIn::default(),
        }
    }
}

impl Status {
    fn summary(&self) -> PodStatus {
        let phase = match self.phase.as_str() {
            "Pending" => Phase::Pending,
            "Running" => Phase::Running,
            "Succeeded" => Phase::Succeeded,
            "Failed" => Phase::Failed,
            _ => Phase::Unknown,
        };
        PodStatus {
            phase,
            is_ready: phase == Phase::Running
                && self.conditions.iter().any(|condition| condition.holds("Ready"))
                && self.container_statuses.iter().all(|status| status.is_ready),
        }
    }
}

/// What the annotation says the author wrote. `None` where it cannot be read: it is a hint, and
/// the pod itself is sound.
fn last_applied(annotation: &str) -> Option<Arc<PodTemplateSpec>> {
    serde_json::from_str(annotation).ok().map(Arc::new)
}

/// Gives the volume of the service account's token, and its mounts, the same name in every pod, so
/// that equal pods are equal.
///
/// Upstream: `plugin/pkg/admission/serviceaccount/admission.go`, `mountServiceAccountToken`
/// (v1.24: `kube-api-access-` and five random characters; before v1.21 the name of the Secret,
/// which is `ACCOUNT-token-` and five of them).
fn name_token_volume_alike(spec: &mut PodSpec) {
    let account = match spec.service_account() {
        "" => "default",
        account => account,
    };
    let secret_prefix = format!("{account}-token");
    let found = spec.volumes.iter().enumerate().find_map(|(index, volume)| {
        token_volume_stem(volume, &secret_prefix).map(|stem| (index, stem.to_owned()))
    });
    let Some((index, stem)) = found else { return };
    if spec.volumes.iter().any(|volume| volume.name == stem) {
        return;
    }
    let name = std::mem::replace(&mut spec.volumes.to_mut()[index].name, stem.clone());
    if let [VolumeSource::Secret(secret)] = spec.volumes.to_mut()[index].sources.as_mut_slice() {
        secret.secret_name.clone_from(&stem);
    }
    let containers = spec
        .init_containers
        .iter_mut()
        .chain(&mut spec.containers)
        .chain(&mut spec.ephemeral_containers);
    for mount in containers.flat_map(|container| container.volume_mounts.to_mut()) {
        if mount.name == name {
            mount.name.clone_from(&stem);
        }
    }
}

/// The token volume's name without its random end; `None` for every other volume.
fn token_volume_stem<'a>(volume: &'a Volume, secret_prefix: &str) -> Option<&'a str> {
    let (stem, random) = volume.name.rsplit_once('-')?;
    let is_random = random.len() == 5
        && random.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let is_token = match volume.sources.as_slice() {
        [VolumeSource::Projected(projected)] => {
            stem == "kube-api-access"
                && projected.sources.iter().any(|source| source.service_account_token.is_some())
        }
        [VolumeSource::Secret(secret)] => {
            stem == secret_prefix && secret.secret_name == volume.name
        }
        _ => false,
    };
    (is_random && is_token).then_some(stem)
}
