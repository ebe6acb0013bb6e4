//! Which levels do a namespace's labels ask for?
//!
//! Each mode has a label for its level and one for its version; what labels leave out comes from
//! the cluster's configuration, field by field. A bad label never stops Pod Security admission from
//! judging pods: enforcing fails closed, auditing and warning fail open.

use std::collections::BTreeMap;
use std::fmt;

use crate::level::{Level, ParseLevelError};
use crate::quote::quoted;
use crate::version::Version;

/// Label with the level that pods are refused at.
pub const ENFORCE_LABEL: &str = "pod-security.kubernetes.io/enforce";
/// Label with the version of [`ENFORCE_LABEL`].
pub const ENFORCE_VERSION_LABEL: &str = "pod-security.kubernetes.io/enforce-version";
/// Label with the level that pods are reported at in the audit log.
pub const AUDIT_LABEL: &str = "pod-security.kubernetes.io/audit";
/// Label with the version of [`AUDIT_LABEL`].
pub const AUDIT_VERSION_LABEL: &str = "pod-security.kubernetes.io/audit-version";
/// Label with the level that users are warned at.
pub const WARN_LABEL: &str = "pod-security.kubernetes.io/warn";
/// Label with the version of [`WARN_LABEL`].
pub const WARN_VERSION_LABEL: &str = "pod-security.kubernetes.io/warn-version";

/// What happens to a pod that violates a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mode {
    /// The pod is refused.
    Enforce,
    /// The audit log says so.
    Audit,
    /// The user is told.
    Warn,
}

impl Mode {
    /// Every mode, in the order in which the API server reads and reports them.
    pub const ALL: [Self; 3] = [Self::Enforce, Self::Audit, Self::Warn];

    /// The mode as texts write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Audit => "audit",
            Self::Warn => "warn",
        }
    }

    /// The label with the mode's level.
    #[must_use]
    pub fn level_label(self) -> &'static str {
        match self {
            Self::Enforce => ENFORCE_LABEL,
            Self::Audit => AUDIT_LABEL,
            Self::Warn => WARN_LABEL,
        }
    }

    /// The label with the mode's version.
    #[must_use]
    pub fn version_label(self) -> &'static str {
        match self {
            Self::Enforce => ENFORCE_VERSION_LABEL,
            Self::Audit => AUDIT_VERSION_LABEL,
            Self::Warn => WARN_VERSION_LABEL,
        }
    }

    /// The level that a bad label stands for: enforcing fails closed, the others fail open.
    fn level_of_bad_label(self) -> Level {
        match self {
            Self::Enforce => Level::Restricted,
            Self::Audit | Self::Warn => Level::Privileged,
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The version that a label or the configuration names.
///
/// `latest` is kept apart from the version that it means today: a change from one to the other is
/// a change of policy, and texts print what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PolicyVersion {
    /// `v1.N`, possibly newer than any that is known.
    Version(Version),
    /// `latest`.
    Latest,
}

impl PolicyVersion {
    /// The version to evaluate at.
    #[must_use]
    pub fn resolved(self) -> Version {
        match self {
            Self::Version(version) => version,
            Self::Latest => Version::LATEST,
        }
    }

    /// Reads `latest` or `v1.N`; `None` for everything else.
    ///
    /// Upstream: `api/helpers.go`, `ParseVersion` (v1.37). Differs: an `N` past 2³² is refused, and
    /// upstream takes some more of them.
    #[must_use]
    pub fn parsed(text: &str) -> Option<Self> {
        match text {
            "latest" => Some(Self::Latest),
            text => text.parse().ok().map(Self::Version),
        }
    }
}

impl fmt::Display for PolicyVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => version.fmt(f),
            Self::Latest => f.write_str("latest"),
        }
    }
}

/// A level at a version, such as `restricted:latest`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LevelVersion {
    /// The level.
    pub level: Level,
    /// The version.
    pub version: PolicyVersion,
}

impl fmt::Display for LevelVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.level, self.version)
    }
}

/// What holds in a namespace, for each mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Policy {
    /// What pods are refused at.
    pub enforce: LevelVersion,
    /// What pods are reported at in the audit log.
    pub audit: LevelVersion,
    /// What users are warned at.
    pub warn: LevelVersion,
}

impl Policy {
    /// `privileged:latest` for every mode: the default of a cluster without configuration.
    pub const PRIVILEGED: Self = {
        let privileged = LevelVersion { level: Level::Privileged, version: PolicyVersion::Latest };
        Self { enforce: privileged, audit: privileged, warn: privileged }
    };

    /// What holds for a mode.
    #[must_use]
    pub fn of(&self, mode: Mode) -> LevelVersion {
        match mode {
            Mode::Enforce => self.enforce,
            Mode::Audit => self.audit,
            Mode::Warn => self.warn,
        }
    }

    pub(super) fn of_mut(&mut self, mode: Mode) -> &mut LevelVersion {
        match mode {
            Mode::Enforce => &mut self.enforce,
            Mode::Audit => &mut self.audit,
            Mode::Warn => &mut self.warn,
        }
    }
}

/// A label that the API server refuses, in its own words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("metadata.labels[{label}]: Invalid value: {}: {problem}", quoted(value))]
pub struct LabelError {
    /// The key of the label.
    pub label: &'static str,
    /// Its value.
    pub value: String,
    /// What it must be.
    pub problem: LabelProblem,
}

/// What a label's value must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LabelProblem {
    /// A level.
    #[error("{ParseLevelError}")]
    Level,
    /// A version.
    #[error("must be \"latest\" or \"v1.x\"")]
    Version,
}

/// Reads the policy that a namespace's labels ask for, and what is wrong with them.
///
/// Errors are in the order enforce, enforce-version, audit, and so on. Where there are some, the
/// policy is what the API server judges pods by if such labels exist nevertheless: a bad enforce
/// level is restricted (fails closed), a bad audit or warn level is privileged (fails open), a bad
/// version is latest. Other labels are ignored, even under the same prefix.
///
/// Without a warn label, a stricter enforce level is warned about too, at enforce's version unless
/// the warn version is given. A bad enforce level does not count for that.
///
/// Upstream: `api/helpers.go`, `PolicyToEvaluate` (v1.37).
#[must_use]
pub fn policy_of_labels(
    labels: &BTreeMap<String, String>,
    defaults: &Policy,
) -> (Policy, Vec<LabelError>) {
    read_labels(labels, defaults, true)
}

/// As [`policy_of_labels`]; servers before v1.26 do not let warn follow enforce.
pub(super) fn read_labels(
    labels: &BTreeMap<String, String>,
    defaults: &Policy,
    warn_follows_enforce: bool,
) -> (Policy, Vec<LabelError>) {
    let mut policy = *defaults;
    let mut errors = Vec::new();
    let mut has_valid_enforce = false;
    for mode in Mode::ALL {
        if let Some(value) = labels.get(mode.level_label()) {
            let level: Result<Level, _> = value.parse();
            has_valid_enforce |= mode == Mode::Enforce && level.is_ok();
            policy.of_mut(mode).level = level.unwrap_or_else(|_| {
                let (label, problem) = (mode.level_label(), LabelProblem::Level);
                errors.push(LabelError { label, value: value.clone(), problem });
                mode.level_of_bad_label()
            });
        }
        if let Some(value) = labels.get(mode.version_label()) {
            policy.of_mut(mode).version = PolicyVersion::parsed(value).unwrap_or_else(|| {
                let (label, problem) = (mode.version_label(), LabelProblem::Version);
                errors.push(LabelError { label, value: value.clone(), problem });
                PolicyVersion::Latest
            });
        }
    }
    let is_unlabelled = warn_follows_enforce && !labels.contains_key(WARN_LABEL);
    if has_valid_enforce && is_unlabelled && policy.enforce.level > policy.warn.level {
        policy.warn.level = policy.enforce.level;
        if !labels.contains_key(WARN_VERSION_LABEL) {
            policy.warn.version = policy.enforce.version;
        }
    }
    (policy, errors)
}

#[cfg(test)]
mod tests;
