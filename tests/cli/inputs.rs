//! Several inputs as evidence together: what was seen when?

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::program::Folder;

/// A Deployment that stays, and a pod of CI that is gone a day later.
fn monday() -> Value {
    json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "psp2psa/v1", "kind": "Snapshot", "reading": {"takenAt": "2026-11-02T02:00:00Z"}},
        {"apiVersion": "v1", "kind": "Namespace",
         "metadata": {"name": "ci", "creationTimestamp": "2026-01-01T00:00:00Z"}},
        web("100"),
        {"apiVersion": "v1", "kind": "Pod",
         "metadata": {"name": "build-17", "namespace": "ci", "creationTimestamp": "2026-11-02T01:59:00Z"},
         "spec": {"hostNetwork": true, "containers": [{"name": "build"}]},
         "status": {"phase": "Running"}},
    ]})
}

fn tuesday() -> Value {
    json!({"apiVersion": "v1", "kind": "List", "items": [
        web("200"),
        {"apiVersion": "v1", "kind": "Pod",
         "metadata": {"name": "build-18", "namespace": "ci", "creationTimestamp": "2026-11-03T09:00:00Z"},
         "spec": {"containers": [{"name": "build"}]}, "status": {"phase": "Running"}},
    ]})
}

fn web(resource_version: &str) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "ci", "resourceVersion": resource_version,
                     "creationTimestamp": "2026-02-01T00:00:00Z"},
        "spec": {"template": {"spec": {"containers": [{"name": "app"}]}}}})
}

fn both_days() -> Folder {
    let (monday, tuesday) = (monday().to_string(), tuesday().to_string());
    Folder::with(&[("monday.json", &monday), ("tuesday.json", &tuesday)])
}

fn plan(folder: &Folder, files: &[&str]) -> Value {
    let files = files.join(" -f ");
    folder.psp2psa(&format!("plan -o json -f {files}")).run().json()
}

#[test]
fn each_input_that_shows_a_workload_is_named() {
    let folder = both_days();
    folder.write("noon.json", monday().to_string());
    let plan = plan(&folder, &["monday.json", "noon.json", "tuesday.json"]);
    let build = &plan["namespaces"][0]["workloads"][1];
    assert_eq!(build["name"], "build-17");
    assert_eq!(build["seenIn"], json!(["monday.json", "noon.json"]));
    assert_eq!(build["notSeenIn"], json!(["tuesday.json"]));
}

#[test]
fn what_one_look_misses_counts() {
    let folder = both_days();
    let tuesday = plan(&folder, &["tuesday.json"]);
    assert_eq!(tuesday["namespaces"][0]["enforce"], "baseline");
    assert_eq!(tuesday["inputs"], Value::Null);
    let both = plan(&folder, &["tuesday.json", "monday.json"]);
    assert_eq!(both, plan(&folder, &["monday.json", "tuesday.json"]));
    let namespace = &both["namespaces"][0];
    assert_eq!(namespace["enforce"], "privileged");
    assert_eq!(
        both["inputs"],
        json!([
            {"name": "monday.json", "takenAt": "2026-11-02T02:00:00Z",
             "newestObject": "2026-11-02T01:59:00Z",
             "objects": {"Deployment": 1, "Namespace": 1, "Pod": 1}},
            {"name": "tuesday.json", "takenAt": null, "newestObject": "2026-11-03T09:00:00Z",
             "objects": {"Deployment": 1, "Pod": 1}},
        ])
    );
    let seen: Vec<Value> = namespace["workloads"]
        .as_array()
        .unwrap()
        .iter()
        .map(|workload| json!([workload["name"], workload["seenIn"], workload["notSeenIn"]]))
        .collect();
    assert_eq!(
        json!(seen),
        json!([
            ["web", ["monday.json", "tuesday.json"], null],
            ["build-17", ["monday.json"], ["tuesday.json"]],
            ["build-18", ["tuesday.json"], ["monday.json"]],
        ])
    );
}

#[test]
fn reports_say_what_was_seen_when() {
    let folder = both_days();
    let plan = |format: &str| {
        let arguments = format!("plan -f monday.json -f tuesday.json -o {format}");
        folder.psp2psa(&arguments).run().stdout
    };
    assert_snapshot!(plan("table"));
    let markdown = plan("markdown");
    let row = "| monday.json | collected 2026-11-02T02:00:00Z | 1 Deployment,";
    assert!(markdown.contains(row), "{markdown}");
}

#[test]
fn a_directory_is_one_input() {
    let folder = both_days();
    let plan: Value = folder.psp2psa("plan -o json -f .").run().json();
    assert_eq!(plan["inputs"], Value::Null);
    assert_eq!(plan["namespaces"][0]["enforce"], "privileged");
}
