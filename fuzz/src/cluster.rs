//! Which cluster has names that anything could have been written into?

use std::cell::Cell;
use std::collections::BTreeSet;

use serde_json::{Value, json};

/// What parts the names in a fuzzer's bytes.
const END_OF_NAME: u8 = 0xff;

/// The profile that hardens.
const PROFILE: &str = "runtime/default";

/// Names, and which of them stand where.
pub struct Names {
    all: Vec<String>,
    /// Each bit says whether a place has one of the names, or one that it could have.
    shape: Vec<u8>,
    n_asked: Cell<usize>,
}

impl Names {
    /// The first piece of the bytes is the shape, each further one a name.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        let mut pieces = bytes.split(|byte| *byte == END_OF_NAME);
        let shape = pieces.next().unwrap_or_default().to_vec();
        let all = pieces.map(|name| String::from_utf8_lossy(name).into_owned()).collect();
        Self { all, shape, n_asked: Cell::new(0) }
    }

    /// The same places with other names.
    #[must_use]
    pub fn map(&self, change: impl Fn(&str) -> String) -> Self {
        let all = self.all.iter().map(|name| change(name)).collect();
        Self { all, shape: self.shape.clone(), n_asked: Cell::new(0) }
    }

    /// Whether the next place takes what the bytes say.
    fn is_taken(&self) -> bool {
        let n = self.n_asked.replace(self.n_asked.get() + 1);
        let byte = self.shape.get(n / 8 % self.shape.len().max(1)).copied().unwrap_or(0xff);
        byte >> (n % 8) & 1 == 1
    }

    /// One of the names, or what the place could have.
    fn or(&self, usual: &str) -> String {
        let n = self.n_asked.get();
        let is_taken = self.is_taken();
        match self.all.get(n % self.all.len().max(1)) {
            Some(name) if is_taken => name.clone(),
            _ => usual.to_owned(),
        }
    }

    /// A value, or none.
    fn maybe(&self, value: Value) -> Value {
        if self.is_taken() { value } else { Value::Null }
    }

    /// The objects of the cluster.
    #[must_use]
    pub fn objects(&self) -> Vec<Value> {
        self.n_asked.set(0);
        // Each is asked for once, so that the same name stands wherever the same object is meant.
        let namespace = self.or("shop");
        let policies = [self.or("restricted"), self.or("wide")];
        let account = self.or("robot");
        let mut objects = vec![self.namespace(&namespace), self.namespace(&self.or("other"))];
        objects.extend(policies.iter().map(|name| self.policy(name)));
        objects.extend(self.rbac(&namespace, &account, &policies));
        objects.push(json!({"apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": {"name": account, "namespace": namespace}}));
        objects.extend(self.workloads(&namespace, &account));
        objects.push(self.pod(&namespace, &account, &policies[0]));
        objects.push(json!({"apiVersion": "v1", "kind": "Event",
            "metadata": {"name": "e", "namespace": namespace}, "reason": "FailedCreate",
            "message": format!("{}: pods \"{}\" is forbidden: violates PodSecurity",
                self.or("Error creating"), self.or("x")),
            "involvedObject": {"kind": "ReplicaSet", "name": self.or("web-1")}}));
        // What cannot be read is named too.
        objects.push(json!({"apiVersion": "v1", "kind": "Pod", "spec": {"containers": 1},
            "metadata": {"name": self.or("bad"), "namespace": namespace}}));
        objects.push(json!({"apiVersion": self.or("x/v1"), "kind": self.or("Odd"),
            "metadata": {"name": self.or("odd")}}));
        objects
            .push(self.maybe(json!({"apiVersion": "psp2psa/v1", "kind": "Snapshot", "reading": {
            "takenAt": "2026-11-02T02:00:00Z",
            "server": {"version": "v1.24", "gitVersion": self.or("v1.24.1"), "servesPsp": true},
            "unlisted": [{"kind": self.or("Pod"), "namespace": self.maybe(json!(self.or("shop"))),
                          "reason": self.or("no"), "grant": self.or("list pods")}],
            "unreadable": [{"file": self.or("f"), "index": 1, "apiVersion": "v1",
                            "kind": self.or("Pod"), "namespace": self.or("shop"),
                            "name": self.or("x"), "field": self.or("spec"), "reason": "no"}],
            "unreadableInputs": [self.or("cut off")],
        }})));
        // Which of two objects with one name counts is decided by what else they say.
        let mut seen = BTreeSet::new();
        objects.retain(|object| {
            let metadata = &object["metadata"];
            let id = json!([object["kind"], metadata["namespace"], metadata["name"]]);
            !object.is_null() && seen.insert(id.to_string())
        });
        objects.push(json!({"apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": {"name": account, "namespace": namespace},
            "automountServiceAccountToken": false}));
        objects
    }

    fn namespace(&self, name: &str) -> Value {
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {
            "pod-security.kubernetes.io/enforce": self.maybe(json!(self.or("baseline"))),
            "pod-security.kubernetes.io/warn-version": self.maybe(json!(self.or("v1.24"))),
            self.or("team"): self.or("x"),
        }}})
    }

    fn policy(&self, name: &str) -> Value {
        json!({
            "apiVersion": "policy/v1beta1", "kind": "PodSecurityPolicy",
            "metadata": {"name": name, "labels": self.managed(), "annotations": {
                "seccomp.security.alpha.kubernetes.io/allowedProfileNames": self.or("*"),
                "seccomp.security.alpha.kubernetes.io/defaultProfileName": self.or(PROFILE),
                "apparmor.security.beta.kubernetes.io/defaultProfileName": self.or(PROFILE),
            }},
            "spec": {
                "privileged": self.is_taken(),
                "volumes": ["*"],
                "hostNetwork": self.is_taken(),
                "defaultAddCapabilities": [self.or("CHOWN")],
                "requiredDropCapabilities": [self.or("ALL")],
                "runtimeClass": self.maybe(json!({"allowedRuntimeClassNames": ["*"],
                    "defaultRuntimeClassName": self.or("gvisor")})),
                "allowedHostPaths": self.maybe(json!([{"pathPrefix": self.or("/var")}])),
                "allowedFlexVolumes": self.maybe(json!([{"driver": self.or("d")}])),
                "fsGroup": {"rule": "MustRunAs", "ranges": [{"min": 1, "max": 9}]},
                "runAsUser": {"rule": self.or("MustRunAsNonRoot")},
                "seLinux": {"rule": "MustRunAs",
                    "seLinuxOptions": {"type": self.or("t"), "level": "s0"}},
                "supplementalGroups": {"rule": "RunAsAny"},
            },
        })
    }

    fn managed(&self) -> Value {
        self.maybe(json!({"app.kubernetes.io/managed-by": "Helm", "release": self.or("shop"),
            "argocd.argoproj.io/instance": self.maybe(json!(self.or("app")))}))
    }

    fn rbac(&self, namespace: &str, account: &str, policies: &[String]) -> Vec<Value> {
        let (api, group) = ("rbac.authorization.k8s.io/v1", "rbac.authorization.k8s.io");
        let role = self.or("use-psp");
        let role_of_namespace = self.or("edit-namespaces");
        let use_policies = json!({"apiGroups": ["policy"], "verbs": ["use"],
            "resources": ["podsecuritypolicies"], "resourceNames": policies});
        let label = json!({"apiGroups": [""], "verbs": ["patch"], "resources": ["namespaces"],
            "resourceNames": [self.or("shop")]});
        vec![
            json!({"apiVersion": api, "kind": "ClusterRole",
                "metadata": {"name": role, "labels": self.managed()}, "rules": [use_policies]}),
            json!({"apiVersion": api, "kind": "Role",
                "metadata": {"name": role_of_namespace, "namespace": namespace},
                "rules": [use_policies, label]}),
            json!({"apiVersion": api, "kind": "ClusterRoleBinding",
                "metadata": {"name": self.or("all"), "labels": self.managed()},
                "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": role},
                "subjects": [{"kind": "User", "apiGroup": group, "name": self.or("alice")},
                             {"kind": "Group", "apiGroup": group,
                              "name": self.or("system:serviceaccounts")}]}),
            json!({"apiVersion": api, "kind": "RoleBinding",
                "metadata": {"name": self.or("some"), "namespace": namespace},
                "roleRef": {"apiGroup": group, "kind": "Role", "name": role_of_namespace},
                "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": namespace}]}),
        ]
    }

    /// A template, or a pod's own metadata and spec.
    fn template(&self, account: &str) -> Value {
        let container = self.or("app");
        let apparmor = format!("container.apparmor.security.beta.kubernetes.io/{container}");
        json!({
            "metadata": {"annotations": self.maybe(json!({apparmor: self.or("unconfined"),
                "seccomp.security.alpha.kubernetes.io/pod": self.or("unconfined")}))},
            "spec": {
                "serviceAccountName": account,
                "hostNetwork": self.is_taken(),
                "runtimeClassName": self.maybe(json!(self.or("kata"))),
                "securityContext": {
                    "seLinuxOptions": self.maybe(json!({"type": self.or("spc_t")})),
                    "sysctls": self.maybe(json!([{"name": self.or("kernel.msgmax"),
                                                  "value": self.or("1")}])),
                },
                "volumes": [{"name": self.or("data"),
                             "hostPath": self.maybe(json!({"path": self.or("/")}))}],
                "containers": [{
                    "name": container,
                    "image": self.or("x"),
                    "volumeMounts": [{"name": self.or("data"), "mountPath": self.or("/m")}],
                    "securityContext": self.maybe(json!({"privileged": self.is_taken(),
                        "capabilities": {"add": [self.or("NET_ADMIN")]},
                        "procMount": self.maybe(json!(self.or("Unmasked"))),
                        "seccompProfile": self.maybe(json!({"type": "Localhost",
                            "localhostProfile": self.or("p")}))})),
                    "ports": [{"containerPort": 80, "hostPort": 80}],
                }],
            },
        })
    }

    fn workloads(&self, namespace: &str, account: &str) -> Vec<Value> {
        let deployment = self.or("web");
        let replica_set = self.or("web-1");
        let template = self.template(account);
        let metadata = |name: &str| {
            json!({"name": name, "namespace": namespace,
            "uid": format!("uid-{name}"), "labels": self.managed()})
        };
        let owned = json!([{"apiVersion": "apps/v1", "kind": "Deployment", "name": deployment,
            "uid": format!("uid-{deployment}"), "controller": true}]);
        let operated = json!([{"apiVersion": "db.example/v1", "kind": self.or("Database"),
            "name": self.or("main"), "uid": "uid-x", "controller": true}]);
        let mut replicas = metadata(&replica_set);
        replicas["ownerReferences"] = owned;
        let mut set = metadata(&self.or("db"));
        set["ownerReferences"] = self.maybe(operated);
        vec![
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata(&deployment),
                "spec": {"replicas": 1, "template": template},
                "status": {"conditions": [{"type": "ReplicaFailure", "status": "True",
                    "reason": "FailedCreate", "message": self.or("no")}]}}),
            json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": replicas,
                "spec": {"replicas": 1, "template": template}}),
            self.maybe(json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": set,
                "spec": {"template": self.template(account),
                    "volumeClaimTemplates": [{"metadata": {"name": self.or("data")}}]}})),
            self.maybe(json!({"apiVersion": "batch/v1", "kind": "CronJob",
                "metadata": metadata(&self.or("report")),
                "spec": {"jobTemplate": {"spec": {"template": self.template(account)}}}})),
        ]
    }

    fn pod(&self, namespace: &str, account: &str, policy: &str) -> Value {
        let mut pod = self.template(account);
        pod["apiVersion"] = json!("v1");
        pod["kind"] = json!("Pod");
        pod["metadata"]["name"] = json!(self.or("web-1-x"));
        pod["metadata"]["generateName"] = json!(self.or("web-1-"));
        pod["metadata"]["namespace"] = json!(namespace);
        if self.is_taken() {
            pod["metadata"]["annotations"] = json!({"kubernetes.io/psp": policy});
        }
        pod["status"] = json!({"phase": "Running"});
        pod
    }
}
