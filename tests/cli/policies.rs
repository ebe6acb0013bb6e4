//! `policies`: what each is worth.

use insta::assert_snapshot;
use serde_json::json;

use crate::program::{Run, from_yaml, psp2psa};

fn demo(arguments: &str) -> Run {
    psp2psa(&format!("policies -f testdata/clusters/demo-1.21.json.gz {arguments}")).run()
}

#[test]
fn every_policy_in_a_line() {
    assert_snapshot!(demo(""));
    assert_snapshot!("wide", demo("-o wide"));
}

#[test]
fn one_policy_in_full() {
    assert_snapshot!(demo("restricted"));
    assert_snapshot!("loki_promtail_markdown", demo("loki-promtail -o markdown"));
}

#[test]
fn data_holds_what_the_text_says() {
    let json = demo("restricted -o json").json();
    assert_eq!(
        (&json["kind"], &json["apiVersion"]),
        (&json!("PolicyReport"), &json!("psp2psa/v1"))
    );
    let policy = &json["policies"][0];
    assert_eq!(policy["level"], "privileged");
    assert_eq!(policy["levelIgnoring"]["level"], "restricted");
    let everybody = policy["grants"].as_array().unwrap().iter();
    assert!(everybody.clone().any(|grant| !grant["reachesEverybody"].is_null()));
    assert_eq!(from_yaml(&demo("restricted -o yaml").stdout), json);
}

#[test]
fn who_may_not_use_a_policy_is_told_where_others_do() {
    let text = demo("restricted-psp").stdout;
    let line = "    in team-payments: for Deployment legacy-batch; not for StatefulSet postgres\n";
    assert!(text.contains(line), "{text}");
    // Its pods in argocd run by a right that has been taken away since.
    assert_eq!(demo("baseline -o json").json()["policies"][0]["perSubject"], json!([]));
}

#[test]
fn the_second_demo_cluster() {
    assert_snapshot!(psp2psa("policies -f testdata/clusters/demo2-1.21.json.gz").run());
}

#[test]
fn a_wrong_name_suggests_the_nearest() {
    let run = demo("restrictd");
    assert_eq!((run.code, run.stdout.as_str()), (2, ""));
    assert!(run.stderr.ends_with("\nhint: did you mean `restricted`?\n"), "{run}");
}

#[test]
fn workloads_without_pods_rely_on_a_policy_too() {
    let objects = "apiVersion: policy/v1beta1
kind: PodSecurityPolicy
metadata: {name: sandboxed}
spec:
  volumes: [none]
  runtimeClass: {allowedRuntimeClassNames: ['*'], defaultRuntimeClassName: gvisor}
  runAsUser: {rule: MustRunAsNonRoot}
  seLinux: {rule: RunAsAny}
  supplementalGroups: {rule: RunAsAny}
  fsGroup: {rule: RunAsAny}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: psp}
rules: [{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: psp}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: psp}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: 'system:authenticated'}]
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: report, namespace: shop}
spec:
  jobTemplate: {spec: {template: {spec: {
    automountServiceAccountToken: false, containers: [{name: app}]}}}}
";
    assert_snapshot!(psp2psa("policies sandboxed -f -").input(objects).run());
}
