//! Which server do the objects come from, and what could not be read from it?

use super::meta::Name;
use crate::version::Version;

/// The API server of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Server {
    /// The minor version.
    pub version: Version,
    /// The version as the server gives it, such as `v1.21.2-k3s1`.
    pub git_version: Name,
    /// Whether the server serves PodSecurityPolicies; until v1.24 it does unless told otherwise.
    pub serves_psp: bool,
}

/// How far Pod Security admission has come in a server's version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PodSecurityStage {
    /// Not there: up to v1.21. Labels are kept, and nothing reads them.
    Absent,
    /// Off unless a feature gate turns it on: v1.22.
    Alpha,
    /// On: v1.23 and v1.24.
    Beta,
    /// On, and cannot be turned off by a feature gate: since v1.25.
    Stable,
}

impl PodSecurityStage {
    /// The stage as Kubernetes writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Alpha => "alpha",
            Self::Beta => "beta",
            Self::Stable => "stable",
        }
    }
}

impl Server {
    /// How far Pod Security admission has come.
    ///
    /// Upstream: `pkg/features/kube_features.go`, `PodSecurity` (v1.22, v1.23, v1.25).
    #[must_use]
    pub fn pod_security(&self) -> PodSecurityStage {
        match self.version.minor() {
            ..=21 => PodSecurityStage::Absent,
            22 => PodSecurityStage::Alpha,
            23 | 24 => PodSecurityStage::Beta,
            _ => PodSecurityStage::Stable,
        }
    }
}

/// A list that the cluster did not give.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unlisted {
    /// The kind, such as `Pod`.
    pub kind: Name,
    /// The namespace that was asked for; `None` for the whole cluster.
    pub namespace: Option<Name>,
    /// Why: the server's text, or what went wrong.
    pub reason: String,
    /// The kubectl lines that would grant it; empty where a grant would not help.
    pub grant: String,
}
