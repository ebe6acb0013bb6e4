//! When may a patch be applied?
//!
//! A template that says more may meet another policy: those that have nothing to write are
//! preferred, and some allow no seccomp profile at all. So the patched template goes through today's
//! admission. It may be applied now if its pods come out as they do today, with the patch's values
//! and no other difference; see [`comparable`].

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value as Json};

use super::settings::{Settings, field_of};
use super::tree;
use crate::migrate::injection::{Webhooks, stored};
use crate::migrate::lineage::{Top, Unit};
use crate::migrate::simulation::Simulation;
use crate::objects::path::FieldPath;
use crate::objects::pod::{
    ContainerKind, PodTemplateSpec, SECCOMP_CONTAINER_ANNOTATION_PREFIX, SECCOMP_POD_ANNOTATION,
};
use crate::psp::Verdict;
use crate::rbac::User;
use crate::version::Version;

/// When a patch may be applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum When {
    /// Now: today's policies still admit the pods, and nothing is lost by another being selected.
    Now,
    /// Once the pods may use [`super::bypass::POLICY`].
    AfterBypass,
    /// Once PSP is gone.
    #[serde(rename = "afterPSP")]
    AfterPsp,
}

impl When {
    /// As in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Now => "now",
            Self::AfterBypass => "afterBypass",
            Self::AfterPsp => "afterPSP",
        }
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What the timing of a unit's patches depends on.
pub(super) struct Timing<'a, 's> {
    pub(super) unit: &'a Unit<'s>,
    pub(super) simulation: &'a Simulation<'s>,
    pub(super) webhooks: &'a [Webhooks],
    /// The unpatched pod, prepared by the API server.
    pub(super) authored: &'a PodTemplateSpec,
}

/// A pod that came through admission: as stored, and the policy's name.
struct Passed {
    pod: PodTemplateSpec,
    policy: String,
}

impl Timing<'_, '_> {
    /// When settings may be applied, and why not now; `None` where there are none.
    pub(super) fn of(&self, settings: &Settings) -> (Option<When>, Option<String>) {
        if settings.is_empty() {
            return (None, None);
        }
        match self.why_not_now(settings) {
            Ok(()) => (Some(When::Now), None),
            Err((when, why)) => (Some(when), Some(why)),
        }
    }

    fn why_not_now(&self, settings: &Settings) -> Result<(), (When, String)> {
        if !self.simulation.is_possible() {
            let why = "the input holds no policies, or no roles or bindings, so that today's \
                       admission cannot be simulated";
            return Err((When::AfterPsp, why.to_owned()));
        }
        if let Some(why) = self.unknown_field(settings) {
            return Err((When::AfterPsp, why));
        }
        let patched = settings.applied_to(self.authored);
        let why = match self.requester() {
            Some(requester) => match self.why_not_as(&requester, &patched, settings) {
                None => return Ok(()),
                Some(why) => why,
            },
            None => {
                "who creates its pods is not known, nor then which policies they may use".to_owned()
            }
        };
        if self.passes_by_bypass(&patched) {
            return Err((When::AfterBypass, why));
        }
        Err((When::AfterPsp, why))
    }

    fn requester(&self) -> Option<User> {
        match self.unit.top {
            Top::Workload(workload) => self.simulation.requester_of(workload.kind),
            Top::Pod(_) => None,
        }
    }

    /// A field of the patch that the server with PSP does not know and would drop.
    fn unknown_field(&self, settings: &Settings) -> Option<String> {
        let server = self.simulation.server();
        let since = |path: &FieldPath| match field_of(path) {
            "seccompProfile" => Version::v1(19),
            "name" => Version::v1(24),
            _ => Version::v1(0),
        };
        let (path, _) = settings.iter().find(|(path, _)| since(path) > server)?;
        Some(format!("a server of {server} drops {}, which it does not know", path.by_name()))
    }

    /// What stands against a patched pod that `requester` makes today.
    fn why_not_as(
        &self,
        requester: &User,
        patched: &PodTemplateSpec,
        settings: &Settings,
    ) -> Option<String> {
        let today = self.admitted(requester, self.authored);
        let changed = self.admitted(requester, patched);
        for (today, changed) in today.into_iter().zip(changed) {
            let changed = match changed {
                Ok(changed) => changed,
                Err(refusal) => return Some(refusal),
            };
            // What is refused today has nothing to lose.
            let Ok(today) = today else { continue };
            let expected = comparable(&with(&today.pod, settings));
            if let Some(difference) = difference("", &expected, &comparable(&changed.pod)) {
                let (old, new) = (&today.policy, &changed.policy);
                return Some(if old == new {
                    format!("policy {new} would then leave {difference}")
                } else {
                    format!(
                        "policy {new} would be selected instead of {old}, and leave {difference}"
                    )
                });
            }
        }
        None
    }

    /// What becomes of a pod today: for each of the webhooks that were seen, or once without.
    fn admitted(&self, requester: &User, pod: &PodTemplateSpec) -> Vec<Result<Passed, String>> {
        let namespace = self.unit.namespace();
        let admit =
            |pod: &PodTemplateSpec| match self.simulation.admit(namespace, pod, Some(requester)) {
                Some(Verdict::Admitted(admitted)) => {
                    Ok(Passed { pod: stored(&admitted.pod), policy: admitted.policy.to_string() })
                }
                Some(Verdict::Refused(refused)) => Err(match refused.errors.as_slice() {
                    [] => "no policy may be used for its pods".to_owned(),
                    [error] => format!("policy {} refuses: {error}", error.policy),
                    [error, more @ ..] => {
                        let n = more.len();
                        format!("refused: policy {} says {error}, and {n} more", error.policy)
                    }
                }),
                None => Err("today's admission cannot be simulated".to_owned()),
            };
        if self.webhooks.is_empty() {
            return vec![admit(pod)];
        }
        let injected = |webhooks: &Webhooks| {
            let first = admit(pod)?;
            let injected = webhooks.done_to(&first.pod);
            if injected == first.pod { Ok(first) } else { admit(&injected) }
        };
        self.webhooks.iter().map(injected).collect()
    }

    /// Whether a patched pod comes through unchanged where it may use the bypass.
    fn passes_by_bypass(&self, patched: &PodTemplateSpec) -> bool {
        let requester = self.requester();
        let namespace = self.unit.namespace();
        self.simulation
            .admit_with_bypass(namespace, patched, requester.as_ref())
            .is_ok_and(|pod| comparable(&stored(&pod)) == comparable(&stored(patched)))
    }
}

/// A pod with settings besides; lists grow by them.
fn with(pod: &PodTemplateSpec, settings: &Settings) -> PodTemplateSpec {
    let mut pod = tree::of(pod);
    for (path, value) in settings.iter() {
        let value = match (field_of(path), tree::get(&pod, path), value) {
            ("drop", Some(Json::Array(there)), Json::Array(added)) => {
                let new = added.iter().filter(|item| !there.contains(item));
                Json::Array(there.iter().chain(new).cloned().collect())
            }
            _ => value.clone(),
        };
        tree::set(&mut pod, path, value);
    }
    tree::to_slice(&pod)
}

/// What holds for the containers of a stored pod, wherever it is set: what they take from the pod
/// stands in each, lists are sorted, and what only repeats a field is gone.
pub(super) fn comparable(pod: &PodTemplateSpec) -> Json {
    const INHERITED: [&str; 5] =
        ["runAsGroup", "runAsNonRoot", "runAsUser", "seLinuxOptions", "seccompProfile"];
    let mut pod = tree::of(pod);
    if let Some(annotations) =
        pod.pointer_mut("/metadata/annotations").and_then(Json::as_object_mut)
    {
        annotations.retain(|key, _| {
            key != SECCOMP_POD_ANNOTATION && !key.starts_with(SECCOMP_CONTAINER_ANNOTATION_PREFIX)
        });
    }
    let context = pod.pointer("/spec/securityContext").and_then(Json::as_object);
    let mut of_pod: Map<String, Json> = context.cloned().unwrap_or_default();
    of_pod.retain(|key, _| INHERITED.contains(&key.as_str()));
    for kind in ContainerKind::ALL {
        let list = pod.pointer_mut(&format!("/spec/{}", kind.field()));
        for container in list.and_then(Json::as_array_mut).into_iter().flatten() {
            let own = &mut container["securityContext"];
            if !own.is_object() {
                *own = Json::Object(Map::new());
            }
            let Json::Object(own) = own else { continue };
            for (key, value) in &of_pod {
                own.entry(key.clone()).or_insert_with(|| value.clone());
            }
            sort_capabilities(own);
        }
    }
    // SELinux options of the pod are those of its volumes too.
    if let Some(context) = pod.pointer_mut("/spec/securityContext").and_then(Json::as_object_mut) {
        context.retain(|key, _| key == "seLinuxOptions" || !INHERITED.contains(&key.as_str()));
    }
    prune(&mut pod);
    pod
}

fn sort_capabilities(context: &mut Map<String, Json>) {
    for list in ["add", "drop"] {
        let names = context.get_mut("capabilities").and_then(|it| it.get_mut(list));
        if let Some(Json::Array(names)) = names {
            let sorted: BTreeSet<String> =
                names.iter().filter_map(Json::as_str).map(str::to_owned).collect();
            *names = sorted.into_iter().map(Json::from).collect();
        }
    }
}

/// Removes empty objects and lists, which mean the same as none.
fn prune(value: &mut Json) {
    match value {
        Json::Object(members) => {
            members.values_mut().for_each(prune);
            members.retain(|_, value| !is_empty(value));
        }
        Json::Array(items) => items.iter_mut().for_each(prune),
        _ => {}
    }
}

fn is_empty(value: &Json) -> bool {
    match value {
        Json::Object(members) => members.is_empty(),
        Json::Array(items) => items.is_empty(),
        Json::Null => true,
        _ => false,
    }
}

/// The first difference, in words that follow "would leave".
fn difference(path: &str, expected: &Json, found: &Json) -> Option<String> {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    let nothing = Json::Object(Map::new());
    match (expected, found) {
        _ if expected == found => None,
        (Json::Object(_), Json::Null) => difference(path, expected, &nothing),
        (Json::Null, Json::Object(_)) => difference(path, &nothing, found),
        (Json::Object(expected), Json::Object(found)) => {
            let new = found.keys().filter(|key| !expected.contains_key(*key));
            expected.keys().chain(new).find_map(|key| {
                let of =
                    |members: &Map<String, Json>| members.get(key).cloned().unwrap_or_default();
                difference(&below(key), &of(expected), &of(found))
            })
        }
        (Json::Array(expected), Json::Array(found))
            if expected.len() == found.len()
                && expected.iter().all(|item| item.get("name").is_some()) =>
        {
            expected.iter().zip(found).find_map(|(expected, found)| {
                let name = expected["name"].as_str().unwrap_or_default();
                difference(&format!("{path}[name={name}]"), expected, found)
            })
        }
        (expected, Json::Null) => Some(format!("{path} without {expected}")),
        (Json::Null, found) => Some(format!("{path} with {found}, which it has not today")),
        (expected, found) => Some(format!("{path} with {found}, not with {expected}")),
    }
}
