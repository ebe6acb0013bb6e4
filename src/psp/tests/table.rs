//! Short spellings for the tables of the strategies.

use serde_json::{Map, Value, json};

use crate::prepare::defaults::apply_defaults;
use crate::psp::Policy;
use crate::version::Version;

use super::vectors::{snapshot, template};

/// What one policy does to a pod.
#[derive(Debug, PartialEq)]
pub(in crate::psp) struct Outcome {
    /// The values written, by path.
    pub(in crate::psp) writes: Value,
    /// What is held against the pod afterwards.
    pub(in crate::psp) errors: Vec<String>,
}

impl Outcome {
    /// The pod is left as it is and accepted.
    pub(in crate::psp) fn unchanged() -> Self {
        Self::writes(json!({}))
    }

    /// The pod is filled like that and accepted.
    pub(in crate::psp) fn writes(writes: Value) -> Self {
        Self { writes, errors: Vec::new() }
    }

    /// The pod is left as it is, and this is held against it.
    pub(in crate::psp) fn errors(errors: &[&str]) -> Self {
        Self { writes: json!({}), errors: errors.iter().map(|&error| error.to_owned()).collect() }
    }

    /// The pod is filled like that, and this is held against it nevertheless.
    pub(in crate::psp) fn both(writes: Value, errors: &[&str]) -> Self {
        Self { writes, ..Self::errors(errors) }
    }
}

/// Runs a pod through a policy that allows everything but what `spec` and `annotations` say,
/// on a server of v1.21.
pub(in crate::psp) fn outcome(spec: &Value, annotations: &Value, pod: &Value) -> Outcome {
    let any = json!({"rule": "RunAsAny"});
    let mut policy = json!({
        "apiVersion": "policy/v1beta1",
        "kind": "PodSecurityPolicy",
        "metadata": {
            "name": "p",
            "annotations": {"seccomp.security.alpha.kubernetes.io/allowedProfileNames": "*"},
        },
        "spec": {"privileged": true, "volumes": ["*"], "seLinux": any, "runAsUser": any,
                 "fsGroup": any, "supplementalGroups": any, "allowedCapabilities": ["*"]},
    });
    override_members(&mut policy["spec"], spec);
    override_members(&mut policy["metadata"]["annotations"], annotations);
    let policies = snapshot([&policy]).policies;
    let policy = Policy::new(&policies["p"], Version::v1(21)).unwrap();
    let mut pod = template(pod);
    apply_defaults(&mut pod);
    let changes = policy.mutate(&mut pod);
    let writes: Map<_, _> =
        changes.iter().map(|change| (change.path.to_string(), json!(change.after))).collect();
    let errors = policy.validate(&pod).iter().map(ToString::to_string).collect();
    Outcome { writes: Value::Object(writes), errors }
}

/// Sets members of an object; `null` removes one.
fn override_members(object: &mut Value, members: &Value) {
    let object = object.as_object_mut().unwrap();
    for (key, value) in members.as_object().unwrap() {
        if value.is_null() {
            object.remove(key);
        } else {
            object.insert(key.clone(), value.clone());
        }
    }
}

/// A pod with one container, `app`, with that `securityContext`.
pub(in crate::psp) fn in_container(context: &Value) -> Value {
    json!({"spec": {"containers": [{"name": "app", "securityContext": context}]}})
}

/// A pod with one container, `app`, and that `securityContext` in the pod.
pub(in crate::psp) fn in_pod(context: &Value) -> Value {
    json!({"spec": {"securityContext": context, "containers": [{"name": "app"}]}})
}
