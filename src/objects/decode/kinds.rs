//! Which kinds of objects do we read, and in which API versions?

use crate::objects::collection;
use crate::objects::meta::Name;
use crate::objects::workload::WorkloadKind;

/// `apiVersion` and `kind` of an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TypeMeta {
    /// `apiVersion`.
    pub api_version: Name,
    /// `kind`.
    pub kind: Name,
}

impl TypeMeta {
    /// What a list's items are that do not say it themselves: the list's kind without its `List`,
    /// in the list's apiVersion. `None` for the plain `List`, and for what is no list.
    ///
    /// Upstream: `staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/unstructured/helpers.go`,
    /// `decodeToList` (v1.24).
    #[must_use]
    pub fn of_items(&self) -> Option<Self> {
        let kind = self.kind.strip_suffix("List").filter(|kind| !kind.is_empty())?;
        Some(Self { api_version: self.api_version.clone(), kind: kind.into() })
    }

    /// Whether the program reads objects of this type.
    #[must_use]
    pub fn is_read(&self) -> bool {
        Shape::of(&self.api_version, &self.kind) != Shape::Other
    }
}

/// How an object is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    PodSecurityPolicy,
    Namespace,
    ServiceAccount,
    Pod,
    Workload(WorkloadKind),
    Role,
    ClusterRole,
    RoleBinding,
    ClusterRoleBinding,
    Event,
    /// What a collected snapshot says about itself.
    Collection,
    /// A kind that the program does not read.
    Other,
}

impl Shape {
    /// The shape of that kind in that API version.
    pub(super) fn of(api_version: &str, kind: &str) -> Self {
        use WorkloadKind as W;
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        match (group, version, kind) {
            ("psp2psa", "v1", collection::KIND) => Self::Collection,
            ("policy" | "extensions", "v1beta1", "PodSecurityPolicy") => Self::PodSecurityPolicy,
            ("", "v1", "Namespace") => Self::Namespace,
            ("", "v1", "ServiceAccount") => Self::ServiceAccount,
            ("", "v1", "Pod") => Self::Pod,
            ("", "v1", "Event") | ("events.k8s.io", "v1" | "v1beta1", "Event") => Self::Event,
            ("", "v1", "PodTemplate") => Self::Workload(W::PodTemplate),
            ("", "v1", "ReplicationController") => Self::Workload(W::ReplicationController),
            (
                "apps",
                "v1" | "v1beta2",
                "ReplicaSet" | "Deployment" | "DaemonSet" | "StatefulSet",
            )
            | ("apps", "v1beta1", "Deployment" | "StatefulSet")
            | ("extensions", "v1beta1", "ReplicaSet" | "Deployment" | "DaemonSet")
            | ("batch", "v1", "Job" | "CronJob")
            | ("batch", "v1beta1" | "v2alpha1", "CronJob") => {
                W::from_kind(kind).map_or(Self::Other, Self::Workload)
            }
            ("rbac.authorization.k8s.io", "v1" | "v1beta1" | "v1alpha1", kind) => match kind {
                "Role" => Self::Role,
                "ClusterRole" => Self::ClusterRole,
                "RoleBinding" => Self::RoleBinding,
                "ClusterRoleBinding" => Self::ClusterRoleBinding,
                _ => Self::Other,
            },
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_groups_are_read_and_foreign_ones_are_not() {
        assert_eq!(Shape::of("extensions/v1beta1", "PodSecurityPolicy"), Shape::PodSecurityPolicy);
        assert_eq!(Shape::of("apps/v1beta1", "DaemonSet"), Shape::Other);
        assert_eq!(Shape::of("batch/v1beta1", "CronJob"), Shape::Workload(WorkloadKind::CronJob));
        assert_eq!(Shape::of("serving.example.com/v1", "Deployment"), Shape::Other);
        assert_eq!(Shape::of("policy/v1", "Namespace"), Shape::Other);
        assert_eq!(Shape::of("rbac.authorization.k8s.io/v1alpha1", "Role"), Shape::Role);
    }

    #[test]
    fn items_take_their_kind_from_a_typed_list() {
        let list = |kind: &str| TypeMeta { api_version: "v1".into(), kind: kind.into() };
        assert_eq!(list("PodList").of_items(), Some(list("Pod")));
        assert_eq!(list("List").of_items(), None);
        assert_eq!(list("Pod").of_items(), None);
    }
}
