//! What does one run know of a cluster?

use std::collections::BTreeMap;

use super::meta::Name;
use super::namespace::{Namespace, ServiceAccount};
use super::pod::Pod;
use super::psp::PodSecurityPolicy;
use super::rbac::{Binding, Role};
use super::workload::{Workload, WorkloadKind};

/// Everything one run knows of a cluster, sorted, each object once.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// The PodSecurityPolicies, by name.
    pub policies: BTreeMap<Name, PodSecurityPolicy>,
    /// The Roles (by namespace and name) and ClusterRoles (namespace `None`).
    pub roles: BTreeMap<(Option<Name>, Name), Role>,
    /// The RoleBindings (by namespace and name) and ClusterRoleBindings (namespace `None`).
    pub bindings: BTreeMap<(Option<Name>, Name), Binding>,
    /// The Namespace objects, by name. Pods may stand in namespaces that have none here.
    pub namespaces: BTreeMap<Name, Namespace>,
    /// The ServiceAccounts, by namespace and name.
    pub service_accounts: BTreeMap<(Name, Name), ServiceAccount>,
    /// The workloads, by namespace, kind and name.
    pub workloads: BTreeMap<(Name, WorkloadKind, Box<str>), Workload>,
    /// The pods, sorted by namespace and name.
    pub pods: Vec<Pod>,
}
