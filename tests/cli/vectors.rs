//! Do answers on the command line equal those that Kubernetes' own code gave?
//!
//! The library is compared with every recorded answer where it is made; these tests show that
//! nothing is lost on the way from a file to a report.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};

use json_patch::Patch;
use psp2psa::objects::pod::PodTemplateSpec;
use psp2psa::prepare::defaults::apply_defaults;
use psp2psa::version::Version;
use serde_json::{Value, json};

use crate::program::{Folder, psp2psa};

fn lines(name: &str) -> impl Iterator<Item = Value> {
    let file = File::open(format!("testdata/vectors/{name}.jsonl.gz")).unwrap();
    BufReader::new(flate2::read::GzDecoder::new(file))
        .lines()
        .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
}

/// The recorded answer for a level at a version.
fn wanted(want: &Value, level: &str, version: Version) -> Value {
    let spans = want[level].as_array().unwrap();
    let has_begun = |span: &&Value| {
        let from: Version = span["from"].as_str().unwrap().parse().unwrap();
        from <= version
    };
    let span = spans.iter().rfind(has_begun).unwrap();
    let mut answer = span.clone();
    answer.as_object_mut().unwrap().remove("from");
    answer
}

/// Lets `check` judge all pods at a version, and compares.
fn compare(folder: &Folder, wants: &[Value], flags: &str) {
    let report = folder.psp2psa(&format!("check -f pods.json -o json {flags}")).json();
    let version: Version = report["pssVersion"].as_str().unwrap().parse().unwrap();
    let items = report["items"].as_array().unwrap();
    assert_eq!(items.len(), wants.len());
    let mut problems = Vec::new();
    for (item, want) in items.iter().zip(wants) {
        for level in ["baseline", "restricted"] {
            let mut got = item[level].clone();
            got.as_object_mut().unwrap().remove("violations");
            let want = wanted(want, level, version);
            if got != want {
                problems.push(format!("{level}\n got {got}\nwant {want}"));
            }
        }
    }
    assert!(problems.is_empty(), "{flags}: {} differ, such as {}", problems.len(), problems[0]);
}

/// All recorded pods as an API server's list, whose items need no kind, and the answers.
fn recorded_pods() -> (Folder, Vec<String>, Vec<Value>) {
    let (mut ids, mut pods, mut wants) = (Vec::new(), Vec::new(), Vec::new());
    for mut line in lines("psa-open") {
        ids.push(line["id"].as_str().unwrap().to_owned());
        pods.push(line["pod"].take());
        wants.push(line["want"].take());
    }
    let list = json!({"kind": "PodList", "apiVersion": "v1", "items": pods});
    let folder = Folder::new();
    folder.write("pods.json", list.to_string());
    (folder, ids, wants)
}

#[test]
fn check_answers_as_recorded() {
    let (folder, _, wants) = recorded_pods();
    assert_eq!(wants.len(), 4_000);
    for version in ["v1.0", "v1.24", "v1.25", "latest"] {
        compare(&folder, &wants, &format!("--pss-version {version}"));
    }
}

#[test]
fn check_prepare_answers_as_recorded() {
    let (folder, ids, mut wants) = recorded_pods();
    let mut prepared: BTreeMap<String, Value> = lines("psa-open-prepared")
        .map(|mut line| (line["id"].as_str().unwrap().to_owned(), line["want"].take()))
        .collect();
    assert_eq!(prepared.len(), 198);
    for (id, want) in ids.iter().zip(&mut wants) {
        if let Some(prepared) = prepared.remove(id) {
            *want = prepared;
        }
    }
    assert!(prepared.is_empty());
    for version in ["v1.18", "latest"] {
        compare(&folder, &wants, &format!("--prepare --pss-version {version}"));
    }
}

/// How many of the recorded admissions are run; each is a process of its own, as each has its own
/// policies.
const N_ADMISSIONS: usize = 200;

#[test]
fn simulate_answers_as_recorded() {
    let step = 4_000 / N_ADMISSIONS;
    let mut n_compared = 0;
    for (line, case) in lines("psp-open").enumerate() {
        // Evenly, but not at the same place of every round of whatever made the cases.
        if line % step != (line / step) % step {
            continue;
        }
        n_compared += 1;
        let objects = case["policies"].as_array().into_iter().chain(case["rbac"].as_array());
        let mut items: Vec<&Value> = objects.flatten().collect();
        items.push(&case["pod"]);
        let list = json!({"kind": "List", "apiVersion": "v1", "items": items});
        let user = &case["user"];
        let mut program = psp2psa("simulate -f - -o json --cluster-version v1.21")
            .arg("-n")
            .arg(case["namespace"].as_str().unwrap())
            .arg("--requester")
            .arg(user["name"].as_str().unwrap());
        for group in user["groups"].as_array().into_iter().flatten() {
            program = program.arg("--requester-group").arg(group.as_str().unwrap());
        }
        let report = program.input(list.to_string()).json();
        let id = &case["id"];
        let items = report["items"].as_array().unwrap();
        assert_eq!(items.len(), 1, "{id}: {report}");
        compare_admission(&items[0], &case);
    }
    assert_eq!(n_compared, N_ADMISSIONS);
}

fn compare_admission(item: &Value, case: &Value) {
    let (id, want) = (&case["id"], &case["want"]);
    assert_eq!(item["allowed"], want["allowed"], "{id}: {item}");
    if item["allowed"] == json!(false) {
        assert_eq!(item["message"], want["message"], "{id}");
        return;
    }
    assert_eq!((&item["policy"], &item["mutated"]), (&want["psp"], &want["mutated"]), "{id}");
    let mut patched = case["pod"].clone();
    let patch: Patch = serde_json::from_value(item["patch"].clone()).unwrap();
    json_patch::patch(&mut patched, &patch).unwrap();
    assert_eq!(as_stored(&patched), as_stored(&want["pod"]), "{id}: {}", item["patch"]);
    let annotation = "/metadata/annotations/kubernetes.io~1psp";
    assert_eq!(patched.pointer(annotation), want["pod"].pointer(annotation), "{id}");
}

/// The security slice of a pod with the API's defaults; absent and empty are the same to the API.
fn as_stored(pod: &Value) -> PodTemplateSpec {
    let mut pod: PodTemplateSpec = serde_json::from_value(pod.clone()).unwrap();
    apply_defaults(&mut pod);
    pod.annotations.get_or_insert_default();
    let context = pod.spec.security_context.get_or_insert_default();
    context.supplemental_groups.get_or_insert_default();
    pod
}
