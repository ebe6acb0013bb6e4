//! Which patch of its template keeps a workload as hard as PSP makes it, and which raises it to the
//! next levels?
//!
//! ```text
//! template ──── keep ────► kept       what PSP writes, written down: no pod changes by it
//!          └─ the whole ─► raised     of that what hardens, and what the next levels still need,
//!                                     to be tested
//! ```
//!
//! What an author set on purpose stays, and is listed as in need of a change. What PSP loosens is
//! kept by `keep` alone, as the workload may rely on it; the whole patch leaves it out, and takes it
//! back where it has been written down.
//! Each part says when it may be applied: [`When`] simulates the patched template under today's
//! policies and grants.

pub mod bypass;
mod compare;
mod keep;
mod needs_change;
mod raise;
mod settings;
mod timing;

use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::Value as Json;

use self::settings::Settings;
use self::timing::Timing;
use super::lineage::{Top, Unit};
use super::lost::Lost;
use super::simulation::Simulation;
use super::states::{self, States};
use crate::level::Level;
use crate::objects::meta::Name;
use crate::objects::path::FieldPath;
use crate::objects::workload::WorkloadKind;
use crate::version::Version;

pub use timing::When;

/// How a workload's template is to be changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Patch {
    /// What PSP writes into its pods, to be written down; sorted by path.
    pub keep: Vec<Kept>,
    /// What the next levels need besides, to be tested; sorted by path. It goes before `keep` where
    /// both set a field.
    pub raise: Vec<Raised>,
    /// What its author, or a webhook, has set and a level forbids; no patch removes it.
    pub needs_change: Vec<NeedsChange>,
    /// What still violates a level once the whole patch is applied, in the API server's words.
    pub remaining: Vec<Remaining>,
    /// How a changed template reaches the pods.
    pub delivery: Delivery,
    /// When `keep` alone may be applied; `None` where there is nothing to keep.
    pub keep_when: Option<When>,
    /// Why `keep` alone may not be applied now; `None` where it may.
    pub keep_why_not_now: Option<String>,
    /// When the whole patch may be applied; `None` where it is empty: nothing is to be raised, and
    /// all that PSP writes loosens.
    pub when: Option<When>,
    /// Why the whole patch may not be applied now; `None` where it may.
    pub why_not_now: Option<String>,
    /// What takes back what `keep` loosens, where that has been written down before.
    #[serde(skip)]
    undo: Settings,
}

/// A value that PSP writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Kept {
    /// Where, in the pod template; list elements by name.
    #[serde(serialize_with = "by_name")]
    pub path: FieldPath,
    /// The value; lists as a whole, with what the author put there.
    pub value: Json,
    /// The policy that writes it; of a list, its first item, where several policies do.
    pub policy: Name,
    /// The policy's field; `None` where the policy is not in the input any more.
    pub policy_field: Option<&'static str>,
    /// Whether a live pod of the current revision, running and ready, carries the value; of a list
    /// each item, though it may be by another pod.
    pub proven: bool,
    /// Whether the value may as well be a webhook's or the author's; see [`Lost::assumed`].
    pub assumed: bool,
    /// Whether the value makes the pod softer than some level allows. Such values are kept, as the
    /// workload may rely on them, but are no part of the whole patch.
    pub loosens: bool,
}

/// A value that a level needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Raised {
    /// Where, in the pod template; list elements by name.
    #[serde(serialize_with = "by_name")]
    pub path: FieldPath,
    /// The value; lists as a whole, with what stands there already.
    pub value: Json,
    /// The check that asks for it.
    pub check: &'static str,
    /// Why it is asked for.
    pub reason: String,
    /// What may stop working; `None` where nothing is known that could.
    pub may_break: Option<String>,
}

/// A setting that a level forbids.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NeedsChange {
    /// The most lenient level that forbids it.
    pub level: Level,
    /// The check that it fails.
    pub check: &'static str,
    /// Where, in the pod; list elements by name.
    #[serde(serialize_with = "by_name")]
    pub path: FieldPath,
    /// The value, as JSON; a volume's is its name.
    #[serde(serialize_with = "as_json")]
    pub value: String,
    /// Whether it does not stand in the template: a webhook sets it.
    pub injected: bool,
}

/// A violation that no patch mends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Remaining {
    /// The level.
    pub level: Level,
    /// The check's id.
    pub check: &'static str,
    /// The API server's short text.
    pub reason: &'static str,
    /// The API server's long text.
    pub detail: String,
}

/// How a change of a template reaches the pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Delivery {
    /// The controller replaces its pods (Deployment, DaemonSet, StatefulSet).
    Rollout,
    /// Pods made from now on have it; those that run stay (ReplicaSet, ReplicationController,
    /// PodTemplate).
    NewPods,
    /// The next run has it (CronJob).
    NextRun,
    /// The object cannot be changed: it is to be deleted and made anew (Job, Pod).
    Recreate,
    /// The pod's owner makes it, and its template is not in the input.
    Owner,
    /// The manifest lies on a node (static pods).
    Node,
}

fn by_name<S: Serializer>(path: &FieldPath, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.by_name())
}

fn as_json<S: Serializer>(value: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serde_json::from_str::<Json>(value).unwrap_or_default().serialize(serializer)
}

impl Patch {
    /// The part that only keeps, as what a strategic merge puts over a pod template.
    #[must_use]
    pub fn keep_overlay(&self) -> Json {
        self.kept_settings().overlay()
    }

    /// The whole patch, as what a strategic merge puts over a pod template, also over one that has
    /// the part that only keeps.
    #[must_use]
    pub fn overlay(&self) -> Json {
        self.settings().over(&self.undo).overlay()
    }

    /// Whether the whole patch does something else than to keep.
    #[must_use]
    pub fn raises(&self) -> bool {
        !self.raise.is_empty() || self.keep.iter().any(|kept| kept.loosens)
    }

    /// Whether a container's value is the one that `raise` sets for the whole pod.
    fn repeats(&self, kept: &Kept) -> bool {
        kept.path.named_element().is_some()
            && self.raise.iter().any(|raised| {
                raised.path.named_element().is_none()
                    && raised.path.last_field() == kept.path.last_field()
                    && raised.value == kept.value
            })
    }

    fn kept_settings(&self) -> Settings {
        Settings::of(self.keep.iter().map(|kept| (&kept.path, &kept.value)))
    }

    fn settings(&self) -> Settings {
        let keep = self.keep.iter().filter(|kept| !kept.loosens && !self.repeats(kept));
        let keep = keep.map(|kept| (&kept.path, &kept.value));
        Settings::of(keep.chain(self.raise.iter().map(|raised| (&raised.path, &raised.value))))
    }
}

/// Works out a unit's patch, and with it the states *kept* and *raised*; `None` where nothing is to
/// be done.
#[must_use]
pub fn harden<'s>(
    unit: &Unit<'s>,
    states: &mut States,
    lost: &[Lost],
    simulation: &Simulation<'s>,
    version: Version,
) -> Option<Patch> {
    let webhooks = std::mem::take(&mut states.webhooks);
    if states.future.is_empty() {
        return None;
    }
    let authored = Arc::clone(&states.authored);
    let mut patch = Patch {
        keep: keep::of(states, lost),
        raise: Vec::new(),
        needs_change: Vec::new(),
        remaining: Vec::new(),
        delivery: delivery(unit),
        keep_when: None,
        keep_why_not_now: None,
        when: None,
        why_not_now: None,
        undo: Settings::default(),
    };
    patch.undo = keep::undo(&authored, &patch.keep);
    let pods_with = |settings: &Settings| {
        if settings.is_empty() {
            return states.future.clone();
        }
        states::pods_of(&Arc::new(settings.applied_to(&authored)), &webhooks)
    };
    let kept = pods_with(&patch.kept_settings());
    patch.raise = raise::of(&authored, &patch.keep, &pods_with, version);
    let raised = if patch.raises() { pods_with(&patch.settings()) } else { kept.clone() };
    (states.kept, states.raised) = (kept, raised);
    let whole = patch.settings();
    (patch.needs_change, patch.remaining) =
        needs_change::of(&states.raised, &whole.applied_to(&authored), version);

    let timing = Timing::new(unit, simulation, &webhooks, &authored);
    (patch.keep_when, patch.keep_why_not_now) = timing.of(&patch.kept_settings());
    (patch.when, patch.why_not_now) = if patch.raises() {
        timing.of(&whole)
    } else {
        (patch.keep_when, patch.keep_why_not_now.clone())
    };
    let is_empty = patch.keep.is_empty()
        && patch.raise.is_empty()
        && patch.needs_change.is_empty()
        && patch.remaining.is_empty();
    (!is_empty).then_some(patch)
}

fn delivery(unit: &Unit<'_>) -> Delivery {
    match unit.top {
        Top::Workload(workload) => match workload.kind {
            WorkloadKind::Deployment | WorkloadKind::DaemonSet | WorkloadKind::StatefulSet => {
                Delivery::Rollout
            }
            WorkloadKind::ReplicaSet
            | WorkloadKind::ReplicationController
            | WorkloadKind::PodTemplate => Delivery::NewPods,
            WorkloadKind::CronJob => Delivery::NextRun,
            WorkloadKind::Job => Delivery::Recreate,
        },
        Top::Pod(pod) if pod.is_mirror() => Delivery::Node,
        Top::Pod(pod) if pod.controller.is_some() => Delivery::Owner,
        Top::Pod(_) => Delivery::Recreate,
    }
}
