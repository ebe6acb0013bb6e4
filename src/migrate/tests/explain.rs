//! Does an explanation say each thing once, and of what it holds?

use serde_json::{Value, json};

use super::{app, cluster, deployment, options, snapshot};
use crate::migrate::assemble;
use crate::migrate::explain::{Part, explain};
use crate::migrate::simulation::Simulation;
use crate::version::Version;

/// How each workload of the only namespace comes to its answers.
fn derivations(objects: &[Value]) -> Value {
    let snapshot = snapshot(objects);
    let plan = assemble::plan(&snapshot, &options(), &|_| true);
    let simulation = Simulation::new(&snapshot, Version::v1(21), None);
    json!(explain(plan, &simulation, Part::Everything).unwrap().derivations)
}

fn owned_by(kind: &str, name: &str) -> Value {
    json!([{"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": name, "controller": true}])
}

/// A pod of the Deployment of [`rolled_out`].
fn pod_of_deployment(name: &str, spec: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop", "ownerReferences": owned_by("ReplicaSet", "web-1"),
            "annotations": {"kubernetes.io/psp": "filling"}},
        "spec": spec, "status": {"phase": "Running"}})
}

/// The Deployment with its ReplicaSet.
fn rolled_out(template: &Value) -> [Value; 2] {
    let mut deployment = deployment(template);
    deployment["metadata"]["uid"] = json!("web");
    deployment["metadata"]["annotations"] = json!({"deployment.kubernetes.io/revision": "1"});
    let mut replica_set = deployment.clone();
    replica_set["kind"] = json!("ReplicaSet");
    replica_set["metadata"]["name"] = json!("web-1");
    replica_set["metadata"]["uid"] = json!("web-1");
    replica_set["metadata"]["ownerReferences"] = owned_by("Deployment", "web");
    [deployment, replica_set]
}

#[test]
fn a_value_that_goes_is_lost() {
    let mut objects = cluster(&json!({"spec": {"allowPrivilegeEscalation": false}}));
    objects.push(deployment(&app()));
    let writes = &derivations(&objects)[0]["writes"];
    assert_eq!(writes.as_array().unwrap().len(), 1);
    assert_eq!(writes[0]["lost"], true);
}

/// Two pods get the same container from a webhook, one of them another too.
#[test]
fn what_is_written_into_several_pods_is_told_once() {
    let hardened = json!({"allowPrivilegeEscalation": false});
    let container = |name: &str| json!({"name": name, "securityContext": hardened});
    let mut objects = cluster(&json!({"spec": {"allowPrivilegeEscalation": false}}));
    objects.extend(rolled_out(&app()));
    objects.push(pod_of_deployment(
        "web-1-a",
        &json!({"containers": [container("app"), container("proxy")]}),
    ));
    objects.push(pod_of_deployment(
        "web-1-b",
        &json!({"containers": [container("app"), container("proxy"), container("agent")]}),
    ));
    let derivations = derivations(&objects);
    let writes = derivations[0]["writes"].as_array().unwrap().iter();
    let mut paths: Vec<_> = writes.map(|written| written["path"].as_str().unwrap()).collect();
    paths.sort_unstable();
    assert_eq!(
        paths,
        ["agent", "app", "proxy"].map(|name| format!(
            "spec.containers[name={name}].securityContext.allowPrivilegeEscalation"
        ))
    );
}

#[test]
fn a_violation_that_psp_makes_has_its_fields() {
    let mut objects = cluster(&json!({"spec": {"defaultAddCapabilities": ["NET_ADMIN"]}}));
    objects.push(deployment(&app()));
    let derivations = derivations(&objects);
    let against = derivations[0]["against"].as_array().unwrap();
    let violation = against.iter().find(|it| it["check"] == "capabilities_baseline").unwrap();
    assert_eq!(violation["states"], json!(["admitted"]));
    assert_eq!(
        violation["fields"][0]["path"],
        "spec.containers[name=app].securityContext.capabilities.add"
    );
}

#[test]
fn each_violation_has_its_own_fields() {
    let mut objects = rolled_out(&app()).to_vec();
    for (pod, container, port) in [("web-1-a", "a", 80), ("web-1-b", "b", 81)] {
        let ports = json!([{"containerPort": port, "hostPort": port}]);
        let spec = json!({"containers": [{"name": "app"}, {"name": container, "ports": ports}]});
        objects.push(pod_of_deployment(pod, &spec));
    }
    let derivations = derivations(&objects);
    let against = derivations[0]["against"].as_array().unwrap().iter();
    let fields: Vec<_> = against
        .filter(|it| it["check"] == "hostPorts")
        .map(|it| (it["detail"].as_str().unwrap(), &it["fields"]))
        .collect();
    let remove = |path: &str| json!([{"path": path, "set": null}]);
    assert_eq!(
        fields,
        [
            (
                r#"container "a" uses hostPort 80"#,
                &remove("spec.containers[name=a].ports[0].hostPort")
            ),
            (
                r#"container "b" uses hostPort 81"#,
                &remove("spec.containers[name=b].ports[0].hostPort")
            ),
        ]
    );
}

#[test]
fn nobody_makes_pods_of_a_pod_template() {
    let mut objects = cluster(&json!({}));
    objects.push(json!({"apiVersion": "v1", "kind": "PodTemplate",
        "metadata": {"name": "t", "namespace": "shop"}, "template": app()}));
    assert_eq!(derivations(&objects)[0]["policies"], json!([]));
}

#[test]
fn without_policies_or_rbac_none_is_considered() {
    let whole = cluster(&json!({}));
    for missing in 0..3 {
        let mut objects = whole.clone();
        objects.remove(missing);
        objects.push(deployment(&app()));
        assert_eq!(derivations(&objects)[0]["policies"], json!([]), "{}", whole[missing]["kind"]);
    }
}
