//! Which object of the cluster is meant?

use std::fmt;

use serde::Serialize;

use crate::objects::meta::Name;
use crate::objects::psp::PodSecurityPolicy;
use crate::objects::rbac::{Binding, Role};

/// The kind, namespace and name of an object. Sorted by them in this order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ObjectRef {
    /// The kind.
    pub kind: &'static str,
    /// The namespace; left out of JSON for objects of the cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<Name>,
    /// The name.
    pub name: Name,
}

/// Prints the kind and the name, with the namespace before the name.
impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, namespace, name } = self;
        match namespace {
            Some(namespace) => write!(f, "{kind} {namespace}/{name}"),
            None => write!(f, "{kind} {name}"),
        }
    }
}

impl From<&PodSecurityPolicy> for ObjectRef {
    fn from(policy: &PodSecurityPolicy) -> Self {
        Self { kind: "PodSecurityPolicy", namespace: None, name: policy.name.clone() }
    }
}

impl From<&Role> for ObjectRef {
    fn from(role: &Role) -> Self {
        Self { kind: role.kind(), namespace: role.namespace.clone(), name: role.name.clone() }
    }
}

impl From<&Binding> for ObjectRef {
    fn from(binding: &Binding) -> Self {
        let Binding { namespace, name, .. } = binding;
        Self { kind: binding.kind(), namespace: namespace.clone(), name: name.clone() }
    }
}

impl ObjectRef {
    /// The role that a binding refers to, whether it exists or not; `None` for a reference that the
    /// API server would refuse.
    #[must_use]
    pub fn role_of(binding: &Binding) -> Option<Self> {
        let name = Name::from(binding.role_ref.name.as_str());
        match binding.role_ref.kind.as_str() {
            "ClusterRole" => Some(Self { kind: "ClusterRole", namespace: None, name }),
            "Role" => {
                Some(Self { kind: "Role", namespace: Some(binding.namespace.clone()?), name })
            }
            _ => None,
        }
    }
}
