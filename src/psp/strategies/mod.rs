//! How does each part of a policy fill a pod, and what does it hold against one?
//!
//! One file per rule, with `mutate` and `validate` side by side, because one is only right if the
//! other agrees: what a sensible policy writes passes its own check. (A senseless one, such as a
//! default that its own list leaves out, refuses every pod that it fills.)

pub(super) mod app_armor;
pub(super) mod capabilities;
pub(super) mod group;
pub(super) mod host_namespaces;
mod host_paths;
pub(super) mod host_ports;
pub(super) mod privilege_escalation;
pub(super) mod privileged;
pub(super) mod proc_mount;
pub(super) mod ranges;
pub(super) mod read_only_root_filesystem;
pub(super) mod runtime_class;
pub(super) mod se_linux;
pub(super) mod seccomp;
pub(super) mod sysctls;
pub(super) mod user;
pub(super) mod volumes;

/// Why a strategy cannot be built. The API accepts such policies, but they take no part in
/// admission.
///
/// Upstream: `pkg/security/podsecuritypolicy/factory.go`, `CreateStrategies` (v1.21).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StrategyError {
    /// The rule is none that Kubernetes knows.
    #[error("`{field}.rule` is `{rule}`, which is unknown")]
    UnknownRule {
        /// The strategy's field.
        field: &'static str,
        /// The rule.
        rule: String,
    },
    /// The rule needs ranges.
    #[error("`{field}.rule` is `{rule}`, but there are no `{field}.ranges`")]
    NoRanges {
        /// The strategy's field.
        field: &'static str,
        /// The rule.
        rule: String,
    },
    /// `MustRunAs` needs options.
    #[error("`spec.seLinux.rule` is `MustRunAs`, but there are no `spec.seLinux.seLinuxOptions`")]
    NoSeLinuxOptions,
}
