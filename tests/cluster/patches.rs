//! What does a patch make of an object?

use serde_json::{Map, Value};

/// Why there is no patched object.
#[derive(Debug)]
pub(crate) enum PatchError {
    Malformed(String),
    /// A test does not hold, or a path leads nowhere.
    DoesNotApply,
}

/// The key by which the elements of a list are told apart; `None` for lists that are one value.
///
/// Upstream: the `patchMergeKey` tags in `staging/src/k8s.io/api/core/v1/types.go` (v1.36).
pub(crate) fn merge_key(list: &str, items: &[Value]) -> Option<&'static str> {
    let key = match list {
        "containers"
        | "initContainers"
        | "ephemeralContainers"
        | "volumes"
        | "env"
        | "imagePullSecrets"
        | "secrets" => "name",
        "volumeMounts" => "mountPath",
        "volumeDevices" => "devicePath",
        "ports" => "containerPort",
        "hostAliases" => "ip",
        "topologySpreadConstraints" => "topologyKey",
        "conditions" => "type",
        "ownerReferences" => "uid",
        _ => return None,
    };
    // A PodSecurityPolicy has `volumes` too: words.
    let is_keyed = |item: &Value| {
        item.is_object() && (item.get(key).is_some() || item.get("$patch").is_some())
    };
    (!items.is_empty() && items.iter().all(is_keyed)).then_some(key)
}

/// RFC 6902.
pub(crate) fn json(object: &mut Value, patch: Value) -> Result<(), PatchError> {
    let patch: json_patch::Patch =
        serde_json::from_value(patch).map_err(|error| PatchError::Malformed(error.to_string()))?;
    json_patch::patch(object, &patch).map_err(|_| PatchError::DoesNotApply)
}

/// A strategic merge patch.
///
/// Upstream: `staging/src/k8s.io/apimachinery/pkg/util/strategicpatch/patch.go` (v1.36).
pub(crate) fn strategic(object: &mut Value, patch: &Value) -> Result<(), PatchError> {
    let Value::Object(patch) = patch else {
        return Err(PatchError::Malformed("the patch is no object".to_owned()));
    };
    if !object.is_object() {
        *object = Value::Object(Map::new());
    }
    let fields = object.as_object_mut().unwrap();
    match patch.get("$patch").and_then(Value::as_str) {
        Some("replace") => fields.clear(),
        Some("delete") => {
            fields.clear();
            return Ok(());
        }
        _ => {}
    }
    if let Some(kept) = patch.get("$retainKeys").and_then(Value::as_array) {
        fields.retain(|name, _| kept.iter().any(|it| it == name.as_str()));
    }
    for (name, value) in patch {
        if let Some(name) = name.strip_prefix("$deleteFromPrimitiveList/") {
            let gone = value.as_array().cloned().unwrap_or_default();
            if let Some(Value::Array(items)) = fields.get_mut(name) {
                items.retain(|item| !gone.contains(item));
            }
            continue;
        }
        if name.starts_with('$') {
            continue;
        }
        match (value, fields.get_mut(name)) {
            (Value::Null, _) => drop(fields.remove(name)),
            (Value::Object(_), Some(old)) => strategic(old, value)?,
            (Value::Object(_), None) => {
                let mut new = Value::Object(Map::new());
                strategic(&mut new, value)?;
                fields.insert(name.clone(), new);
            }
            (Value::Array(items), Some(Value::Array(old))) => elements(name, old, items)?,
            (Value::Array(items), _) => {
                let mut new = Vec::new();
                elements(name, &mut new, items)?;
                fields.insert(name.clone(), new.into());
            }
            _ => drop(fields.insert(name.clone(), value.clone())),
        }
    }
    for (name, order) in patch {
        let Some(name) = name.strip_prefix("$setElementOrder/") else { continue };
        if let (Some(Value::Array(items)), Some(order)) = (fields.get_mut(name), order.as_array()) {
            sort(name, items, order);
        }
    }
    Ok(())
}

fn elements(name: &str, old: &mut Vec<Value>, items: &[Value]) -> Result<(), PatchError> {
    if name == "finalizers" {
        let new = items.iter().filter(|item| !old.contains(item)).cloned().collect::<Vec<_>>();
        old.extend(new);
        return Ok(());
    }
    let is_replacement = |item: &Value| item["$patch"] == "replace";
    let Some(key) = merge_key(name, items).filter(|_| !items.iter().any(is_replacement)) else {
        let is_element = |item: &&Value| item.get("$patch").is_none();
        *old = items.iter().filter(is_element).cloned().collect();
        return Ok(());
    };
    for item in items {
        let index = old.iter().position(|known| known[key] == item[key]);
        match (index, item["$patch"].as_str()) {
            (Some(index), Some("delete")) => drop(old.remove(index)),
            (None, Some("delete")) => {}
            (Some(index), _) => strategic(&mut old[index], item)?,
            (None, _) => {
                let mut new = Value::Object(Map::new());
                strategic(&mut new, item)?;
                old.push(new);
            }
        }
    }
    Ok(())
}

/// Puts elements into the order that a patch asks for, those that it does not name last.
fn sort(name: &str, items: &mut [Value], order: &[Value]) {
    let key = merge_key(name, items);
    let place = |item: &Value| {
        order.iter().position(|wanted| key.map_or(wanted == item, |key| wanted[key] == item[key]))
    };
    items.sort_by_key(|item| place(item).unwrap_or(usize::MAX));
}
