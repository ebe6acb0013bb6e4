//! What makes pods, and from which template?

use std::fmt;
use std::sync::Arc;

use super::meta::Name;
use super::pod::PodTemplateSpec;
use super::snapshot::SeenIn;

/// A kind of object that holds a pod template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WorkloadKind {
    /// `CronJob`, of batch/v1 or batch/v1beta1.
    CronJob,
    /// `DaemonSet`.
    DaemonSet,
    /// `Deployment`.
    Deployment,
    /// `Job`.
    Job,
    /// `PodTemplate`: makes no pods by itself.
    PodTemplate,
    /// `ReplicaSet`.
    ReplicaSet,
    /// `ReplicationController`.
    ReplicationController,
    /// `StatefulSet`.
    StatefulSet,
}

impl WorkloadKind {
    /// Every kind, sorted by name.
    pub const ALL: [Self; 8] = [
        Self::CronJob,
        Self::DaemonSet,
        Self::Deployment,
        Self::Job,
        Self::PodTemplate,
        Self::ReplicaSet,
        Self::ReplicationController,
        Self::StatefulSet,
    ];

    /// The kind as Kubernetes writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CronJob => "CronJob",
            Self::DaemonSet => "DaemonSet",
            Self::Deployment => "Deployment",
            Self::Job => "Job",
            Self::PodTemplate => "PodTemplate",
            Self::ReplicaSet => "ReplicaSet",
            Self::ReplicationController => "ReplicationController",
            Self::StatefulSet => "StatefulSet",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn from_kind(kind: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|workload| workload.as_str() == kind)
    }

    /// The service account in kube-system by which the controller manager makes this kind's pods
    /// (with `--use-service-account-credentials`); `None` for PodTemplate.
    ///
    /// A Deployment's pods are made by the ReplicaSet controller, a CronJob's by the Job
    /// controller.
    ///
    /// Upstream: `cmd/kube-controller-manager/app/apps.go`, `batch.go`, `core.go` (v1.21).
    #[must_use]
    pub fn controller_account(self) -> Option<&'static str> {
        Some(match self {
            Self::Deployment | Self::ReplicaSet => "replicaset-controller",
            Self::StatefulSet => "statefulset-controller",
            Self::DaemonSet => "daemon-set-controller",
            Self::Job | Self::CronJob => "job-controller",
            Self::ReplicationController => "replication-controller",
            Self::PodTemplate => return None,
        })
    }
}

impl fmt::Display for WorkloadKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A controller with a pod template, or a PodTemplate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload {
    /// The kind.
    pub kind: WorkloadKind,
    /// `apiVersion` as given.
    pub api_version: Name,
    /// `metadata.namespace`; empty where the object has none.
    pub namespace: Name,
    /// `metadata.name`; empty where the object has only a `generateName`.
    pub name: Box<str>,
    /// `metadata.generateName`; empty where there is none.
    pub generate_name: Box<str>,
    /// `metadata.uid`; empty where there is none.
    pub uid: Box<str>,
    /// `metadata.resourceVersion`; empty where there is none.
    pub resource_version: Box<str>,
    /// The owner with `controller: true`, if any: a Deployment for a ReplicaSet, say.
    pub controller: Option<Arc<super::meta::OwnerReference>>,
    /// The tool that would put the object back; see [`super::meta::ObjectMeta::managed_by`].
    pub managed_by: Option<Name>,
    /// How many pods are wanted: `spec.replicas` (default 1), a Job's `spec.parallelism` (default
    /// 1); `None` where the number does not stand in the object (DaemonSet, CronJob, PodTemplate).
    pub replicas: Option<i64>,
    /// Whether a CronJob or Job is suspended, or a Deployment paused.
    pub is_suspended: bool,
    /// Whether a Job has a `Complete` or `Failed` condition.
    pub is_finished: bool,
    /// How far its controller has come.
    pub status: WorkloadStatus,
    /// Annotation `deployment.kubernetes.io/revision`: the number of a Deployment's latest rollout,
    /// and of the one that a ReplicaSet belongs to; `None` where there is none.
    pub rollout_revision: Option<Box<str>>,
    /// What this workload's current pods carry to show that they are of its current template.
    pub current_revision: CurrentRevision,
    /// The names of a StatefulSet's `volumeClaimTemplates`, for each of which its pods get a volume.
    pub claims: Vec<Box<str>>,
    /// The pod template; `None` for a ReplicationController without one.
    pub template: Option<Arc<PodTemplateSpec>>,
    /// The inputs that show the object.
    pub seen_in: SeenIn,
}

/// What a workload's controller says of its pods.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WorkloadStatus {
    /// How many pods there shall be, where that is another number than [`Workload::replicas`]: a
    /// DaemonSet's `desiredNumberScheduled`, and what a Job with `completions` has left to do.
    pub wanted: Option<u32>,
    /// How many pods there are; `None` where the controller has not looked at the object as it is.
    pub made: Option<u32>,
    /// How many of them are ready; `None` as for `made`, and of a Job.
    pub ready: Option<u32>,
    /// What admission says of the pods that it refuses, by a `ReplicaFailure` condition; see
    /// [`super::event::refusal`].
    pub refusal: Option<Name>,
    /// Whether a Job has a `Failed` condition.
    pub is_failed: bool,
}

impl Workload {
    /// How many pods there shall be; `None` where nothing says it.
    #[must_use]
    pub fn wanted_pods(&self) -> Option<u32> {
        let replicas = || self.replicas.map(|n| u32::try_from(n).unwrap_or_default());
        self.status.wanted.or_else(replicas)
    }
}

/// How pods of a workload's current template can be told from older ones.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum CurrentRevision {
    /// Every pod of this object is of its one template (ReplicaSet, Job), or no pod is its own
    /// (Deployment, CronJob).
    #[default]
    All,
    /// StatefulSet: `status.updateRevision`, which pods carry as `controller-revision-hash`.
    Hash(Name),
    /// DaemonSet: the annotation `deprecated.daemonset.template.generation` (else
    /// `metadata.generation`), which pods carry as `pod-template-generation`.
    TemplateGeneration(Name),
    /// The object does not say.
    Unknown,
}
