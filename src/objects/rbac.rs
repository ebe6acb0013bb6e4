//! What do roles allow, and whom are they bound to?

use super::meta::Name;
use super::slim::slim;

slim! {
    /// One of a role's `rules`.
    pub struct PolicyRule as "a policy rule" {
        /// `apiGroups`.
        "apiGroups" api_groups: Vec<String>,
        /// `resources`.
        "resources" resources: Vec<String>,
        /// `resourceNames`; empty means every name.
        "resourceNames" resource_names: Vec<String>,
        /// `verbs`.
        "verbs" verbs: Vec<String>,
    }
}

/// A Role or a ClusterRole.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Role {
    /// `metadata.namespace` of a Role; `None` for a ClusterRole.
    pub namespace: Option<Name>,
    /// `metadata.name`.
    pub name: Name,
    /// `metadata.resourceVersion`; empty where there is none.
    pub resource_version: Box<str>,
    /// `rules`; those of an aggregated ClusterRole as the controller has filled them in.
    pub rules: Vec<PolicyRule>,
}

/// A RoleBinding or a ClusterRoleBinding.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Binding {
    /// `metadata.namespace` of a RoleBinding; `None` for a ClusterRoleBinding.
    pub namespace: Option<Name>,
    /// `metadata.name`.
    pub name: Name,
    /// `metadata.resourceVersion`; empty where there is none.
    pub resource_version: Box<str>,
    /// `roleRef`.
    pub role_ref: RoleRef,
    /// `subjects`.
    pub subjects: Vec<Subject>,
}

impl Role {
    /// `Role` or `ClusterRole`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        if self.namespace.is_some() { "Role" } else { "ClusterRole" }
    }
}

impl Binding {
    /// `RoleBinding` or `ClusterRoleBinding`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        if self.namespace.is_some() { "RoleBinding" } else { "ClusterRoleBinding" }
    }
}

slim! {
    /// `roleRef` of a binding.
    pub struct RoleRef as "a role reference" {
        /// `Role` or `ClusterRole`.
        "kind" kind: String,
        /// `name`.
        "name" name: String,
    }
}

slim! {
    /// One of a binding's `subjects`.
    pub struct Subject as "a subject" {
        /// `User`, `Group` or `ServiceAccount`.
        "kind" kind: String,
        /// `apiGroup`; empty where unset.
        "apiGroup" api_group: String,
        /// `name`.
        "name" name: String,
        /// `namespace` of a ServiceAccount; empty means the binding's.
        "namespace" namespace: String,
    }
}
