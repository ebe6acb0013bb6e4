//! What do we keep of a controller or a PodTemplate?

use std::sync::Arc;

use serde::de::MapAccess;

use super::kinds::TypeMeta;
use super::pod::Condition;
use crate::objects::meta::{
    ObjectMeta, ROLLOUT_REVISION_ANNOTATION, TEMPLATE_GENERATION_ANNOTATION,
};
use crate::objects::pod::PodTemplateSpec;
use crate::objects::slim::{Nullable, slim};
use crate::objects::snapshot::SeenIn;
use crate::objects::workload::{CurrentRevision, Workload, WorkloadKind};

/// The fields of any workload besides its metadata.
#[derive(Default)]
pub(super) struct WorkloadBody {
    spec: Spec,
    status: Status,
    /// `template` of a PodTemplate.
    template: Option<PodTemplateSpec>,
}

slim! {
    /// `spec` of any workload; which fields count depends on the kind.
    pub(super) struct Spec as "a workload spec" {
        /// `replicas`.
        "replicas" replicas: Option<i64>,
        /// `parallelism` of a Job.
        "parallelism" parallelism: Option<i64>,
        /// `suspend` of a Job or CronJob.
        "suspend" is_suspended: bool,
        /// `paused` of a Deployment.
        "paused" is_paused: bool,
        /// `template`.
        "template" template: Option<PodTemplateSpec>,
        /// `jobTemplate` of a CronJob.
        "jobTemplate" job_template: JobTemplate,
        /// `volumeClaimTemplates` of a StatefulSet.
        "volumeClaimTemplates" claim_templates: Vec<ClaimTemplate>,
    }
}

slim! {
    /// `jobTemplate`.
    pub(super) struct JobTemplate as "a job template" {
        /// `spec`.
        "spec" spec: JobSpec,
    }
}

slim! {
    /// `spec` of a job template.
    pub(super) struct JobSpec as "a job spec" {
        /// `template`.
        "template" template: Option<PodTemplateSpec>,
    }
}

slim! {
    /// One of `volumeClaimTemplates`.
    pub(super) struct ClaimTemplate as "a volume claim template" {
        /// `metadata`.
        "metadata" metadata: ClaimMetadata,
    }
}

slim! {
    /// `metadata` of a volume claim template.
    pub(super) struct ClaimMetadata as "object metadata" {
        /// `name`.
        "name" name: String,
    }
}

slim! {
    /// `status` of a StatefulSet or Job; of the others nothing is read.
    pub(super) struct Status as "a workload status" {
        /// `updateRevision`.
        "updateRevision" update_revision: String,
        /// `conditions`.
        "conditions" conditions: Vec<Condition>,
    }
}

impl WorkloadBody {
    pub(super) fn read<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
    ) -> Result<bool, A::Error> {
        match key {
            "spec" => self.spec = map.next_value_seed(Nullable::seed())?,
            "status" => self.status = map.next_value_seed(Nullable::seed())?,
            "template" => self.template = map.next_value_seed(Nullable::seed())?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    pub(super) fn finish(
        self,
        kind: WorkloadKind,
        type_meta: &TypeMeta,
        metadata: ObjectMeta,
    ) -> Workload {
        use WorkloadKind as K;
        let template = match kind {
            K::PodTemplate => self.template,
            K::CronJob => self.spec.job_template.spec.template,
            _ => self.spec.template,
        };
        let template = match kind {
            K::ReplicationController => template,
            // Everywhere else the API's type has a template, if an empty one.
            _ => Some(template.unwrap_or_default()),
        };
        let is_job = kind == K::Job;
        Workload {
            kind,
            api_version: type_meta.api_version.clone(),
            controller: metadata.controller().cloned().map(Arc::new),
            managed_by: metadata.managed_by().map(Into::into),
            replicas: match kind {
                K::Deployment | K::ReplicaSet | K::ReplicationController | K::StatefulSet => {
                    Some(self.spec.replicas.unwrap_or(1))
                }
                K::Job => Some(self.spec.parallelism.unwrap_or(1)),
                K::CronJob | K::DaemonSet | K::PodTemplate => None,
            },
            is_suspended: match kind {
                K::Job | K::CronJob => self.spec.is_suspended,
                K::Deployment => self.spec.is_paused,
                _ => false,
            },
            is_finished: is_job
                && self
                    .status
                    .conditions
                    .iter()
                    .any(|condition| condition.holds("Complete") || condition.holds("Failed")),
            rollout_revision: metadata.annotation(ROLLOUT_REVISION_ANNOTATION).map(Into::into),
            current_revision: current_revision(kind, &metadata, self.status.update_revision),
            claims: match kind {
                K::StatefulSet => self.spec.claim_templates.into_iter(),
                _ => Vec::new().into_iter(),
            }
            .map(|claim| claim.metadata.name.into())
            .collect(),
            template: template.map(Arc::new),
            namespace: metadata.namespace.into(),
            name: metadata.name.into(),
            generate_name: metadata.generate_name.into(),
            uid: metadata.uid.into(),
            resource_version: metadata.resource_version.into(),
            seen_in: SeenIn::default(),
        }
    }
}

fn current_revision(
    kind: WorkloadKind,
    metadata: &ObjectMeta,
    update_revision: String,
) -> CurrentRevision {
    match kind {
        WorkloadKind::StatefulSet if update_revision.is_empty() => CurrentRevision::Unknown,
        WorkloadKind::StatefulSet => CurrentRevision::Hash(update_revision.into()),
        WorkloadKind::DaemonSet => match metadata.annotation(TEMPLATE_GENERATION_ANNOTATION) {
            Some(generation) => CurrentRevision::TemplateGeneration(generation.into()),
            None => match metadata.generation {
                Some(generation) => {
                    CurrentRevision::TemplateGeneration(generation.to_string().into())
                }
                None => CurrentRevision::Unknown,
            },
        },
        _ => CurrentRevision::All,
    }
}
