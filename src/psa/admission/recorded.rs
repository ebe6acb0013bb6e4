//! The answers of a v1.36 server over HTTP: what arrives when labels of a namespace change.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::vectors::recorded;
use super::{
    ExistingPod, NamespaceAnswer, NamespaceChange, PodRequest, Target, arriving, namespace_answer,
    pod_answer,
};
use crate::objects::pod::PodTemplateSpec;
use crate::psa::configuration::Configuration;
use crate::version::Version;

#[derive(Deserialize)]
struct Exchange {
    note: String,
    request: Request,
    response: Response,
}

#[derive(Deserialize)]
struct Request {
    method: String,
    path: String,
    body: Value,
}

#[derive(Deserialize)]
struct Response {
    status: u16,
    headers: BTreeMap<String, Vec<String>>,
    body: Value,
}

impl Request {
    /// The namespace, and whether its labels are to change for good; `None` for other requests.
    fn labelled(&self) -> Option<(&str, bool)> {
        let (path, query) = self.path.split_once('?')?;
        let name = path.strip_prefix("/api/v1/namespaces/").filter(|name| !name.contains('/'))?;
        (self.method == "PATCH").then_some((name, !query.contains("dryRun")))
    }

    /// The labels of the patch; `None` removes one.
    fn labels(&self) -> BTreeMap<String, Option<String>> {
        // A body for server-side apply is text.
        let text = self.body.as_str().map(|text| serde_json::from_str::<Value>(text).unwrap());
        let body = text.as_ref().unwrap_or(&self.body);
        serde_json::from_value(body["metadata"]["labels"].clone()).unwrap()
    }
}

/// The text in a `Warning` header.
fn text_of(header: &str) -> String {
    serde_json::from_str(header.strip_prefix("299 - ").unwrap()).unwrap()
}

/// The server's pods as it lists them.
fn pods() -> Vec<(String, String, PodTemplateSpec)> {
    let lists: Vec<Exchange> = recorded("http/server-1.36-lists-limit20.jsonl.gz");
    let list = lists.into_iter().find(|it| it.request.path.starts_with("/api/v1/pods?")).unwrap();
    let items = list.response.body["items"].as_array().unwrap().iter();
    items
        .map(|pod| {
            let text = |key: &str| pod["metadata"][key].as_str().unwrap().to_owned();
            (text("namespace"), text("name"), serde_json::from_value(pod.clone()).unwrap())
        })
        .collect()
}

#[test]
fn a_server_answers_label_changes_as_is_predicted() {
    let configuration = Configuration { server: Some(Version::v1(36)), ..Configuration::default() };
    let pods = pods();
    let mut labels: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    let (mut n_changes, mut n_warnings) = (0, 0);
    for exchange in recorded::<Exchange>("http/server-1.36-labels.jsonl.gz") {
        let Exchange { note, request, response } = exchange;
        let Some((name, is_kept)) = request.labelled() else { continue };
        // Neither of these comes to Pod Security admission.
        if [403, 409].contains(&response.status) {
            continue;
        }
        n_changes += 1;
        let old = labels.entry(name.to_owned()).or_default();
        let mut new = old.clone();
        for (key, value) in request.labels() {
            match value {
                Some(value) => new.insert(key, value),
                None => new.remove(&key),
            };
        }
        let change = NamespaceChange { name, labels: &new, old_labels: Some(old) };
        let there = pods.iter().filter(|(namespace, ..)| namespace == name);
        let there = there.map(|(_, name, pod)| ExistingPod { name, controller: "", pod });
        match namespace_answer(&change, &configuration, || there) {
            NamespaceAnswer::Allowed(warnings) => {
                let none = Vec::new();
                let arrived = response.headers.get("Warning").unwrap_or(&none);
                let arrived: Vec<String> = arrived.iter().map(|it| text_of(it)).collect();
                assert_eq!(arriving(&warnings), arrived, "{note}");
                assert_eq!(response.status, 200, "{note}");
                n_warnings += arrived.len();
            }
            NamespaceAnswer::Invalid(invalid) => {
                assert_eq!(response.status, 422, "{note}");
                assert_eq!(response.body["message"], invalid.to_string(), "{note}");
            }
        }
        if is_kept {
            *old = new;
        }
    }
    assert_eq!((n_changes, n_warnings), (17, 18));
}

#[test]
fn a_server_refuses_a_pod_as_is_predicted() {
    let exchanges: Vec<Exchange> = recorded("http/server-1.36-labels.jsonl.gz");
    let refused = exchanges.iter().find(|it| it.request.path.contains("/pods?")).unwrap();
    let labels = BTreeMap::from([(
        "pod-security.kubernetes.io/enforce".to_owned(),
        "restricted".to_owned(),
    )]);
    let pod = serde_json::from_value(refused.request.body.clone()).unwrap();
    let request = PodRequest {
        target: Target::Pod,
        namespace: "shop",
        name: "x",
        username: "",
        subresource: "",
        labels: Ok(&labels),
        pod: Some(&pod),
        is_significant: true,
    };
    let answer = pod_answer(&request, &Configuration::default());
    assert_eq!(answer.refusal.as_deref(), refused.response.body["message"].as_str());
}
