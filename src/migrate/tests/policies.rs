//! Who may use a policy, and what do workloads have of it?

use serde_json::{Value, json};

use super::{cluster, deployment, options, snapshot};
use crate::migrate::simulation::Simulation;
use crate::migrate::{assemble, policies};
use crate::version::Version;

fn report(objects: &[Value]) -> Vec<Value> {
    let snapshot = snapshot(objects);
    let plan = assemble::plan(&snapshot, &options(), &|_| true);
    let simulation = Simulation::new(&snapshot, Version::v1(21), None);
    let report = policies::report(&plan, &snapshot, &simulation, None);
    report.policies.iter().map(|policy| json!(policy)).collect()
}

#[test]
fn a_grant_says_whom_it_reaches() {
    let controllers = "system:serviceaccounts:kube-system";
    let controller = "system:serviceaccount:kube-system:replicaset-controller";
    let account =
        |namespace, name| json!({"kind": "ServiceAccount", "namespace": namespace, "name": name});
    let group = |name| json!({"kind": "Group", "name": name});
    let user = |name| json!({"kind": "User", "name": name});
    for (subject, to, reaches) in [
        (
            group("system:authenticated"),
            "requester",
            Some("everybody who makes pods is a member, controllers included"),
        ),
        (
            group("system:serviceaccounts"),
            "serviceAccount",
            Some("every service account is a member, those of the controllers included"),
        ),
        (
            group(controllers),
            "serviceAccount",
            Some("the controllers' accounts are members, and they make everybody's pods"),
        ),
        (group("system:serviceaccounts:shop"), "serviceAccount", None),
        (user(controller), "requester", Some("a controller that makes everybody's pods")),
        (user("jane"), "requester", None),
        (
            account("kube-system", "replicaset-controller"),
            "serviceAccount",
            Some("a controller that makes everybody's pods"),
        ),
        (account("shop", "replicaset-controller"), "serviceAccount", None),
    ] {
        let mut objects = cluster(&json!({}));
        objects[2]["subjects"] = json!([subject]);
        let grants = &report(&objects)[0]["grants"];
        assert_eq!(grants.as_array().unwrap().len(), 1, "{subject}");
        assert_eq!(grants[0]["to"], to, "{subject}");
        assert_eq!(grants[0]["reachesEverybody"], json!(reaches), "{subject}");
    }
}

/// The fields of the policy that the workload relies on.
fn relied_on(policy: &Value, pod: &Value) -> Vec<Value> {
    let mut objects = cluster(&json!({"spec": policy}));
    objects.push(deployment(&json!({"spec": pod})));
    let policy = &report(&objects)[0];
    assert_eq!(policy["usedBy"].as_array().unwrap().len(), 1, "{policy}");
    let fields = policy["reliedOn"].as_array().unwrap().iter();
    fields
        .filter(|field| field["workloads"] == policy["usedBy"])
        .map(|field| field["field"].clone())
        .collect()
}

#[test]
fn what_is_checked_is_relied_on_by_those_that_have_it() {
    let ranges = json!({"rule": "MustRunAs", "ranges": [{"min": 1, "max": 9}]});
    let volume = |source: &str, value: Value| json!({"volumes": [{"name": "data", source: value}]});
    for (field, policy, pod) in [
        (
            "spec.allowedCSIDrivers",
            json!({"allowedCSIDrivers": [{"name": "d"}]}),
            volume("csi", json!({"driver": "d"})),
        ),
        (
            "spec.allowedFlexVolumes",
            json!({"allowedFlexVolumes": [{"driver": "d"}]}),
            volume("flexVolume", json!({"driver": "d"})),
        ),
        (
            "spec.allowedHostPaths",
            json!({"allowedHostPaths": [{"pathPrefix": "/d"}]}),
            volume("hostPath", json!({"path": "/d"})),
        ),
        (
            "spec.forbiddenSysctls",
            json!({"forbiddenSysctls": ["net.*"]}),
            json!({"securityContext": {"sysctls": [{"name": "kernel.shm_rmid_forced", "value": "1"}]}}),
        ),
        ("spec.fsGroup", json!({"fsGroup": ranges}), json!({"securityContext": {"fsGroup": 2}})),
        (
            "spec.hostPorts",
            json!({"hostPorts": [{"min": 80, "max": 80}]}),
            json!({"containers": [{"name": "app", "ports": [{"hostPort": 80, "containerPort": 80}]}]}),
        ),
        (
            "spec.readOnlyRootFilesystem",
            json!({"readOnlyRootFilesystem": true}),
            json!({"containers": [{"name": "app", "securityContext": {"readOnlyRootFilesystem": true}}]}),
        ),
        (
            "spec.runAsGroup",
            json!({"runAsGroup": ranges}),
            json!({"securityContext": {"runAsGroup": 2}}),
        ),
        (
            "spec.runAsGroup",
            json!({"runAsGroup": ranges}),
            json!({"containers": [{"name": "app", "securityContext": {"runAsGroup": 2}}]}),
        ),
        (
            "spec.runAsUser.ranges",
            json!({"runAsUser": ranges}),
            json!({"securityContext": {"runAsUser": 2}}),
        ),
        (
            "spec.runAsUser.ranges",
            json!({"runAsUser": ranges}),
            json!({"containers": [{"name": "app", "securityContext": {"runAsUser": 2}}]}),
        ),
        (
            "spec.runtimeClass",
            json!({"runtimeClass": {"allowedRuntimeClassNames": ["kata"]}}),
            json!({"runtimeClassName": "kata"}),
        ),
        (
            "spec.supplementalGroups",
            json!({"supplementalGroups": ranges}),
            json!({"securityContext": {"supplementalGroups": [2]}}),
        ),
    ] {
        let mut with_value = json!({"containers": [{"name": "app"}]});
        for (key, value) in pod.as_object().unwrap() {
            with_value[key] = value.clone();
        }
        assert_eq!(relied_on(&policy, &with_value), [field], "{pod}");
    }
}

#[test]
fn what_is_checked_is_not_relied_on_by_those_that_have_nothing_of_it() {
    let policy = json!({
        "allowedCSIDrivers": [{"name": "d"}], "allowedFlexVolumes": [{"driver": "d"}],
        "allowedHostPaths": [{"pathPrefix": "/d"}], "forbiddenSysctls": ["net.*"],
        "hostPorts": [{"min": 80, "max": 80}],
        "runtimeClass": {"allowedRuntimeClassNames": ["kata"]},
    });
    let pod = json!({
        "volumes": [{"name": "data", "emptyDir": {}}],
        "containers": [{"name": "app", "ports": [{"containerPort": 80}]}],
    });
    assert_eq!(relied_on(&policy, &pod), Vec::<Value>::new());
}

/// All may use both, and the first by name wins; a pod that runs by the other one shows its worth.
#[test]
fn a_policy_that_is_used_is_shadowed_by_none() {
    let mut objects = cluster(&json!({}));
    let mut other = objects[0].clone();
    other["metadata"]["name"] = json!("a-first");
    objects.push(other);
    objects.push(deployment(&json!({"spec": {"containers": [{"name": "app"}]}})));
    let shadowed_by = |objects: &[Value]| -> Vec<(Value, Value)> {
        let policies = report(objects).into_iter();
        policies.map(|policy| (policy["name"].clone(), policy["shadowedBy"].clone())).collect()
    };
    let first = (json!("a-first"), json!([]));
    let second = |by: Value| (json!("filling"), by);
    assert_eq!(shadowed_by(&objects), [first.clone(), second(json!(["a-first"]))]);
    objects.push(json!({"apiVersion": "v1", "kind": "Pod", "metadata": {
        "name": "bare", "namespace": "shop", "annotations": {"kubernetes.io/psp": "filling"}},
        "spec": {"containers": [{"name": "app"}]}, "status": {"phase": "Running"}}));
    assert_eq!(shadowed_by(&objects), [first, second(json!([]))]);
}
