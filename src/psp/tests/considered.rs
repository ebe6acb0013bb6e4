//! What is said of every policy, whichever is taken, and of who may use it?

use serde_json::{Value, json};

use crate::psp::{Admission, Consideration, Request, authorize};
use crate::version::Version;

use super::vectors::{prepared, snapshot};

/// A policy that allows everything but what `spec` says.
fn policy(name: &str, spec: &Value) -> Value {
    let any = json!({"rule": "RunAsAny"});
    let mut policy = json!({
        "apiVersion": "policy/v1beta1",
        "kind": "PodSecurityPolicy",
        "metadata": {"name": name},
        "spec": {"privileged": true, "volumes": ["*"], "seLinux": any, "runAsUser": any,
                 "fsGroup": any, "supplementalGroups": any, "hostNetwork": true},
    });
    for (field, value) in spec.as_object().unwrap() {
        policy["spec"][field] = value.clone();
    }
    policy
}

fn objects() -> Vec<Value> {
    let must_run = json!({"rule": "MustRunAs", "ranges": [{"min": 5, "max": 5}]});
    let account = json!({"kind": "ServiceAccount", "name": "default", "namespace": "shop"});
    vec![
        policy("a-no-ranges", &json!({"fsGroup": {"rule": "MustRunAs"}})),
        policy("b-not-granted", &json!({})),
        policy("c-refuses", &json!({"hostNetwork": false})),
        policy("d-writes", &json!({"fsGroup": must_run})),
        policy("e-admits", &json!({})),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {"name": "use"},
            "rules": [
                {"apiGroups": [""], "resources": ["pods"], "verbs": ["*"]},
                {"apiGroups": ["policy"], "resources": ["podsecuritypolicies"], "verbs": ["use"],
                 "resourceNames": ["a-no-ranges", "c-refuses", "d-writes", "e-admits"]},
            ],
        }),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "use"},
            "roleRef": {"kind": "ClusterRole", "name": "use"},
            "subjects": [account],
        }),
    ]
}

#[test]
fn every_policy_is_considered() {
    let snapshot = snapshot(&objects());
    let pod = prepared(&json!({"spec": {
        "serviceAccountName": "default", "hostNetwork": true, "containers": [{"name": "app"}],
    }}));
    let request = Request { namespace: "shop", name: "web", pod: &pod, requester: None };
    let admission = Admission::new(snapshot.policies.values(), Version::v1(18));
    let found: Vec<(String, String)> = admission
        .explain(&request, &authorize::authorizer(&snapshot))
        .into_iter()
        .map(|(name, consideration)| {
            let text = match consideration {
                Consideration::NotAuthorized => "not authorized".to_owned(),
                Consideration::Failed(errors) => errors[0].to_string(),
                Consideration::Admits(changes) => format!("admits, {} changes", changes.len()),
            };
            (name.to_string(), text)
        })
        .collect();
    let network = "Invalid value: true: Host network is not allowed to be used";
    let want = [
        ("b-not-granted", "not authorized".to_owned()),
        ("c-refuses", format!("spec.securityContext.hostNetwork: {network}")),
        ("d-writes", "admits, 1 changes".to_owned()),
        ("e-admits", "admits, 0 changes".to_owned()),
    ];
    assert_eq!(found, want.map(|(name, text)| (name.to_owned(), text)));
    let unusable: Vec<&str> = admission.unusable().iter().map(|it| &*it.name).collect();
    assert_eq!(unusable, ["a-no-ranges"]);
}

#[test]
fn holders_are_those_of_rules_about_policies() {
    let snapshot = snapshot(&objects());
    let authorizer = authorize::authorizer(&snapshot);
    let holders = |policy| -> Vec<&str> {
        authorize::holders(&authorizer, policy).iter().map(|it| &*it.subject.name).collect()
    };
    assert_eq!(holders("e-admits"), ["default"]);
    assert_eq!(holders("b-not-granted"), [""; 0]);
    let role = snapshot.roles.values().next().unwrap();
    let about: Vec<bool> = role.rules.iter().map(authorize::is_about_policies).collect();
    assert_eq!(about, [false, true]);
}
