//! Which Kubernetes minor version, of a server or of the Pod Security Standards?

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// A Kubernetes version of the form `v1.N`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version {
    minor: u32,
}

/// A text that is not a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a version of the form `v1.25` or `latest`")]
pub struct ParseVersionError {
    text: String,
}

impl Version {
    /// The newest version whose Pod Security Standards are known here; what `latest` means, and
    /// what every newer version is judged as.
    pub const LATEST: Self = Self::v1(37);

    /// The last version whose server has PodSecurityPolicy.
    pub const LAST_WITH_PSP: Self = Self::v1(24);

    /// Version `v1.minor`.
    #[must_use]
    pub const fn v1(minor: u32) -> Self {
        Self { minor }
    }

    /// The `N` of `v1.N`.
    #[must_use]
    pub const fn minor(self) -> u32 {
        self.minor
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v1.{}", self.minor)
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Accepts `v1.N` and `latest` ([`Version::LATEST`]), as the API server does.
///
/// Upstream: `staging/src/k8s.io/pod-security-admission/api/helpers.go`, `ParseVersion` (v1.36).
impl FromStr for Version {
    type Err = ParseVersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ParseVersionError { text: text.to_owned() };
        if text == "latest" {
            return Ok(Self::LATEST);
        }
        let minor = text.strip_prefix("v1.").ok_or_else(error)?;
        let is_plain = minor == "0" || !minor.starts_with('0');
        if !is_plain || minor.is_empty() || !minor.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(error());
        }
        minor.parse().map(Self::v1).map_err(|_| error())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_what_the_api_server_parses() {
        assert_eq!("v1.25".parse(), Ok(Version::v1(25)));
        assert_eq!("latest".parse(), Ok(Version::LATEST));
        for bad in ["", "1.25", "v1.", "v1.01", "v1.25.3", "v2.0", "v1.-1", "v1.99999999999999"] {
            assert!(bad.parse::<Version>().is_err(), "{bad}");
        }
    }
}
