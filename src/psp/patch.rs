//! Which JSON patch makes of the given pod the admitted one?

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::objects::change::Change;
use crate::objects::path::{FieldPath, Segment};
use crate::objects::pod::{Container, ContainerKind, PSP_ANNOTATION, PodTemplateSpec};

/// One operation of a JSON patch (RFC 6902).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Operation {
    /// What to do.
    #[serde(rename = "op")]
    pub kind: OperationKind,
    /// Where, as a JSON pointer.
    pub path: String,
    /// The new value.
    pub value: Value,
}

/// What an [`Operation`] does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OperationKind {
    /// Adds a member to an object, or overwrites it.
    Add,
    /// Overwrites a value that is there.
    Replace,
}

/// Renders what a policy wrote as a patch of the pod as it was given, sorted by path.
///
/// `policy` is what the `kubernetes.io/psp` annotation becomes, which every admitted pod gets;
/// `None` leaves it out. The patch is valid on `base`, the object before any defaulting: where a
/// parent is missing, it is added as a whole with its new content.
#[must_use]
pub fn json_patch(
    changes: &[Change],
    policy: Option<&str>,
    base: &PodTemplateSpec,
) -> Vec<Operation> {
    let annotation = |policy: &str| {
        let path = FieldPath::new("metadata.annotations").key(PSP_ANNOTATION);
        (path, (OperationKind::Add, json!(policy)))
    };
    // By path, so that everything below a missing parent stands together and in order of keys.
    let mut values: BTreeMap<FieldPath, (OperationKind, Value)> =
        policy.map(annotation).into_iter().collect();
    for change in changes {
        let kind =
            if change.before.is_some() { OperationKind::Replace } else { OperationKind::Add };
        values.insert(change.path.clone(), (kind, json!(change.after)));
    }

    let mut operations: Vec<Operation> = Vec::new();
    for (path, (kind, value)) in values {
        let (parent, rest) = split_at_missing(&path, base);
        let pointer = parent.json_pointer();
        match operations.last_mut() {
            // Only a missing parent is written twice.
            Some(last) if last.path == pointer => insert(&mut last.value, rest, value),
            _ if rest.is_empty() => operations.push(Operation { kind, path: pointer, value }),
            _ => {
                let mut content = Value::Object(Map::new());
                insert(&mut content, rest, value);
                let kind = OperationKind::Add;
                operations.push(Operation { kind, path: pointer, value: content });
            }
        }
    }
    operations
}

/// Splits a path behind its first object that `base` lacks; the rest is empty where only the value
/// itself may be missing.
fn split_at_missing<'p>(path: &'p FieldPath, base: &PodTemplateSpec) -> (FieldPath, &'p [Segment]) {
    let segments = path.segments();
    let missing = (1..segments.len()).find(|&length| is_missing(&segments[..length], base));
    let (parent, rest) = segments.split_at(missing.unwrap_or(segments.len()));
    (FieldPath::from(parent), rest)
}

/// Whether one of the objects that PSP writes into is missing. What holds them is always there.
fn is_missing(path: &[Segment], base: &PodTemplateSpec) -> bool {
    use Segment::{Field, Index};
    let context = |list: &str, index: usize| {
        let kind = ContainerKind::ALL.into_iter().find(|kind| kind.field() == list)?;
        let container: &Container = base.spec.containers_of(kind).get(index)?;
        container.security_context.as_ref()
    };
    match path {
        [Field("metadata"), Field("annotations")] => base.annotations.is_none(),
        [Field("spec"), Field("securityContext")] => base.spec.security_context.is_none(),
        [Field("spec"), Field(list), Index(index, _), Field("securityContext")] => {
            context(list, *index).is_none()
        }
        [
            Field("spec"),
            Field(list),
            Index(index, _),
            Field("securityContext"),
            Field("capabilities"),
        ] => context(list, *index).is_none_or(|context| context.capabilities.is_none()),
        _ => false,
    }
}

/// Puts a value into an object, below objects that are made as needed.
fn insert(object: &mut Value, path: &[Segment], value: Value) {
    let Some((segment, rest)) = path.split_first() else {
        *object = value;
        return;
    };
    let key = match segment {
        Segment::Field(field) => (*field).to_owned(),
        Segment::Key(key) => key.to_string(),
        // A list is never missing as a whole, so no path leads through one below a missing object.
        Segment::Index(..) => return,
    };
    if !object.is_object() {
        *object = Value::Object(Map::new());
    }
    if let Value::Object(members) = object {
        insert(members.entry(key).or_insert(Value::Null), rest, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::change;

    fn template(json: &Value) -> PodTemplateSpec {
        serde_json::from_value(json.clone()).unwrap()
    }

    fn change(path: FieldPath, after: change::Value) -> Change {
        Change { path, before: None, after, policy: "p".into(), policy_field: None }
    }

    fn changes() -> Vec<Change> {
        let context = FieldPath::new("spec.containers").index(0).child("securityContext");
        let profile = change::Value::String("runtime/default".to_owned());
        vec![
            change(context.child("runAsNonRoot"), change::Value::Bool(true)),
            change(
                context.child("capabilities.drop"),
                change::Value::Strings(vec!["ALL".to_owned()]),
            ),
            change(FieldPath::new("spec.securityContext.fsGroup"), change::Value::Integer(1)),
            change(FieldPath::new("metadata.annotations").key("a/b~c"), profile),
        ]
    }

    #[test]
    fn adds_missing_parents_whole() {
        let base = template(&json!({"spec": {"containers": [{"name": "app"}]}}));
        assert_eq!(
            json!(json_patch(&changes(), Some("p"), &base)),
            json!([
                {"op": "add", "path": "/metadata/annotations",
                 "value": {"a/b~c": "runtime/default", "kubernetes.io/psp": "p"}},
                {"op": "add", "path": "/spec/containers/0/securityContext",
                 "value": {"capabilities": {"drop": ["ALL"]}, "runAsNonRoot": true}},
                {"op": "add", "path": "/spec/securityContext", "value": {"fsGroup": 1}},
            ])
        );
    }

    #[test]
    fn adds_single_values_to_parents_that_are_there() {
        let base = template(&json!({
            "metadata": {"annotations": {}},
            "spec": {
                "securityContext": {},
                "containers": [{"name": "app", "securityContext": {"runAsUser": 1}}],
            },
        }));
        assert_eq!(
            json!(json_patch(&changes(), Some("p"), &base)),
            json!([
                {"op": "add", "path": "/metadata/annotations/a~1b~0c", "value": "runtime/default"},
                {"op": "add", "path": "/metadata/annotations/kubernetes.io~1psp", "value": "p"},
                {"op": "add", "path": "/spec/containers/0/securityContext/capabilities",
                 "value": {"drop": ["ALL"]}},
                {"op": "add", "path": "/spec/containers/0/securityContext/runAsNonRoot",
                 "value": true},
                {"op": "add", "path": "/spec/securityContext/fsGroup", "value": 1},
            ])
        );
    }
}
