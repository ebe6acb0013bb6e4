//! `simulate`: what PSP admission answers.

use insta::assert_snapshot;
use json_patch::Patch;
use serde_json::{Value, json};

use crate::program::{Run, from_yaml, psp2psa};

/// Two policies: everyone's controllers may use `hardened`, only alice's group `open`.
pub(crate) const POLICIES: &str = "
apiVersion: policy/v1beta1
kind: PodSecurityPolicy
metadata: {name: hardened}
spec:
  requiredDropCapabilities: [ALL]
  allowPrivilegeEscalation: false
  runAsUser: {rule: MustRunAsNonRoot}
  seLinux: {rule: RunAsAny}
  fsGroup: {rule: RunAsAny}
  supplementalGroups: {rule: RunAsAny}
  volumes: [configMap, emptyDir, projected, secret]
---
apiVersion: policy/v1beta1
kind: PodSecurityPolicy
metadata: {name: open}
spec:
  privileged: true
  allowedCapabilities: ['*']
  hostNetwork: true
  hostPorts: [{min: 0, max: 65535}]
  runAsUser: {rule: RunAsAny}
  seLinux: {rule: RunAsAny}
  fsGroup: {rule: RunAsAny}
  supplementalGroups: {rule: RunAsAny}
  volumes: ['*']
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: psp:hardened}
rules:
- {apiGroups: [policy], resources: [podsecuritypolicies], resourceNames: [hardened], verbs: [use]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: psp:open}
rules:
- {apiGroups: [policy], resources: [podsecuritypolicies], resourceNames: [open], verbs: [use]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: psp:hardened}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: 'psp:hardened'}
subjects:
- {apiGroup: rbac.authorization.k8s.io, kind: Group, name: 'system:serviceaccounts'}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: psp:open}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: 'psp:open'}
subjects:
- {apiGroup: rbac.authorization.k8s.io, kind: Group, name: admins}
- {apiGroup: rbac.authorization.k8s.io, kind: User, name: 'system:kube-controller-manager'}
";

/// A template that `hardened` changes, a pod that it refuses, and one that cannot be read.
pub(crate) const ITEMS: &str = "---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: app, image: nginx}]}
---
apiVersion: v1
kind: Pod
metadata: {generateName: root-, namespace: shop}
spec:
  serviceAccountName: default
  containers: [{name: app, image: nginx, securityContext: {privileged: true, runAsUser: 0}}]
---
apiVersion: v1
kind: Pod
metadata: {name: broken, namespace: shop}
spec: {containers: [{name: app, securityContext: {runAsUser: root}}]}
";

/// A pod with a sysctl that is safe from v1.22 on.
pub(crate) const LOW_PORTS_POD: &str = "---
apiVersion: v1
kind: Pod
metadata: {name: low-ports}
spec:
  securityContext: {sysctls: [{name: net.ipv4.ip_unprivileged_port_start, value: '0'}]}
  containers: [{name: app, image: nginx}]
";

pub(crate) const ROOT_POD: &str = "---
apiVersion: v1
kind: Pod
metadata: {name: root}
spec: {containers: [{name: app, image: nginx, securityContext: {privileged: true}}]}
";

pub(crate) fn simulate(inputs: &[&str], flags: &str) -> Run {
    psp2psa(&format!("simulate -f - {flags}")).input(inputs.concat()).run()
}

/// The only item of a run.
fn item(inputs: &[&str], flags: &str) -> Value {
    let report = simulate(inputs, &format!("-o json {flags}")).json();
    assert_eq!(report["items"].as_array().unwrap().len(), 1, "{report}");
    report["items"][0].clone()
}

#[test]
fn the_json_report_is_a_contract() {
    assert_snapshot!(simulate(&[POLICIES, ITEMS], "-o json"));
}

#[test]
fn yaml_says_the_same_as_json() {
    let yaml = simulate(&[POLICIES, ITEMS], "-o yaml");
    assert_eq!(yaml.code, 3);
    assert_eq!(from_yaml(&yaml.stdout), simulate(&[POLICIES, ITEMS], "-o json").json());
}

#[test]
fn the_text_is_for_reading() {
    assert_snapshot!(simulate(&[POLICIES, ITEMS], ""));
}

#[test]
fn the_patch_of_a_template_is_rooted_at_its_pod() {
    let report = simulate(&[POLICIES, ITEMS], "-o json").json();
    let mut pod = json!({"metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "app", "image": "nginx"}]}});
    let patch: Patch = serde_json::from_value(report["items"][0]["patch"].clone()).unwrap();
    json_patch::patch(&mut pod, &patch).unwrap();
    let want = json!({
        "metadata": {"labels": {"app": "web"}, "annotations": {"kubernetes.io/psp": "hardened"}},
        "spec": {"containers": [{"name": "app", "image": "nginx", "securityContext": {
            "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]},
            "runAsNonRoot": true}}]}});
    assert_eq!(pod, want);
}

#[test]
fn a_requester_stands_for_every_item() {
    let alone = item(&[POLICIES, ROOT_POD], "");
    assert_eq!(alone["allowed"], false);
    let alice = item(&[POLICIES, ROOT_POD], "--requester alice --requester-group admins");
    assert_eq!((&alice["allowed"], &alice["policy"]), (&json!(true), &json!("open")));
    assert_eq!(alice["mutated"], false);
    let groupless = item(&[POLICIES, ROOT_POD], "--requester alice");
    assert_eq!(groupless["allowed"], false);
}

#[test]
fn the_controllers_user_makes_the_pods_of_templates_only() {
    let flags = "-o json --controllers-user system:kube-controller-manager";
    let report = simulate(&[POLICIES, ITEMS], flags).json();
    // It may use `open`, which changes nothing and so wins over the mutating `hardened`.
    assert_eq!(report["items"][0]["policy"], "open");
    assert_eq!(report["items"][1]["allowed"], false);
}

#[test]
fn objects_without_a_namespace_are_in_default_or_in_the_given_one() {
    let namespace = |flags: &str| item(&[POLICIES, ROOT_POD], flags)["namespace"].clone();
    assert_eq!(namespace(""), "default");
    assert_eq!(namespace("-n team"), "team");
}

#[test]
fn a_grant_holds_in_its_namespace() {
    let binding = "---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: open-here, namespace: team}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: 'psp:open'}
subjects:
- {kind: ServiceAccount, name: default, namespace: team}
";
    let allowed = |flags: &str| {
        let flags = format!("--prepare {flags}");
        item(&[POLICIES, binding, ROOT_POD], &flags)["allowed"].clone()
    };
    assert_eq!(allowed("-n team"), true);
    assert_eq!(allowed("-n other"), false);
}

#[test]
fn prepare_gives_a_pod_its_service_account() {
    // As it reaches PSP, an unprepared pod has no account, and nobody else asks for it.
    let plain = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: plain}\nspec: {containers: \
                 [{name: app, image: nginx}]}\n";
    let refused = item(&[POLICIES, plain], "");
    let message = "pods \"plain\" is forbidden: PodSecurityPolicy: unable to admit pod: []";
    assert_eq!(refused["message"], message);
    assert_eq!(item(&[POLICIES, plain], "--prepare")["policy"], "hardened");
}

#[test]
fn without_policies_nothing_is_admitted() {
    let refused = item(&[ROOT_POD], "");
    let message = "pods \"root\" is forbidden: PodSecurityPolicy: no providers available to \
                   validate pod request";
    assert_eq!(refused["message"], message);
    assert_eq!(refused["errors"], json!([]));
}

#[test]
fn the_cluster_version_decides_the_safe_sysctls() {
    let allowed = |version: &str| {
        let flags = format!("--prepare --cluster-version {version}");
        item(&[POLICIES, LOW_PORTS_POD], &flags)["allowed"].clone()
    };
    assert_eq!((allowed("v1.21"), allowed("v1.22")), (json!(false), json!(true)));
}

#[test]
fn refusals_are_findings_where_asked_for() {
    assert_eq!(simulate(&[POLICIES, ROOT_POD], "").code, 0);
    assert_eq!(simulate(&[POLICIES, ROOT_POD], "--exit-code").code, 1);
    assert_eq!(simulate(&[POLICIES, ITEMS], "--exit-code").code, 1);
    assert_eq!(simulate(&[POLICIES, ITEMS], "").code, 3);
}

#[test]
fn two_texts_of_one_policy_are_said() {
    let other = POLICIES.replace("privileged: true", "privileged: false");
    assert_snapshot!(simulate(&[POLICIES, "---\n", &other, ROOT_POD], ""));
}
