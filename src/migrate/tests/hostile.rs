//! Can anything in the input break the plan?

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use super::demos;
use crate::objects::path::{FieldPath, Segment};
use crate::objects::pod::PodTemplateSpec;
use crate::objects::slice::Slice;

/// Names that are given twice or not at all.
fn name() -> impl Strategy<Value = Option<&'static str>> {
    prop::sample::select(vec![None, Some(""), Some("a"), Some("a"), Some("b")])
}

fn context() -> impl Strategy<Value = Value> {
    let value = prop::sample::select(vec![
        json!(null),
        json!({}),
        json!({"runAsUser": 0, "privileged": true}),
        json!({"runAsNonRoot": true, "capabilities": {}}),
        json!({"capabilities": {"add": ["X", "X"], "drop": ["ALL"]}, "allowPrivilegeEscalation": false}),
        json!({"capabilities": null, "seccompProfile": {"type": "", "localhostProfile": "x"}}),
        json!({"seLinuxOptions": {"type": "t"}, "procMount": "", "runAsGroup": 5}),
    ]);
    value.boxed()
}

fn container() -> impl Strategy<Value = Value> {
    let port = prop::option::of(0..3_i64);
    (name(), context(), port, prop::option::of(name())).prop_map(|(name, context, port, mount)| {
        json!({
            "name": name,
            "securityContext": context,
            "ports": port.map(|port| json!([{"containerPort": port}, {"containerPort": port}])),
            "volumeMounts": mount.map(|name| json!([{"name": name}, {"name": name, "mountPath": "/m"}])),
        })
    })
}

fn volume() -> impl Strategy<Value = Value> {
    let sources = prop::sample::select(vec![
        json!({}),
        json!({"emptyDir": {}}),
        json!({"emptyDir": {}, "hostPath": {"path": "/"}}),
        json!({"projected": {"sources": [{"serviceAccountToken": {"path": "token"}}, {}]}}),
    ]);
    (name(), sources).prop_map(|(name, mut source)| {
        source["name"] = json!(name);
        source
    })
}

fn pod() -> impl Strategy<Value = PodTemplateSpec> {
    let annotations = prop::sample::select(vec![
        json!(null),
        json!({}),
        json!({"seccomp.security.alpha.kubernetes.io/pod": "unconfined"}),
        json!({"container.apparmor.security.beta.kubernetes.io/a": "", "seccomp.security.alpha.kubernetes.io/pod": "x"}),
    ]);
    let pod_context = prop::sample::select(vec![
        json!(null),
        json!({}),
        json!({"fsGroup": 1, "supplementalGroups": [], "sysctls": [{"name": "s"}, {"name": "s", "value": "1"}, {}]}),
        json!({"supplementalGroups": [1, 1], "runAsNonRoot": false}),
    ]);
    let containers = || prop::collection::vec(container(), 0..4);
    (annotations, pod_context, containers(), containers(), prop::collection::vec(volume(), 0..4))
        .prop_map(|(annotations, context, init, regular, volumes)| {
            let pod = json!({
                "metadata": {"annotations": annotations},
                "spec": {
                    "securityContext": context,
                    "initContainers": init,
                    "containers": regular,
                    "volumes": volumes,
                },
            });
            serde_json::from_value(pod).unwrap()
        })
}

fn paths() -> Vec<FieldPath> {
    let mut paths = vec![
        FieldPath::new("spec.securityContext.fsGroup"),
        FieldPath::new("spec.runtimeClassName"),
        FieldPath::new("metadata.annotations").key("seccomp.security.alpha.kubernetes.io/pod"),
    ];
    for (list, name) in [("containers", "a"), ("initContainers", ""), ("containers", "missing")] {
        let container = FieldPath::new("spec").child(list).named_index(1, name);
        paths.push(container.child("securityContext.runAsUser"));
    }
    paths
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..Default::default() })]

    #[test]
    fn paths_lead_to_values(mut pod in pod(), keep in pod(), path: Index) {
        let paths = paths();
        let path = path.get(&paths).segments();
        pod.remove(path, Some(&keep));
        prop_assert_eq!(pod.get(path), None);
        let is_number = matches!(path.last(), Some(Segment::Field("fsGroup" | "runAsUser")));
        let (value, other) = if is_number { (json!(1), json!("x")) } else { (json!("x"), json!(1)) };
        pod.set(path, &other);
        prop_assert_eq!(pod.get(path), None);
        pod.set(path, &value);
        // A container that is not there cannot be made.
        let is_in_list = path.iter().any(|segment| matches!(segment, Segment::Index(..)));
        prop_assert!(pod.get(path) == Some(value) || is_in_list && pod.get(path).is_none());
    }

    #[test]
    fn merges_and_differences_agree(base in pod(), changed in pod(), target in pod()) {
        let merged = |base, changed, target| {
            PodTemplateSpec::transplanted("", Some(base), Some(changed), Some(target)).unwrap()
        };
        prop_assert_eq!(&merged(&base, &base, &target), &target);
        let result = merged(&base, &changed, &target);
        prop_assert_eq!(merged(&result, &result, &base), base.clone());
        let n = |a, b| PodTemplateSpec::n_differences("", Some(a), Some(b));
        prop_assert_eq!(n(&result, &result), 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..Default::default() })]

    #[test]
    fn hostile_pods_are_planned(template in pod(), live in pod(), is_applied: bool) {
        let mut objects: Vec<Value> = demos::DEMO_2
            .iter()
            .filter(|object| {
                let kind = object["kind"].as_str().unwrap_or_default();
                kind == "PodSecurityPolicy" || kind.contains("Role")
            })
            .cloned()
            .collect();
        let applied = json!({"spec": template.spec}).to_string();
        for (namespace, policy) in [("t01", "p40"), ("t05", "p26"), ("t06", "p10"), ("t04", "gone")] {
            let owner = json!([{"kind": "ReplicaSet", "name": "w", "controller": true}]);
            let mut annotations = json!(live.annotations);
            if annotations.is_null() {
                annotations = json!({});
            }
            annotations["kubernetes.io/psp"] = json!(policy);
            objects.push(json!({"apiVersion": "apps/v1", "kind": "ReplicaSet",
                "metadata": {"namespace": namespace, "name": "w"}, "spec": {"template": template}}));
            objects.push(json!({"apiVersion": "v1", "kind": "Pod", "spec": live.spec,
                "metadata": {"namespace": namespace, "name": "w-1", "annotations": annotations, "ownerReferences": owner}}));
            if is_applied {
                annotations["kubectl.kubernetes.io/last-applied-configuration"] = json!(applied);
            }
            objects.push(json!({"apiVersion": "v1", "kind": "Pod", "spec": live.spec,
                "metadata": {"namespace": namespace, "name": "bare", "annotations": annotations}}));
        }
        let plan = super::plan(&objects);
        prop_assert_eq!(plan["summary"]["workloads"].as_u64(), Some(8));
    }
}
