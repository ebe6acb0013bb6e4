//! How much does a namespace allow: the three levels of the Pod Security Standards.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// A level of the Pod Security Standards, ordered by strictness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// Everything is allowed.
    Privileged,
    /// Known privilege escalations are refused.
    Baseline,
    /// Hardening is demanded.
    Restricted,
}

/// A text that is not a level.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be one of privileged, baseline, restricted")]
pub struct ParseLevelError;

impl Level {
    /// Every level, from the most lenient to the strictest.
    pub const ALL: [Self; 3] = [Self::Privileged, Self::Baseline, Self::Restricted];

    /// The level as labels write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Privileged => "privileged",
            Self::Baseline => "baseline",
            Self::Restricted => "restricted",
        }
    }

    /// The next stricter level; `restricted` is its own.
    #[must_use]
    pub fn next_stricter(self) -> Self {
        match self {
            Self::Privileged => Self::Baseline,
            Self::Baseline | Self::Restricted => Self::Restricted,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Level {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Accepts the three names, in lower case only.
///
/// Upstream: `staging/src/k8s.io/pod-security-admission/api/helpers.go`, `ParseLevel` (v1.36).
impl FromStr for Level {
    type Err = ParseLevelError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|level| level.as_str() == text).ok_or(ParseLevelError)
    }
}
