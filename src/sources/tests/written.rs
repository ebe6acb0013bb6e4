//! Is what we write read as what it was?

use proptest::prelude::*;
use serde_json::{Value, json};

use super::demo::snapshot;
use super::read_from;
use crate::objects::encode;
use crate::objects::snapshot::{Snapshot, SnapshotBuilder};
use crate::sources::{Content, Item};

const REFUSED: &str =
    "Error creating: pods \"a-\" is forbidden: violates PodSecurity \"baseline:latest\": hostPort";

fn read_again(values: impl Iterator<Item = Value>) -> Snapshot {
    let list = json!({"apiVersion": "v1", "kind": "List", "items": values.collect::<Vec<_>>()});
    let mut builder = SnapshotBuilder::default();
    read_from("again", list.to_string().as_bytes(), &mut |item| match item {
        Ok(Item { source, content: Ok(Content::Object { object, .. }) }) => {
            builder.add(object, &source);
        }
        Ok(Item { content: Ok(Content::Skipped { .. }), .. }) => {}
        other => panic!("{other:?}"),
    });
    builder.finish()
}

fn assert_written(snapshot: &Snapshot) {
    let again = read_again(encode::values(snapshot).map(|(_, value)| value));
    assert_eq!(again.policies, snapshot.policies);
    assert_eq!(again.namespaces, snapshot.namespaces);
    assert_eq!(again.service_accounts, snapshot.service_accounts);
    assert_eq!(again.roles, snapshot.roles);
    assert_eq!(again.bindings, snapshot.bindings);
    assert_eq!(again.workloads, snapshot.workloads);
    assert_eq!(again.pods, snapshot.pods);
    assert_eq!(again.events, snapshot.events);
    assert_eq!(again.server, snapshot.server);
    assert_eq!(again.reading.listed, snapshot.reading.listed);
}

#[test]
fn real_clusters_are_read_as_written() {
    for file in ["demo-1.21.json.gz", "demo2-1.21.json.gz"] {
        assert_written(&snapshot(&[file]));
    }
}

/// Metadata with any of what is read of it.
fn metadata() -> impl Strategy<Value = Value> {
    let labels = prop::sample::subsequence(
        vec![
            ("app.kubernetes.io/managed-by", "Helm"),
            ("heritage", "Tiller"),
            ("release", "shop"),
            ("argocd.argoproj.io/instance", "shop"),
            ("kustomize.toolkit.fluxcd.io/name", ""),
            ("helm.toolkit.fluxcd.io/name", "x"),
            ("addonmanager.kubernetes.io/mode", "Reconcile"),
            ("olm.owner", "op"),
            ("kubernetes.io/bootstrapping", "rbac-defaults"),
            ("controller-revision-hash", "abc"),
            ("pod-template-generation", "3"),
        ],
        0..4,
    );
    let annotations = prop::option::of(prop::sample::subsequence(
        vec![
            ("kubernetes.io/psp", "restricted"),
            ("meta.helm.sh/release-name", "shop"),
            ("meta.helm.sh/release-name", ""),
            ("argocd.argoproj.io/tracking-id", "shop:apps/Deployment:a/b"),
            ("deployment.kubernetes.io/revision", "4"),
            ("deprecated.daemonset.template.generation", "3"),
            ("seccomp.security.alpha.kubernetes.io/pod", "runtime/default"),
            ("container.apparmor.security.beta.kubernetes.io/app", "unconfined"),
            ("seccomp.security.alpha.kubernetes.io/allowedProfileNames", "*"),
            ("apparmor.security.beta.kubernetes.io/defaultProfileName", ""),
            ("kubectl.kubernetes.io/last-applied-configuration", "{\"spec\":{\"hostIPC\":true}}"),
            ("kubectl.kubernetes.io/last-applied-configuration", "no JSON"),
            ("rbac.authorization.kubernetes.io/autoupdate", "true"),
            ("rbac.authorization.kubernetes.io/autoupdate", "false"),
            ("other", "x"),
        ],
        0..5,
    ));
    let owner = prop::option::of(any::<bool>());
    let generation = prop::option::of(1..9);
    (labels, annotations, owner, generation).prop_map(|(labels, annotations, owner, generation)| {
        let map = |pairs: Vec<(&str, &str)>| -> Value {
            pairs.into_iter().map(|(key, value)| (key.to_owned(), Value::from(value))).collect()
        };
        json!({
            "name": "a", "uid": "u-1", "creationTimestamp": "2026-11-01T10:00:00Z", "resourceVersion": "7", "labels": map(labels),
            "annotations": annotations.map(map), "generation": generation,
            "ownerReferences": owner.map(|controller| json!([
                {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "o", "uid": "u-2",
                 "controller": controller},
            ])),
        })
    })
}

/// A pod's spec with something of every form that is read.
fn pod_spec() -> impl Strategy<Value = Value> {
    let parts = vec![
        ("hostNetwork", json!(true)),
        ("hostUsers", json!(false)),
        ("serviceAccountName", json!("robot")),
        ("serviceAccount", json!("old")),
        ("automountServiceAccountToken", json!(false)),
        ("runtimeClassName", json!("")),
        ("os", json!({"name": "windows"})),
        (
            "securityContext",
            json!({"supplementalGroups": [], "runAsUser": 0,
            "seLinuxOptions": {}, "sysctls": [{"name": "a", "value": "b"}]}),
        ),
        ("initContainers", json!([{"name": "i", "securityContext": {}}])),
        (
            "containers",
            json!([{"name": "c", "ports": [{"hostPort": 80}],
            "securityContext": {"capabilities": {"add": ["A"], "drop": []}, "privileged": false},
            "volumeMounts": [{"name": "kube-api-access-abcde", "mountPath": "/m"}],
            "livenessProbe": {"httpGet": {"host": "h"}}}]),
        ),
        (
            "volumes",
            json!([
            {"name": "kube-api-access-abcde", "projected": {"sources": [
                {"serviceAccountToken": {"path": "token"}}, {"configMap": {"name": "ca"}},
                {"secret": {"name": "s"}}]}},
            {"name": "h", "hostPath": {"path": "/"}}, {"name": "e", "emptyDir": {}},
            {"name": "f", "flexVolume": {"driver": "d"}}, {"name": "none"}]),
        ),
    ];
    let n_parts = parts.len();
    prop::sample::subsequence(parts, 0..=n_parts).prop_map(|parts| {
        parts.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Value>()
    })
}

fn object() -> impl Strategy<Value = Value> {
    let kinds = prop::sample::select(vec![
        ("v1", "Pod"),
        ("v1", "PodTemplate"),
        ("v1", "ReplicationController"),
        ("v1", "Namespace"),
        ("v1", "Event"),
        ("events.k8s.io/v1", "Event"),
        ("v1", "ServiceAccount"),
        ("apps/v1", "Deployment"),
        ("apps/v1", "ReplicaSet"),
        ("apps/v1", "StatefulSet"),
        ("apps/v1", "DaemonSet"),
        ("batch/v1", "Job"),
        ("batch/v1beta1", "CronJob"),
        ("policy/v1beta1", "PodSecurityPolicy"),
        ("rbac.authorization.k8s.io/v1", "ClusterRole"),
        ("rbac.authorization.k8s.io/v1", "RoleBinding"),
    ]);
    let phase = prop::option::of(prop::sample::select(vec!["Pending", "Running", "Failed", "Odd"]));
    let number = prop::option::of(0..3);
    (kinds, metadata(), pod_spec(), prop::option::of(metadata()), phase, number, any::<bool>())
        .prop_map(|((api_version, kind), metadata, spec, inner, phase, number, flag)| {
            let template = inner.map(|metadata| json!({"metadata": metadata, "spec": &spec}));
            let mut object = json!({
                "apiVersion": api_version, "kind": kind, "metadata": metadata,
                "status": {"phase": phase, "updateRevision": if flag { "h" } else { "" },
                    "observedGeneration": number.map(|n| 3 * n), "active": if kind == "CronJob" { json!([{"name": "j"}]) } else { json!(number) },
                    "startTime": if flag { "2026-11-01T10:00:00Z" } else { "" },
                    "replicas": number, "readyReplicas": 1, "succeeded": number,
                    "desiredNumberScheduled": 4, "currentNumberScheduled": number,
                    "numberReady": number,
                    "conditions": [{"type": "Ready", "status": "True"},
                        {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate",
                         "message": if flag { REFUSED } else { "exceeded quota" }},
                        {"type": "Failed", "status": if flag { "True" } else { "False" }}]},
            });
            match kind {
                "Pod" => object["spec"] = spec,
                "PodTemplate" => object["template"] = template.unwrap_or_default(),
                "CronJob" => {
                    object["spec"] = json!({"suspend": flag,
                        "jobTemplate": {"spec": {"template": template}}});
                }
                "PodSecurityPolicy" => {
                    object["spec"] = json!({"privileged": flag, "volumes": ["*"],
                        "runAsUser": {"rule": "MustRunAs", "ranges": [{"min": 0, "max": 1}]},
                        "runAsGroup": number.map(|_| json!({"rule": "RunAsAny"})),
                        "allowPrivilegeEscalation": number.map(|n| n > 0)});
                }
                "ClusterRole" => {
                    object["rules"] = json!([{"apiGroups": ["policy"], "verbs": ["use"],
                        "resources": ["podsecuritypolicies"], "resourceNames": ["a"]}]);
                    object["aggregationRule"] = json!(flag.then(|| json!({"clusterRoleSelectors":
                        [{"matchLabels": {"a": "b"}, "matchExpressions": [
                            {"key": "c", "operator": "In", "values": ["d"]}]}]})));
                }
                "RoleBinding" => {
                    object["roleRef"] = json!({"kind": "ClusterRole", "name": "r"});
                    object["subjects"] = json!([{"kind": "Group", "name": "g"}]);
                }
                "Event" if api_version == "v1" => {
                    object["reason"] = "FailedCreate".into();
                    object["message"] = REFUSED.into();
                    object["involvedObject"] = json!({"kind": "ReplicaSet", "name": "web-1"});
                    object["lastTimestamp"] = json!(number.map(|_| "2026-11-01T11:00:00Z"));
                }
                "Event" => {
                    object["reason"] = if flag { "FailedCreate" } else { "Pulled" }.into();
                    object["note"] = REFUSED.into();
                    object["regarding"] = json!({"kind": "Job", "name": "run"});
                    object["series"] = json!({"lastObservedTime": "2026-11-01T11:00:00.5Z"});
                }
                "ServiceAccount" => object["automountServiceAccountToken"] = json!(flag),
                _ => {
                    object["spec"] = json!({"replicas": number, "parallelism": number,
                        "completions": flag.then_some(2),
                        "suspend": flag, "paused": flag, "template": template,
                        "volumeClaimTemplates": [{"metadata": {"name": "data"}}]});
                }
            }
            object
        })
}

proptest! {
    #[test]
    fn any_object_is_read_as_written(object in object()) {
        let once = read_again(std::iter::once(object));
        assert_written(&once);
    }
}
