//! Is every value put down to the policy field that asked for it?

use serde_json::{Value, json};

use crate::psp::Policy;
use crate::version::Version;

use super::vectors::{prepared, snapshot};

/// Path and policy field of everything that a policy writes.
fn writes(policy: &Value, pod: &Value) -> Vec<(String, Option<&'static str>)> {
    let snapshot = snapshot([policy]);
    let policy = Policy::new(&snapshot.policies["p"], Version::v1(21)).unwrap();
    let changes = policy.mutate(&mut prepared(pod));
    assert!(changes.iter().all(|change| &*change.policy == "p"));
    let spec = |path: &str| path.replace("spec.containers[0].securityContext", "app");
    changes.iter().map(|it| (spec(&it.path.to_string()), it.policy_field)).collect()
}

#[test]
fn names_the_field_that_wrote_each_value() {
    let seccomp = "seccomp.security.alpha.kubernetes.io";
    let app_armor = "apparmor.security.beta.kubernetes.io";
    let must = json!({"rule": "MustRunAs", "ranges": [{"min": 1, "max": 2}]});
    let mut policy = json!({
        "apiVersion": "policy/v1beta1",
        "kind": "PodSecurityPolicy",
        "metadata": {"name": "p", "annotations": {
            (format!("{seccomp}/defaultProfileName")): "runtime/default",
            (format!("{app_armor}/defaultProfileName")): "runtime/default",
        }},
        "spec": {
            "runAsUser": must, "runAsGroup": must, "fsGroup": must, "supplementalGroups": must,
            "seLinux": {"rule": "MustRunAs", "seLinuxOptions": {"type": "t"}},
            "runtimeClass": {"defaultRuntimeClassName": "r"},
            "defaultAddCapabilities": ["A"],
            "requiredDropCapabilities": ["ALL"],
            "readOnlyRootFilesystem": true,
            "allowPrivilegeEscalation": false,
        },
    });
    let pod = json!({"spec": {"containers": [{"name": "app"}]}});
    let expected = [
        ("spec.securityContext.supplementalGroups", "spec.supplementalGroups.rule"),
        ("spec.securityContext.fsGroup", "spec.fsGroup.rule"),
        ("spec.securityContext.seLinuxOptions", "spec.seLinux.rule"),
        (
            "metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]",
            "metadata.annotations[seccomp.security.alpha.kubernetes.io/defaultProfileName]",
        ),
        ("spec.runtimeClassName", "spec.runtimeClass.defaultRuntimeClassName"),
        ("app.runAsUser", "spec.runAsUser.rule"),
        ("app.runAsGroup", "spec.runAsGroup.rule"),
        (
            "metadata.annotations[container.apparmor.security.beta.kubernetes.io/app]",
            "metadata.annotations[apparmor.security.beta.kubernetes.io/defaultProfileName]",
        ),
        ("app.capabilities.add", "spec.defaultAddCapabilities"),
        ("app.capabilities.drop", "spec.requiredDropCapabilities"),
        ("app.readOnlyRootFilesystem", "spec.readOnlyRootFilesystem"),
        ("app.allowPrivilegeEscalation", "spec.allowPrivilegeEscalation"),
    ];
    let expected = expected.map(|(path, field)| (path.to_owned(), Some(field)));
    assert_eq!(writes(&policy, &pod), expected);

    policy["spec"] = json!({
        "runAsUser": {"rule": "MustRunAsNonRoot"}, "seLinux": {"rule": "RunAsAny"},
        "fsGroup": {"rule": "RunAsAny"}, "supplementalGroups": {"rule": "RunAsAny"},
        "defaultAllowPrivilegeEscalation": true,
    });
    policy["metadata"]["annotations"] = json!({});
    let pod = json!({"spec": {
        "securityContext": {"seccompProfile": {"type": "Unconfined"}},
        "containers": [{"name": "app"}],
    }});
    let expected = [
        // No field of the policy has asked for this copy of the pod's own.
        ("metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]", None),
        ("app.runAsNonRoot", Some("spec.runAsUser.rule")),
        ("app.allowPrivilegeEscalation", Some("spec.defaultAllowPrivilegeEscalation")),
    ];
    assert_eq!(writes(&policy, &pod), expected.map(|(path, field)| (path.to_owned(), field)));
}
