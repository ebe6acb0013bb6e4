//! Which lists does a plan need, and where does a server serve them?

/// A kind of object that a plan reads.
#[derive(Debug)]
pub struct ListedKind {
    /// The kind, such as `Pod`.
    pub kind: &'static str,
    /// The resource, such as `pods`.
    pub resource: &'static str,
    /// The group; empty for the core group.
    pub group: &'static str,
    /// The versions of the group to be read, the preferred first. Other groups that have served the
    /// kind are older than anything that can be read here.
    pub versions: &'static [&'static str],
    /// Whether its objects stand in namespaces.
    pub is_namespaced: bool,
    /// The `fieldSelector` that says which objects are wanted; empty for all.
    pub field_selector: &'static str,
}

const RBAC: &str = "rbac.authorization.k8s.io";

/// The kinds, those first that take longest to read.
pub const KINDS: &[ListedKind] = &[
    namespaced("Pod", "pods", "", V1),
    namespaced("ReplicaSet", "replicasets", "apps", V1),
    namespaced("ServiceAccount", "serviceaccounts", "", V1),
    namespaced("RoleBinding", "rolebindings", RBAC, V1),
    namespaced("Deployment", "deployments", "apps", V1),
    namespaced("Job", "jobs", "batch", V1),
    // Since v1.21; v1beta1 until v1.24.
    namespaced("CronJob", "cronjobs", "batch", &["v1", "v1beta1"]),
    namespaced("StatefulSet", "statefulsets", "apps", V1),
    namespaced("DaemonSet", "daemonsets", "apps", V1),
    namespaced("ReplicationController", "replicationcontrollers", "", V1),
    namespaced("PodTemplate", "podtemplates", "", V1),
    namespaced("Role", "roles", RBAC, V1),
    of_cluster("Namespace", "namespaces", "", V1),
    of_cluster("ClusterRole", "clusterroles", RBAC, V1),
    of_cluster("ClusterRoleBinding", "clusterrolebindings", RBAC, V1),
    // Until v1.24.
    of_cluster("PodSecurityPolicy", "podsecuritypolicies", "policy", &["v1beta1"]),
];

/// What tells of refused pods, which a plan does not need.
pub const EVENTS: ListedKind =
    ListedKind { field_selector: "reason=FailedCreate", ..namespaced("Event", "events", "", V1) };

const V1: &[&str] = &["v1"];

const fn namespaced(
    kind: &'static str,
    resource: &'static str,
    group: &'static str,
    versions: &'static [&'static str],
) -> ListedKind {
    ListedKind { kind, resource, group, versions, is_namespaced: true, field_selector: "" }
}

const fn of_cluster(
    kind: &'static str,
    resource: &'static str,
    group: &'static str,
    versions: &'static [&'static str],
) -> ListedKind {
    ListedKind { kind, resource, group, versions, is_namespaced: false, field_selector: "" }
}

impl ListedKind {
    /// The resource as kubectl names it, such as `deployments.apps`.
    #[must_use]
    pub fn qualified_resource(&self) -> String {
        match self.group {
            "" => self.resource.to_owned(),
            group => format!("{}.{group}", self.resource),
        }
    }

    /// The path of the list in one version, with the selector in its query; `None` stands for all
    /// namespaces.
    pub(super) fn path(&self, version: &str, namespace: Option<&str>) -> String {
        let root = match self.group {
            "" => format!("/api/{version}"),
            group => format!("/apis/{group}/{version}"),
        };
        let path = match namespace {
            Some(namespace) => format!("{root}/namespaces/{namespace}/{}", self.resource),
            None => format!("{root}/{}", self.resource),
        };
        match self.field_selector {
            "" => path,
            selector => format!("{path}?fieldSelector={}", selector.replace('=', "%3D")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_api() {
        let path = |kind: &str, version, namespace| {
            KINDS.iter().find(|listed| listed.kind == kind).unwrap().path(version, namespace)
        };
        assert_eq!(path("Pod", "v1", None), "/api/v1/pods");
        assert_eq!(path("Pod", "v1", Some("shop")), "/api/v1/namespaces/shop/pods");
        assert_eq!(path("CronJob", "v1beta1", None), "/apis/batch/v1beta1/cronjobs");
        assert_eq!(
            path("PodSecurityPolicy", "v1beta1", None),
            "/apis/policy/v1beta1/podsecuritypolicies"
        );
        assert_eq!(
            EVENTS.path("v1", Some("shop")),
            "/api/v1/namespaces/shop/events?fieldSelector=reason%3DFailedCreate"
        );
    }
}
