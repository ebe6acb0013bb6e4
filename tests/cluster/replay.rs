//! Do we understand what real API servers have answered?

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::{Arc, Mutex};

use flate2::read::MultiGzDecoder;
use serde_json::Value;

use crate::run::Home;
use crate::server::{Answer, Server};

/// Recorded answers to plain GETs, by path and query.
fn answers(files: &[&str]) -> BTreeMap<String, Answer> {
    let mut answers = BTreeMap::new();
    for file in files {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/vectors/http").join(file);
        let reader = MultiGzDecoder::new(std::fs::File::open(path).unwrap());
        for line in BufReader::new(reader).lines() {
            let exchange: Value = serde_json::from_str(&line.unwrap()).unwrap();
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
    let others = crate::fake::Cluster::of_dump(crate::fake::Release::V1_21, "demo-1.21.json.gz");
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
