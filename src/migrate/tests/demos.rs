//! Are the plans of two recorded clusters right?
//!
//! `demo-levels.json` and `demo-want-1.21.jsonl.gz` hold what Kubernetes' own code answered and are
//! never written by this program. `demo2-levels.yaml` was worked out by hand, case by case.

#![expect(clippy::disallowed_methods, reason = "the clusters are files")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{options, plan, snapshot};
use crate::migrate::simulation::Simulation;
use crate::psp::authorize::Subjects;
use crate::rbac::User;

/// The objects of the first recorded cluster.
pub(crate) static DEMO_1: LazyLock<Vec<Value>> = LazyLock::new(|| objects("demo-1.21.json.gz"));
/// The objects of the second, harder one.
pub(crate) static DEMO_2: LazyLock<Vec<Value>> = LazyLock::new(|| objects("demo2-1.21.json.gz"));

static PLAN_1: LazyLock<Value> = LazyLock::new(|| plan(&*DEMO_1));
static PLAN_2: LazyLock<Value> = LazyLock::new(|| plan(&*DEMO_2));

fn testdata(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(path)
}

fn gunzipped(path: &str) -> impl BufRead {
    BufReader::new(flate2::read::GzDecoder::new(File::open(testdata(path)).unwrap()))
}

fn objects(file: &str) -> Vec<Value> {
    let list: Value = serde_json::from_reader(gunzipped(&format!("clusters/{file}"))).unwrap();
    list["items"].as_array().unwrap().clone()
}

fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value[key].as_array().unwrap()
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

/// Namespace, kind and name.
type Key<'v> = (&'v str, &'v str, &'v str);

fn workloads(plan: &Value) -> BTreeMap<Key<'_>, &Value> {
    let namespaces = list(plan, "namespaces").iter();
    let workloads = namespaces.flat_map(|namespace| {
        let name = text(namespace, "name");
        list(namespace, "workloads")
            .iter()
            .map(move |workload| ((name, text(workload, "kind"), text(workload, "name")), workload))
    });
    workloads.collect()
}

/// The levels of a namespace, by the names that the expectations give them.
fn levels(namespace: &Value) -> BTreeMap<&str, &Value> {
    let levels = &namespace["levels"];
    ["running", "admitted", "future"]
        .into_iter()
        .map(|state| (state, &levels[state]))
        .chain(["enforce", "enforceAfter"].map(|field| (field, &namespace[field])))
        .filter(|(_, level)| !level.is_null())
        .collect()
}

fn without_nulls(levels: &Value) -> BTreeMap<&str, &Value> {
    let levels = levels.as_object().unwrap().iter();
    levels.filter(|(_, level)| !level.is_null()).map(|(key, level)| (key.as_str(), level)).collect()
}

#[test]
fn the_first_demo_has_the_levels_that_kubernetes_computed() {
    let recorded = fs::read(testdata("clusters/demo-levels.json")).unwrap();
    let recorded: Value = serde_json::from_slice(&recorded).unwrap();
    let namespaces = list(&PLAN_1, "namespaces");
    assert_eq!(namespaces.len(), recorded["namespaces"].as_object().unwrap().len());
    for namespace in namespaces {
        let name = text(namespace, "name");
        assert_eq!(levels(namespace), without_nulls(&recorded["namespaces"][name]), "{name}");
    }
    let recorded: BTreeMap<Key<'_>, &str> = list(&recorded, "workloads")
        .iter()
        .map(|row| {
            let [namespace, kind, name, _, level] =
                [0, 1, 2, 3, 4].map(|column| row[column].as_str().unwrap());
            ((namespace, kind, name), level)
        })
        .collect();
    let counted = workloads(&PLAN_1).into_iter().filter(|(_, it)| it["counted"] == true);
    let future = counted.map(|(key, it)| (key, text(&it["levels"], "future"))).collect();
    assert_eq!(recorded, future);
}

/// What the admission plugin answered for a template.
#[derive(Deserialize)]
struct Answer {
    kind: String,
    namespace: String,
    name: String,
    /// By policy: `user`, `sa`, or both.
    authorized: Option<BTreeMap<String, BTreeSet<String>>>,
    user: UserInfo,
    pod: Value,
    want: Value,
}

#[derive(Deserialize)]
struct UserInfo {
    name: String,
    groups: Vec<String>,
}

#[test]
fn the_first_demos_templates_are_admitted_as_recorded() {
    let snapshot = snapshot(&*DEMO_1);
    let simulation = Simulation::new(&snapshot, options().cluster_version, None);
    let planned = workloads(&PLAN_1);
    let mut n_answers = 0;
    for line in gunzipped("vectors/demo-want-1.21.jsonl.gz").lines() {
        let answer: Answer = serde_json::from_str(&line.unwrap()).unwrap();
        let Answer { kind, namespace, name, authorized, user, pod, want } = answer;
        n_answers += 1;

        let user = User { name: user.name, groups: user.groups };
        let account = text(&pod["spec"], "serviceAccountName");
        let subjects = [("user", user), ("sa", User::service_account(&namespace, account))];
        let mut holders: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for policy in snapshot.policies.keys() {
            for (who, user) in &subjects {
                let subjects = Subjects::new(&namespace, "", Some(user));
                if subjects.rights(simulation.authorizer()).grant(policy).is_some() {
                    holders.entry(policy.to_string()).or_default().insert((*who).to_owned());
                }
            }
        }
        assert_eq!(holders, authorized.unwrap_or_default(), "{kind} {namespace}/{name}");

        if kind == "Pod" {
            continue;
        }
        let workload = planned[&(&*namespace, &*kind, &*name)];
        assert_eq!(workload["policySimulated"], want["psp"], "{kind} {namespace}/{name}");
        let is_refused = !list(workload, "refusal").is_empty();
        assert_eq!(is_refused, want["allowed"] == false, "{kind} {namespace}/{name}");
    }
    assert_eq!(n_answers, 44);
}

/// Every disagreement as `namespace kind/name pod×number: policy → simulated: explanation`.
fn disagreements(plan: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    for ((namespace, kind, name), workload) in workloads(plan) {
        for disagreement in list(workload, "disagreements") {
            let policy = |key| disagreement[key].as_str().unwrap_or("none");
            lines.push(format!(
                "{namespace} {kind}/{name} {}×{}: {} → {}: {}",
                text(disagreement, "pod"),
                disagreement["pods"],
                policy("policy"),
                policy("simulated"),
                text(disagreement, "explanation"),
            ));
        }
    }
    lines
}

#[test]
fn the_first_demos_disagreements_are_explained() {
    assert_eq!(
        disagreements(&PLAN_1),
        [
            // The grant of `baseline` in argocd is gone; `restricted` is everybody's.
            "argocd Deployment/argocd-redis argocd-redis-6896874bd7-l9plj×1: baseline → restricted: grantGone",
            "argocd Deployment/argocd-server argocd-server-85f797695b-8csvf×1: baseline → restricted: grantGone",
            "argocd StatefulSet/argocd-application-controller argocd-application-controller-0×1: baseline → restricted: grantGone",
            // Of pods that people made nothing is known.
            // The policy `legacy-permissive` is gone, and no other takes these.
            "legacy-apps Deployment/monolith monolith-599b4c49cb-zkkzd×1: legacy-permissive → none: policyGone",
            "legacy-apps ReplicationController/tomcat tomcat-4zgf7×2: legacy-permissive → none: policyGone",
        ]
    );
}

#[test]
fn the_second_demos_disagreements_are_explained() {
    assert_eq!(
        disagreements(&PLAN_2),
        [
            // Edited since: OnDelete, paused, stuck half-way, OnDelete.
            "t09 DaemonSet/w4 w4-knc46×2: p20 → none: templateChanged",
            "t09 Deployment/w1 w1-587f6bfc99-f69gv×2: p20 → p95: templateChanged",
            "t09 Deployment/w2 w2-658b99bc77-m8c4k×2: p20 → p95: templateChanged",
            "t09 StatefulSet/w3 w3-0×1: p20 → p95: templateChanged",
            // p10 takes the template; what the mesh adds needs p70's capabilities.
            "t16 Deployment/w2 w2-d57c8bf-w8f8f×1: p70 → p10: otherMutation",
            // p91 and p92 were deleted.
            "t21 Deployment/w1 w1-65cf49ddf5-7lrkj×2: p92 → none: policyGone",
            "t21 Deployment/w2 w2-9fc7df8bf-s7nj8×1: p91 → p95: policyGone",
        ]
    );
}

#[test]
fn the_second_demo_has_the_levels_worked_out_by_hand() {
    let expected = fs::read_to_string(testdata("clusters/demo2-levels.yaml")).unwrap();
    let expected: Value = serde_yaml::from_str(&expected).unwrap();
    let namespaces = list(&PLAN_2, "namespaces");
    assert_eq!(namespaces.len(), expected.as_object().unwrap().len());
    let workloads = workloads(&PLAN_2);
    for namespace in namespaces {
        let name = text(namespace, "name");
        let expected = &expected[name];
        let levels = levels(namespace);
        let levels = json!(levels);
        assert_eq!(levels, json!(without_nulls(&expected["levels"])), "{name}");
        let refused: Vec<String> = list(namespace, "workloads")
            .iter()
            .filter(|workload| workload["refusedToday"] == true)
            .map(|workload| format!("{}/{}", text(workload, "kind"), text(workload, "name")))
            .collect();
        let expected_refused = expected.get("refused").cloned().unwrap_or_else(|| json!([]));
        assert_eq!(json!(refused), expected_refused, "{name}");
        let future: BTreeMap<String, &Value> = workloads
            .iter()
            .filter(|((of, ..), workload)| *of == name && workload["counted"] == true)
            .map(|((_, kind, name), it)| (format!("{kind}/{name}"), &it["levels"]["future"]))
            .collect();
        let expected_future = expected.get("future").cloned().unwrap_or_else(|| json!({}));
        assert_eq!(json!(future), expected_future, "{name}");
        let injected: BTreeMap<String, &Value> = workloads
            .iter()
            .filter(|((of, ..), workload)| *of == name && workload["injection"] == "seen")
            .map(|((_, kind, name), it)| (format!("{kind}/{name}"), &it["injectedContainers"]))
            .collect();
        let expected_injected = expected.get("injected").cloned().unwrap_or_else(|| json!({}));
        assert_eq!(json!(injected), expected_injected, "{name}");
    }
}

#[test]
fn every_value_in_the_second_demo_is_lost_once() {
    for (key, workload) in workloads(&PLAN_2) {
        let lost: Vec<_> = list(workload, "lost")
            .iter()
            .map(|it| (text(it, "path"), it["value"].to_string()))
            .collect();
        let distinct: BTreeSet<_> = lost.iter().collect();
        assert_eq!(lost.len(), distinct.len(), "{key:?}");
    }
}
