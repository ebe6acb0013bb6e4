//! `review`: what the migration guide leaves to the admin; and the clones of its step 2.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::program::{Run, from_yaml, psp2psa};

fn review(arguments: &str) -> Run {
    psp2psa(&format!("review -f testdata/clusters/{arguments}")).run()
}

fn clones(arguments: &str) -> Run {
    psp2psa(&format!("policies -o clones -f testdata/clusters/{arguments}")).run()
}

#[test]
fn the_demo_clusters() {
    assert_snapshot!("demo", review("demo-1.21.yaml"));
    assert_snapshot!("demo2", review("demo2-1.21.yaml.gz"));
    assert_snapshot!("demo_markdown", review("demo-1.21.yaml -o markdown"));
}

#[test]
fn data_holds_what_the_text_says() {
    let json = review("demo-1.21.yaml -o json").json();
    assert_eq!((&json["kind"], &json["apiVersion"]), (&json!("Review"), &json!("psp2psa/v1")));
    let mixed = &json["removal"]["mixedRoles"][0];
    assert_eq!(mixed["object"], json!({"kind": "ClusterRole", "name": "metallb-system:speaker"}));
    let operations: Vec<_> = mixed["patch"]
        .as_array()
        .unwrap()
        .iter()
        .map(|operation| (&operation["op"], &operation["path"]))
        .collect();
    assert_eq!(operations[0].0, "test");
    assert_eq!(operations.last().unwrap().0, "remove");
    let holder = &json["labelAccess"]["holders"][0];
    assert_eq!((&holder["name"], &holder["reach"]), (&json!("velero:velero"), &json!("all")));
    assert_eq!(from_yaml(&review("demo-1.21.yaml -o yaml").stdout), json);
    // A snapshot by `collect` says the same.
    let collected = psp2psa("collect -f testdata/clusters/demo-1.21.yaml -o -").stdout();
    assert_eq!(psp2psa("review -f - -o json").input(collected.as_str()).run().json(), json);
}

#[test]
fn clones_of_the_demo_clusters() {
    assert_snapshot!("clones", clones("demo-1.21.yaml"));
    assert_snapshot!("clones2", clones("demo2-1.21.yaml.gz"));
    assert_snapshot!("clone_of_one", clones("demo-1.21.yaml loki-promtail"));
}

#[test]
fn clones_that_were_applied_are_made_again_the_same() {
    let written = clones("demo-1.21.yaml").stdout;
    let run = psp2psa("policies -o clones -f testdata/clusters/demo-1.21.yaml -f -")
        .input(written.as_str())
        .run();
    let documents =
        |text: &str| -> Vec<Value> { text.split("---\n").skip(1).map(from_yaml).collect() };
    assert_eq!(documents(&run.stdout), documents(&written));
}

#[test]
fn hostile_names_are_printed_safely() {
    let evil = "a\u{1b}[31m\n- b\u{202e}";
    let name = serde_json::to_string(evil).unwrap();
    let any = "{rule: RunAsAny}";
    let rbac = "apiVersion: rbac.authorization.k8s.io/v1";
    let objects = format!(
        "apiVersion: policy/v1beta1
kind: PodSecurityPolicy
metadata: {{name: {name}}}
spec: {{forbiddenSysctls: [x], runAsUser: {any}, seLinux: {any}, fsGroup: {any}, supplementalGroups: {any}}}
---
{rbac}
kind: ClusterRole
metadata: {{name: {name}, labels: {{olm.owner: {name}}}}}
rules:
- {{apiGroups: [policy], resources: [podsecuritypolicies], resourceNames: [{name}], verbs: [use]}}
- {{apiGroups: [''], resources: [namespaces], verbs: [{name}, patch]}}
---
{rbac}
kind: RoleBinding
metadata: {{name: {name}, namespace: {name}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {name}}}
subjects: [{{apiGroup: rbac.authorization.k8s.io, kind: Group, name: {name}}}]
"
    );
    for arguments in ["review", "review -o markdown", "review -o yaml", "policies -o clones"] {
        let run = psp2psa(&format!("{arguments} -f -")).input(objects.as_str()).run();
        assert!(run.stdout.contains("[31m"), "{arguments}: {run}");
        assert!(!run.stdout.contains('\u{1b}'), "{arguments}: {run:?}");
        assert!(!run.stdout.contains("\n- b"), "{arguments}: {run:?}");
    }
    for arguments in ["review", "review -o markdown"] {
        let run = psp2psa(&format!("{arguments} -f -")).input(objects.as_str()).run();
        assert!(!run.stdout.contains('\u{202e}'), "{arguments}: {run:?}");
    }
    assert_snapshot!(psp2psa("policies -o clones -f -").input(objects.as_str()).run());
}
