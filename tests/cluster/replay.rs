//! Do we understand what real API servers have answered?

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::{Arc, Mutex};

use flate2::read::MultiGzDecoder;
use serde_json::Value;

use crate::run::Home;
use crate::server::{Answer, Server};

/// A server that gives recorded answers, and fails at every other request.
fn replay(files: &[&str]) -> (Server, Arc<Mutex<Vec<String>>>) {
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
