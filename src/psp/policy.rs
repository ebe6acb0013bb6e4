//! What does one policy do to a pod?

use crate::objects::change::Change;
use crate::objects::meta::Name;
use crate::objects::pod::{PodSpec, PodTemplateSpec};
use crate::objects::psp::PodSecurityPolicy;
use crate::version::Version;

use super::container::{ContainerMut, ContainerView};
use super::error::FieldError;
use super::log::ChangeLog;
pub use super::strategies::StrategyError;
use super::strategies::app_armor::AppArmorStrategy;
use super::strategies::capabilities::CapabilitiesStrategy;
use super::strategies::group::{FsGroup, GroupStrategy, RunAsGroup, SupplementalGroups};
use super::strategies::host_namespaces::HostNamespaces;
use super::strategies::host_ports::HostPorts;
use super::strategies::privilege_escalation::PrivilegeEscalationStrategy;
use super::strategies::privileged::Privileged;
use super::strategies::proc_mount::ProcMount;
use super::strategies::read_only_root_filesystem::ReadOnlyRootFilesystem;
use super::strategies::runtime_class::RuntimeClassStrategy;
use super::strategies::se_linux::SeLinuxStrategy;
use super::strategies::seccomp::SeccompStrategy;
use super::strategies::sysctls::SysctlsStrategy;
use super::strategies::user::UserStrategy;
use super::strategies::volumes::VolumesStrategy;

/// A PodSecurityPolicy, ready to admit pods.
///
/// Upstream: `pkg/security/podsecuritypolicy/provider.go` (v1.21).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    name: Name,
    user: UserStrategy,
    run_as_group: RunAsGroup,
    fs_group: FsGroup,
    supplemental_groups: SupplementalGroups,
    se_linux: SeLinuxStrategy,
    seccomp: SeccompStrategy,
    app_armor: AppArmorStrategy,
    capabilities: CapabilitiesStrategy,
    sysctls: SysctlsStrategy,
    volumes: VolumesStrategy,
    runtime_class: RuntimeClassStrategy,
    host_namespaces: HostNamespaces,
    host_ports: HostPorts,
    privileged: Privileged,
    proc_mount: ProcMount,
    read_only_root_filesystem: ReadOnlyRootFilesystem,
    privilege_escalation: PrivilegeEscalationStrategy,
}

/// A policy that takes no part in admission, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("PodSecurityPolicy `{name}` takes no part in admission")]
pub struct UnusablePolicy {
    /// The policy.
    pub name: Name,
    /// The first reason.
    #[source]
    pub reason: StrategyError,
}

impl Policy {
    /// The policy as an API server of that version understands it.
    ///
    /// # Errors
    /// Where one of its rules cannot be carried out. The API accepts such policies, and admission
    /// passes over them without a word.
    pub fn new(policy: &PodSecurityPolicy, version: Version) -> Result<Self, UnusablePolicy> {
        Self::build(policy, version)
            .map_err(|reason| UnusablePolicy { name: policy.name.clone(), reason })
    }

    fn build(policy: &PodSecurityPolicy, version: Version) -> Result<Self, StrategyError> {
        let spec = &policy.spec;
        let run_as_group = match &spec.run_as_group {
            Some(strategy) => GroupStrategy::new(strategy, "spec.runAsGroup")?,
            None => GroupStrategy::RunAsAny,
        };
        let fs_group = GroupStrategy::new(&spec.fs_group, "spec.fsGroup")?;
        let supplemental_groups =
            GroupStrategy::new(&spec.supplemental_groups, "spec.supplementalGroups")?;
        Ok(Self {
            name: policy.name.clone(),
            user: UserStrategy::new(&spec.run_as_user)?,
            run_as_group: RunAsGroup(run_as_group),
            fs_group: FsGroup(fs_group),
            supplemental_groups: SupplementalGroups(supplemental_groups),
            se_linux: SeLinuxStrategy::new(&spec.se_linux)?,
            seccomp: SeccompStrategy::new(policy),
            app_armor: AppArmorStrategy::new(policy),
            capabilities: CapabilitiesStrategy::new(spec),
            sysctls: SysctlsStrategy::new(spec, version),
            volumes: VolumesStrategy::new(spec),
            runtime_class: RuntimeClassStrategy(spec.runtime_class.clone()),
            host_namespaces: HostNamespaces::new(spec),
            host_ports: HostPorts(spec.host_ports.clone()),
            privileged: Privileged(spec.privileged),
            proc_mount: ProcMount(spec.allowed_proc_mount_types.clone()),
            read_only_root_filesystem: ReadOnlyRootFilesystem(spec.read_only_root_filesystem),
            privilege_escalation: PrivilegeEscalationStrategy::new(spec),
        })
    }

    /// The policy's name.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Fills a pod with what the policy wants and the pod leaves open, and says what was filled in.
    ///
    /// No changes means that the pod is as before, where absent and empty lists are the same.
    /// Ephemeral containers are filled too.
    ///
    /// Upstream: `pkg/security/podsecuritypolicy/provider.go`, `MutatePod` (v1.21).
    pub fn mutate(&self, pod: &mut PodTemplateSpec) -> Vec<Change> {
        let mut log = ChangeLog::new(&self.name);
        self.mutate_logging(pod, &mut log);
        log.into_changes()
    }

    /// Whether [`Self::mutate`] would write nothing; cheaper, as the first value decides.
    #[must_use]
    pub fn leaves_as_is(&self, pod: &PodTemplateSpec) -> bool {
        let mut log = ChangeLog::ending_at_first(&self.name);
        self.mutate_logging(&mut pod.clone(), &mut log);
        log.is_empty()
    }

    fn mutate_logging(&self, pod: &mut PodTemplateSpec, log: &mut ChangeLog<'_>) {
        self.supplemental_groups.mutate(&mut pod.spec, log);
        self.fs_group.mutate(&mut pod.spec, log);
        self.se_linux.mutate_pod(&mut pod.spec, log);
        self.seccomp.mutate(pod, log);
        self.runtime_class.mutate(&mut pod.spec, log);
        let annotations = &mut pod.annotations;
        ContainerMut::for_each(&mut pod.spec, |mut container| {
            if log.is_ended() {
                return;
            }
            self.user.mutate(&mut container, log);
            self.run_as_group.mutate(&mut container, log);
            self.se_linux.mutate_container(&mut container, log);
            self.app_armor.mutate(annotations, container.view().name(), log);
            self.capabilities.mutate(&mut container, log);
            self.read_only_root_filesystem.mutate(&mut container, log);
            self.privilege_escalation.mutate(&mut container, log);
        });
    }

    /// Finds what the policy does not allow in a pod, in the API server's order; empty where the
    /// pod is fine. Meant for pods that [`Self::mutate`] has filled.
    ///
    /// Upstream: `pkg/security/podsecuritypolicy/provider.go`, `ValidatePod` (v1.21).
    #[must_use]
    pub fn validate(&self, pod: &PodTemplateSpec) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let PodTemplateSpec { spec, .. } = pod;
        self.fs_group.validate(spec, &mut errors);
        self.supplemental_groups.validate(spec, &mut errors);
        self.seccomp.validate_pod(pod, &mut errors);
        self.se_linux.validate_pod(spec, &mut errors);
        self.host_namespaces.validate(spec, &mut errors);
        self.sysctls.validate(spec, &mut errors);
        self.volumes.validate(spec, &mut errors);
        self.runtime_class.validate(spec, &mut errors);
        self.validate_containers(pod, spec, &mut errors);
        errors
    }

    fn validate_containers(
        &self,
        pod: &PodTemplateSpec,
        spec: &PodSpec,
        errors: &mut Vec<FieldError>,
    ) {
        for container in ContainerView::all(spec) {
            self.user.validate(container, errors);
            self.run_as_group.validate(container, errors);
            self.se_linux.validate_container(container, errors);
            self.app_armor.validate(pod, container, errors);
            self.seccomp.validate_container(pod, container, errors);
            self.privileged.validate(container, errors);
            self.proc_mount.validate(container, errors);
            self.capabilities.validate(container, errors);
            self.host_ports.validate(container, errors);
            self.read_only_root_filesystem.validate(container, errors);
            self.privilege_escalation.validate(container, errors);
        }
    }
}
