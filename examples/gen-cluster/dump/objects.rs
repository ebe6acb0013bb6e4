//! Everything but the pods.

use serde_json::{Value, json};

use super::pods::{self, fields_v1};
use super::random::Random;
use super::stencil::Drawn;

/// How many pod templates differ.
const N_TEMPLATES: usize = 3_000;

const TEAMS: &[&str] =
    &["payments", "search", "shop", "ledger", "mail", "media", "identity", "data", "edge", "ops"];

/// What the names of objects are made from.
#[derive(Debug)]
pub(crate) struct Cluster {
    seed: u64,
    n_namespaces: usize,
    n_workloads: usize,
}

impl Cluster {
    pub(crate) fn new(seed: u64, n_namespaces: usize, n_workloads: usize) -> Self {
        Self { seed, n_namespaces, n_workloads }
    }

    fn random(&self, purpose: &str, n: usize) -> Random {
        Random::new(self.seed, purpose, n)
    }

    fn namespace_name(n: usize) -> String {
        format!("{}-{n:05}", TEAMS[n % TEAMS.len()])
    }

    pub(crate) fn namespace(&self, n: usize) -> Value {
        let mut random = self.random("namespace", n);
        let name = Self::namespace_name(n);
        json!({
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {
                "creationTimestamp": "2021-05-04T08:00:00Z",
                "labels": {"kubernetes.io/metadata.name": name, "team": TEAMS[n % TEAMS.len()]},
                "name": name,
                "resourceVersion": (1000 + n).to_string(),
                "uid": random.uid(),
            },
            "spec": {"finalizers": ["kubernetes"]},
            "status": {"phase": "Active"},
        })
    }

    pub(crate) fn service_account(&self, n: usize) -> Value {
        let mut random = self.random("service account", n);
        json!({
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {
                "creationTimestamp": "2021-05-04T08:00:01Z",
                "name": "default",
                "namespace": Self::namespace_name(n),
                "resourceVersion": (200_000 + n).to_string(),
                "uid": random.uid(),
            },
            "secrets": [{"name": format!("default-token-{}", random.suffix(5))}],
        })
    }

    pub(crate) fn policy(&self, n: usize) -> Value {
        let mut random = self.random("policy", n);
        let is_strict = !n.is_multiple_of(3);
        let rule = if is_strict { "MustRunAsNonRoot" } else { "RunAsAny" };
        let group = if is_strict {
            json!({"ranges": [{"max": 65535, "min": 1}], "rule": "MustRunAs"})
        } else {
            json!({"rule": "RunAsAny"})
        };
        json!({
            "apiVersion": "policy/v1beta1",
            "kind": "PodSecurityPolicy",
            "metadata": {
                "annotations": {
                    "seccomp.security.alpha.kubernetes.io/allowedProfileNames": "*",
                    "seccomp.security.alpha.kubernetes.io/defaultProfileName": "runtime/default",
                },
                "name": format!("policy-{n:03}"),
                "resourceVersion": (100 + n).to_string(),
                "uid": random.uid(),
            },
            "spec": {
                "allowPrivilegeEscalation": !is_strict,
                "fsGroup": group,
                "hostNetwork": n.is_multiple_of(7),
                "privileged": n.is_multiple_of(6),
                "readOnlyRootFilesystem": n % 5 == 1,
                "requiredDropCapabilities": if is_strict { json!(["ALL"]) } else { json!([]) },
                "runAsUser": {"rule": rule},
                "seLinux": {"rule": "RunAsAny"},
                "supplementalGroups": group,
                "volumes": if is_strict {
                    json!(["configMap", "emptyDir", "projected", "secret", "downwardAPI",
                        "persistentVolumeClaim"])
                } else {
                    json!(["*"])
                },
            },
        })
    }

    pub(crate) fn rbac(&self, n: usize, n_policies: usize) -> Value {
        let mut random = self.random("rbac", n);
        let policy = format!("policy-{:03}", n / 4 % n_policies);
        let group = "rbac.authorization.k8s.io";
        let name = format!("psp-{n:05}");
        let namespace = Self::namespace_name(n % self.n_namespaces);
        let role = format!("psp-{:05}", n / 4 * 4);
        let mut metadata = json!({
            "name": name, "resourceVersion": (300_000 + n).to_string(), "uid": random.uid(),
        });
        if n % 4 > 1 {
            metadata["namespace"] = json!(namespace);
        }
        let rules = json!([
            {"apiGroups": ["policy"], "resourceNames": [policy],
                "resources": ["podsecuritypolicies"], "verbs": ["use"]},
            {"apiGroups": ["", "apps"], "resources": ["pods", "deployments"],
                "verbs": ["get", "list", "watch"]},
        ]);
        let role_ref = json!({"apiGroup": group, "kind": "ClusterRole", "name": role});
        let subjects = json!([{
            "apiGroup": group, "kind": "Group",
            "name": format!("system:serviceaccounts:{namespace}"),
        }]);
        let api_version = format!("{group}/v1");
        match n % 4 {
            0 => json!({"apiVersion": api_version, "kind": "ClusterRole", "metadata": metadata,
                "rules": rules}),
            1 => json!({"apiVersion": api_version, "kind": "ClusterRoleBinding",
                "metadata": metadata, "roleRef": role_ref, "subjects": subjects}),
            2 => json!({"apiVersion": api_version, "kind": "Role", "metadata": metadata,
                "rules": rules}),
            _ => json!({"apiVersion": api_version, "kind": "RoleBinding", "metadata": metadata,
                "roleRef": role_ref, "subjects": subjects}),
        }
    }

    /// A workload, and what it has made besides pods.
    pub(crate) fn workload(&self, n: usize, n_pods: usize) -> Vec<Value> {
        let mut random = self.random("workload", n);
        let names = self.names(n);
        let template = pods::template(self.seed, n % N_TEMPLATES, &names.app);
        let replicas = n_pods / self.n_workloads + usize::from(n < n_pods % self.n_workloads);
        let selector = json!({"matchLabels": {"app": names.app}});
        let mut spec = json!({"replicas": replicas, "selector": selector, "template": template});
        let mut workload = |kind: &str, name: &str, spec: Value| {
            json!({
                "apiVersion": if kind == "Job" { "batch/v1" } else { "apps/v1" },
                "kind": kind,
                "metadata": {
                    "creationTimestamp": "2021-05-04T08:01:00Z",
                    "generation": 1,
                    "labels": {"app": names.app},
                    "managedFields": [{
                        "apiVersion": "apps/v1",
                        "fieldsType": "FieldsV1",
                        "fieldsV1": {"f:spec": fields_v1(&spec)},
                        "manager": "kubectl-client-side-apply",
                        "operation": "Update",
                        "time": "2021-05-04T08:01:00Z",
                    }],
                    "name": name,
                    "namespace": names.namespace,
                    "resourceVersion": (400_000 + n).to_string(),
                    "uid": random.uid(),
                },
                "spec": spec,
                "status": {"observedGeneration": 1, "replicas": replicas},
            })
        };
        match names.kind {
            "ReplicaSet" => {
                let deployment = workload("Deployment", &names.app, spec.clone());
                let mut replica_set = workload("ReplicaSet", &names.controller, spec);
                replica_set["metadata"]["uid"] = json!(names.uid);
                replica_set["metadata"]["ownerReferences"] = json!([{
                    "apiVersion": "apps/v1", "blockOwnerDeletion": true, "controller": true,
                    "kind": "Deployment", "name": names.app,
                    "uid": deployment["metadata"]["uid"],
                }]);
                vec![deployment, replica_set]
            }
            kind => {
                if kind != "StatefulSet"
                    && let Some(spec) = spec.as_object_mut()
                {
                    spec.remove("replicas");
                }
                let mut object = workload(kind, &names.controller, spec);
                object["metadata"]["uid"] = json!(names.uid);
                if kind == "StatefulSet" {
                    object["status"]["updateRevision"] = json!(names.revision);
                }
                vec![object]
            }
        }
    }

    /// The pods of a workload, with holes for what differs between them.
    pub(crate) fn pod_shape(&self, workload: usize) -> pods::Shape {
        let names = self.names(workload);
        let template = pods::template(self.seed, workload % N_TEMPLATES, &names.app);
        pods::shape(&template, names)
    }

    /// What fills the holes for the pod number `n`.
    pub(crate) fn pod(&self, n: usize, made_by: &pods::MadeBy) -> Vec<Drawn> {
        pods::drawn(&mut self.random("pod", n), n, n / self.n_workloads, made_by)
    }

    fn names(&self, n: usize) -> pods::Owner {
        let mut random = self.random("names", n);
        let name = format!("{}-{n}", random.pick(&["api", "worker", "web", "sync", "cache", "db"]));
        let kind = match n % 10 {
            0 => "StatefulSet",
            1 => "DaemonSet",
            2 => "Job",
            _ => "ReplicaSet",
        };
        let revision = random.suffix(10);
        let controller = match kind {
            "ReplicaSet" => format!("{name}-{revision}"),
            _ => name.clone(),
        };
        pods::Owner {
            namespace: Self::namespace_name(n % self.n_namespaces),
            uid: random.uid(),
            kind,
            revision: match kind {
                "StatefulSet" => format!("{name}-{revision}"),
                _ => revision,
            },
            controller,
            app: name,
        }
    }
}
