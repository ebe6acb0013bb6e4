//! Do we understand what real API servers have answered?

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::{Arc, Mutex};

use flate2::read::MultiGzDecoder;
use serde_json::Value;

use crate::fake::{Cluster, Release};
use crate::run::Home;
use crate::server::{Answer, Seen, Server};
use crate::store::named;

/// The exchanges of a recording.
fn recorded(file: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/vectors/http").join(file);
    let reader = MultiGzDecoder::new(std::fs::File::open(path).unwrap());
    BufReader::new(reader)
        .lines()
        .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
        .collect()
}

/// Recorded answers to plain GETs, by path and query.
fn answers(files: &[&str]) -> BTreeMap<String, Answer> {
    let mut answers = BTreeMap::new();
    for file in files {
        for exchange in recorded(file) {
            let (request, response) = (&exchange["request"], &exchange["response"]);
            if request["method"] != "GET" || request["headers"] != serde_json::json!({}) {
                continue;
            }
            let content_type = response["headers"]["Content-Type"][0].as_str().unwrap().to_owned();
            let body = match &response["body"] {
                Value::String(text) => text.clone(),
                body => body.to_string(),
            };
            let status = u16::try_from(response["status"].as_u64().unwrap()).unwrap();
            let path = request["path"].as_str().unwrap().to_owned();
            answers.insert(path, Answer::text(status, &content_type, &body));
        }
    }
    answers
}

/// A server that gives recorded answers, and fails at every other request.
fn replay(files: &[&str]) -> (Server, Arc<Mutex<Vec<String>>>) {
    let answers = answers(files);
    let unexpected: Arc<Mutex<Vec<String>>> = Arc::default();
    let log = Arc::clone(&unexpected);
    let server = Server::http(move |seen| {
        answers.get(&seen.target()).cloned().unwrap_or_else(|| {
            log.lock().unwrap().push(seen.target());
            Answer::text(500, "text/plain", "unexpected")
        })
    });
    (server, unexpected)
}

#[test]
fn a_recorded_1_21_is_the_demo_cluster() {
    let (server, unexpected) =
        replay(&["server-1.21-discovery-errors.jsonl.gz", "server-1.21-lists-limit20.jsonl.gz"]);
    let said = Home::of(&server).run(&["plan", "-o", "json", "--chunk-size", "20"]);
    assert_eq!(*unexpected.lock().unwrap(), Vec::<String>::new());
    assert_eq!(said.stderr, "");
    let plan = said.json();
    assert_eq!(plan["complete"], true);
    assert_eq!(plan["server"]["gitVersion"], "v1.21.2-k3s1");
    assert_eq!(plan["server"]["servesPsp"], true);
    assert_eq!(plan["server"]["podSecurityAdmission"], "absent");
    assert_eq!(plan["pssVersion"], "v1.25");
    assert_eq!(plan["policies"].as_array().unwrap().len(), 16);
}

#[test]
fn a_recorded_1_36_has_no_policies() {
    let (server, unexpected) =
        replay(&["server-1.36-discovery-errors.jsonl.gz", "server-1.36-lists-limit20.jsonl.gz"]);
    let said = Home::of(&server).run(&["plan", "-o", "json", "--chunk-size", "20"]);
    assert_eq!(*unexpected.lock().unwrap(), Vec::<String>::new());
    assert_eq!((said.code, said.stderr.as_str()), (0, ""));
    let plan = said.json();
    assert_eq!(plan["server"]["gitVersion"], "v1.36.2");
    assert_eq!(plan["server"]["servesPsp"], false);
    assert_eq!(plan["server"]["podSecurityAdmission"], "stable");
    assert_eq!(plan["server"]["judgesBy"], "v1.36");
    assert_eq!(plan["pssVersion"], "v1.36");
    assert_eq!(plan["policies"], serde_json::json!([]));
}

#[test]
fn a_recorded_expiry_begins_the_list_again() {
    // Of the ClusterRoles the first page by tens is recorded, and that its token has expired; after
    // two attempts they are asked as a whole, for which the lists by twenty stand in.
    let path = "/apis/rbac.authorization.k8s.io/v1/clusterroles";
    let expiry = answers(&["server-1.21-expired-continue.jsonl.gz"]);
    let others = Cluster::of_dump(Release::V1_21, "demo-1.21.json.gz");
    let rest = others.clone();
    let server = Server::http(move |seen| {
        let recorded = (seen.path == path).then(|| expiry.get(&seen.target())).flatten();
        recorded.cloned().unwrap_or_else(|| rest.answer(seen))
    });
    let said = Home::of(&server).run(&["plan", "-o", "json", "--chunk-size", "10"]);
    others.assert_expected();
    let sound = Home::of(&others.serve()).run(&["plan", "-o", "json"]);
    assert_eq!(said.json(), sound.json());
    let queries: Vec<_> =
        server.seen().into_iter().filter(|seen| seen.path == path).map(|seen| seen.query).collect();
    assert_eq!(queries.len(), 5, "{queries:?}");
    assert_eq!(queries[4], "");
}

/// A cluster with the objects of recorded lists.
fn cluster_of(file: &str, release: Release) -> Cluster {
    let mut objects = Vec::new();
    for exchange in recorded(file) {
        let list = &exchange["response"]["body"];
        // What this release does not serve is no list.
        let Some(kind) = list["kind"].as_str().and_then(|it| it.strip_suffix("List")) else {
            continue;
        };
        let api_version = list["apiVersion"].as_str().unwrap();
        let items = list["items"].as_array().unwrap();
        objects.extend(items.iter().map(|item| named(item, api_version, kind)));
    }
    Cluster::of(release, objects)
}

#[test]
fn namespaces_are_labelled_here_as_in_a_recorded_1_36() {
    let cluster = cluster_of("server-1.36-lists-limit20.jsonl.gz", Release::V1_36);
    // Some labels were set and taken away again between the two recordings.
    for namespace in ["shop", "infra"] {
        cluster.change("Namespace", "", namespace, |object| {
            object["metadata"]["labels"]
                .as_object_mut()
                .unwrap()
                .retain(|name, _| !name.starts_with("pod-"));
        });
    }
    cluster.set(|settings| settings.access.denied_users.push("nobody-special"));
    for exchange in recorded("server-1.36-labels.jsonl.gz") {
        let (request, response) = (&exchange["request"], &exchange["response"]);
        if exchange["note"] == "create pod refused by PSA" {
            cluster.change("Namespace", "", "shop", |object| {
                object["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] =
                    "restricted".into();
            });
        }
        let (path, query) = request["path"].as_str().unwrap().split_once('?').unwrap_or_default();
        let (path, query) = match path {
            "" => (request["path"].as_str().unwrap(), ""),
            path => (path, query),
        };
        let headers = request["headers"].as_object().unwrap().iter();
        let headers =
            headers.map(|(name, value)| (name.to_lowercase(), value.as_str().unwrap().to_owned()));
        let accept = ("accept".to_owned(), "application/json".to_owned());
        let seen = Seen {
            method: request["method"].as_str().unwrap().to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: headers.chain([accept]).collect(),
            body: match &request["body"] {
                Value::String(text) => text.clone().into_bytes(),
                body => body.to_string().into_bytes(),
            },
        };
        let note = &exchange["note"];
        let Answer::Http { status, headers, body } = cluster.answer(&seen) else {
            panic!("{note}")
        };
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(Value::from(status), response["status"], "{note}: {body}");
        let warnings = headers.into_iter().filter(|(name, _)| *name == "Warning");
        let warnings: Vec<String> = warnings.map(|(_, value)| value).collect();
        let recorded =
            response["headers"].get("Warning").cloned().unwrap_or(Value::Array(Vec::new()));
        assert_eq!(Value::from(warnings), recorded, "{note}");
        for pointer in ["/metadata/labels", "/message", "/reason", "/details"] {
            assert_eq!(
                body.pointer(pointer),
                response["body"].pointer(pointer),
                "{note} {pointer}"
            );
        }
    }
    cluster.assert_expected();
}
