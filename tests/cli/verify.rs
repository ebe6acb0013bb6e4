//! `verify`: is the cluster as the plan wants it?

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::program::{Folder, Run, from_yaml, psp2psa};

const DEMO: &str = "testdata/clusters/demo-1.21.yaml";

/// The demo cluster before and after a change, and its plan, in a folder.
fn folder(change: impl FnOnce(&mut Vec<Value>)) -> Folder {
    let collected = psp2psa(&format!("collect -f {DEMO} -o -")).stdout();
    let mut list: Value = serde_json::from_str(&collected).unwrap();
    let plan = psp2psa(&format!("plan -f {DEMO} -o json")).stdout();
    let folder = Folder::with(&[("before.json", &collected), ("plan.json", &plan)]);
    change(list["items"].as_array_mut().unwrap());
    folder.write("after.json", list.to_string());
    folder
}

fn find<'v>(objects: &'v mut [Value], kind: &str, namespace: &str, name: &str) -> &'v mut Value {
    let is_it = |it: &&mut Value| {
        let metadata = &it["metadata"];
        it["kind"] == kind
            && metadata["name"] == name
            && metadata["namespace"].as_str().unwrap_or_default() == namespace
    };
    objects.iter_mut().find(is_it).unwrap()
}

fn label(objects: &mut [Value], namespace: &str, labels: &[(&str, &str)]) {
    let object = find(objects, "Namespace", "", namespace);
    for (key, value) in labels {
        let key = format!("pod-security.kubernetes.io/{key}");
        object["metadata"]["labels"][key] = (*value).into();
    }
}

/// team-web is labelled, and then everything goes wrong.
fn after_a_bad_day(objects: &mut Vec<Value>) {
    label(
        objects,
        "team-web",
        &[
            ("enforce", "restricted"),
            ("enforce-version", "v1.25"),
            ("warn", "restricted"),
            ("warn-version", "latest"),
            ("audit", "Restricted"),
        ],
    );
    let frontend = find(objects, "Deployment", "team-web", "frontend");
    frontend["status"]["replicas"] = 0.into();
    let name = objects
        .iter()
        .find(|it| {
            it["kind"] == "ReplicaSet" && it["metadata"]["ownerReferences"][0]["name"] == "frontend"
        })
        .unwrap()["metadata"]["name"]
        .clone();
    objects.push(json!({"apiVersion": "v1", "kind": "Event", "reason": "FailedCreate",
        "metadata": {"namespace": "team-web", "name": "frontend.1"},
        "involvedObject": {"kind": "ReplicaSet", "name": name},
        "message": "Error creating: pods \"frontend-x\" is forbidden: violates PodSecurity \
            \"restricted:v1.25\": allowPrivilegeEscalation != false (container \"app\u{1b}[31m\" must \
            set securityContext.allowPrivilegeEscalation=false)"}));
    let set = find(objects, "ReplicaSet", "team-web", name.as_str().unwrap());
    set["status"]["replicas"] = 0.into();
    objects
        .push(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "brand-new"}}));
}

fn verify(folder: &Folder, arguments: &str) -> Run {
    folder.psp2psa(&format!("verify -f after.json {arguments}")).run()
}

#[test]
fn a_cluster_that_is_as_it_was_agrees() {
    let folder = folder(|_| ());
    for arguments in ["", "--before before.json", "--plan plan.json"] {
        let run = verify(&folder, arguments);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{arguments}: {run}");
        assert!(run.stdout.starts_with("The cluster agrees with the plan\n"), "{run}");
    }
    assert_snapshot!("agrees", verify(&folder, "--before before.json --plan plan.json"));
}

#[test]
fn what_goes_wrong_is_found() {
    let folder = folder(after_a_bad_day);
    assert_snapshot!(
        "bad_day",
        verify(&folder, "--before before.json --stage enforce -n team-web -n brand-new")
    );
    assert_snapshot!(
        "bad_day_markdown",
        verify(&folder, "--plan plan.json -n team-web -o markdown")
    );
    let run = verify(&folder, "--before before.json -o json");
    assert_eq!(run.code, 1);
    let json = run.json();
    assert_eq!(
        (&json["kind"], &json["apiVersion"]),
        (&json!("Verification"), &json!("psp2psa/v1"))
    );
    let refused = json["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["kind"] == "podsRefused" && it["severity"] == "finding");
    assert_eq!(refused.unwrap()["object"], json!({"kind": "Deployment", "name": "frontend"}));
    let yaml = verify(&folder, "--before before.json -o yaml");
    assert_eq!(from_yaml(&yaml.stdout), json);
}

#[test]
fn both_ways_of_naming_the_plan_find_the_same() {
    let folder = folder(after_a_bad_day);
    let kinds = |arguments: &str| -> Vec<Value> {
        let json = verify(&folder, arguments).json();
        let found = json["findings"].as_array().unwrap().iter();
        found.map(|it| json!([it["kind"], it["severity"], it["namespace"], it["object"]])).collect()
    };
    assert_eq!(
        kinds("--before before.json -o json"),
        kinds("--before before.json --plan plan.json -o json")
    );
}

#[test]
fn an_answer_that_may_be_wrong_is_said_to_be() {
    let folder = folder(|objects| objects.retain(|it| it["kind"] != "Namespace"));
    let run = verify(&folder, "-o json");
    assert_eq!((run.code, &run.json()["complete"]), (3, &json!(false)), "{run}");
}

#[test]
fn what_is_no_plan_is_refused() {
    let folder = folder(|_| ());
    assert_snapshot!("no_plan", verify(&folder, "--plan before.json"));
    folder.write(
        "review.json",
        "{\"kind\": \"Review\", \"pssVersion\": \"\", \"bypassPolicy\": \"\", \"namespaces\": []}",
    );
    assert_snapshot!("another_report", verify(&folder, "--plan review.json"));
    assert_eq!(verify(&folder, "--plan nope.json").code, 4);
    assert_eq!(verify(&folder, "--before nope.json").code, 4);
}
