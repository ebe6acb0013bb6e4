//! Which fields of a pod must change for it to pass a check?
//!
//! The checks themselves are asked: a field is to be set, or removed, if the check finds less in a
//! pod where it is. There is no second list of what a check reads.

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::level::Level;
use crate::objects::pod::PodTemplateSpec;
use crate::psa;
use crate::version::Version;

/// A field to change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FieldChange {
    /// Where, in the pod; list elements by name where they have one.
    pub path: String,
    /// The value to set; `None` for a field that is to be removed, or given a value that is allowed.
    pub set: Option<Json>,
}

/// A field that a check wants to be set.
struct Demand {
    check: &'static str,
    /// Below the `securityContext` of a container.
    field: &'static [&'static str],
    /// Whether the same field of the pod serves all containers.
    is_of_pod: bool,
    value: fn() -> Json,
}

const DEMANDS: &[Demand] = &[
    Demand {
        check: "allowPrivilegeEscalation",
        field: &["allowPrivilegeEscalation"],
        is_of_pod: false,
        value: || json!(false),
    },
    Demand {
        check: "capabilities_restricted",
        field: &["capabilities", "drop"],
        is_of_pod: false,
        value: || json!(["ALL"]),
    },
    Demand {
        check: "runAsNonRoot",
        field: &["runAsNonRoot"],
        is_of_pod: true,
        value: || json!(true),
    },
    Demand {
        check: "seccompProfile_restricted",
        field: &["seccompProfile"],
        is_of_pod: true,
        value: || json!({"type": "RuntimeDefault"}),
    },
];

/// The lists of containers in a pod's spec.
const CONTAINERS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];

/// The fewest fields that make a pod pass a check of a level; empty where it passes, or where no
/// single field helps.
#[must_use]
pub fn fields_to_change(
    check: &str,
    level: Level,
    version: Version,
    pod: &PodTemplateSpec,
) -> Vec<FieldChange> {
    let mut probe = Probe {
        check,
        level,
        version,
        found: found(check, level, version, pod),
        pod: json!(pod),
        changes: Vec::new(),
    };
    if let Some(demand) = DEMANDS.iter().find(|demand| demand.check == check) {
        probe.meet(demand);
    }
    let mut nodes = Vec::new();
    collect(&probe.pod, &mut Vec::new(), &mut nodes);
    for node in nodes {
        if probe.found.is_none() {
            break;
        }
        probe.try_without(&node);
    }
    probe.changes
}

/// What a check finds in a pod; `None` where it passes.
fn found(check: &str, level: Level, version: Version, pod: &PodTemplateSpec) -> Option<String> {
    let violations = psa::evaluate(level, version, pod).violations;
    Some(violations.into_iter().find(|violation| violation.check == check)?.detail)
}

/// The slice of a pod's JSON from which only parts were taken, or to which only known fields came.
fn slice_of(pod: &Json) -> PodTemplateSpec {
    PodTemplateSpec::deserialize(pod).unwrap_or_default()
}

/// A step into a tree.
#[derive(Debug, Clone)]
enum Step {
    Key(String),
    Index(usize),
}

struct Probe<'a> {
    check: &'a str,
    level: Level,
    version: Version,
    /// The pod with the changes so far.
    pod: Json,
    /// What the check finds in it; `None` where it passes, and nothing more is to be changed.
    found: Option<String>,
    changes: Vec<FieldChange>,
}

impl Probe<'_> {
    /// Keeps a changed pod if the check finds less in it. Its texts name every offender, so that
    /// less is shorter.
    fn keep_if_better(&mut self, changed: Json, path: &[Step], set: Option<Json>) {
        let Some(before) = &self.found else { return };
        let found = found(self.check, self.level, self.version, &slice_of(&changed));
        if found.as_ref().is_none_or(|after| after.len() < before.len()) {
            let path = text(&self.pod, path);
            // Where a part helps, but the whole must go, the whole is enough to say.
            let is_within = |part: &str| {
                part.strip_prefix(&path).is_some_and(|rest| rest.starts_with(['.', '[']))
            };
            self.changes.retain(|change| !is_within(&change.path));
            self.changes.push(FieldChange { path, set });
            self.pod = changed;
            self.found = found;
        }
    }

    fn meet(&mut self, demand: &Demand) {
        let below = |path: &[Step]| {
            let fields = std::iter::once(&"securityContext").chain(demand.field);
            let fields = fields.map(|field| Step::Key((*field).to_owned()));
            path.iter().cloned().chain(fields).collect::<Vec<_>>()
        };
        let spec = Step::Key("spec".to_owned());
        if demand.is_of_pod {
            self.try_set(&below(std::slice::from_ref(&spec)), (demand.value)());
        }
        for list in CONTAINERS {
            let n = self.pod["spec"].get(list).and_then(Json::as_array).map_or(0, Vec::len);
            for index in 0..n {
                let path = [spec.clone(), Step::Key(list.to_owned()), Step::Index(index)];
                self.try_set(&below(&path), (demand.value)());
            }
        }
    }

    fn try_set(&mut self, path: &[Step], value: Json) {
        if self.found.is_none() {
            return;
        }
        let mut changed = self.pod.clone();
        let mut place = &mut changed;
        for step in path {
            place = match step {
                Step::Key(key) => {
                    if !place.is_object() {
                        *place = json!({});
                    }
                    &mut place[key.as_str()]
                }
                Step::Index(index) => match place.get_mut(*index) {
                    Some(element) => element,
                    None => return,
                },
            };
        }
        *place = value.clone();
        self.keep_if_better(changed, path, Some(value));
    }

    fn try_without(&mut self, path: &[Step]) {
        let Some((last, parents)) = path.split_last() else { return };
        let mut changed = self.pod.clone();
        let mut place = Some(&mut changed);
        for step in parents {
            place = place.and_then(|place| match step {
                Step::Key(key) => place.get_mut(key),
                Step::Index(index) => place.get_mut(*index),
            });
        }
        match (place, last) {
            (Some(Json::Object(members)), Step::Key(key)) => {
                if members.remove(key).is_none() {
                    return;
                }
            }
            (Some(Json::Array(items)), Step::Index(index)) if *index < items.len() => {
                items.remove(*index);
            }
            _ => return,
        }
        self.keep_if_better(changed, path, None);
    }
}

/// Every part of a tree that may be removed: what is within a part before the part itself, later
/// elements of a list before earlier ones. Names stay, as the texts of checks hold them.
fn collect(value: &Json, path: &mut Vec<Step>, nodes: &mut Vec<Vec<Step>>) {
    match value {
        Json::Object(members) => {
            for (key, member) in members.iter().filter(|(key, _)| *key != "name" && *key != "os") {
                path.push(Step::Key(key.clone()));
                collect(member, path, nodes);
                // Without its metadata, annotations or spec a pod says nothing of interest.
                if path.len() > 1 && key != "annotations" {
                    nodes.push(path.clone());
                }
                path.pop();
            }
        }
        Json::Array(items) => {
            let objects = items.iter().enumerate().rev().filter(|(_, item)| item.is_object());
            for (index, item) in objects {
                path.push(Step::Index(index));
                collect(item, path, nodes);
                nodes.push(path.clone());
                path.pop();
            }
        }
        _ => {}
    }
}

/// The path as people read it: `spec.containers[name=app].securityContext.privileged`.
fn text(tree: &Json, path: &[Step]) -> String {
    let mut text = String::new();
    let mut place = Some(tree);
    for step in path {
        place = match step {
            Step::Key(key) => {
                // Keys of annotations hold dots.
                if key.contains('/') {
                    text.extend(["[", key, "]"]);
                } else {
                    text.extend([if text.is_empty() { "" } else { "." }, key]);
                }
                place.and_then(|place| place.get(key))
            }
            Step::Index(index) => {
                let element = place.and_then(|place| place.get(*index));
                let name = element.and_then(|element| element.get("name")).and_then(Json::as_str);
                match name {
                    Some(name) => text.extend(["[name=", name, "]"]),
                    None => text.extend(["[", &index.to_string(), "]"]),
                }
                element
            }
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(check: &str, level: Level, pod: &Json) -> Vec<(String, Option<Json>)> {
        let pod = slice_of(pod);
        let changes = fields_to_change(check, level, Version::v1(25), &pod);
        changes.into_iter().map(|change| (change.path, change.set)).collect()
    }

    #[test]
    fn what_is_forbidden_is_found_where_it_stands() {
        let pod = json!({
            "metadata": {"annotations": {
                "container.apparmor.security.beta.kubernetes.io/a": "unconfined"}},
            "spec": {
                "hostPID": true,
                "containers": [
                    {"name": "a", "securityContext": {"privileged": true}},
                    {"name": "b", "ports": [{"containerPort": 80, "hostPort": 80}]},
                ],
                "volumes": [{"name": "h", "hostPath": {"path": "/"}}, {"name": "e", "emptyDir": {}}],
            },
        });
        for (check, path) in [
            (
                "appArmorProfile",
                "metadata.annotations[container.apparmor.security.beta.kubernetes.io/a]",
            ),
            ("hostNamespaces", "spec.hostPID"),
            ("hostPathVolumes", "spec.volumes[name=h].hostPath"),
            ("hostPorts", "spec.containers[name=b].ports[0].hostPort"),
            ("privileged", "spec.containers[name=a].securityContext.privileged"),
            ("restrictedVolumes", "spec.volumes[name=h]"),
        ] {
            let level =
                if check == "restrictedVolumes" { Level::Restricted } else { Level::Baseline };
            let found = changes(check, level, &pod);
            assert_eq!(found, [(path.to_owned(), None)], "{check}");
        }
    }

    #[test]
    fn what_is_demanded_is_set_for_the_pod_where_that_serves_all() {
        let pod = json!({"spec": {"containers": [{"name": "a"}, {"name": "b"}]}});
        assert_eq!(
            changes("runAsNonRoot", Level::Restricted, &pod),
            [("spec.securityContext.runAsNonRoot".to_owned(), Some(json!(true)))]
        );
        assert_eq!(
            changes("capabilities_restricted", Level::Restricted, &pod),
            ["a", "b"].map(|name| (
                format!("spec.containers[name={name}].securityContext.capabilities.drop"),
                Some(json!(["ALL"]))
            ))
        );
    }
}
