//! What do PodSecurityPolicy and Pod Security admission read of a pod?
//!
//! [`PodTemplateSpec`] is that slice, the same for a pod, a controller's template and a pod made
//! from a template. Everything else of a pod is skipped while it is read.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde_json::Value as Json;

use super::meta::{Name, OwnerReference};
use super::path::Segment;
use super::shared::Shared;
use super::shared_list::SharedList;
use super::slice::{Slice, remove_in, slice, transplanted_in};
use super::slim::{Key, Nullable, Slim, Written, slim, through_serde};
use super::snapshot::SeenIn;
use super::volume::Volume;

/// The pod annotation with the seccomp profile of all containers, until v1.26.
pub const SECCOMP_POD_ANNOTATION: &str = "seccomp.security.alpha.kubernetes.io/pod";
/// Prefix of the pod annotations with the seccomp profile of one container, until v1.26.
pub const SECCOMP_CONTAINER_ANNOTATION_PREFIX: &str =
    "container.seccomp.security.alpha.kubernetes.io/";
/// Prefix of the pod annotations with the AppArmor profile of one container.
pub const APPARMOR_CONTAINER_ANNOTATION_PREFIX: &str =
    "container.apparmor.security.beta.kubernetes.io/";
/// The annotation by which PSP admission names the policy that admitted a pod.
pub const PSP_ANNOTATION: &str = "kubernetes.io/psp";

/// Whether an annotation of a pod bears on its security, so that [`PodTemplateSpec`] keeps it.
#[must_use]
pub fn is_security_annotation(key: &str) -> bool {
    key == SECCOMP_POD_ANNOTATION
        || key.starts_with(SECCOMP_CONTAINER_ANNOTATION_PREFIX)
        || key.starts_with(APPARMOR_CONTAINER_ANNOTATION_PREFIX)
}

/// A live pod.
///
/// Small, as there may be hundreds of thousands: what pods share is behind [`Arc`]s that the
/// snapshot deduplicates.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pod {
    /// `metadata.namespace`; empty where the object has none.
    pub namespace: Name,
    /// `metadata.name`; empty where the object has only a `generateName`.
    pub name: Box<str>,
    /// `metadata.generateName`; empty where there is none.
    pub generate_name: Name,
    /// `metadata.resourceVersion`; empty where there is none.
    pub resource_version: Box<str>,
    /// `metadata.creationTimestamp`.
    pub created: Option<super::time::Time>,
    /// The owner with `controller: true`, if any.
    pub controller: Option<Arc<OwnerReference>>,
    /// Which revision of its controller's template the pod was made from.
    pub revision: PodRevision,
    /// The value of [`PSP_ANNOTATION`], if any.
    pub psp: Option<Name>,
    /// What the `kubectl.kubernetes.io/last-applied-configuration` annotation of a pod without a
    /// controller says its author wrote; `None` without the annotation.
    pub last_applied: Option<Arc<PodTemplateSpec>>,
    /// What tools have marked the pod as theirs; see [`super::meta::ObjectMeta::managed_by`].
    pub managed_by: Option<Name>,
    /// `status`, as far as it is read.
    pub status: PodStatus,
    /// The security-relevant slice of the pod.
    pub template: Arc<PodTemplateSpec>,
    /// The inputs that show the pod.
    pub seen_in: SeenIn,
}

/// The labels that tie a pod to a revision of its controller's template.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PodRevision {
    /// Label `controller-revision-hash` (StatefulSet, DaemonSet).
    pub controller_revision_hash: Option<Name>,
    /// Label `pod-template-generation` (DaemonSet).
    pub template_generation: Option<Name>,
}

/// How far a pod has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PodStatus {
    /// `status.phase`.
    pub phase: Phase,
    /// Whether the `Ready` condition and every container status say ready.
    pub is_ready: bool,
}

/// `status.phase` of a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Phase {
    /// No status, or a phase that Kubernetes does not know.
    #[default]
    Unknown,
    /// Accepted, not all containers started.
    Pending,
    /// At least one container runs.
    Running,
    /// All containers ended well.
    Succeeded,
    /// All containers ended, at least one badly.
    Failed,
}

impl Pod {
    /// Whether the pod has run to its end (`Succeeded` or `Failed`).
    #[must_use]
    pub fn is_finished(&self) -> bool {
        matches!(self.status.phase, Phase::Succeeded | Phase::Failed)
    }

    /// Whether the pod is the API server's picture of a static pod: it is owned by a Node.
    #[must_use]
    pub fn is_mirror(&self) -> bool {
        self.controller.as_ref().is_some_and(|owner| owner.kind == "Node")
    }
}

/// The security-relevant slice of a pod or a pod template.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct PodTemplateSpec {
    /// The annotations for which [`is_security_annotation`] holds. `None` where the object has no
    /// annotations at all; `Some` and empty where it has only others.
    pub annotations: Option<BTreeMap<String, String>>,
    /// `spec`.
    pub spec: PodSpec,
}

impl PodTemplateSpec {
    /// The value of a security-relevant annotation.
    #[must_use]
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.annotations.as_ref()?.get(key).map(String::as_str)
    }

    /// All security-relevant annotations, sorted by key.
    pub fn security_annotations(&self) -> impl Iterator<Item = (&str, &str)> {
        self.annotations.iter().flatten().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// The annotations, made present.
    pub fn annotations_mut(&mut self) -> &mut BTreeMap<String, String> {
        self.annotations.get_or_insert_default()
    }
}

slice! {
    /// `spec` of a pod.
    pub struct PodSpec as "a pod spec" {
        /// `hostNetwork`.
        "hostNetwork" host_network: bool,
        /// `hostPID`.
        "hostPID" host_pid: bool,
        /// `hostIPC`.
        "hostIPC" host_ipc: bool,
        /// `hostUsers`: `Some(false)` puts the pod into its own user namespace.
        "hostUsers" host_users: Option<bool>,
        /// `serviceAccountName`; empty where unset.
        "serviceAccountName" service_account_name: String,
        /// `serviceAccount`, the deprecated alias; empty where unset.
        "serviceAccount" deprecated_service_account: String,
        /// `automountServiceAccountToken`; `None` leaves it to the service account.
        "automountServiceAccountToken" automount_service_account_token: Option<bool>,
        /// `runtimeClassName`.
        "runtimeClassName" runtime_class_name: Option<String>,
        /// `os`.
        "os" os: Option<PodOs>,
        /// `nodeSelector`.
        "nodeSelector" node_selector: NodeSelector,
        /// `securityContext`.
        "securityContext" security_context: Option<Shared<PodSecurityContext>>,
        /// `initContainers`.
        "initContainers" init_containers: Vec<Shared<Container>>,
        /// `containers`.
        "containers" containers: Vec<Shared<Container>>,
        /// `ephemeralContainers`.
        "ephemeralContainers" ephemeral_containers: Vec<Shared<Container>>,
        /// `volumes`.
        "volumes" volumes: SharedList<Volume>,
    }
}

/// Which of a pod's three lists a container stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ContainerKind {
    /// `initContainers`.
    Init,
    /// `containers`.
    Regular,
    /// `ephemeralContainers`.
    Ephemeral,
}

impl ContainerKind {
    /// Every kind, in the order in which the API server visits them.
    pub const ALL: [Self; 3] = [Self::Init, Self::Regular, Self::Ephemeral];

    /// The name of the list in a pod spec.
    #[must_use]
    pub fn field(self) -> &'static str {
        match self {
            Self::Init => "initContainers",
            Self::Regular => "containers",
            Self::Ephemeral => "ephemeralContainers",
        }
    }
}

impl PodSpec {
    /// The containers of one kind.
    #[must_use]
    pub fn containers_of(&self, kind: ContainerKind) -> &[Shared<Container>] {
        match kind {
            ContainerKind::Init => &self.init_containers,
            ContainerKind::Regular => &self.containers,
            ContainerKind::Ephemeral => &self.ephemeral_containers,
        }
    }

    /// The containers of one kind, to change.
    pub fn containers_of_mut(&mut self, kind: ContainerKind) -> &mut Vec<Shared<Container>> {
        match kind {
            ContainerKind::Init => &mut self.init_containers,
            ContainerKind::Regular => &mut self.containers,
            ContainerKind::Ephemeral => &mut self.ephemeral_containers,
        }
    }

    /// Every container: init, regular, ephemeral.
    ///
    /// Upstream: `policy/visitor.go`, `visitContainers`.
    pub fn all_containers(&self) -> impl Iterator<Item = &Container> {
        let containers =
            self.init_containers.iter().chain(&self.containers).chain(&self.ephemeral_containers);
        containers.map(|container| &**container)
    }

    /// Gives up own copies of parts that another pod has alike, and shares its parts instead.
    pub fn share_equal_parts(&mut self, other: &Self) {
        if self.volumes == other.volumes {
            self.volumes.clone_from(&other.volumes);
        }
        for kind in ContainerKind::ALL {
            let theirs = other.containers_of(kind);
            for (own, theirs) in self.containers_of_mut(kind).iter_mut().zip(theirs) {
                if own == theirs {
                    own.clone_from(theirs);
                } else if let Some(own) = own.unshared_mut()
                    && own.volume_mounts == theirs.volume_mounts
                {
                    own.volume_mounts.clone_from(&theirs.volume_mounts);
                }
            }
        }
    }

    /// The service account that the pod names; empty where it names none.
    ///
    /// Upstream: `pkg/apis/core/v1/conversion.go`, `Convert_v1_PodSpec_To_core_PodSpec`.
    #[must_use]
    pub fn service_account(&self) -> &str {
        if self.service_account_name.is_empty() {
            &self.deprecated_service_account
        } else {
            &self.service_account_name
        }
    }

    /// Whether the pod says that it is for Windows: `spec.os.name` is literally `windows`.
    #[must_use]
    pub fn is_windows(&self) -> bool {
        self.os.as_ref().is_some_and(|os| os.name == "windows")
    }
}

slice! {
    /// `spec.os`.
    pub struct PodOs as "an object" {
        /// `linux` or `windows`, not checked.
        "name" name: String,
    }
}

slice! {
    /// `nodeSelector`, of which only the labels with a node's operating system are read.
    pub struct NodeSelector as "a node selector" {
        /// `kubernetes.io/os`; empty where unset.
        "kubernetes.io/os" os: String,
        /// `beta.kubernetes.io/os`, its name until v1.13; empty where unset.
        "beta.kubernetes.io/os" beta_os: String,
    }
}

slice! {
    /// `spec.securityContext`.
    pub struct PodSecurityContext as "a pod security context" {
        /// `runAsNonRoot`.
        "runAsNonRoot" run_as_non_root: Option<bool>,
        /// `runAsUser`.
        "runAsUser" run_as_user: Option<i64>,
        /// `runAsGroup`.
        "runAsGroup" run_as_group: Option<i64>,
        /// `fsGroup`.
        "fsGroup" fs_group: Option<i64>,
        /// `supplementalGroups`; here alone an empty list differs from none (spec of PSP's
        /// `MustRunAs`, which fills in only what is absent).
        "supplementalGroups" supplemental_groups: Option<Vec<i64>>,
        /// `seLinuxOptions`.
        "seLinuxOptions" se_linux_options: Option<Shared<SeLinuxOptions>>,
        /// `seccompProfile`.
        "seccompProfile" seccomp_profile: Option<Profile>,
        /// `appArmorProfile`.
        "appArmorProfile" app_armor_profile: Option<Shared<Profile>>,
        /// `sysctls`.
        "sysctls" sysctls: Vec<Sysctl>,
        /// `windowsOptions`.
        "windowsOptions" windows_options: Option<WindowsOptions>,
    }
}

slice! {
    /// A container of any kind.
    pub struct Container as "a container" {
        /// `name`.
        "name" name: String,
        /// `securityContext`.
        "securityContext" security_context: Option<Shared<SecurityContext>>,
        /// `ports`.
        "ports" ports: Vec<ContainerPort>,
        /// `volumeMounts`.
        "volumeMounts" volume_mounts: SharedList<VolumeMount>,
        /// `livenessProbe`.
        "livenessProbe" liveness_probe: Option<Handler>,
        /// `readinessProbe`.
        "readinessProbe" readiness_probe: Option<Handler>,
        /// `startupProbe`.
        "startupProbe" startup_probe: Option<Shared<Handler>>,
        /// `lifecycle`.
        "lifecycle" lifecycle: Option<Shared<Lifecycle>>,
    }
}

slice! {
    /// `securityContext` of a container.
    pub struct SecurityContext as "a security context" {
        /// `privileged`.
        "privileged" privileged: Option<bool>,
        /// `allowPrivilegeEscalation`.
        "allowPrivilegeEscalation" allow_privilege_escalation: Option<bool>,
        /// `readOnlyRootFilesystem`.
        "readOnlyRootFilesystem" read_only_root_filesystem: Option<bool>,
        /// `runAsNonRoot`.
        "runAsNonRoot" run_as_non_root: Option<bool>,
        /// `runAsUser`.
        "runAsUser" run_as_user: Option<i64>,
        /// `runAsGroup`.
        "runAsGroup" run_as_group: Option<i64>,
        /// `capabilities`.
        "capabilities" capabilities: Option<Capabilities>,
        /// `procMount`.
        "procMount" proc_mount: Option<String>,
        /// `seLinuxOptions`.
        "seLinuxOptions" se_linux_options: Option<Shared<SeLinuxOptions>>,
        /// `seccompProfile`.
        "seccompProfile" seccomp_profile: Option<Profile>,
        /// `appArmorProfile`.
        "appArmorProfile" app_armor_profile: Option<Shared<Profile>>,
        /// `windowsOptions`.
        "windowsOptions" windows_options: Option<WindowsOptions>,
    }
}

slice! {
    /// `capabilities` of a container, names as written.
    pub struct Capabilities as "an object" {
        /// `add`.
        "add" add: Vec<String>,
        /// `drop`.
        "drop" drop: Vec<String>,
    }
}

slice! {
    /// `seLinuxOptions`; every field empty where unset.
    pub struct SeLinuxOptions as "an object" {
        /// `level`.
        "level" level: String,
        /// `role`.
        "role" role: String,
        /// `type`.
        "type" type_: String,
        /// `user`.
        "user" user: String,
    }
}

slice! {
    /// `seccompProfile` and `appArmorProfile`, which have the same shape.
    pub struct Profile as "an object" {
        /// `RuntimeDefault`, `Localhost` or `Unconfined`, not checked; may be empty.
        "type" type_: String,
        /// `localhostProfile`.
        "localhostProfile" localhost_profile: Option<String>,
    }
}

slice! {
    /// One of `sysctls`.
    pub struct Sysctl as "an object" {
        /// `name`.
        "name" name: String,
        /// `value`.
        "value" value: String,
    }
}

slice! {
    /// `windowsOptions`.
    pub struct WindowsOptions as "an object" {
        /// `hostProcess`.
        "hostProcess" host_process: Option<bool>,
    }
}

slice! {
    /// One of a container's `ports`.
    pub struct ContainerPort as "an object" {
        /// `containerPort`.
        "containerPort" container_port: i64,
        /// `hostPort`; 0 where unset.
        "hostPort" host_port: i64,
    }
}

slice! {
    /// One of a container's `volumeMounts`.
    pub struct VolumeMount as "an object" {
        /// The volume's name.
        "name" name: String,
        /// `mountPath`.
        "mountPath" mount_path: String,
        /// `readOnly`.
        "readOnly" read_only: bool,
    }
}

slice! {
    /// A container's `lifecycle`.
    pub struct Lifecycle as "an object" {
        /// `postStart`.
        "postStart" post_start: Option<Handler>,
        /// `preStop`.
        "preStop" pre_stop: Option<Handler>,
    }
}

slice! {
    /// A probe or a lifecycle handler: which host it connects to.
    pub struct Handler as "an object" {
        /// `httpGet`.
        "httpGet" http_get: Option<HostTarget>,
        /// `tcpSocket`.
        "tcpSocket" tcp_socket: Option<HostTarget>,
    }
}

slice! {
    /// Where a probe or handler connects to.
    pub struct HostTarget as "an object" {
        /// `host`; empty means the pod itself.
        "host" host: String,
    }
}

// A template's metadata is read for its annotations alone, and those are filtered while they are
// read, so this one type is written out instead of declared.
impl Slim for PodTemplateSpec {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TemplateVisitor;
        impl<'de> Visitor<'de> for TemplateVisitor {
            type Value = PodTemplateSpec;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a pod template")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<PodTemplateSpec, A::Error> {
                let mut template = PodTemplateSpec::default();
                while let Some(key) = map.next_key_seed(Key)? {
                    match &*key {
                        "metadata" => {
                            let metadata: TemplateMetadata =
                                map.next_value_seed(Nullable::seed())?;
                            template.annotations =
                                metadata.annotations.map(|SecurityAnnotations(map)| map);
                        }
                        "spec" => template.spec = map.next_value_seed(Nullable::seed())?,
                        _ => {
                            map.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(template)
            }
        }
        deserializer.deserialize_map(TemplateVisitor)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(annotations) = &self.annotations {
            map.serialize_entry("metadata", &BTreeMap::from([("annotations", annotations)]))?;
        }
        map.serialize_entry("spec", &Written(&self.spec))?;
        map.end()
    }

    fn is_absent(&self) -> bool {
        false
    }
}

through_serde!(PodTemplateSpec);

impl Slice for PodTemplateSpec {
    fn get(&self, path: &[Segment]) -> Option<Json> {
        match path {
            [] => serde_json::to_value(self).ok(),
            [Segment::Field("metadata"), Segment::Field("annotations"), rest @ ..] => {
                self.annotations.get(rest)
            }
            [Segment::Field("spec"), rest @ ..] => self.spec.get(rest),
            _ => None,
        }
    }

    fn set(&mut self, path: &[Segment], value: &Json) {
        match path {
            [Segment::Field("metadata"), Segment::Field("annotations"), rest @ ..] => {
                self.annotations.set(rest, value);
            }
            [Segment::Field("spec"), rest @ ..] => self.spec.set(rest, value),
            _ => {}
        }
    }

    fn remove(&mut self, path: &[Segment], keep: Option<&Self>) {
        match path {
            [Segment::Field("metadata"), Segment::Field("annotations"), rest @ ..] => {
                let keep = keep.map(|keep| &keep.annotations).filter(|kept| kept.is_some());
                remove_in(&mut self.annotations, rest, keep);
            }
            [Segment::Field("spec"), rest @ ..] => {
                remove_in(&mut self.spec, rest, keep.map(|keep| &keep.spec));
            }
            _ => {}
        }
    }

    fn transplanted(
        _field: &str,
        base: Option<&Self>,
        changed: Option<&Self>,
        target: Option<&Self>,
    ) -> Option<Self> {
        let (Some(base), Some(changed), Some(target)) = (base, changed, target) else {
            return target.or(changed).cloned();
        };
        Some(Self {
            annotations: transplanted_in(
                "annotations",
                &base.annotations,
                &changed.annotations,
                &target.annotations,
            ),
            spec: transplanted_in("spec", &base.spec, &changed.spec, &target.spec),
        })
    }

    fn n_differences(_field: &str, a: Option<&Self>, b: Option<&Self>) -> usize {
        let [of_a, of_b] = [a, b].map(|pod| pod.map(|pod| &pod.annotations));
        Slice::n_differences("annotations", of_a, of_b)
            + Slice::n_differences("spec", a.map(|pod| &pod.spec), b.map(|pod| &pod.spec))
    }
}

slim! {
    /// `metadata` of a pod template.
    pub struct TemplateMetadata as "an object" {
        /// `annotations`, only those that bear on security.
        "annotations" annotations: Option<SecurityAnnotations>,
    }
}

/// Annotations for which [`is_security_annotation`] holds; the others are skipped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SecurityAnnotations(pub BTreeMap<String, String>);

impl Slim for SecurityAnnotations {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        super::slim::read_strings(deserializer, is_security_annotation, super::slim::Length::Long)
            .map(Self)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(&self.0)
    }

    fn is_absent(&self) -> bool {
        false
    }
}
