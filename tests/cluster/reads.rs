//! What does a request that reads get?

use std::time::Duration;

use serde_json::{Value, json};

use crate::discovery::Target;
use crate::server::{Answer, Seen};
use crate::store::{Store, named};
use crate::writes::not_found;

pub(crate) fn get(store: &Store, target: &Target) -> Answer {
    match store.get(&target.key()) {
        Some(object) => {
            Answer::json(200, &named(object, &target.group_version, target.resource.kind))
        }
        None => not_found(target),
    }
}

/// `None` where the program asks what it has no business asking.
pub(crate) fn list(
    store: &Store,
    target: &Target,
    seen: &Seen,
    is_kubectl: bool,
) -> Option<Answer> {
    let known = ["limit", "continue", "fieldSelector", "labelSelector"];
    let is_known = |pair: &str| known.iter().any(|name| pair.starts_with(&format!("{name}=")));
    if !is_kubectl && !seen.query.is_empty() && !seen.query.split('&').all(is_known) {
        return None;
    }
    let kind = target.resource.kind;
    let items: Vec<&Value> =
        store.list(kind).filter(|item| target.holds(item) && is_selected(item, seen)).collect();
    if matches!(&*seen.decoded("watch"), "true" | "1") {
        return Some(watch(&items, target, seen));
    }
    let start: usize = match seen.parameter("continue") {
        // The token is opaque: it holds what must be escaped in a query.
        Some(token) => token.strip_prefix("at%2B")?.strip_suffix("%3D%3D")?.parse().ok()?,
        None => 0,
    };
    let limit = seen.parameter("limit").map_or(usize::MAX, |limit| limit.parse().unwrap());
    let end = start.saturating_add(limit).min(items.len());
    let mut metadata = json!({"resourceVersion": store.revision().to_string()});
    if end < items.len() {
        metadata["continue"] = format!("at+{end}==").into();
        metadata["remainingItemCount"] = (items.len() - end).into();
    }
    Some(Answer::json(
        200,
        &json!({
            "kind": format!("{kind}List"), "apiVersion": target.group_version,
            "metadata": metadata, "items": items[start..end],
        }),
    ))
}

/// Whether the selectors of a list select an item.
fn is_selected(item: &Value, seen: &Seen) -> bool {
    let labels = serde_json::from_value(item["metadata"]["labels"].clone()).unwrap_or_default();
    let selector: psp2psa::objects::selector::Selector =
        seen.decoded("labelSelector").parse().unwrap();
    let fields = seen.decoded("fieldSelector");
    let holds = |term: &str| {
        let (path, value) = term.split_once('=').unwrap();
        let (path, is_wanted) = match path.strip_suffix('!') {
            Some(path) => (path, false),
            None => (path, true),
        };
        let pointer = format!("/{}", path.replace('.', "/"));
        let found = item.pointer(&pointer).and_then(Value::as_str).unwrap_or_default();
        (found == value.trim_start_matches('=')) == is_wanted
    };
    selector.selects(&labels) && fields.split(',').filter(|it| !it.is_empty()).all(holds)
}

/// What has changed since, as far as it is still there; kubectl then asks again.
fn watch(items: &[&Value], target: &Target, seen: &Seen) -> Answer {
    let revision = |text: &str| text.parse::<u64>().unwrap_or_default();
    let since = revision(&seen.decoded("resourceVersion"));
    let is_newer = |item: &&&Value| {
        revision(item["metadata"]["resourceVersion"].as_str().unwrap_or_default()) > since
    };
    let events = items.iter().filter(is_newer).map(|item| {
        let object = named(item, &target.group_version, target.resource.kind);
        format!("{}\n", json!({"type": "MODIFIED", "object": object}))
    });
    let answer = Answer::text(200, "application/json", &events.collect::<String>());
    Answer::Late(Duration::from_millis(200), Box::new(answer))
}
