//! What has PSP written into a pod, where, and which policy field made it?
//!
//! The one record of a mutation. The patch, the lost hardening, the diffs and the workload patches
//! are renderings of it, never differences of two objects.

use serde::{Serialize, Serializer};

use super::meta::Name;
use super::path::FieldPath;
use super::pod::SeLinuxOptions;
use super::shared::Shared;

/// One value that a policy wrote into a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Where, in the pod (`spec…`, `metadata.annotations[…]`).
    pub path: FieldPath,
    /// The value that stood there; `None` for none.
    pub before: Option<Value>,
    /// The value that stands there now.
    pub after: Value,
    /// The policy.
    pub policy: Name,
    /// The field of the policy that asked for it, such as `spec.runAsUser.rule`, or an annotation's
    /// path such as
    /// `metadata.annotations[seccomp.security.alpha.kubernetes.io/defaultProfileName]`. `None`
    /// where no field did: every policy copies a pod's `seccompProfile` into the annotation.
    pub policy_field: Option<&'static str>,
}

/// A value that PSP writes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Value {
    /// A boolean.
    Bool(bool),
    /// An id.
    Integer(i64),
    /// A name.
    String(String),
    /// A list of ids.
    Integers(Vec<i64>),
    /// A list of names, such as capabilities.
    Strings(Vec<String>),
    /// `seLinuxOptions` as a whole.
    SeLinuxOptions(Shared<SeLinuxOptions>),
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Bool(value) => value.serialize(serializer),
            Self::Integer(value) => value.serialize(serializer),
            Self::String(value) => value.serialize(serializer),
            Self::Integers(value) => value.serialize(serializer),
            Self::Strings(value) => value.serialize(serializer),
            Self::SeLinuxOptions(value) => (**value).serialize(serializer),
        }
    }
}
