//! What was there before a stage was applied, and how does it come back?
//!
//! For every namespace the labels that the stage sets are recorded before they are set, and for
//! every object that is made that there was none. What is recorded first stays: a stage that is
//! applied again, after it broke off, only adds to it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A record of what was there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Undo {
    /// `psp2psa/v1`.
    pub api_version: String,
    /// `Undo`.
    pub kind: String,
    /// The stage.
    pub stage: String,
    /// The server's address.
    pub server: String,
    /// The UID of the namespace kube-system, which no two clusters share.
    pub cluster: String,
    /// Whether everything has been put back.
    #[serde(default)]
    pub undone: bool,
    /// The namespaces by name.
    pub namespaces: BTreeMap<String, NamespaceRecord>,
    /// The objects that are made, in this order.
    pub objects: Vec<MadeObject>,
}

/// What was there of a namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamespaceRecord {
    /// Which one it was: another may have come under its name.
    pub uid: String,
    /// The labels that are set, by key.
    pub labels: BTreeMap<String, LabelRecord>,
}

/// What was there of a label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelRecord {
    /// Its value; `None` where there was none.
    pub before: Option<String>,
    /// The values that it was to be set to, one for each time with another plan.
    pub set: BTreeSet<String>,
}

/// An object that was not there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MadeObject {
    /// The kind.
    pub kind: String,
    /// The namespace; empty for objects of the cluster.
    #[serde(default)]
    pub namespace: String,
    /// The name.
    pub name: String,
    /// The object as it was to be made.
    pub object: Value,
}

/// What is to be done to put something back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Restoration {
    /// It is as it was.
    Nothing,
    /// The labels to set, and with `None` those to remove.
    Labels(BTreeMap<String, Option<String>>),
    /// Somebody else has changed it since; how, one line each. The labels would put it back all the
    /// same.
    Changed(Vec<String>, BTreeMap<String, Option<String>>),
}

impl Undo {
    /// A record of nothing yet.
    #[must_use]
    pub fn new(stage: &str, server: &str, cluster: &str) -> Self {
        Self {
            api_version: "psp2psa/v1".to_owned(),
            kind: "Undo".to_owned(),
            stage: stage.to_owned(),
            server: server.to_owned(),
            cluster: cluster.to_owned(),
            undone: false,
            namespaces: BTreeMap::new(),
            objects: Vec::new(),
        }
    }

    /// Records the labels of a namespace that are about to be set.
    ///
    /// # Errors
    /// Where the record knows other values of them: somebody has changed them since it was begun, and
    /// it could not put them back. One line for each.
    pub fn record(
        &mut self,
        name: &str,
        uid: &str,
        current: &BTreeMap<String, String>,
        to_set: &BTreeMap<String, String>,
    ) -> Result<(), Vec<String>> {
        let record = self.namespaces.get(name).filter(|record| record.uid == uid);
        let mut record = record
            .cloned()
            .unwrap_or_else(|| NamespaceRecord { uid: uid.to_owned(), labels: BTreeMap::new() });
        let changed = record.changed(current);
        if !changed.is_empty() {
            return Err(changed);
        }
        for (key, value) in to_set {
            let label = record.labels.entry(key.clone()).or_insert_with(|| LabelRecord {
                before: current.get(key).cloned(),
                set: BTreeSet::new(),
            });
            label.set.insert(value.clone());
        }
        self.namespaces.insert(name.to_owned(), record);
        Ok(())
    }

    /// Records an object that is about to be made.
    pub fn record_object(&mut self, object: MadeObject) {
        let is_same = |known: &MadeObject| {
            (&known.kind, &known.namespace, &known.name)
                == (&object.kind, &object.namespace, &object.name)
        };
        if !self.objects.iter().any(is_same) {
            self.objects.push(object);
        }
    }
}

impl NamespaceRecord {
    /// How the namespace, which has this UID and these labels now, comes to what it was.
    #[must_use]
    pub fn restoration(&self, uid: &str, current: &BTreeMap<String, String>) -> Restoration {
        let differs =
            |(key, label): &(&String, &LabelRecord)| current.get(*key) != label.before.as_ref();
        let labels: BTreeMap<String, Option<String>> = self
            .labels
            .iter()
            .filter(differs)
            .map(|(key, label)| (key.clone(), label.before.clone()))
            .collect();
        let mut changed = self.changed(current);
        if uid != self.uid {
            changed.push("it is another namespace of the same name by now".to_owned());
        }
        match (changed.is_empty(), labels.is_empty()) {
            (false, _) => Restoration::Changed(changed, labels),
            (true, true) => Restoration::Nothing,
            (true, false) => Restoration::Labels(labels),
        }
    }

    /// The labels that are neither what was there nor what was set.
    fn changed(&self, current: &BTreeMap<String, String>) -> Vec<String> {
        let quoted = |value: Option<&String>| {
            value.map_or("absent".to_owned(), |value| crate::quote::quoted(value))
        };
        let changed = |(key, label): (&String, &LabelRecord)| {
            let value = current.get(key);
            let is_set = value.is_some_and(|value| label.set.contains(value));
            let is_known = is_set || value == label.before.as_ref();
            let before = quoted(label.before.as_ref());
            (!is_known).then(|| {
                let set: Vec<_> = label.set.iter().map(|value| quoted(Some(value))).collect();
                let set = set.join(" or ");
                format!("{key} is {}; it was {before}, and was set to {set}", quoted(value))
            })
        };
        self.labels.iter().filter_map(changed).collect()
    }
}

/// The fields of a PodSecurityPolicy's spec that a server stores only with a feature gate on, of those that
/// this program sets.
///
/// allowedProcMountTypes needs ProcMountType, which is off unless somebody turns it on. The other gates
/// that Kubernetes asks there are on in every release that has Pod Security admission, or are about
/// fields that are not set.
///
/// Upstream: pkg/api/podsecuritypolicy/util.go, DropDisabledFields, called by
/// pkg/registry/policy/podsecuritypolicy/strategy.go (v1.24).
const GATED_FIELDS: [&str; 1] = ["allowedProcMountTypes"];

/// Whether an object holds everything that was asked for, but for what a server with a feature gate off
/// does not store; the server adds to it.
#[must_use]
pub fn holds(object: &Value, wanted: &Value) -> bool {
    if wanted["kind"] != "PodSecurityPolicy" {
        return has_all(object, wanted);
    }
    let mut wanted = wanted.clone();
    if let Some(fields) = wanted.get_mut("spec").and_then(Value::as_object_mut) {
        let stored = &object["spec"];
        fields.retain(|name, _| {
            !stored[name.as_str()].is_null() || !GATED_FIELDS.contains(&name.as_str())
        });
    }
    has_all(object, &wanted)
}

fn has_all(object: &Value, wanted: &Value) -> bool {
    match (object, wanted) {
        (Value::Object(object), Value::Object(wanted)) => wanted.iter().all(|(name, wanted)| {
            let absent = Value::Null;
            let value = object.get(name).unwrap_or(&absent);
            // The server leaves out what says nothing.
            let is_empty = matches!(wanted, Value::Bool(false) | Value::Null)
                || wanted.as_array().is_some_and(Vec::is_empty);
            has_all(value, wanted) || value.is_null() && is_empty
        }),
        (Value::Array(items), Value::Array(wanted)) => {
            items.len() == wanted.len()
                && items.iter().zip(wanted).all(|(item, wanted)| has_all(item, wanted))
        }
        (value, wanted) => value == wanted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn what_was_there_first_comes_back() {
        let mut undo = Undo::new("enforce", "https://a", "uid");
        undo.record(
            "shop",
            "1",
            &labels(&[("e", "privileged")]),
            &labels(&[("e", "baseline"), ("v", "1")]),
        )
        .unwrap();
        // Another plan, after the first was carried out.
        undo.record(
            "shop",
            "1",
            &labels(&[("e", "baseline"), ("v", "1")]),
            &labels(&[("e", "restricted")]),
        )
        .unwrap();
        let record = &undo.namespaces["shop"];
        let back = |pairs: &[(&str, &str)]| record.restoration("1", &labels(pairs));
        let all = BTreeMap::from([
            ("e".to_owned(), Some("privileged".to_owned())),
            ("v".to_owned(), None),
        ]);
        assert_eq!(
            back(&[("e", "restricted"), ("v", "1"), ("x", "y")]),
            Restoration::Labels(all.clone())
        );
        assert_eq!(back(&[("e", "baseline"), ("v", "1")]), Restoration::Labels(all));
        assert_eq!(back(&[("e", "privileged")]), Restoration::Nothing);
    }

    #[test]
    fn what_somebody_else_set_is_named() {
        let mut undo = Undo::new("warn", "https://a", "uid");
        undo.record("shop", "1", &labels(&[]), &labels(&[("w", "baseline")])).unwrap();
        let changed = labels(&[("w", "restricted")]);
        let Restoration::Changed(lines, back) = undo.namespaces["shop"].restoration("1", &changed)
        else {
            panic!("it was changed");
        };
        assert_eq!(lines, ["w is \"restricted\"; it was absent, and was set to \"baseline\""]);
        assert_eq!(back, BTreeMap::from([("w".to_owned(), None)]));
        assert!(undo.record("shop", "1", &changed, &labels(&[("w", "baseline")])).is_err());
        // Another namespace of the name is begun anew, and not put back.
        assert!(matches!(
            undo.namespaces["shop"].restoration("2", &labels(&[])),
            Restoration::Changed(..)
        ));
        assert!(undo.record("shop", "2", &changed, &labels(&[("w", "baseline")])).is_ok());
    }

    #[test]
    fn what_the_server_adds_does_not_matter() {
        let wanted = json!({"a": [{"b": 1}], "c": false, "d": []});
        assert!(holds(&json!({"a": [{"b": 1, "x": 2}], "y": 3}), &wanted));
        assert!(!holds(&json!({"a": [{"b": 2}]}), &wanted));
        assert!(!holds(&json!({"a": [{"b": 1}, {"b": 1}]}), &wanted));
    }

    #[test]
    fn what_a_gate_that_is_off_drops_does_not_matter() {
        let policy = |spec: Value| json!({"kind": "PodSecurityPolicy", "spec": spec});
        let types = "allowedProcMountTypes";
        let wanted = policy(json!({"privileged": true, types: ["Default", "Unmasked"]}));
        assert!(holds(&wanted, &wanted));
        assert!(holds(&policy(json!({"privileged": true})), &wanted));
        assert!(!holds(&policy(json!({"privileged": true, types: ["Default"]})), &wanted));
        assert!(!holds(&policy(json!({types: ["Default", "Unmasked"]})), &wanted));
        assert!(!holds(&json!({"kind": "PodSecurityPolicy"}), &wanted));
        let other = json!({"kind": "Other", "spec": {types: ["Default"]}});
        assert!(!holds(&json!({"kind": "Other", "spec": {}}), &other));
    }
}
