//! When may a patch be applied?
//!
//! A template that says more may meet another policy: those that have nothing to write are
//! preferred, and some allow no seccomp profile at all. So the patched template goes through today's
//! admission. It may be applied now if its pods come out as they do today, with the patch's values
//! and no other difference; see [`comparable`].

use std::cell::OnceCell;
use std::fmt;

use serde::Serialize;
use serde_json::{Value as Json, json};

use super::bypass;
use super::compare::{comparable, difference};
use super::settings::{Settings, is_list, linux_field};
use crate::migrate::injection::{Webhooks, stored};
use crate::migrate::lineage::{Top, Unit};
use crate::migrate::simulation::Simulation;
use crate::objects::path::FieldPath;
use crate::objects::pod::PodTemplateSpec;
use crate::objects::slice::Slice;
use crate::psp::{PolicyError, Verdict};
use crate::rbac::User;
use crate::version::Version;

/// The first server that knows `spec.os`, and what must not stand beside it.
const OS_SINCE: Version = Version::v1(24);

/// When a patch may be applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum When {
    /// Now: today's policies still admit the pods, and nothing is lost by another being selected.
    Now,
    /// Once the pods may use the policy of [`super::bypass`].
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
    unit: &'a Unit<'s>,
    simulation: &'a Simulation<'s>,
    webhooks: &'a [Webhooks],
    /// The unpatched pod, prepared by the API server.
    authored: &'a PodTemplateSpec,
    /// What becomes of that pod today, once it has been asked: each part of a patch is compared with
    /// it.
    today: OnceCell<Vec<Result<Passed, Refusal>>>,
}

/// A pod that came through admission: as stored, and the policy's name.
struct Passed {
    pod: PodTemplateSpec,
    policy: String,
}

/// What the policies hold against a pod; empty where none may be used.
struct Refusal(Vec<PolicyError>);

impl Refusal {
    /// The error of a policy that admits the pods today, if it is among them, else the first.
    fn in_words(&self, policy_of_today: Option<&str>) -> String {
        let is_todays = |error: &&PolicyError| Some(&*error.policy) == policy_of_today;
        let Some(error) = self.0.iter().find(is_todays).or(self.0.first()) else {
            return "no policy may be used for its pods".to_owned();
        };
        match self.0.len() - 1 {
            0 => format!("policy {} refuses: {error}", error.policy),
            n => format!("refused: policy {} says {error}, and {n} more", error.policy),
        }
    }
}

impl<'a, 's> Timing<'a, 's> {
    pub(super) fn new(
        unit: &'a Unit<'s>,
        simulation: &'a Simulation<'s>,
        webhooks: &'a [Webhooks],
        authored: &'a PodTemplateSpec,
    ) -> Self {
        Self { unit, simulation, webhooks, authored, today: OnceCell::new() }
    }

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
        let why = match requester(self.unit, self.simulation) {
            Some(requester) => match self.why_not_as(&requester, &patched, settings) {
                None => return Ok(()),
                Some(why) => why,
            },
            None => {
                "who creates its pods is not known, nor then which policies they may use".to_owned()
            }
        };
        if bypass::change(self.unit, &patched, self.simulation).is_none() {
            return Err((When::AfterBypass, why));
        }
        Err((When::AfterPsp, why))
    }

    /// A field of the patch that the server with PSP does not know and would drop.
    fn unknown_field(&self, settings: &Settings) -> Option<String> {
        let server = self.simulation.server();
        let os_name = FieldPath::new("spec.os.name");
        let since = |path: &FieldPath| match path.last_field() {
            "seccompProfile" => Version::v1(19),
            _ if *path == os_name => OS_SINCE,
            _ => Version::v1(0),
        };
        let (path, _) = settings.iter().find(|(path, _)| since(path) > server)?;
        Some(format!("a server of {server} drops {}, which it does not know", path.by_name()))
    }

    /// Why the server refuses a pod of Windows as PSP leaves it.
    fn unfit_for_windows(&self, pod: &PodTemplateSpec) -> Option<String> {
        if !pod.spec.is_windows() || self.simulation.server() < OS_SINCE {
            return None;
        }
        let linux = linux_field(pod)?;
        let server = self.simulation.server();
        Some(format!("a server of {server} refuses {linux} in pods of Windows"))
    }

    /// What stands against a patched pod that `requester` makes today.
    fn why_not_as(
        &self,
        requester: &User,
        patched: &PodTemplateSpec,
        settings: &Settings,
    ) -> Option<String> {
        let today = self.today.get_or_init(|| self.admitted(requester, self.authored));
        let changed = self.admitted(requester, patched);
        for (today, changed) in today.iter().zip(changed) {
            let changed = match changed {
                Ok(changed) => changed,
                Err(refusal) => {
                    let of_today = today.as_ref().ok().map(|today| today.policy.as_str());
                    return Some(refusal.in_words(of_today));
                }
            };
            if let Some(why) = self.unfit_for_windows(&changed.pod) {
                return Some(why);
            }
            let starts_today = |name: &&str| match today {
                Ok(today) => !not_starting(&today.pod).any(|other| other == *name),
                Err(_) => true,
            };
            if let Some(container) = not_starting(&changed.pod).find(starts_today) {
                return Some(format!(
                    "container {container} would not start: policy {} makes it run as root, and the \
                     patch forbids that",
                    changed.policy
                ));
            }
            // What is refused today has nothing to lose.
            let Ok(today) = today else { continue };
            let expected = comparable(&with(&today.pod, settings));
            let found = comparable(&changed.pod);
            if expected == found {
                continue;
            }
            if let Some(difference) = difference("", &json!(expected), &json!(found)) {
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
    fn admitted(&self, requester: &User, pod: &PodTemplateSpec) -> Vec<Result<Passed, Refusal>> {
        let namespace = self.unit.namespace();
        let admit =
            |pod: &PodTemplateSpec| match self.simulation.admit(namespace, pod, Some(requester)) {
                Some(Verdict::Admitted(admitted)) => {
                    Ok(Passed { pod: stored(&admitted.pod), policy: admitted.policy.to_string() })
                }
                Some(Verdict::Refused(refused)) => Err(Refusal(refused.errors)),
                None => Err(Refusal(Vec::new())),
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
}

/// Who makes the unit's pods; `None` where that is not known.
pub(super) fn requester(unit: &Unit<'_>, simulation: &Simulation<'_>) -> Option<User> {
    match unit.top {
        Top::Workload(workload) => simulation.requester_of(workload.kind),
        Top::Pod(_) => None,
    }
}

/// The containers that the kubelet does not start, as they are to run as root and must not.
///
/// Upstream: `pkg/kubelet/kuberuntime/security_context.go`, `verifyRunAsNonRoot` (v1.21).
fn not_starting(pod: &PodTemplateSpec) -> impl Iterator<Item = &str> {
    let of_pod = pod.spec.security_context.as_ref();
    pod.spec.all_containers().filter_map(move |container| {
        let own = container.security_context.as_ref();
        let user = own.and_then(|it| it.run_as_user).or(of_pod.and_then(|it| it.run_as_user));
        let must_not =
            own.and_then(|it| it.run_as_non_root).or(of_pod.and_then(|it| it.run_as_non_root));
        (user == Some(0) && must_not == Some(true)).then_some(&*container.name)
    })
}

/// A pod with settings besides; lists grow by them.
fn with(pod: &PodTemplateSpec, settings: &Settings) -> PodTemplateSpec {
    let mut pod = pod.clone();
    for (path, value) in settings.iter() {
        let path_of_field = path.segments();
        match (pod.get(path_of_field), value) {
            (Some(Json::Array(mut there)), Json::Array(added)) if is_list(path) => {
                let new: Vec<_> =
                    added.iter().filter(|item| !there.contains(item)).cloned().collect();
                there.extend(new);
                pod.set(path_of_field, &Json::Array(there));
            }
            _ => pod.set(path_of_field, value),
        }
    }
    pod
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::migrate::tests::pod;

    #[test]
    fn lists_grow() {
        let container =
            |context: Json| json!({"containers": [{"name": "app", "securityContext": context}]});
        let of_container = FieldPath::new("spec")
            .child("containers")
            .named_index(0, "app")
            .child("securityContext");
        for (before, field, value, after) in [
            (
                json!({"capabilities": {"drop": ["KILL", "ALL"]}}),
                "capabilities.drop",
                json!(["ALL", "MKNOD"]),
                json!({"capabilities": {"drop": ["KILL", "ALL", "MKNOD"]}}),
            ),
            (
                json!({}),
                "capabilities.drop",
                json!(["ALL"]),
                json!({"capabilities": {"drop": ["ALL"]}}),
            ),
            (
                json!({"capabilities": {"add": ["CHOWN", "SETUID"]}}),
                "capabilities.add",
                json!(["CHOWN", "KILL"]),
                json!({"capabilities": {"add": ["CHOWN", "SETUID", "KILL"]}}),
            ),
            (json!({"runAsUser": 1}), "runAsUser", json!(2), json!({"runAsUser": 2})),
        ] {
            let settings = Settings::of([(&of_container.child(field), &value)]);
            let found = with(&pod(&container(before)), &settings);
            assert_eq!(found, pod(&container(after)), "{field} {value}");
        }
    }
}
