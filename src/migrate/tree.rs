//! How do two slices of a pod differ, whatever the field?
//!
//! Injection, and what PSP wrote into a live pod, can stand in any field. So these questions are
//! asked of the slice as a JSON tree, in which containers and volumes are found by name: a webhook
//! that puts its container first has not changed the others.

use serde_json::{Map, Value};

use crate::objects::path::{FieldPath, Segment};
use crate::objects::pod::PodTemplateSpec;

/// The tree of a slice.
#[must_use]
pub fn of(pod: &PodTemplateSpec) -> Value {
    serde_json::to_value(pod).expect("a slice has string keys only, so it has a JSON form")
}

/// The slice of a tree that [`of`] made and the functions here have changed.
#[must_use]
pub fn to_slice(tree: &Value) -> PodTemplateSpec {
    serde::Deserialize::deserialize(tree)
        .expect("trees keep the types of the slices that they were made of")
}

/// What tells the elements of a list apart.
#[derive(Clone, Copy)]
enum ListKind {
    /// Objects with this key.
    By(&'static str),
    /// The elements themselves.
    Set,
    /// Nothing: the list is one value.
    Atomic,
}

fn list_kind(field: &str) -> ListKind {
    match field {
        "containers" | "initContainers" | "ephemeralContainers" | "volumes" | "sysctls" => {
            ListKind::By("name")
        }
        "volumeMounts" => ListKind::By("mountPath"),
        "add" | "drop" | "ports" => ListKind::Set,
        _ => ListKind::Atomic,
    }
}

/// Does to `target` what has been done to `base` to make `changed`: a three-way merge.
///
/// `None` stands for an absent value, also in the result. Where both sides changed a value, the
/// change wins over the target; where both added one, the target's stays, as webhooks fill in what
/// is unset.
#[must_use]
pub fn transplanted(
    field: &str,
    base: Option<&Value>,
    changed: Option<&Value>,
    target: Option<&Value>,
) -> Option<Value> {
    if base == changed {
        return target.cloned();
    }
    // Where two of the three have a value to look into, the third is as good as empty if it has none.
    let nothing = changed.is_none() || target.is_none();
    let merged = match (base, changed, target) {
        (Some(Value::Object(base)), Some(Value::Object(changed)), None) => {
            Value::Object(transplanted_object(base, changed, &Map::new()))
        }
        (Some(Value::Object(base)), None, Some(Value::Object(target))) => {
            Value::Object(transplanted_object(base, &Map::new(), target))
        }
        (base, Some(Value::Object(changed)), Some(Value::Object(target))) => {
            let empty = Map::new();
            let base = base.and_then(Value::as_object).unwrap_or(&empty);
            Value::Object(transplanted_object(base, changed, target))
        }
        (Some(Value::Array(base)), Some(Value::Array(changed)), None) => {
            transplanted_array(field, base, changed, &[])
        }
        (Some(Value::Array(base)), None, Some(Value::Array(target))) => {
            transplanted_array(field, base, &[], target)
        }
        (base, Some(Value::Array(changed)), Some(Value::Array(target))) => {
            let base = base.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            transplanted_array(field, base, changed, target)
        }
        (None, Some(_), Some(target)) => return Some(target.clone()),
        (_, changed, _) => return changed.cloned(),
    };
    let is_empty = match &merged {
        Value::Object(members) => members.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    };
    (!(nothing && is_empty)).then_some(merged)
}

fn transplanted_array(field: &str, base: &[Value], changed: &[Value], target: &[Value]) -> Value {
    match list_kind(field) {
        ListKind::By(key) => transplanted_list(key, base, changed, target),
        ListKind::Set => transplanted_set(base, changed, target),
        ListKind::Atomic if base.is_empty() && !target.is_empty() => Value::Array(target.to_vec()),
        ListKind::Atomic => Value::Array(changed.to_vec()),
    }
}

fn transplanted_object(
    base: &Map<String, Value>,
    changed: &Map<String, Value>,
    target: &Map<String, Value>,
) -> Map<String, Value> {
    let mut result = Map::new();
    let only_changed = changed.keys().filter(|key| !target.contains_key(*key));
    for key in target.keys().chain(only_changed) {
        let value = transplanted(key, base.get(key), changed.get(key), target.get(key));
        result.extend(value.map(|value| (key.clone(), value)));
    }
    result
}

fn transplanted_list(key: &str, base: &[Value], changed: &[Value], target: &[Value]) -> Value {
    let named = |list: &'_ [Value], name: Option<&Value>| {
        list.iter().position(|item| item.get(key) == name)
    };
    let mut result = Vec::new();
    for item in changed {
        let name = item.get(key);
        let base = named(base, name).map(|index| &base[index]);
        let target = named(target, name).map(|index| &target[index]);
        // What was there before and is gone from the target stays gone.
        if target.is_some() || base.is_none() {
            result.extend(transplanted("", base, Some(item), target));
        }
    }
    for item in target {
        let name = item.get(key);
        if named(changed, name).is_none() && named(base, name).is_none() {
            result.push(item.clone());
        }
    }
    Value::Array(result)
}

fn transplanted_set(base: &[Value], changed: &[Value], target: &[Value]) -> Value {
    let was_removed = |item: &Value| base.contains(item) && !changed.contains(item);
    let mut result: Vec<Value> = target.iter().filter(|item| !was_removed(item)).cloned().collect();
    for item in changed {
        if !base.contains(item) && !result.contains(item) {
            result.push(item.clone());
        }
    }
    Value::Array(result)
}

/// In how many values two trees differ.
#[must_use]
pub fn n_differences(a: &Value, b: &Value) -> usize {
    n_differences_at("", Some(a), Some(b))
}

fn n_differences_at(field: &str, a: Option<&Value>, b: Option<&Value>) -> usize {
    match (a, b) {
        _ if a == b => 0,
        (None, None) => 0,
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let only_b = b.keys().filter(|key| !a.contains_key(*key));
            a.keys().chain(only_b).map(|key| n_differences_at(key, a.get(key), b.get(key))).sum()
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) => match list_kind(field) {
            ListKind::By(key) => {
                let counterpart = |list: &'_ [Value], item: &Value| {
                    list.iter().position(|other| other.get(key) == item.get(key))
                };
                let n_of_a: usize = a
                    .iter()
                    .map(|item| {
                        let other = counterpart(b, item).map(|index| &b[index]);
                        n_differences_at("", Some(item), other)
                    })
                    .sum();
                let only_b = b.iter().filter(|item| counterpart(a, item).is_none());
                n_of_a + only_b.map(n_values).sum::<usize>()
            }
            ListKind::Set => {
                let n_missing = |from: &[Value], items: &[Value]| {
                    items.iter().filter(|item| !from.contains(item)).count()
                };
                n_missing(a, b) + n_missing(b, a)
            }
            ListKind::Atomic => usize::from(a != b),
        },
        (Some(a), Some(b)) => usize::from(a != b),
        (Some(only), None) | (None, Some(only)) => n_values(only),
    }
}

/// How many values a tree holds; an empty object or list is one.
fn n_values(tree: &Value) -> usize {
    match tree {
        Value::Object(members) => members.values().map(n_values).sum::<usize>().max(1),
        Value::Array(items) => items.iter().map(n_values).sum::<usize>().max(1),
        _ => 1,
    }
}

/// The value at a path; list elements are found by name where the path has names.
#[must_use]
pub fn get<'a>(tree: &'a Value, path: &FieldPath) -> Option<&'a Value> {
    path.segments().iter().try_fold(tree, |value, segment| match segment {
        Segment::Field(field) => value.get(field),
        Segment::Key(key) => value.get(&**key),
        Segment::Index(index, name) => value.get(position(value, *index, name.as_deref())?),
    })
}

/// Sets the value at a path, making the objects on the way; nothing happens where a list on the way
/// does not have the element.
pub fn set(tree: &mut Value, path: &FieldPath, new: Value) {
    let mut place = tree;
    for segment in path.segments() {
        place = match segment {
            Segment::Field(field) => entry(place, field),
            Segment::Key(key) => entry(place, key),
            Segment::Index(index, name) => {
                let position = position(place, *index, name.as_deref());
                match position.and_then(|index| place.get_mut(index)) {
                    Some(element) => element,
                    None => return,
                }
            }
        };
    }
    *place = new;
}

/// Removes the value at a path, and the objects above it that become empty and that `keep` does not
/// have.
pub fn remove(tree: &mut Value, path: &FieldPath, keep: &Value) {
    remove_below(tree, path.segments(), Some(keep));
}

fn remove_below(value: &mut Value, segments: &[Segment], keep: Option<&Value>) {
    let Some((segment, rest)) = segments.split_first() else { return };
    match segment {
        Segment::Index(index, name) => {
            let position = position(value, *index, name.as_deref());
            let kept =
                keep.and_then(|keep| keep.get(self::position(keep, *index, name.as_deref())?));
            if let Some(element) = position.and_then(|index| value.get_mut(index)) {
                remove_below(element, rest, kept);
            }
        }
        Segment::Field(_) | Segment::Key(_) => {
            let key = match segment {
                Segment::Key(key) => key,
                Segment::Field(field) => *field,
                Segment::Index(..) => return,
            };
            let Some(object) = value.as_object_mut() else { return };
            let kept = keep.and_then(|keep| keep.get(key));
            if rest.is_empty() {
                object.remove(key);
            } else if let Some(child) = object.get_mut(key) {
                remove_below(child, rest, kept);
                let is_emptied = child.as_object().is_some_and(Map::is_empty);
                if is_emptied && kept.is_none() {
                    object.remove(key);
                }
            }
        }
    }
}

fn entry<'a>(value: &'a mut Value, key: &str) -> &'a mut Value {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    // Indexing an object by a missing key inserts null, to be replaced by the caller.
    &mut value[key]
}

/// Where in a list an element stands: by name where it has one, else by index.
fn position(list: &Value, index: usize, name: Option<&str>) -> Option<usize> {
    let list = list.as_array()?;
    let has_name =
        |item: &Value, name: &str| item.get("name").and_then(Value::as_str) == Some(name);
    match name {
        // Names can be given twice in input that no server has checked; then the index decides.
        Some(name) if !list.get(index).is_some_and(|item| has_name(item, name)) => {
            list.iter().position(|item| has_name(item, name))
        }
        _ => (index < list.len()).then_some(index),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn transplant(base: &Value, changed: &Value, target: &Value) -> Value {
        transplanted("", Some(base), Some(changed), Some(target)).unwrap()
    }

    #[test]
    fn an_injected_container_keeps_its_place_and_its_fields() {
        let base = json!({"containers": [{"name": "app", "a": 1}]});
        let changed = json!({"containers": [{"name": "mesh", "b": 2}, {"name": "app", "a": 1}]});
        let target = json!({"containers": [{"name": "app", "a": 3}, {"name": "new"}]});
        assert_eq!(
            transplant(&base, &changed, &target),
            json!({"containers": [{"name": "mesh", "b": 2}, {"name": "app", "a": 3}, {"name": "new"}]})
        );
    }

    #[test]
    fn a_value_that_only_the_base_had_is_not_invented_in_the_target() {
        let base = json!({"securityContext": {"runAsNonRoot": true, "fsGroup": 1}});
        let changed = json!({"securityContext": {"runAsNonRoot": true, "fsGroup": 7}});
        let target = json!({"securityContext": {}});
        assert_eq!(
            transplant(&base, &changed, &target),
            json!({"securityContext": {"fsGroup": 7}})
        );
    }

    #[test]
    fn what_the_base_had_too_does_not_come_with_a_parent_that_the_target_lacks() {
        let base = json!({"annotations": {"psp": 1, "old": 2}, "drop": ["ALL"]});
        let changed = json!({"annotations": {"psp": 1}, "drop": ["ALL", "X"]});
        assert_eq!(transplant(&base, &changed, &json!({})), json!({"drop": ["X"]}));
    }

    #[test]
    fn only_what_the_base_had_goes_with_a_parent_that_was_removed() {
        let base = json!({"securityContext": {"fsGroup": 1, "capabilities": {"drop": ["ALL"]}}});
        let target = json!({"securityContext": {"fsGroup": 1, "runAsUser": 5}});
        assert_eq!(
            transplant(&base, &json!({}), &target),
            json!({"securityContext": {"runAsUser": 5}})
        );
        assert_eq!(transplant(&base, &json!({}), &base), json!({}));
    }

    #[test]
    fn a_value_that_both_added_is_the_targets() {
        let [changed, target] = [true, false].map(|value| json!({"runAsNonRoot": value}));
        assert_eq!(transplant(&json!({}), &changed, &target), target);
    }

    #[test]
    fn differences_are_counted_by_value() {
        let a =
            json!({"containers": [{"name": "a", "x": 1}, {"name": "b", "x": {"y": 1, "z": 2}}]});
        let b = json!({"containers": [{"name": "c"}, {"name": "a", "x": 2, "drop": ["A", "B"]}]});
        // x of a, both drops of a, name and y and z of b, name of c.
        assert_eq!((n_differences(&a, &b), n_differences(&b, &a)), (7, 7));
        assert_eq!(n_differences(&a, &a), 0);
    }

    #[test]
    fn capabilities_are_sets() {
        let base = json!({"add": ["A", "B"]});
        let changed = json!({"add": ["B", "C"]});
        let target = json!({"add": ["A", "D"]});
        assert_eq!(transplant(&base, &changed, &target), json!({"add": ["D", "C"]}));
    }

    #[test]
    fn removing_prunes_what_nobody_wrote() {
        let path = FieldPath::new("spec.containers")
            .named_index(0, "app")
            .child("securityContext.runAsNonRoot");
        let tree = json!({"spec": {"containers": [
            {"name": "mesh"}, {"name": "app", "securityContext": {"runAsNonRoot": true}}]}});
        let mut pruned = tree.clone();
        remove(&mut pruned, &path, &json!({}));
        assert_eq!(pruned, json!({"spec": {"containers": [{"name": "mesh"}, {"name": "app"}]}}));
        let mut kept = tree.clone();
        let author = json!({"spec": {"containers": [{"name": "app", "securityContext": {}}]}});
        remove(&mut kept, &path, &author);
        assert_eq!(kept["spec"]["containers"][1], json!({"name": "app", "securityContext": {}}));
        set(&mut kept, &path, json!(true));
        assert_eq!(kept, tree);
    }
}
