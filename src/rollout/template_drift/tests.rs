use super::*;
use crate::migrate::tests::{options, snapshot};
use serde_json::{Value, json};

/// The drift of a Deployment and one pod of it, in a cluster whose only policy drops `ALL`, and the
/// text of each difference.
fn drift(template: &Value, pod: &Value) -> Vec<TemplateDrift> {
    let any = json!({"rule": "RunAsAny"});
    let rbac = "rbac.authorization.k8s.io/v1";
    let owner = |api_version: &str, kind: &str, name: &str| {
        json!([{"apiVersion": api_version, "kind": kind, "name": name, "uid": name,
            "controller": true}])
    };
    let objects = [
        json!({"apiVersion": "policy/v1beta1", "kind": "PodSecurityPolicy",
            "metadata": {"name": "p"}, "spec": {"requiredDropCapabilities": ["ALL"],
            "volumes": ["*"], "runAsUser": &any, "seLinux": &any, "fsGroup": &any,
            "supplementalGroups": &any}}),
        json!({"apiVersion": rbac, "kind": "ClusterRole", "metadata": {"name": "r"},
            "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]}),
        json!({"apiVersion": rbac, "kind": "ClusterRoleBinding", "metadata": {"name": "b"},
            "roleRef": {"kind": "ClusterRole", "name": "r"},
            "subjects": [{"kind": "Group", "name": "system:serviceaccounts"}]}),
        json!({"apiVersion": "apps/v1", "kind": "ReplicaSet",
            "metadata": {"namespace": "shop", "name": "web", "uid": "web"},
            "spec": {"template": {"spec": template}}}),
        json!({"apiVersion": "v1", "kind": "Pod", "spec": pod,
            "metadata": {"namespace": "shop", "name": "web-1",
                "annotations": {"kubernetes.io/psp": "p"},
                "ownerReferences": owner("apps/v1", "ReplicaSet", "web")}}),
    ];
    let snapshot = snapshot(&objects);
    let simulation = Simulation::new(&snapshot, options().cluster_version, None);
    template_drift(&snapshot, &simulation)
}

fn container(name: &str, context: &Value) -> Value {
    json!({"name": name, "securityContext": context})
}

#[test]
fn every_difference_has_its_author() {
    let template = json!({"containers": [container("app", &json!({}))]});
    let dropped = json!({"capabilities": {"drop": ["ALL"]}});
    let mut app = dropped.clone();
    app["runAsUser"] = json!(7);
    let pod = json!({
        "containers": [container("app", &app), container("proxy", &dropped)],
        "securityContext": {"fsGroup": 1337},
    });
    let drift = drift(&template, &pod);
    let [web] = drift.as_slice() else { panic!("{drift:?}") };
    assert_eq!((web.workload.kind, web.workload.pods), ("ReplicaSet", 1));
    assert_eq!(web.added_containers, ["proxy"]);
    let told = web.differences.iter().map(|it| {
        let by = it.policy.as_deref().unwrap_or("-");
        (it.path.as_str(), it.value.clone().unwrap_or_default(), by, it.assumed)
    });
    let drop_of =
        |name: &str| format!("spec.containers[name={name}].securityContext.capabilities.drop");
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            (drop_of("app").as_str(), json!("ALL"), "p", false),
            ("spec.containers[name=app].securityContext.runAsUser", json!(7), "-", false),
            (drop_of("proxy").as_str(), json!("ALL"), "p", true),
            ("spec.securityContext.fsGroup", json!(1337), "-", false),
        ]
    );
}

#[test]
fn pods_that_are_as_their_templates_are_left_out() {
    let spec =
        json!({"containers": [container("app", &json!({"capabilities": {"drop": ["ALL"]}}))]});
    assert_eq!(drift(&spec, &spec), []);
}
