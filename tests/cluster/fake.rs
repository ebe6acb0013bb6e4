//! What an API server answers, from objects in memory, in the form of the recorded exchanges.
//!
//! Strict: a request that no API server would understand, or that the program has no business
//! asking, is remembered and fails the test.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, Mutex};

use flate2::read::MultiGzDecoder;
use serde_json::{Value, json};

use crate::server::{Answer, Seen, Server};

/// The kinds with their lists' paths; the last word says whether they stand in namespaces.
const KINDS: &[(&str, &str, &str, bool)] = &[
    ("v1", "Pod", "pods", true),
    ("v1", "PodTemplate", "podtemplates", true),
    ("v1", "ReplicationController", "replicationcontrollers", true),
    ("v1", "ServiceAccount", "serviceaccounts", true),
    ("v1", "Namespace", "namespaces", false),
    ("apps/v1", "Deployment", "deployments", true),
    ("apps/v1", "ReplicaSet", "replicasets", true),
    ("apps/v1", "StatefulSet", "statefulsets", true),
    ("apps/v1", "DaemonSet", "daemonsets", true),
    ("batch/v1", "Job", "jobs", true),
    ("batch/v1", "CronJob", "cronjobs", true),
    ("rbac.authorization.k8s.io/v1", "Role", "roles", true),
    ("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings", true),
    ("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", false),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "clusterrolebindings", false),
    ("policy/v1beta1", "PodSecurityPolicy", "podsecuritypolicies", false),
];

/// A release, as far as it matters which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Release {
    /// CronJobs in v1beta1 only.
    V1_20,
    V1_21,
    V1_24,
    /// Without PSP and batch/v1beta1.
    V1_36,
}

impl Release {
    fn git_version(self) -> &'static str {
        match self {
            Self::V1_20 => "v1.20.15",
            Self::V1_21 => "v1.21.2-k3s1",
            Self::V1_24 => "v1.24.17",
            Self::V1_36 => "v1.36.2",
        }
    }

    fn serves(self, api_version: &str, kind: &str) -> bool {
        match (api_version, kind) {
            ("batch/v1", "CronJob") => self != Self::V1_20,
            ("batch/v1beta1", _) | ("policy/v1beta1", "PodSecurityPolicy") => self != Self::V1_36,
            _ => true,
        }
    }
}

struct Fault {
    path: &'static str,
    /// What the query must contain.
    query: &'static str,
    answer: Answer,
    /// Whether it happens every time.
    is_lasting: bool,
}

/// A cluster.
#[derive(Clone)]
pub(crate) struct Cluster(Arc<State>);

struct State {
    release: Release,
    /// The items by kind, as they stand in lists.
    items: BTreeMap<String, Vec<Value>>,
    faults: Mutex<Vec<Fault>>,
    unexpected: Mutex<Vec<String>>,
}

impl Cluster {
    /// A cluster with these objects.
    pub(crate) fn of(release: Release, objects: Vec<Value>) -> Self {
        let mut items: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for mut object in objects {
            let fields = object.as_object_mut().unwrap();
            let Some(Value::String(kind)) = fields.remove("kind") else { panic!("no kind") };
            // Items of an API server's lists say neither.
            fields.remove("apiVersion");
            items.entry(kind).or_default().push(object);
        }
        Self(Arc::new(State {
            release,
            items,
            faults: Mutex::default(),
            unexpected: Mutex::default(),
        }))
    }

    /// The cluster of a dump in testdata/clusters.
    pub(crate) fn of_dump(release: Release, file: &str) -> Self {
        Self::of(release, dump(file))
    }

    /// Answers so once, to the next request of that path whose query contains the text.
    pub(crate) fn once(&self, path: &'static str, query: &'static str, answer: Answer) -> &Self {
        self.fault(Fault { path, query, answer, is_lasting: false })
    }

    /// Answers so always.
    pub(crate) fn always(&self, path: &'static str, query: &'static str, answer: Answer) -> &Self {
        self.fault(Fault { path, query, answer, is_lasting: true })
    }

    fn fault(&self, fault: Fault) -> &Self {
        self.0.faults.lock().unwrap().push(fault);
        self
    }

    /// Lets nobody list this.
    pub(crate) fn forbid(&self, path: &'static str, resource: &str) -> &Self {
        let message = format!(
            "{resource} is forbidden: User \"jo\" cannot list resource \"{resource}\" at the cluster \
             scope"
        );
        self.always(path, "", Answer::status(403, "Forbidden", &message))
    }

    pub(crate) fn serve(&self) -> Server {
        let cluster = self.clone();
        Server::http(move |seen| cluster.answer(seen))
    }

    /// Fails if there was a request that an API server would not expect.
    pub(crate) fn assert_expected(&self) {
        assert_eq!(*self.0.unexpected.lock().unwrap(), Vec::<String>::new());
    }

    pub(crate) fn answer(&self, seen: &Seen) -> Answer {
        let mut faults = self.0.faults.lock().unwrap();
        let fault = faults
            .iter()
            .position(|fault| fault.path == seen.path && seen.query.contains(fault.query));
        if let Some(index) = fault {
            let answer = faults[index].answer.clone();
            if !faults[index].is_lasting {
                faults.remove(index);
            }
            return answer;
        }
        drop(faults);
        self.regular(seen).unwrap_or_else(|| {
            self.0.unexpected.lock().unwrap().push(seen.target());
            Answer::text(500, "text/plain", "unexpected")
        })
    }

    fn regular(&self, seen: &Seen) -> Option<Answer> {
        let release = self.0.release;
        if seen.header("accept") != Some("application/json") {
            return None;
        }
        if let ("/version", "") = (seen.path.as_str(), seen.query.as_str()) {
            return Some(Answer::json(200, &json!({"gitVersion": release.git_version()})));
        }
        if let ("/apis", "") = (seen.path.as_str(), seen.query.as_str()) {
            let mut versions =
                vec!["apps/v1", "batch/v1", "policy/v1", "rbac.authorization.k8s.io/v1"];
            if release != Release::V1_36 {
                versions.extend(["batch/v1beta1", "policy/v1beta1"]);
            }
            let groups: Vec<_> = versions
                .iter()
                .map(|version| json!({"versions": [{"groupVersion": version}]}))
                .collect();
            return Some(Answer::json(200, &json!({"kind": "APIGroupList", "groups": groups})));
        }
        let (root, rest) = match seen.path.strip_prefix("/api/") {
            Some(rest) => ("", rest),
            None => ("/", seen.path.strip_prefix("/apis/")?),
        };
        let (group_version, rest) = match root {
            "" => rest.split_once('/').unwrap_or((rest, "")),
            _ => match rest.match_indices('/').nth(1) {
                Some((end, _)) => (&rest[..end], &rest[end + 1..]),
                None => (rest, ""),
            },
        };
        if rest.is_empty() {
            return Some(self.resources(group_version));
        }
        let (namespace, resource) = match rest.strip_prefix("namespaces/") {
            Some(rest) => {
                let (namespace, resource) = rest.split_once('/')?;
                (Some(namespace), resource)
            }
            None => (None, rest),
        };
        let kind_version = group_version.replace("batch/v1beta1", "batch/v1");
        let (.., kind, _, is_namespaced) = KINDS
            .iter()
            .find(|(version, _, known, _)| *version == kind_version && *known == resource)?;
        if namespace.is_some() && !is_namespaced {
            return None;
        }
        if !release.serves(group_version, kind) {
            let message = "the server could not find the requested resource";
            return Some(Answer::status(404, "NotFound", message));
        }
        self.list(group_version, kind, namespace, seen)
    }

    fn resources(&self, group_version: &str) -> Answer {
        let kind_version = group_version.replace("batch/v1beta1", "batch/v1");
        let mut resources: Vec<_> = KINDS
            .iter()
            .filter(|(version, kind, ..)| {
                *version == kind_version
                    && self.0.release.serves(group_version, kind)
                    && (group_version != "batch/v1beta1" || *kind == "CronJob")
            })
            .map(|(_, _, resource, _)| json!({"name": resource}))
            .collect();
        resources.push(json!({"name": "poddisruptionbudgets"}));
        Answer::json(200, &json!({"kind": "APIResourceList", "resources": resources}))
    }

    fn list(
        &self,
        api_version: &str,
        kind: &str,
        namespace: Option<&str>,
        seen: &Seen,
    ) -> Option<Answer> {
        let known = ["limit", "continue"];
        let is_known = |pair: &str| known.iter().any(|name| pair.starts_with(&format!("{name}=")));
        if !seen.query.is_empty() && !seen.query.split('&').all(is_known) {
            return None;
        }
        let items: Vec<&Value> = self
            .0
            .items
            .get(kind)
            .into_iter()
            .flatten()
            .filter(|item| namespace.is_none_or(|name| item["metadata"]["namespace"] == name))
            .collect();
        let start: usize = match seen.parameter("continue") {
            // The token is opaque: it holds what must be escaped in a query.
            Some(token) => token.strip_prefix("at%2B")?.strip_suffix("%3D%3D")?.parse().ok()?,
            None => 0,
        };
        let limit = seen.parameter("limit").map_or(usize::MAX, |limit| limit.parse().unwrap());
        let end = start.saturating_add(limit).min(items.len());
        let mut metadata = json!({"resourceVersion": "964"});
        if end < items.len() {
            metadata["continue"] = format!("at+{end}==").into();
            metadata["remainingItemCount"] = (items.len() - end).into();
        }
        Some(Answer::json(
            200,
            &json!({
                "kind": format!("{kind}List"), "apiVersion": api_version,
                "metadata": metadata, "items": items[start..end],
            }),
        ))
    }
}

/// The objects of a dump in testdata/clusters.
pub(crate) fn dump(file: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/clusters").join(file);
    let mut text = String::new();
    MultiGzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    let mut list: Value = serde_json::from_str(&text).unwrap();
    let Value::Array(items) = list["items"].take() else { panic!("no list") };
    items.into_iter().filter(|item| KINDS.iter().any(|kind| item["kind"] == kind.1)).collect()
}
