//! Is a snapshot the cluster, without its secrets?

use serde_json::{Value, json};

use crate::fake::{Cluster, Release, dump};
use crate::run::Home;

/// Everything that must not be in a snapshot begins so.
const SECRET: &str = "s3cret";

/// The demo cluster with secrets wherever objects can hold some.
fn with_secrets() -> Vec<Value> {
    let mut objects = dump("demo-1.21.json.gz");
    for object in &mut objects {
        let kind = object["kind"].as_str().unwrap().to_owned();
        object["metadata"]["annotations"]["example.com/token"] = format!("{SECRET}-note").into();
        let spec = match kind.as_str() {
            "Pod" => &mut object["spec"],
            "CronJob" => &mut object["spec"]["jobTemplate"]["spec"]["template"]["spec"],
            "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" => {
                object["spec"]["template"]["metadata"]["annotations"]["example.com/token"] =
                    format!("{SECRET}-template").into();
                &mut object["spec"]["template"]["spec"]
            }
            _ => continue,
        };
        for container in spec["containers"].as_array_mut().unwrap() {
            container["env"] = json!([{"name": "PASSWORD", "value": format!("{SECRET}-env")}]);
            container["args"] = json!([format!("--password={SECRET}-arg")]);
            container["command"] = json!([format!("{SECRET}-command")]);
            container["image"] = format!("{SECRET}-image").into();
        }
        let applied = json!({"metadata": {"annotations": {"a": format!("{SECRET}-applied")}},
            "spec": {"hostPID": true, "containers": [{"name": "app",
                "env": [{"name": "P", "value": format!("{SECRET}-applied-env")}]}]}});
        if object["metadata"]["ownerReferences"].is_null() {
            object["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] =
                applied.to_string().into();
        }
    }
    objects
}

#[test]
fn a_plan_of_a_snapshot_is_the_plan_of_the_cluster() {
    for file in ["demo-1.21.json.gz", "demo2-1.21.json.gz"] {
        let cluster = Cluster::of_dump(Release::V1_24, file);
        let server = cluster.serve();
        let home = Home::of(&server);
        let live = home.run(&["plan", "-o", "json"]);
        for name in ["a.json", "a.yaml", "b.json.gz", "b.yaml.gz", "kinds/"] {
            let collected = home.run(&["collect", "-o", name]);
            assert_eq!(collected.code, 0, "{collected:?}");
            assert!(collected.stderr.starts_with(&format!("wrote {name} with")), "{collected:?}");
            let planned = home.run(&["plan", "-o", "json", "-f", name]);
            assert_eq!(planned.stdout, live.stdout, "{file} {name}");
            assert_eq!(planned.code, live.code);
            // What was collected is collected again as the same, but for the time.
            home.run(&["collect", "-f", name, "-o", "again.json"]);
            let collected = home.run(&["collect", "-o", "-"]);
            let again = std::fs::read_to_string(home.path().join("again.json")).unwrap();
            assert_eq!(timeless(&collected.stdout), timeless(&again));
        }
        let debris: Vec<_> = std::fs::read_dir(home.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.starts_with(".psp2psa"))
            .collect();
        assert_eq!(debris, Vec::<String>::new());
    }
}

/// The snapshot without the time at which it was taken, which must be there.
fn timeless(snapshot: &str) -> String {
    let (before, after) = snapshot.split_once("\"takenAt\":\"20").expect("the time is there");
    let (time, after) = after.split_once('"').unwrap();
    assert!(time.ends_with('Z'), "{time}");
    format!("{before}{after}")
}

#[test]
fn secrets_stay_in_the_cluster() {
    let cluster = Cluster::of(Release::V1_24, with_secrets());
    let server = cluster.serve();
    let home = Home::of(&server);
    let live = home.run(&["plan", "-o", "json"]);
    let collected = home.run(&["collect", "-o", "-"]);
    assert_eq!(collected.code, 0, "{}", collected.stderr);
    assert!(collected.stdout.contains("hostPID"), "last-applied is kept as far as it is read");
    assert!(!collected.stdout.contains(SECRET));
    std::fs::write(home.path().join("snapshot.json"), &collected.stdout).unwrap();
    let planned = home.run(&["plan", "-o", "json", "-f", "snapshot.json"]);
    assert_eq!(planned.stdout, live.stdout);
    let asked = |path: &str| server.seen().iter().any(|seen| seen.path.contains(path));
    assert!(!asked("secrets") && !asked("configmaps"));
}

#[test]
fn what_was_missing_is_missing_in_the_snapshot() {
    let mut objects = dump("demo-1.21.json.gz");
    objects.push(json!({"kind": "Pod", "metadata": {"name": "odd", "namespace": "team-web"},
        "spec": {"containers": "none"}}));
    let cluster = Cluster::of(Release::V1_24, objects);
    cluster.forbid("/apis/apps/v1/deployments", "deployments");
    let server = cluster.serve();
    let home = Home::of(&server);
    let live = home.run(&["plan", "-o", "json"]);
    let collected = home.run(&["collect", "-o", "snapshot.yaml"]);
    assert_eq!((collected.code, live.code), (3, 3));
    let planned = home.run(&["plan", "-o", "json", "-f", "snapshot.yaml"]);
    assert_eq!(planned.stdout, live.stdout);
    assert_eq!(planned.stderr, live.stderr);
    assert_eq!(planned.code, 3);
}

#[test]
fn places_that_cannot_be_written_are_named_before_reading() {
    let cluster = Cluster::of(Release::V1_24, Vec::new());
    let server = cluster.serve();
    let home = Home::of(&server);
    let said = home.run(&["collect", "-o", "snapshot.txt"]);
    assert_eq!(said.code, 2, "{said:?}");
    assert!(said.stderr.contains("hint: let it end in .json or .yaml"), "{said:?}");
    std::fs::create_dir(home.path().join("full")).unwrap();
    std::fs::write(home.path().join("full/a"), "").unwrap();
    assert_eq!(home.run(&["collect", "-o", "full"]).code, 4);
    assert_eq!(home.run(&["collect"]).code, 2);
    assert!(server.seen().is_empty());
    assert_eq!(home.run(&["collect", "-o", "no/such/place.json"]).code, 4);
}

#[test]
fn an_older_snapshot_is_replaced_as_a_whole() {
    let cluster = Cluster::of(Release::V1_24, Vec::new());
    let server = cluster.serve();
    let home = Home::of(&server);
    let path = home.path().join("snapshot.json");
    std::fs::write(&path, "old").unwrap();
    assert_eq!(home.run(&["collect", "-o", "snapshot.json"]).code, 0);
    let text = std::fs::read_to_string(&path).unwrap();
    let snapshot: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(snapshot["items"][0]["kind"], "Snapshot");
    assert_eq!(snapshot["items"][0]["reading"]["server"]["gitVersion"], "v1.24.17");
    assert_eq!(snapshot["items"][0]["reading"]["kinds"].as_array().unwrap().len(), 16);
}
