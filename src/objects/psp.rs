//! What does a PodSecurityPolicy say?
//!
//! The fields of `policy/v1beta1`, for which there is no library any more, and the four
//! annotations on which its seccomp and AppArmor rules stand.

use super::pod::SeLinuxOptions;
use super::shared::Shared;
use super::slim::slim;

/// A PodSecurityPolicy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PodSecurityPolicy {
    /// `metadata.name`.
    pub name: super::meta::Name,
    /// `metadata.resourceVersion`; empty where there is none.
    pub resource_version: Box<str>,
    /// `metadata.creationTimestamp`.
    pub created: Option<super::time::Time>,
    /// The tool that would put the object back; see [`super::meta::ObjectMeta::managed_by`].
    pub managed_by: Option<super::meta::Name>,
    /// The object that owns it; see [`super::meta::Marks::owner`].
    pub owner: Option<Box<super::meta::OwnerReference>>,
    /// Annotation `seccomp.security.alpha.kubernetes.io/allowedProfileNames`: `None` where absent
    /// (no profile may be set at all), else the list as written, separated by commas.
    pub allowed_seccomp_profiles: Option<String>,
    /// Annotation `seccomp.security.alpha.kubernetes.io/defaultProfileName`.
    pub default_seccomp_profile: Option<String>,
    /// Annotation `apparmor.security.beta.kubernetes.io/allowedProfileNames`: `None` where absent
    /// (any profile and none), else the list as written, separated by commas.
    pub allowed_app_armor_profiles: Option<String>,
    /// Annotation `apparmor.security.beta.kubernetes.io/defaultProfileName`.
    pub default_app_armor_profile: Option<String>,
    /// `spec`.
    pub spec: PodSecurityPolicySpec,
}

slim! {
    /// `spec` of a PodSecurityPolicy.
    pub struct PodSecurityPolicySpec as "a policy spec" {
        /// `privileged`.
        "privileged" privileged: bool,
        /// `defaultAddCapabilities`.
        "defaultAddCapabilities" default_add_capabilities: Vec<String>,
        /// `requiredDropCapabilities`.
        "requiredDropCapabilities" required_drop_capabilities: Vec<String>,
        /// `allowedCapabilities`; `*` allows any.
        "allowedCapabilities" allowed_capabilities: Vec<String>,
        /// `volumes`: the volume types allowed, `*` for any; empty allows none.
        "volumes" volumes: Vec<String>,
        /// `hostNetwork`.
        "hostNetwork" host_network: bool,
        /// `hostPorts`: the host ports allowed; empty allows none.
        "hostPorts" host_ports: Vec<Range>,
        /// `hostPID`.
        "hostPID" host_pid: bool,
        /// `hostIPC`.
        "hostIPC" host_ipc: bool,
        /// `seLinux`.
        "seLinux" se_linux: SeLinuxStrategy,
        /// `runAsUser`.
        "runAsUser" run_as_user: IdStrategy,
        /// `runAsGroup`; `None` means `RunAsAny`.
        "runAsGroup" run_as_group: Option<IdStrategy>,
        /// `supplementalGroups`.
        "supplementalGroups" supplemental_groups: IdStrategy,
        /// `fsGroup`.
        "fsGroup" fs_group: IdStrategy,
        /// `readOnlyRootFilesystem`.
        "readOnlyRootFilesystem" read_only_root_filesystem: bool,
        /// `defaultAllowPrivilegeEscalation`.
        "defaultAllowPrivilegeEscalation" default_allow_privilege_escalation: Option<bool>,
        /// `allowPrivilegeEscalation`; `None` means true.
        "allowPrivilegeEscalation" allow_privilege_escalation: Option<bool>,
        /// `allowedHostPaths`; empty allows any path.
        "allowedHostPaths" allowed_host_paths: Vec<AllowedHostPath>,
        /// `allowedFlexVolumes`; empty allows any driver.
        "allowedFlexVolumes" allowed_flex_volumes: Vec<AllowedDriver>,
        /// `allowedCSIDrivers`; empty allows any driver.
        "allowedCSIDrivers" allowed_csi_drivers: Vec<AllowedDriverName>,
        /// `allowedUnsafeSysctls`: names, or prefixes ending in `*`.
        "allowedUnsafeSysctls" allowed_unsafe_sysctls: Vec<String>,
        /// `forbiddenSysctls`: names, or prefixes ending in `*`.
        "forbiddenSysctls" forbidden_sysctls: Vec<String>,
        /// `allowedProcMountTypes`; empty allows `Default` only.
        "allowedProcMountTypes" allowed_proc_mount_types: Vec<String>,
        /// `runtimeClass`; `None` allows any.
        "runtimeClass" runtime_class: Option<RuntimeClassStrategy>,
    }
}

slim! {
    /// An inclusive range of ids or ports.
    pub struct Range as "a range" {
        /// `min`.
        "min" min: i64,
        /// `max`.
        "max" max: i64,
    }
}

slim! {
    /// A rule over user or group ids.
    pub struct IdStrategy as "a strategy" {
        /// `rule`: `MustRunAs`, `MayRunAs`, `MustRunAsNonRoot` or `RunAsAny`, not checked here: a
        /// policy whose strategies cannot be built takes no part in admission.
        "rule" rule: String,
        /// `ranges`.
        "ranges" ranges: Vec<Range>,
    }
}

slim! {
    /// `seLinux`.
    pub struct SeLinuxStrategy as "a strategy" {
        /// `rule`: `MustRunAs` or `RunAsAny`, not checked here.
        "rule" rule: String,
        /// `seLinuxOptions`.
        "seLinuxOptions" se_linux_options: Option<Shared<SeLinuxOptions>>,
    }
}

slim! {
    /// One of `allowedHostPaths`.
    pub struct AllowedHostPath as "an object" {
        /// `pathPrefix`.
        "pathPrefix" path_prefix: String,
        /// `readOnly`: whether volumes of this prefix must be mounted read-only.
        "readOnly" read_only: bool,
    }
}

slim! {
    /// One of `allowedFlexVolumes`.
    pub struct AllowedDriver as "an object" {
        /// `driver`.
        "driver" driver: String,
    }
}

slim! {
    /// One of `allowedCSIDrivers`.
    pub struct AllowedDriverName as "an object" {
        /// `name`.
        "name" name: String,
    }
}

slim! {
    /// `runtimeClass` of a policy.
    pub struct RuntimeClassStrategy as "an object" {
        /// `allowedRuntimeClassNames`: `*` allows any; empty allows only pods without one.
        "allowedRuntimeClassNames" allowed_runtime_class_names: Vec<String>,
        /// `defaultRuntimeClassName`.
        "defaultRuntimeClassName" default_runtime_class_name: Option<String>,
    }
}
