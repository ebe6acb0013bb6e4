//! What if the cluster refuses, forgets, throttles, or breaks off?

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::fake::{Cluster, Release};
use crate::run::Home;
use crate::server::{Answer, Server};

const PODS: &str = "/api/v1/pods";

fn demo() -> Cluster {
    Cluster::of_dump(Release::V1_21, "demo-1.21.json.gz")
}

/// The plan of the demo cluster without faults.
fn sound_plan() -> Value {
    Home::of(&demo().serve()).run(&["plan", "-o", "json"]).json()
}

/// The plan that comes out although the cluster is as `prepare` makes it.
fn plan_of(prepare: impl FnOnce(&Cluster)) -> (Value, Server) {
    let cluster = demo();
    prepare(&cluster);
    let server = cluster.serve();
    let said = Home::of(&server).run(&["plan", "-o", "json", "--chunk-size", "20"]);
    cluster.assert_expected();
    assert!(said.stderr.is_empty(), "{}", said.stderr);
    (said.json(), server)
}

fn expired() -> Answer {
    Answer::status(410, "Expired", "The provided continue parameter is too old")
}

#[test]
fn an_expired_token_restarts_the_list() {
    let (plan, server) = plan_of(|cluster| {
        cluster.once(PODS, "continue=at%2B40", expired());
    });
    assert_eq!(plan, sound_plan());
    // 62 pods: three pages, then four again.
    assert_eq!(server.count(PODS), 3 + 4);
}

#[test]
fn a_list_that_always_expires_is_asked_as_a_whole() {
    let (plan, server) = plan_of(|cluster| {
        cluster.always(PODS, "continue=", expired());
    });
    assert_eq!(plan, sound_plan());
    let queries: Vec<_> = server
        .seen()
        .iter()
        .filter(|seen| seen.path == PODS)
        .map(|seen| seen.query.clone())
        .collect();
    assert_eq!(queries.last().unwrap(), "");
    assert_eq!(queries.len(), 2 + 2 + 1);
}

#[test]
fn a_page_of_another_state_restarts_the_list() {
    // What the server would give for the token that a 410 offers: the rest, of a later state.
    let other = json!({"kind": "PodList", "apiVersion": "v1",
        "metadata": {"resourceVersion": "997"}, "items": []});
    let (plan, _) = plan_of(|cluster| {
        cluster.once(PODS, "continue=at%2B20", Answer::json(200, &other));
    });
    assert_eq!(plan, sound_plan());
}

#[test]
fn a_token_that_comes_again_ends_the_list() {
    let cluster = demo();
    let page = json!({"kind": "PodList", "apiVersion": "v1",
        "metadata": {"resourceVersion": "1", "continue": "at+20"}, "items": []});
    cluster.always(PODS, "limit=", Answer::json(200, &page));
    let server = cluster.serve();
    let said = Home::of(&server).run(&["plan", "-o", "json", "--chunk-size", "20"]);
    assert_eq!(said.code, 3, "{}", said.stderr);
    let why = "the list does not go on: its pages have the same token";
    assert!(said.stderr.contains(why), "{}", said.stderr);
    assert_eq!(server.count(PODS), 2);
}

#[test]
fn an_answer_that_is_no_list_has_a_bound() {
    let version = json!({"gitVersion": "v".repeat(17 << 20)});
    let server = Server::http(move |_| Answer::json(200, &version));
    let said = Home::of(&server).run(&["plan"]);
    said.assert_fails("the answer is larger than 16 MiB", "kubectl version");
}

#[test]
fn throttling_is_waited_for() {
    let started = Instant::now();
    let (plan, server) = plan_of(|cluster| {
        let throttled = Answer::status(429, "TooManyRequests", "slow down");
        cluster.once(PODS, "", throttled.with_header("Retry-After", "1"));
        let down = Answer::text(503, "text/plain", "starting");
        cluster.once("/apis/apps/v1/deployments", "", down);
    });
    assert_eq!(plan, sound_plan());
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert_eq!(server.count(PODS), 5);
}

#[test]
fn what_breaks_off_is_asked_again() {
    let body = json!({"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "964"},
        "items": [{"metadata": {"name": "half", "namespace": "team-payments"}, "spec": {}}]});
    let body = body.to_string().into_bytes();
    let (plan, server) = plan_of(|cluster| {
        cluster.once("/version", "", Answer::Reset);
        cluster.once(PODS, "continue=at%2B20", Answer::Reset);
        cluster.once(PODS, "continue=at%2B20", Answer::Cut { n_bytes: body.len() - 4, body });
        // Whole by its length, but not by its content.
        let whole = Answer::text(200, "application/json", "{\"kind\":\"PodList\",\"items\":[{");
        cluster.once(PODS, "continue=at%2B40", whole);
        let internal = Answer::status(500, "InternalError", "etcdserver: request timed out");
        cluster.once("/api/v1/namespaces", "", internal);
    });
    assert_eq!(plan, sound_plan());
    assert_eq!(server.count(PODS), 4 + 3);
}

#[test]
fn a_kind_that_is_refused_is_missing() {
    let cluster = demo();
    cluster.forbid("/apis/apps/v1/deployments", "deployments");
    let server = cluster.serve();
    let said = Home::of(&server).run(&["plan", "-o", "json"]);
    assert_eq!(said.code, 3, "{}", said.stderr);
    let plan = said.json();
    assert_eq!(plan["complete"], false);
    assert_eq!(plan["missing"].as_array().unwrap().len(), 1);
    assert_eq!(plan["missing"][0]["what"], "the list of Deployment objects");
    let grant = "kubectl create clusterrole psp2psa-list-deployments --verb=list \
                 --resource=deployments.apps && kubectl create clusterrolebinding \
                 psp2psa-list-deployments --clusterrole=psp2psa-list-deployments --user=jo";
    assert!(plan["missing"][0]["why"].as_str().unwrap().contains(grant), "{plan}");
    assert!(said.stderr.contains(grant), "{}", said.stderr);
    cluster.assert_expected();
}

#[test]
fn a_namespace_that_is_refused_is_missing_alone() {
    let cluster = demo();
    cluster.forbid("/api/v1/namespaces/team-payments/pods", "pods");
    let server = cluster.serve();
    let said =
        Home::of(&server).run(&["plan", "-o", "json", "-n", "team-payments", "-n", "argocd"]);
    assert_eq!(said.code, 3, "{}", said.stderr);
    let plan = said.json();
    let complete: Vec<_> = plan["namespaces"]
        .as_array()
        .unwrap()
        .iter()
        .map(|namespace| (namespace["name"].as_str().unwrap(), namespace["complete"] == true))
        .collect();
    assert_eq!(complete, [("argocd", true), ("team-payments", false)]);
    assert!(said.stderr.contains("kubectl create role psp2psa-list-pods -n team-payments"));
}

#[test]
fn a_list_that_fails_for_good_is_missing_and_leaves_nothing() {
    let cluster = demo();
    let gone = Answer::status(400, "BadRequest", "invalid continue token");
    cluster.always(PODS, "continue=at%2B40", gone);
    let server = cluster.serve();
    let said = Home::of(&server).run(&["plan", "-o", "json", "--chunk-size", "20"]);
    assert_eq!(said.code, 3, "{}", said.stderr);
    assert_eq!(said.json()["summary"]["pods"], 0);
    assert!(said.stderr.contains("invalid continue token"), "{}", said.stderr);
}

#[test]
fn a_malformed_object_costs_one_object() {
    let mut objects = crate::fake::dump("demo-1.21.json.gz");
    objects.push(json!({"kind": "Pod", "metadata": {"name": "odd", "namespace": "team-payments"},
        "spec": {"containers": "none"}}));
    let cluster = Cluster::of(Release::V1_21, objects);
    let server = cluster.serve();
    let said = Home::of(&server).run(&["plan", "-o", "json"]);
    assert_eq!(said.code, 3);
    assert_eq!(
        said.stderr,
        "error: /api/v1/pods: item 62: Pod `team-payments/odd`: spec.containers: expected a list, not a \
         string\n"
    );
    assert_eq!(said.json()["summary"], sound_plan()["summary"]);
}

#[test]
fn nothing_that_may_be_listed_is_a_failure() {
    let server = Server::http(|seen| match seen.path.as_str() {
        "/version" => Answer::json(200, &json!({"gitVersion": "v1.24.0"})),
        path => {
            let message = format!("User \"jo\" cannot list {path}");
            Answer::status(403, "Forbidden", &message)
        }
    });
    Home::of(&server).run(&["plan"]).assert_fails("lets you list nothing", "--show-rbac");
}

#[test]
fn unreachable_servers_fail_at_once() {
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let home = Home::new();
    home.write_kubeconfig(&format!("http://{address}"), "", "{}");
    let started = Instant::now();
    home.run(&["plan"]).assert_fails("Connection refused", "kubectl version");
    assert!(started.elapsed() < Duration::from_secs(5));

    let server = Server::http(|_| Answer::Silence(Duration::from_secs(30)));
    let started = Instant::now();
    let said = Home::of(&server).run(&["plan", "--request-timeout", "1s"]);
    said.assert_fails("does not answer in time", "VPN");
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_page_of_a_proxy_is_no_api_server() {
    for (status, text) in
        [(200, "<html>Please log in</html>"), (403, "<html>Blocked</html>"), (302, "")]
    {
        let server = Server::http(move |_| Answer::text(status, "text/html; charset=utf-8", text));
        let said = Home::of(&server).run(&["plan"]);
        said.assert_fails("does not answer as a Kubernetes API server", "proxy");
        assert!(!said.stderr.contains("log in<"), "{said:?}");
    }
}

#[test]
fn an_expired_login_is_said() {
    let server = Server::http(|_| Answer::status(401, "Unauthorized", "Unauthorized"));
    Home::of(&server).run(&["plan"]).assert_fails("does not accept the login", "log in again");
    // Also in the middle.
    let cluster = demo();
    cluster.always(PODS, "continue", Answer::status(401, "Unauthorized", "Unauthorized"));
    let server = cluster.serve();
    let said = Home::of(&server).run(&["plan", "--chunk-size", "20"]);
    said.assert_fails("does not accept the login", "log in again");
}

#[cfg(unix)]
#[test]
fn an_interruption_ends_at_once_and_leaves_nothing() {
    let cluster = demo();
    cluster.always(PODS, "", Answer::Silence(Duration::from_secs(30)));
    let server = cluster.serve();
    let home = Home::of(&server);
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_psp2psa"))
        .args(["collect", "-o", "snapshot.json"])
        .env("HOME", home.path())
        .env_remove("KUBECONFIG")
        .current_dir(home.path())
        .spawn()
        .unwrap();
    while server.count(PODS) == 0 {
        std::thread::sleep(Duration::from_millis(20));
    }
    let started = Instant::now();
    let id = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    assert!(!child.wait().unwrap().success());
    assert!(started.elapsed() < Duration::from_secs(2));
    let names: Vec<_> = std::fs::read_dir(home.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names, [".kube"]);
}
