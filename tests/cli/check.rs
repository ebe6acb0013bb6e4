//! `check`: levels of pods and templates.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::program::{Folder, from_yaml, psp2psa};

/// A pod for each level, and what else a stream may hold.
const MIXED: &str = r#"
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec:
  containers: [{name: app, image: nginx}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop}
data: {key: value}
---
apiVersion: v1
kind: Pod
metadata: {generateName: agent-}
spec:
  hostNetwork: true
  containers: [{name: app, image: agent, ports: [{containerPort: 80}]}]
---
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Pod
  metadata: {name: broken, namespace: shop}
  spec: {containers: "app"}
- apiVersion: apps/v1
  kind: Deployment
  metadata: {name: api, namespace: shop}
  spec:
    template:
      spec:
        securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
        containers:
        - name: app
          image: api
          securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
"#;

const WEB: &str = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web","namespace":"shop"},
"spec":{"containers":[{"name":"app","image":"nginx"}]}}"#;

fn check(input: &str, flags: &str) -> crate::program::Run {
    psp2psa(&format!("check -f - {flags}")).input(input).run()
}

#[test]
fn the_json_report_is_a_contract() {
    assert_snapshot!(check(MIXED, "-o json --pss-version v1.25"));
}

#[test]
fn yaml_says_the_same_as_json() {
    let yaml = check(MIXED, "-o yaml");
    assert_eq!(yaml.code, 3);
    assert_eq!(from_yaml(&yaml.stdout), check(MIXED, "-o json").json());
}

#[test]
fn the_table_shows_reasons() {
    assert_snapshot!(check(MIXED, ""));
}

#[test]
fn the_wide_table_shows_details() {
    assert_snapshot!(check(MIXED, "-o wide"));
}

#[test]
fn several_files_are_numbered_through() {
    let folder = Folder::with(&[("a.json", WEB), ("b.yaml", MIXED)]);
    let run = folder.psp2psa("check -f a.json -f b.yaml -o json").run();
    let places: Vec<_> = run.json()["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| json!([item["index"], item["source"]["file"], item["source"]["index"]]))
        .collect();
    let want = json!([
        [0, "a.json", 0],
        [1, "b.yaml", 0],
        [3, "b.yaml", 2],
        [4, "b.yaml", 3],
        [5, "b.yaml", 4]
    ]);
    assert_eq!(Value::from(places), want);
}

#[test]
fn level_decides_the_exit_code() {
    for (level, code) in [("privileged", 0), ("baseline", 0), ("restricted", 1)] {
        let run = check(WEB, &format!("--level {level}"));
        assert_eq!((run.code, run.stderr.as_str()), (code, ""), "{level}");
    }
    // What could not be read is no finding, but a finding is certain whatever could not be read.
    assert_eq!(check(MIXED, "--level privileged").code, 3);
    assert_eq!(check(MIXED, "--level baseline").code, 1);
    assert_eq!(check(MIXED, "").code, 3);
}

#[test]
fn every_kind_with_a_template_is_judged_by_it() {
    let template = json!({"spec": {"hostPID": true, "containers": [{"name": "a", "image": "a"}]}});
    let spec = json!({"template": template});
    let kinds = [
        ("v1", "ReplicationController", spec.clone()),
        ("apps/v1", "ReplicaSet", spec.clone()),
        ("apps/v1", "Deployment", spec.clone()),
        ("apps/v1", "StatefulSet", spec.clone()),
        ("apps/v1", "DaemonSet", spec.clone()),
        ("batch/v1", "Job", spec.clone()),
        ("batch/v1", "CronJob", json!({"jobTemplate": {"spec": spec}})),
        ("batch/v1beta1", "CronJob", json!({"jobTemplate": {"spec": spec}})),
        ("extensions/v1beta1", "Deployment", spec.clone()),
    ];
    let mut items: Vec<Value> = kinds
        .iter()
        .map(|(group, kind, spec)| {
            json!({"apiVersion": group, "kind": kind, "metadata": {"name": "x"}, "spec": spec})
        })
        .collect();
    let metadata = json!({"name": "x"});
    items.push(json!({"apiVersion": "v1", "kind": "PodTemplate", "metadata": metadata,
        "template": template}));
    // Someone else's kind of the same name, and one without a template.
    items.push(json!({"apiVersion": "example.com/v1", "kind": "Deployment", "metadata": metadata,
        "spec": spec}));
    items.push(json!({"apiVersion": "v1", "kind": "ReplicationController", "metadata": metadata,
        "spec": {}}));
    let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
    let report = psp2psa("check -f - -o json").input(list.to_string()).json();
    let judged: Vec<_> = report["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| {
            let text = |key: &str| item[key].as_str().unwrap().to_owned();
            (text("apiVersion"), text("kind"), text("level"), item["baseline"]["reason"].clone())
        })
        .collect();
    let want: Vec<_> = kinds
        .iter()
        .map(|(group, kind, _)| (*group, *kind))
        .chain([("v1", "PodTemplate")])
        .map(|(group, kind)| {
            let [group, kind, level] = [group, kind, "privileged"].map(str::to_owned);
            (group, kind, level, json!("host namespaces"))
        })
        .collect();
    assert_eq!(judged, want);
}

#[test]
fn prepare_judges_the_pod_that_the_api_server_would_make() {
    let reason = |flags: &str| {
        let report = check(MIXED, &format!("-o json {flags}")).json();
        report["items"][1]["baseline"]["reason"].clone()
    };
    assert_eq!(reason(""), "host namespaces");
    // Container ports of a pod in the host's network are host ports.
    assert_eq!(reason("--prepare"), "host namespaces, hostPort");
}

#[test]
fn the_version_decides_the_checks() {
    let restricted = |version: &str| {
        let flags = format!("-o json --pss-version {version}");
        let mut report = check(WEB, &flags).json();
        (report["pssVersion"].take(), report["items"][0]["restricted"]["reason"].take())
    };
    assert_eq!(restricted("v1.0"), (json!("v1.0"), json!("runAsNonRoot != true")));
    assert_eq!(
        restricted("v1.21"),
        (
            json!("v1.21"),
            json!("allowPrivilegeEscalation != false, runAsNonRoot != true, seccompProfile")
        )
    );
    assert_eq!(restricted("v1.99").1, restricted("latest").1);
}

#[test]
fn the_namespace_flag_is_for_objects_that_name_none() {
    let report = check(MIXED, "-o json -n team").json();
    let namespaces: Vec<_> = report["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["namespace"].as_str().unwrap())
        .collect();
    assert_eq!(namespaces, ["shop", "team", "shop", "shop"]);
}

#[test]
fn one_bad_file_does_not_stop_the_others() {
    let folder = Folder::with(&[("web.json", WEB)]);
    assert_snapshot!(folder.psp2psa("check -f nope.yaml -f web.json").run());
}
