//! Is a running cluster read as a dump of it is?

use serde_json::{Value, json};

use crate::fake::{Cluster, Release, dump};
use crate::run::Home;

fn dump_path(file: &str) -> String {
    format!("{}/testdata/clusters/{file}", env!("CARGO_MANIFEST_DIR"))
}

/// The plan without what only a live cluster knows.
fn without_server(mut plan: Value) -> Value {
    plan.as_object_mut().unwrap().remove("server");
    plan
}

#[test]
fn a_live_plan_is_the_plan_of_a_dump() {
    for file in ["demo-1.21.json.gz", "demo2-1.21.json.gz"] {
        let cluster = Cluster::of_dump(Release::V1_21, file);
        let server = cluster.serve();
        let home = Home::of(&server);
        for chunk_size in ["500", "7", "0"] {
            let live = home.run(&["plan", "-o", "json", "--chunk-size", chunk_size]);
            let path = dump_path(file);
            let dumped =
                home.run(&["plan", "-o", "json", "-f", &path, "--cluster-version", "v1.21"]);
            assert_eq!(live.code, dumped.code, "{live:?}");
            assert_eq!(without_server(live.json()), without_server(dumped.json()));
        }
        cluster.assert_expected();
    }
}

#[test]
fn selected_namespaces_are_asked_for_alone() {
    let cluster = Cluster::of_dump(Release::V1_21, "demo-1.21.json.gz");
    let server = cluster.serve();
    let home = Home::of(&server);
    let live = home.run(&["plan", "-o", "json", "-n", "team-payments", "-n", "kube-system"]);
    let path = dump_path("demo-1.21.json.gz");
    let dumped = home.run(&[
        "plan",
        "-o",
        "json",
        "-f",
        &path,
        "--cluster-version",
        "v1.21",
        "-n",
        "team-payments",
        "-n",
        "kube-system",
    ]);
    let namespaces = |plan: Value| plan["namespaces"].clone();
    assert_eq!(namespaces(live.json()), namespaces(dumped.json()), "{live:?}");
    assert_eq!(server.count("/api/v1/pods"), 0);
    assert_eq!(server.count("/api/v1/namespaces/team-payments/pods"), 1);
    assert_eq!(server.count("/apis/policy/v1beta1/podsecuritypolicies"), 1);
    cluster.assert_expected();
}

#[test]
fn a_thousand_pods_take_few_requests() {
    let mut objects = dump("demo-1.21.json.gz");
    let pod = objects.iter().find(|object| object["kind"] == "Pod").unwrap().clone();
    for n in 0..1000 {
        let mut pod = pod.clone();
        pod["metadata"]["name"] = format!("copy-{n}").into();
        objects.push(pod);
    }
    let cluster = Cluster::of(Release::V1_24, objects);
    let server = cluster.serve();
    let home = Home::of(&server);
    let started = std::time::Instant::now();
    let said = home.run(&["plan", "-o", "json"]);
    let elapsed = started.elapsed();
    let pods = said.json()["namespaces"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|namespace| namespace["workloads"].as_array().unwrap())
        .map(|workload| workload["pods"].as_u64().unwrap())
        .sum::<u64>();
    assert!(pods >= 1000, "{pods}");
    let n_requests = server.seen().len();
    assert!(n_requests < 40, "{n_requests}");
    // The acceptance is 2 s in a release build; a debug build on a busy machine gets more.
    let limit = if cfg!(debug_assertions) { 20 } else { 2 };
    assert!(elapsed.as_secs() < limit, "{elapsed:?}");
    assert!(server.seen().iter().all(|seen| seen.header("accept-encoding") == Some("gzip")));
    cluster.assert_expected();
}

#[test]
fn a_cluster_without_psp_is_no_fault() {
    let cluster = Cluster::of(
        Release::V1_36,
        vec![
            json!({"kind": "Namespace", "metadata": {"name": "shop"}}),
            json!({"kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"},
                   "spec": {"template": {"spec": {"containers": [{"name": "app"}]}}}}),
        ],
    );
    let server = cluster.serve();
    let said = Home::of(&server).run(&["plan", "-o", "json"]);
    assert_eq!(said.code, 0, "{said:?}");
    let plan = said.json();
    assert_eq!(plan["missing"], json!([]));
    assert_eq!(plan["pssVersion"], "v1.36");
    assert_eq!(plan["namespaces"][0]["enforce"], "baseline");
    assert_eq!(server.count("/apis/policy/v1beta1/podsecuritypolicies"), 0);
    cluster.assert_expected();
}

#[test]
fn cron_jobs_are_found_in_old_versions() {
    let cron_job = json!({"kind": "CronJob", "metadata": {"name": "tidy", "namespace": "shop"},
        "spec": {"jobTemplate": {"spec": {"template": {"spec": {"hostPID": true}}}}}});
    for release in [Release::V1_20, Release::V1_24] {
        let namespace = json!({"kind": "Namespace", "metadata": {"name": "shop"}});
        let cluster = Cluster::of(release, vec![namespace, cron_job.clone()]);
        let server = cluster.serve();
        let plan = Home::of(&server).run(&["plan", "-o", "json"]).json();
        let workload = &plan["namespaces"][0]["workloads"][0];
        assert_eq!(workload["name"], "tidy");
        let version = if release == Release::V1_20 { "batch/v1beta1" } else { "batch/v1" };
        assert_eq!(workload["apiVersion"], version);
        cluster.assert_expected();
    }
}
