//! What does a release serve, and under which paths?

use serde_json::{Value, json};

use crate::server::{Answer, Seen, decoded};

/// A kind with its lists' path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Resource {
    pub(crate) api_version: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) plural: &'static str,
    pub(crate) is_namespaced: bool,
    short_names: &'static [&'static str],
}

const fn namespaced(
    api_version: &'static str,
    kind: &'static str,
    plural: &'static str,
    short_names: &'static [&'static str],
) -> Resource {
    Resource { api_version, kind, plural, is_namespaced: true, short_names }
}

const fn global(
    api_version: &'static str,
    kind: &'static str,
    plural: &'static str,
    short_names: &'static [&'static str],
) -> Resource {
    Resource { is_namespaced: false, ..namespaced(api_version, kind, plural, short_names) }
}

const RBAC: &str = "rbac.authorization.k8s.io/v1";
const NOT_FOUND: &str = "the server could not find the requested resource";

pub(crate) const RESOURCES: &[Resource] = &[
    namespaced("v1", "Pod", "pods", &["po"]),
    namespaced("v1", "PodTemplate", "podtemplates", &[]),
    namespaced("v1", "ReplicationController", "replicationcontrollers", &["rc"]),
    namespaced("v1", "ServiceAccount", "serviceaccounts", &["sa"]),
    namespaced("v1", "Event", "events", &["ev"]),
    global("v1", "Namespace", "namespaces", &["ns"]),
    namespaced("apps/v1", "Deployment", "deployments", &["deploy"]),
    namespaced("apps/v1", "ReplicaSet", "replicasets", &["rs"]),
    namespaced("apps/v1", "StatefulSet", "statefulsets", &["sts"]),
    namespaced("apps/v1", "DaemonSet", "daemonsets", &["ds"]),
    namespaced("batch/v1", "Job", "jobs", &[]),
    namespaced("batch/v1", "CronJob", "cronjobs", &["cj"]),
    namespaced(RBAC, "Role", "roles", &[]),
    namespaced(RBAC, "RoleBinding", "rolebindings", &[]),
    global(RBAC, "ClusterRole", "clusterroles", &[]),
    global(RBAC, "ClusterRoleBinding", "clusterrolebindings", &[]),
    global("policy/v1beta1", "PodSecurityPolicy", "podsecuritypolicies", &["psp"]),
];

impl Resource {
    /// The API group; empty for the core.
    pub(crate) fn group(&self) -> &'static str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
    }

    /// The name that messages use, such as `deployments.apps`.
    pub(crate) fn qualified(&self) -> String {
        match self.group() {
            "" => self.plural.to_owned(),
            group => format!("{}.{group}", self.plural),
        }
    }

    pub(crate) fn of_kind(kind: &str) -> Option<&'static Self> {
        RESOURCES.iter().find(|resource| resource.kind == kind)
    }
}

/// A release, as far as it matters which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Release {
    /// CronJobs in v1beta1 only.
    V1_20,
    V1_21,
    /// With Pod Security admission.
    V1_23,
    V1_24,
    /// Without PSP and batch/v1beta1.
    V1_25,
    V1_36,
}

impl Release {
    fn git_version(self) -> &'static str {
        match self {
            Self::V1_20 => "v1.20.15",
            Self::V1_21 => "v1.21.2-k3s1",
            Self::V1_23 => "v1.23.17",
            Self::V1_24 => "v1.24.17",
            Self::V1_25 => "v1.25.16",
            Self::V1_36 => "v1.36.2",
        }
    }

    pub(crate) fn minor(self) -> u32 {
        self.git_version().split('.').nth(1).unwrap().parse().unwrap()
    }

    fn group_versions(self) -> Vec<&'static str> {
        let mut versions =
            vec!["apps/v1", "batch/v1", "policy/v1", RBAC, "authorization.k8s.io/v1"];
        if self < Self::V1_25 {
            versions.extend(["batch/v1beta1", "policy/v1beta1"]);
        }
        versions
    }

    pub(crate) fn serves(self, group_version: &str, resource: &Resource) -> bool {
        let is_cron_job = resource.kind == "CronJob";
        match group_version {
            "batch/v1beta1" => self < Self::V1_25 && is_cron_job,
            "batch/v1" if is_cron_job => self != Self::V1_20,
            "policy/v1beta1" if resource.api_version == group_version => self < Self::V1_25,
            group_version => resource.api_version == group_version,
        }
    }

    pub(crate) fn version(self) -> Answer {
        let (minor, version) = (self.minor().to_string(), self.git_version());
        let info = json!({"major": "1", "minor": minor, "gitVersion": version, "gitCommit": "0",
            "gitTreeState": "clean", "buildDate": "1970-01-01T00:00:00Z", "goVersion": "go1",
            "compiler": "gc", "platform": "linux/amd64"});
        Answer::json(200, &info)
    }

    /// `/api`.
    pub(crate) fn core_versions() -> Answer {
        Answer::json(
            200,
            &json!({"kind": "APIVersions", "versions": ["v1"],
            "serverAddressByClientCIDRs": []}),
        )
    }

    /// `/apis`.
    pub(crate) fn groups(self) -> Answer {
        let mut groups: Vec<Value> = Vec::new();
        for group_version in self.group_versions() {
            let (name, version) = group_version.split_once('/').unwrap();
            let entry = json!({"groupVersion": group_version, "version": version});
            match groups.iter_mut().find(|group| group["name"] == name) {
                Some(group) => group["versions"].as_array_mut().unwrap().push(entry),
                None => groups.push(json!({"name": name, "versions": [entry],
                    "preferredVersion": entry})),
            }
        }
        Answer::json(200, &json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}))
    }

    /// `/apis/GROUP/VERSION`.
    pub(crate) fn resources(self, group_version: &str) -> Answer {
        let known = group_version == "v1" || self.group_versions().contains(&group_version);
        if !known {
            return Answer::status(404, "NotFound", NOT_FOUND);
        }
        let verbs = ["create", "delete", "get", "list", "patch", "update", "watch"];
        let mut resources: Vec<_> = RESOURCES
            .iter()
            .filter(|resource| self.serves(group_version, resource))
            .map(|resource| {
                json!({"name": resource.plural, "singularName": resource.kind.to_lowercase(),
                    "namespaced": resource.is_namespaced, "kind": resource.kind,
                    "verbs": verbs, "shortNames": resource.short_names})
            })
            .collect();
        // Of kinds that nobody asks for.
        resources.push(json!({"name": "poddisruptionbudgets", "singularName": "",
            "namespaced": true, "kind": "PodDisruptionBudget", "verbs": verbs}));
        if group_version == "authorization.k8s.io/v1" {
            resources = vec![json!({"name": "selfsubjectaccessreviews", "singularName": "",
                "namespaced": false, "kind": "SelfSubjectAccessReview", "verbs": ["create"]})];
        }
        Answer::json(
            200,
            &json!({"kind": "APIResourceList", "apiVersion": "v1",
            "groupVersion": group_version, "resources": resources}),
        )
    }
}

/// What a path stands for.
#[derive(Debug)]
pub(crate) enum Route {
    /// `/api/v1` or `/apis/GROUP/VERSION`.
    Resources(String),
    Objects(Target),
    /// A kind that this release does not serve, in a form that it would understand.
    Unserved,
}

/// A list of objects, or one of them.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) resource: &'static Resource,
    pub(crate) group_version: String,
    pub(crate) namespace: Option<String>,
    pub(crate) name: Option<String>,
}

impl Route {
    /// `None` for a path that no API server would understand.
    pub(crate) fn of(seen: &Seen, release: Release) -> Option<Self> {
        let (n_words, rest) = match seen.path.strip_prefix("/api/") {
            Some(rest) => (1, rest),
            None => (2, seen.path.strip_prefix("/apis/")?),
        };
        let words: Vec<String> = rest.split('/').map(decoded).collect();
        let (group_version, words) = words.split_at_checked(n_words)?;
        let group_version = group_version.join("/");
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let (namespace, plural, name) = match *words.as_slice() {
            [] => return Some(Self::Resources(group_version)),
            ["namespaces", namespace, plural] => (Some(namespace), plural, None),
            ["namespaces", namespace, plural, name] => (Some(namespace), plural, Some(name)),
            [plural] => (None, plural, None),
            [plural, name] => (None, plural, Some(name)),
            _ => return None,
        };
        let kind_version = group_version.replace("batch/v1beta1", "batch/v1");
        let resource = RESOURCES
            .iter()
            .find(|known| known.api_version == kind_version && known.plural == plural)?;
        let is_one_of_none = resource.is_namespaced && name.is_some() && namespace.is_none();
        if is_one_of_none || namespace.is_some() && !resource.is_namespaced {
            return None;
        }
        if !release.serves(&group_version, resource) {
            return Some(Self::Unserved);
        }
        let (namespace, name) = (namespace.map(str::to_owned), name.map(str::to_owned));
        Some(Self::Objects(Target { resource, group_version, namespace, name }))
    }

    pub(crate) fn unserved() -> Answer {
        Answer::status(404, "NotFound", NOT_FOUND)
    }
}
