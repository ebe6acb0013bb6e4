//! Does `verify` see on a live cluster what a stage has done to it?

use serde_json::{Value, json};

use crate::fake::{Cluster, Release};
use crate::run::{Home, Said};
use crate::server::Server;

struct Live {
    cluster: Cluster,
    home: Home,
    _server: Server,
}

impl Live {
    fn new() -> Self {
        let cluster = Cluster::of_dump(Release::V1_24, "demo-1.21.json.gz");
        let server = cluster.serve();
        let home = Home::of(&server);
        let said = home.run(&["collect", "--events", "-o", "before.json"]);
        assert_eq!(said.code, 0, "{said:?}");
        Self { cluster, home, _server: server }
    }

    fn verify(&self, options: &[&str]) -> Said {
        let arguments = ["verify", "--before", "before.json", "-o", "json"];
        self.home.run(&[&arguments, options].concat())
    }

    fn label(&self, namespace: &str, labels: &[(&str, &str)]) {
        self.cluster.change("Namespace", "", namespace, |object| {
            for (key, value) in labels {
                let key = format!("pod-security.kubernetes.io/{key}");
                object["metadata"]["labels"][key] = (*value).into();
            }
        });
    }
}

const LABELS: [(&str, &str); 6] = [
    ("warn", "restricted"),
    ("warn-version", "v1.25"),
    ("audit", "restricted"),
    ("audit-version", "v1.25"),
    ("enforce", "baseline"),
    ("enforce-version", "v1.25"),
];

fn kinds(said: &Said) -> Vec<Value> {
    let json = said.json();
    let found = json["findings"].as_array().unwrap().iter();
    found.filter(|it| it["severity"] == "finding").map(|it| it["kind"].clone()).collect()
}

#[test]
fn a_stage_is_seen_and_so_is_what_undoes_it() {
    let live = Live::new();
    let before = live.verify(&["-n", "team-web", "--stage", "enforce"]);
    assert_eq!((before.code, kinds(&before)), (1, vec![json!("labelMissing")]), "{before:?}");
    live.label("team-web", &LABELS);
    let after = live.verify(&["-n", "team-web", "--stage", "enforce"]);
    assert_eq!((after.code, kinds(&after)), (0, vec![]), "{after:?}");
    assert_eq!(after.json()["namespaces"][0]["reached"], "enforce");
    live.label("team-web", &[("enforce", "privileged")]);
    let changed = live.verify(&["-n", "team-web", "--stage", "enforce"]);
    assert_eq!((changed.code, kinds(&changed)), (1, vec![json!("labelLooser")]), "{changed:?}");
    live.cluster.assert_expected();
}

#[test]
fn events_of_refused_pods_are_asked_for_by_their_reason() {
    let live = Live::new();
    live.cluster.change("StatefulSet", "team-data", "kafka", |set| {
        set["status"]["replicas"] = 0.into();
    });
    let missing = live.verify(&["-n", "team-data"]);
    assert_eq!((missing.code, kinds(&missing)), (1, vec![json!("podsMissing")]), "{missing:?}");
    live.cluster.add(json!({"apiVersion": "v1", "kind": "Event", "reason": "FailedCreate",
        "metadata": {"namespace": "team-data", "name": "kafka.1"},
        "involvedObject": {"kind": "StatefulSet", "name": "kafka"},
        "message": "create Pod kafka-0 in StatefulSet kafka failed error: pods \"kafka-0\" is \
            forbidden: violates PodSecurity \"baseline:v1.25\": hostPort"}));
    let refused = live.verify(&["-n", "team-data"]);
    assert_eq!((refused.code, kinds(&refused)), (1, vec![json!("podsRefused")]), "{refused:?}");
    live.cluster.assert_expected();
}

#[test]
fn events_that_may_not_be_listed_are_missing() {
    let live = Live::new();
    live.cluster.deny("list", "events");
    let said = live.verify(&[]);
    assert_eq!(said.code, 3, "{said:?}");
    assert!(said.stderr.contains("--resource=events"), "{said:?}");
    // A plan and a snapshot do without.
    for arguments in [&["plan"][..], &["collect", "-o", "after.json"]] {
        assert_eq!(live.home.run(arguments).code, 0, "{arguments:?}");
    }
}
