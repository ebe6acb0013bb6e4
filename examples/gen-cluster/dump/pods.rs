//! Pods with everything that a live one carries, and the templates they are made from.

use serde_json::{Map, Value, json};

use super::random::Random;
use super::stencil::{Drawn, hole, hole_value};

/// What a pod has from its workload.
#[derive(Debug)]
pub(crate) struct Owner {
    pub(crate) namespace: String,
    /// Of the workload that its author wrote.
    pub(crate) app: String,
    /// Of the pod's controller.
    pub(crate) controller: String,
    pub(crate) kind: &'static str,
    pub(crate) uid: String,
    pub(crate) revision: String,
}

/// One of the cluster's pod templates; `app` stands in its labels.
pub(crate) fn template(seed: u64, n: usize, app: &str) -> Value {
    let mut random = Random::new(seed, "template", n);
    let n_containers = 1 + usize::from(random.one_in(4));
    let containers: Vec<_> =
        (0..n_containers).map(|container| self::container(&mut random, n, container)).collect();
    let mut spec = json!({
        "containers": containers,
        "dnsPolicy": "ClusterFirst",
        "restartPolicy": "Always",
        "schedulerName": "default-scheduler",
        "securityContext": {},
        "terminationGracePeriodSeconds": 30,
        "volumes": [
            {"emptyDir": {}, "name": "scratch"},
            {"configMap": {"defaultMode": 420, "name": format!("config-{n}")}, "name": "config"},
        ],
    });
    if random.one_in(2) {
        spec["securityContext"] = json!({
            "fsGroup": 1000 + random.below(3), "runAsNonRoot": true,
            "seccompProfile": {"type": "RuntimeDefault"},
        });
    }
    if random.one_in(12) {
        spec["hostNetwork"] = json!(true);
    }
    if random.one_in(8)
        && let Some(volumes) = spec["volumes"].as_array_mut()
    {
        volumes.push(json!({"hostPath": {"path": format!("/var/lib/data-{n}"), "type": ""},
            "name": "host"}));
    }
    json!({"metadata": {"creationTimestamp": null, "labels": {"app": app}}, "spec": spec})
}

fn container(random: &mut Random, template: usize, n: usize) -> Value {
    let name = match n {
        0 => format!("app-{template}"),
        n => format!("{}-{n}", random.pick(&["proxy", "metrics", "shipper", "vault-agent"])),
    };
    let env: Vec<_> = (0..8 + random.below(8))
        .map(|n| {
            let value = format!("{}-{}", random.pick(&["amqp", "redis", "eu-west"]), random.uid());
            json!({"name": format!("SETTING_{n}"), "value": value})
        })
        .collect();
    let probe = |path: &str| {
        json!({
            "failureThreshold": 3,
            "httpGet": {"path": path, "port": 8080, "scheme": "HTTP"},
            "periodSeconds": 10, "successThreshold": 1, "timeoutSeconds": 1,
        })
    };
    let security_context = match random.below(5) {
        0 => json!({}),
        1 => json!({"privileged": true}),
        2 => json!({"capabilities": {"add": ["NET_ADMIN"], "drop": ["ALL"]}}),
        _ => json!({
            "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": random.one_in(2), "runAsUser": 1000 + random.below(4),
        }),
    };
    json!({
        "args": ["--config=/etc/app/config.yaml", "--log-level=info", "--listen=:8080"],
        "env": env,
        "image": format!("registry.example.com/team/{name}:1.{template}.{n}"),
        "imagePullPolicy": "IfNotPresent",
        "livenessProbe": probe("/healthz"),
        "name": name,
        "ports": [{"containerPort": 8080 + n, "name": "http", "protocol": "TCP"}],
        "readinessProbe": probe("/ready"),
        "resources": {
            "limits": {"cpu": "500m", "memory": "512Mi"},
            "requests": {"cpu": "100m", "memory": "128Mi"},
        },
        "securityContext": security_context,
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "volumeMounts": [
            {"mountPath": "/tmp", "name": "scratch"},
            {"mountPath": "/etc/app", "name": "config", "readOnly": true},
        ],
    })
}

/// The pods of a workload.
#[derive(Debug)]
pub(crate) struct Shape {
    /// The pod, with holes for what differs.
    pub(crate) pod: Value,
    pub(crate) made_by: MadeBy,
}

/// What the values of a pod depend on besides its number.
#[derive(Debug)]
pub(crate) struct MadeBy {
    owner: Owner,
    n_containers: usize,
}

/// The holes of a pod; from [`STATUSES`] on, three for each container.
const NAME: usize = 0;
const RESOURCE_VERSION: usize = 1;
const TOKEN_VOLUME: usize = 2;
const NODE: usize = 3;
const UID: usize = 4;
const CALICO_IP: usize = 5;
const POD_IP: usize = 6;
const STATUSES: usize = 7;

/// What fills the holes for the pod number `n`, the `replica`th of its workload.
pub(crate) fn drawn(random: &mut Random, n: usize, replica: usize, made_by: &MadeBy) -> Vec<Drawn> {
    let controller = &made_by.owner.controller;
    let name = match made_by.owner.kind {
        "StatefulSet" => format!("{controller}-{replica}"),
        _ => format!("{controller}-{}{}", random.suffix(5), base(n)),
    };
    let mut statuses = Vec::new();
    for _ in 0..made_by.n_containers {
        statuses.push(Drawn::Text(format!("containerd://{0}{0}", random.uid())));
        statuses
            .push(Drawn::Text(format!("registry.example.com/team@sha256:{0}{0}", random.uid())));
        statuses.push(Drawn::Number(random.below(4)));
    }
    let mut drawn = vec![
        Drawn::Text(name),
        Drawn::Text((1_000_000 + n).to_string()),
        Drawn::Text(format!("kube-api-access-{}", random.suffix(5))),
        Drawn::Text(format!("node-{}", random.below(400))),
        Drawn::Text(random.uid()),
        Drawn::Text(format!("{}/32", ip(random))),
        Drawn::Text(ip(random)),
    ];
    drawn.extend(statuses);
    drawn
}

fn ip(random: &mut Random) -> String {
    format!("10.{}.{}.{}", random.below(256), random.below(256), random.below(256))
}

/// The pods that a workload makes from a template.
pub(crate) fn shape(template: &Value, owner: Owner) -> Shape {
    let mut labels = json!({"app": owner.app});
    match owner.kind {
        "ReplicaSet" => labels["pod-template-hash"] = json!(owner.revision),
        "Job" => labels["job-name"] = json!(owner.app),
        kind => {
            labels["controller-revision-hash"] = json!(owner.revision);
            if kind == "DaemonSet" {
                labels["pod-template-generation"] = json!("1");
            }
        }
    }
    let mut spec = template["spec"].clone();
    let fields = fields_v1(&spec);
    let statuses = container_statuses(&spec);
    let n_containers = statuses.len();
    admit(&mut spec);
    spec["nodeName"] = hole_value(NODE);
    let pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "annotations": {
                "cni.projectcalico.org/podIP": hole(CALICO_IP),
                "kubernetes.io/psp": "policy-001",
                "prometheus.io/scrape": "true",
            },
            "creationTimestamp": "2021-05-04T08:02:00Z",
            "generateName": format!("{}-", owner.controller),
            "labels": labels,
            "managedFields": managed_fields(&hole(UID), &fields),
            "name": hole(NAME),
            "namespace": owner.namespace,
            "ownerReferences": [{
                "apiVersion": if owner.kind == "Job" { "batch/v1" } else { "apps/v1" },
                "blockOwnerDeletion": true, "controller": true,
                "kind": owner.kind, "name": owner.controller, "uid": owner.uid,
            }],
            "resourceVersion": hole(RESOURCE_VERSION),
            "uid": hole(UID),
        },
        "spec": spec,
        "status": status(&statuses),
    });
    Shape { pod, made_by: MadeBy { owner, n_containers } }
}

/// A number in letters, so that no two names are alike.
fn base(mut n: usize) -> String {
    let mut text = String::new();
    while n > 0 {
        text.push(char::from(b'a' + u8::try_from(n % 26).unwrap_or(0)));
        n /= 26;
    }
    text
}

/// What admission adds: the token volume, its mounts, tolerations.
fn admit(spec: &mut Value) {
    let token = hole(TOKEN_VOLUME);
    let mount = json!({
        "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
        "name": token, "readOnly": true,
    });
    for container in spec["containers"].as_array_mut().into_iter().flatten() {
        if let Some(mounts) = container["volumeMounts"].as_array_mut() {
            mounts.push(mount.clone());
        }
    }
    if let Some(volumes) = spec["volumes"].as_array_mut() {
        volumes.push(json!({
            "name": token,
            "projected": {"defaultMode": 420, "sources": [
                {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
                {"configMap": {"items": [{"key": "ca.crt", "path": "ca.crt"}],
                    "name": "kube-root-ca.crt"}},
                {"downwardAPI": {"items": [{
                    "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"},
                    "path": "namespace",
                }]}},
            ]},
        }));
    }
    spec["enableServiceLinks"] = json!(true);
    spec["preemptionPolicy"] = json!("PreemptLowerPriority");
    spec["priority"] = json!(0);
    spec["serviceAccount"] = json!("default");
    spec["serviceAccountName"] = json!("default");
    spec["tolerations"] = json!([
        {"effect": "NoExecute", "key": "node.kubernetes.io/not-ready", "operator": "Exists",
            "tolerationSeconds": 300},
        {"effect": "NoExecute", "key": "node.kubernetes.io/unreachable", "operator": "Exists",
            "tolerationSeconds": 300},
    ]);
}

fn container_statuses(spec: &Value) -> Vec<Value> {
    let containers = spec["containers"].as_array().into_iter().flatten();
    containers
        .enumerate()
        .map(|(n, container)| {
            let first = STATUSES + 3 * n;
            json!({
                "containerID": hole(first),
                "image": container["image"],
                "imageID": hole(first + 1),
                "lastState": {},
                "name": container["name"],
                "ready": true,
                "restartCount": hole(first + 2),
                "started": true,
                "state": {"running": {"startedAt": "2021-05-04T08:02:10Z"}},
            })
        })
        .collect()
}

fn status(container_statuses: &[Value]) -> Value {
    let ip = hole(POD_IP);
    let conditions: Vec<_> = ["Initialized", "Ready", "ContainersReady", "PodScheduled"]
        .iter()
        .map(|condition| {
            json!({
                "lastProbeTime": null, "lastTransitionTime": "2021-05-04T08:02:12Z",
                "status": "True", "type": condition,
            })
        })
        .collect();
    json!({
        "conditions": conditions,
        "containerStatuses": container_statuses,
        "hostIP": "192.168.1.17",
        "phase": "Running",
        "podIP": ip,
        "podIPs": [{"ip": ip}],
        "qosClass": "Burstable",
        "startTime": "2021-05-04T08:02:01Z",
    })
}

fn managed_fields(uid: &str, spec: &Value) -> Value {
    json!([
        {
            "apiVersion": "v1",
            "fieldsType": "FieldsV1",
            "fieldsV1": {
                "f:metadata": {
                    "f:generateName": {},
                    "f:labels": {".": {}, "f:app": {}, "f:pod-template-hash": {}},
                    "f:ownerReferences": {".": {}, (format!("k:{{\"uid\":\"{uid}\"}}")): {
                        ".": {}, "f:apiVersion": {}, "f:controller": {}, "f:kind": {},
                        "f:name": {}, "f:uid": {},
                    }},
                },
                "f:spec": spec,
            },
            "manager": "kube-controller-manager",
            "operation": "Update",
            "time": "2021-05-04T08:02:00Z",
        },
        {
            "apiVersion": "v1",
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:status": {
                "f:conditions": {
                    "k:{\"type\":\"ContainersReady\"}": {".": {}, "f:lastProbeTime": {},
                        "f:lastTransitionTime": {}, "f:status": {}, "f:type": {}},
                    "k:{\"type\":\"Initialized\"}": {".": {}, "f:lastProbeTime": {},
                        "f:lastTransitionTime": {}, "f:status": {}, "f:type": {}},
                },
                "f:containerStatuses": {}, "f:hostIP": {}, "f:phase": {}, "f:podIP": {},
                "f:startTime": {},
            }},
            "manager": "kubelet",
            "operation": "Update",
            "time": "2021-05-04T08:02:12Z",
        },
    ])
}

/// The fields of a value as server-side apply lists them.
pub(crate) fn fields_v1(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            map.iter().map(|(key, value)| (format!("f:{key}"), fields_v1(value))).collect()
        }
        Value::Array(list) if list.iter().any(|item| item["name"].is_string()) => {
            let mut fields = Map::from_iter([(".".to_owned(), json!({}))]);
            for item in list {
                let mut field = fields_v1(item);
                field["."] = json!({});
                fields.insert(format!("k:{{\"name\":{}}}", item["name"]), field);
            }
            Value::Object(fields)
        }
        _ => json!({}),
    }
}
