//! How has a cluster set Pod Security admission up?
//!
//! A PodSecurityConfiguration says what holds in namespaces without labels, and what is not judged at
//! all. The rest depends on the server's version.

mod names;
mod read;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::policy::{LabelError, Mode, Policy, PolicyVersion, read_labels};
use crate::objects::pod::PodTemplateSpec;
use crate::version::Version;

pub use names::is_namespace_name;
pub use read::{ConfigurationError, PluginConfiguration, plugin_configuration};

/// The group of the PodSecurityConfiguration.
pub const GROUP: &str = "pod-security.admission.config.k8s.io";

/// The name of the admission plugin, by which an AdmissionConfiguration has its part.
pub const PLUGIN: &str = "PodSecurity";

/// The first server that warns of an exempt namespace that asks for a policy.
const FIRST_TO_WARN_OF_EXEMPT_NAMESPACES: Version = Version::v1(25);

/// The first server whose warn level follows a stricter enforce label.
const FIRST_WHOSE_WARN_FOLLOWS_ENFORCE: Version = Version::v1(26);

/// How a cluster has set Pod Security admission up, and what else its answers depend on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    /// What holds where labels say nothing.
    pub defaults: Policy,
    /// What is not judged.
    pub exemptions: Exemptions,
    /// The server's version; `None` where it is not known: it is then taken for the newest.
    pub server: Option<Version>,
    /// How many of a namespace's pods the server judges when the enforced level changes: 3,000, or as
    /// many as it gets through in a second; `None` for all.
    pub max_pods: Option<usize>,
}

impl Default for Configuration {
    /// That of a cluster without a configuration file.
    fn default() -> Self {
        Self {
            defaults: Policy::PRIVILEGED,
            exemptions: Exemptions::default(),
            server: None,
            max_pods: None,
        }
    }
}

/// What is not judged; names are compared as they are, without wildcards.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Exemptions {
    /// Users who make the request, not those on whose behalf a controller does.
    pub usernames: BTreeSet<String>,
    /// Namespaces.
    pub namespaces: BTreeSet<String>,
    /// Runtime classes of pods.
    pub runtime_classes: BTreeSet<String>,
}

impl Exemptions {
    /// The runtime class by which a pod is not judged.
    #[must_use]
    pub fn runtime_class_of<'p>(&self, pod: &'p PodTemplateSpec) -> Option<&'p str> {
        let class = pod.spec.runtime_class_name.as_deref()?;
        self.runtime_classes.contains(class).then_some(class)
    }
}

impl Configuration {
    /// Reads the policy that holds in a namespace with these labels, and what is wrong with them; see
    /// [`policy_of_labels`](super::policy::policy_of_labels).
    #[must_use]
    pub fn policy_of(&self, labels: &BTreeMap<String, String>) -> (Policy, Vec<LabelError>) {
        read_labels(labels, &self.defaults, self.is_at_least(FIRST_WHOSE_WARN_FOLLOWS_ENFORCE))
    }

    /// The version that the server judges by: none that is newer than itself.
    #[must_use]
    pub fn judges_by(&self, version: PolicyVersion) -> Version {
        let version = version.resolved();
        self.server.map_or(version, |server| version.min(server))
    }

    /// Whether the server warns of exempt namespaces that ask for a policy.
    pub(super) fn warns_of_exempt_namespaces(&self) -> bool {
        self.is_at_least(FIRST_TO_WARN_OF_EXEMPT_NAMESPACES)
    }

    fn is_at_least(&self, version: Version) -> bool {
        self.server.is_none_or(|server| server >= version)
    }
}

/// The `apiVersion` of a PodSecurityConfiguration that a server reads: the newest that it knows. Where
/// the version is not known, that of v1.25.
///
/// Upstream: `staging/src/k8s.io/pod-security-admission/admission/api` (v1.22, v1.23, v1.25). Servers
/// before v1.22 have no Pod Security admission; the next ones all read what v1.23 reads.
#[must_use]
pub fn api_version(server: Option<Version>) -> String {
    let version = match server.map(Version::minor) {
        Some(22) => "v1alpha1",
        Some(..=24) => "v1beta1",
        Some(_) | None => "v1",
    };
    format!("{GROUP}/{version}")
}

/// Written as the `defaults` of a PodSecurityConfiguration.
impl Serialize for Policy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2 * Mode::ALL.len()))?;
        for mode in Mode::ALL {
            let policy = self.of(mode);
            map.serialize_entry(mode.as_str(), &policy.level)?;
            map.serialize_entry(&format!("{mode}-version"), &policy.version.to_string())?;
        }
        map.end()
    }
}
