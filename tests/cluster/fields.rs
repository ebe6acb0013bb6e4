//! Who has set which fields of an object, and what does server-side apply make of it?

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::patches::merge_key;
use crate::server::Answer;

/// A step to a field: its name, or the value of the key of a list's element.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Field(String),
    Element(&'static str, String),
}

type Path = Vec<Step>;

/// The managers of an object: by name, and whether they apply, the fields that they own.
#[derive(Debug, Clone, Default)]
pub(crate) struct Owners(BTreeMap<(String, bool), BTreeSet<Path>>);

/// A field that someone else owns, with another value.
pub(crate) struct Conflict {
    manager: String,
    field: String,
}

/// The answer to an apply that conflicts.
pub(crate) fn refusal(conflicts: &[Conflict]) -> Answer {
    let message = |it: &Conflict| format!("conflict with \"{}\"", it.manager);
    let causes: Vec<Value> = conflicts
        .iter()
        .map(|it| {
            json!({"reason": "FieldManagerConflict", "message": message(it), "field": it.field})
        })
        .collect();
    let texts: Vec<String> =
        conflicts.iter().map(|it| format!("{}: {}", message(it), it.field)).collect();
    let (n_conflicts, s) = (texts.len(), if texts.len() == 1 { "" } else { "s" });
    let message = format!("Apply failed with {n_conflicts} conflict{s}: {}", texts.join(", "));
    Answer::json(
        409,
        &json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": message, "reason": "Conflict", "details": {"causes": causes}, "code": 409,
        }),
    )
}

impl Owners {
    /// Notes what an update has changed: it takes the fields from everyone else.
    pub(crate) fn update(&mut self, manager: &str, old: &Value, new: &Value) {
        let (old, new) = (leaves(old), leaves(new));
        let changed: BTreeSet<Path> = new
            .iter()
            .filter(|(path, value)| old.get(*path) != Some(value))
            .map(|it| it.0.clone())
            .collect();
        for paths in self.0.values_mut() {
            paths.retain(|path| new.contains_key(path) && !changed.contains(path));
        }
        self.0.entry((manager.to_owned(), false)).or_default().extend(changed);
        self.0.retain(|_, paths| !paths.is_empty());
    }

    /// Notes what a manager has made by applying it.
    pub(crate) fn own(&mut self, manager: &str, applied: &Value) {
        self.0.clear();
        self.0.insert((manager.to_owned(), true), leaves(applied).into_keys().collect());
    }

    /// The object after a manager has applied these fields; otherwise the conflicts.
    pub(crate) fn apply(
        &mut self,
        manager: &str,
        old: &Value,
        applied: &Value,
        is_forced: bool,
    ) -> Result<Value, Vec<Conflict>> {
        let (present, wanted) = (leaves(old), leaves(applied));
        let own_key = (manager.to_owned(), true);
        let mut conflicts = Vec::new();
        for ((other, is_applied), paths) in &mut self.0 {
            if *other == manager && *is_applied {
                continue;
            }
            paths.retain(|path| {
                let Some(value) = wanted.get(path) else { return true };
                let is_conflict = present.get(path) != Some(value);
                if is_conflict && !is_forced {
                    conflicts.push(Conflict { manager: other.clone(), field: printed(path) });
                }
                !is_conflict
            });
        }
        if !conflicts.is_empty() {
            return Err(conflicts);
        }
        let mut new = old.clone();
        let given_up: Vec<Path> = self.0.get(&own_key).into_iter().flatten().cloned().collect();
        for path in given_up.iter().filter(|path| !wanted.contains_key(*path)) {
            let is_others =
                self.0.iter().any(|(key, paths)| *key != own_key && paths.contains(path));
            if !is_others {
                remove(&mut new, path);
            }
        }
        for (path, value) in &wanted {
            set(&mut new, path, value.clone());
        }
        self.0.insert(own_key, wanted.into_keys().collect());
        self.0.retain(|_, paths| !paths.is_empty());
        Ok(new)
    }

    /// `metadata.managedFields`.
    pub(crate) fn rendered(&self, api_version: &str) -> Value {
        let entry = |((manager, is_applied), paths): (&(String, bool), &BTreeSet<Path>)| {
            let mut fields = json!({});
            for path in paths {
                let mut place = &mut fields;
                for step in path {
                    let name = match step {
                        Step::Field(name) => format!("f:{name}"),
                        Step::Element(key, value) => format!("k:{}", json!({ *key: value })),
                    };
                    place = &mut place[name];
                }
                *place = json!({});
            }
            json!({"manager": manager, "operation": if *is_applied { "Apply" } else { "Update" },
                "apiVersion": api_version, "time": "2026-11-22T00:00:00Z",
                "fieldsType": "FieldsV1", "fieldsV1": fields})
        };
        self.0.iter().map(entry).collect()
    }
}

/// What is owned: everything but what only the server sets; lists without a key as a whole.
fn leaves(object: &Value) -> BTreeMap<Path, Value> {
    let mut leaves = BTreeMap::new();
    collect(object, "", &mut Vec::new(), &mut leaves);
    let is_server = |path: &Path| {
        let names = ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"];
        let names = names.into_iter().chain(["generation", "managedFields"]);
        match path.as_slice() {
            [Step::Field(metadata), Step::Field(field), ..] if metadata == "metadata" => {
                names.into_iter().any(|name| name == field)
            }
            [Step::Field(status), ..] => status == "status",
            _ => false,
        }
    };
    leaves.retain(|path, _| !is_server(path));
    leaves
}

fn collect(value: &Value, name: &str, path: &mut Path, leaves: &mut BTreeMap<Path, Value>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, value) in fields {
                path.push(Step::Field(name.clone()));
                collect(value, name, path, leaves);
                path.pop();
            }
        }
        Value::Array(items) => match merge_key(name, items) {
            Some(key) => {
                for item in items {
                    path.push(Step::Element(key, key_text(&item[key])));
                    collect(item, "", path, leaves);
                    path.pop();
                }
            }
            None => drop(leaves.insert(path.clone(), value.clone())),
        },
        Value::Null => {}
        _ => drop(leaves.insert(path.clone(), value.clone())),
    }
}

fn key_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn printed(path: &Path) -> String {
    let step = |step: &Step| match step {
        Step::Field(name) => format!(".{name}"),
        Step::Element(key, value) => format!("[{key}=\"{value}\"]"),
    };
    path.iter().map(step).collect()
}

fn set(place: &mut Value, path: &[Step], value: Value) {
    match path {
        [] => *place = value,
        [Step::Field(name), rest @ ..] => {
            if !place.is_object() {
                *place = Value::Object(Map::new());
            }
            set(&mut place[name.as_str()], rest, value);
        }
        [Step::Element(key, wanted), rest @ ..] => {
            if !place.is_array() {
                *place = json!([]);
            }
            let items = place.as_array_mut().unwrap();
            let index = items.iter().position(|item| key_text(&item[*key]) == *wanted);
            let index = index.unwrap_or_else(|| {
                items.push(json!({}));
                items.len() - 1
            });
            set(&mut items[index], rest, value);
        }
    }
}

/// Removes a field, and what is empty without it.
fn remove(place: &mut Value, path: &[Step]) {
    match (path, &mut *place) {
        ([Step::Field(name), rest @ ..], Value::Object(fields)) => {
            if let Some(inner) = fields.get_mut(name) {
                remove(inner, rest);
                if rest.is_empty() || *inner == json!({}) || *inner == json!([]) {
                    fields.remove(name);
                }
            }
        }
        ([Step::Element(key, wanted), rest @ ..], Value::Array(items)) => {
            let is_it = |item: &Value| key_text(&item[*key]) == *wanted;
            if let Some(index) = items.iter().position(is_it) {
                remove(&mut items[index], rest);
                if items[index] == json!({}) {
                    items.remove(index);
                }
            }
        }
        _ => {}
    }
}
