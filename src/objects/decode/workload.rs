//! What do we keep of a controller or a PodTemplate?

use std::fmt;
use std::sync::Arc;

use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::Serializer;

use super::kinds::TypeMeta;
use super::pod::Condition;
use crate::objects::event::{FAILED_CREATE, refusal};
use crate::objects::meta::{
    Name, ObjectMeta, ROLLOUT_REVISION_ANNOTATION, TEMPLATE_GENERATION_ANNOTATION,
};
use crate::objects::pod::PodTemplateSpec;
use crate::objects::slim::{Nullable, Slim, slim};
use crate::objects::snapshot::SeenIn;
use crate::objects::workload::{CurrentRevision, Workload, WorkloadKind, WorkloadStatus};

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
        /// `completions` of a Job.
        "completions" completions: Option<i64>,
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
    /// `status` of any workload; which fields count depends on the kind.
    pub(super) struct Status as "a workload status" {
        /// `updateRevision`.
        "updateRevision" update_revision: String,
        /// `conditions`.
        "conditions" conditions: Vec<Condition>,
        /// `observedGeneration`; Jobs have none.
        "observedGeneration" observed_generation: Option<i64>,
        /// `startTime` of a Job.
        "startTime" start_time: String,
        /// `replicas`.
        "replicas" replicas: Count,
        /// `readyReplicas`.
        "readyReplicas" ready_replicas: Count,
        /// `desiredNumberScheduled` of a DaemonSet.
        "desiredNumberScheduled" desired_scheduled: Count,
        /// `currentNumberScheduled` of a DaemonSet.
        "currentNumberScheduled" current_scheduled: Count,
        /// `numberReady` of a DaemonSet.
        "numberReady" number_ready: Count,
        /// `active` of a Job; of a CronJob a list.
        "active" active: Count,
        /// `succeeded` of a Job.
        "succeeded" succeeded: Count,
    }
}

/// A number of pods in a status. A status is only looked at, so what is no number there makes no object
/// unreadable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub(super) struct Count(u32);

fn clamped(n: i64) -> u32 {
    u32::try_from(n.max(0)).unwrap_or(u32::MAX)
}

impl Slim for Count {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CountVisitor)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(self.0)
    }

    fn is_absent(&self) -> bool {
        self.0 == 0
    }
}

struct CountVisitor;

impl<'de> Visitor<'de> for CountVisitor {
    type Value = Count;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of pods")
    }

    fn visit_i64<E>(self, n: i64) -> Result<Count, E> {
        Ok(Count(clamped(n)))
    }

    fn visit_u64<E>(self, n: u64) -> Result<Count, E> {
        Ok(Count(u32::try_from(n).unwrap_or(u32::MAX)))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Count, E> {
        Ok(Count::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Count, E> {
        Ok(Count::default())
    }

    fn visit_str<E>(self, _: &str) -> Result<Count, E> {
        Ok(Count::default())
    }

    fn visit_unit<E>(self) -> Result<Count, E> {
        Ok(Count::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Count, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Count::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Count, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Count::default())
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
        let status = status(kind, &metadata, &self.spec, &self.status);
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
            status,
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

fn status(
    kind: WorkloadKind,
    metadata: &ObjectMeta,
    spec: &Spec,
    status: &Status,
) -> WorkloadStatus {
    use WorkloadKind as K;
    let is_current = match status.observed_generation {
        Some(observed) => metadata.generation.is_none_or(|generation| observed >= generation),
        None => kind == K::Job && !status.start_time.is_empty(),
    };
    let condition = |type_: &str| status.conditions.iter().find(|it| it.holds(type_));
    let (wanted, made, ready) = match kind {
        K::CronJob | K::PodTemplate => return WorkloadStatus::default(),
        K::DaemonSet => {
            let (wanted, made) = (status.desired_scheduled, status.current_scheduled);
            (Some(wanted.0), made, Some(status.number_ready))
        }
        K::Job => {
            let left = spec.completions.map(|n| n.saturating_sub(i64::from(status.succeeded.0)));
            let parallel = spec.parallelism.unwrap_or(1);
            let left = left.map(|left| clamped(left.min(parallel)));
            (left, status.active, None)
        }
        K::Deployment | K::ReplicaSet | K::ReplicationController | K::StatefulSet => {
            (None, status.replicas, Some(status.ready_replicas))
        }
    };
    WorkloadStatus {
        wanted: wanted.filter(|_| is_current),
        made: is_current.then_some(made.0),
        ready: ready.filter(|_| is_current).map(|it| it.0),
        refusal: condition("ReplicaFailure")
            .filter(|it| kind != K::Job && it.reason == FAILED_CREATE)
            .and_then(|it| refusal(&it.message))
            .map(Name::from),
        is_failed: kind == K::Job && condition("Failed").is_some(),
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
