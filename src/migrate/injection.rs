//! What did webhooks do to a live pod?
//!
//! ```text
//! template ─ prepare ─ PSP ─ stored ──► before ┐
//! live pod ─ without what PSP wrote later ► after ┴─► what webhooks did, to be done to other pods
//! ```

use std::sync::Arc;

use super::attribution::{self, Stripped};
use super::simulation::Simulation;
use crate::objects::change::Change;
use crate::objects::meta::Name;
use crate::objects::pod::{Pod, PodTemplateSpec};
use crate::objects::slice::Slice;
use crate::prepare::{self, profiles, service_account};
use crate::psp::{Policy, Verdict};
use crate::rbac::User;

/// What live pods show of webhooks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Injection {
    /// No live pod that can be compared with the template it was made from.
    #[default]
    Unknown,
    /// Live pods are as PSP would leave them.
    None,
    /// Webhooks changed pods: the containers they added, sorted; empty where they changed only
    /// fields.
    Seen(Vec<String>),
}

impl Injection {
    /// Takes one more live pod into account.
    pub fn note(&mut self, webhooks: &Webhooks) {
        if webhooks.did_nothing() {
            if *self == Self::Unknown {
                *self = Self::None;
            }
            return;
        }
        let mut names = match std::mem::take(self) {
            Self::Seen(names) => names,
            Self::Unknown | Self::None => Vec::new(),
        };
        names.extend(webhooks.added_containers());
        names.sort();
        names.dedup();
        *self = Self::Seen(names);
    }
}

/// What webhooks did to one pod.
#[derive(Debug, Clone)]
pub struct Webhooks {
    /// The template that the pod was made from; `None` where it was made from none.
    template: Option<Arc<PodTemplateSpec>>,
    /// The live pod.
    live: Arc<PodTemplateSpec>,
    /// The policy that its annotation names.
    psp: Option<Name>,
    /// The pod that they are taken to have been given: as PSP left it. Empty, as [`Self::after`] is,
    /// where they did nothing.
    pub before: PodTemplateSpec,
    /// The live pod, without what PSP is taken to have written afterwards.
    pub after: PodTemplateSpec,
    /// What PSP wrote before, as far as it is known.
    pub changes_before: Vec<Change>,
    /// What PSP is taken to have written afterwards; a webhook may have written the same.
    pub changes_after: Vec<Change>,
}

/// A pod that webhooks may have been given, as it is stored, and what PSP had written into it.
#[derive(Default)]
struct Candidate {
    pod: PodTemplateSpec,
    changes: Vec<Change>,
}

impl Candidate {
    fn stored(mut pod: PodTemplateSpec, changes: Vec<Change>) -> Self {
        profiles::copy_seccomp(&mut pod);
        Self { pod, changes }
    }
}

impl Webhooks {
    /// What webhooks did to a pod that was made from a template.
    #[must_use]
    pub fn on_made_pod(
        pod: &Pod,
        template: &Arc<PodTemplateSpec>,
        requester: Option<&User>,
        simulation: &Simulation<'_>,
    ) -> Self {
        // Of an earlier template nothing is prepared yet.
        let live = Some(&*pod.template);
        let prepared = simulation.prepared(&pod.namespace, template, live);
        let verdict = simulation.admit_template(&pod.namespace, template, requester);
        let simulated = || match verdict.as_deref() {
            Some(Verdict::Admitted(admitted)) => {
                Some(Candidate::stored(admitted.pod.clone(), admitted.changes.clone()))
            }
            _ => None,
        };
        // The policies or grants may have changed since the pod was made; where the policy is the
        // same, it would do the same.
        let selected = match verdict.as_deref() {
            Some(Verdict::Admitted(admitted)) => Some(&admitted.policy),
            _ => None,
        };
        let named = pod.psp.as_ref().filter(|named| selected != Some(named));
        let candidates = [simulated()].into_iter().chain(std::iter::once_with(|| {
            named.and_then(|name| mutated_by(name, PodTemplateSpec::clone(&prepared), simulation))
        }));
        let untouched = std::iter::once_with(|| {
            Some(Candidate::stored(PodTemplateSpec::clone(&prepared), Vec::new()))
        });
        let candidates = candidates.chain(untouched).flatten();
        let webhooks = Self::likeliest(pod, candidates, simulation);
        Self { template: Some(Arc::clone(template)), ..webhooks }
    }

    /// Whether this is what they did to a pod, or one just like it, that was made from a template.
    #[must_use]
    pub fn is_on_made_pod(&self, pod: &Pod, template: &Arc<PodTemplateSpec>) -> bool {
        self.template.as_ref().is_some_and(|own| Arc::ptr_eq(own, template))
            && Arc::ptr_eq(&self.live, &pod.template)
            && self.psp == pod.psp
    }

    /// What webhooks did to a pod that was created as `authored`, by a user who is not known.
    #[must_use]
    pub fn on_created_pod(
        pod: &Pod,
        authored: &PodTemplateSpec,
        simulation: &Simulation<'_>,
    ) -> Self {
        let named = pod.psp.as_ref();
        // The annotation names the last policy, not the author of every value: before the webhooks
        // it may have been any other.
        let others = simulation.admission().policies().iter().map(Policy::name);
        let policies = named.into_iter().chain(others.filter(|name| Some(*name) != named));
        let candidates = policies.filter_map(|name| mutated_by(name, authored.clone(), simulation));
        let untouched = std::iter::once_with(|| Candidate::stored(authored.clone(), Vec::new()));
        Self::likeliest(pod, candidates.chain(untouched), simulation)
    }

    /// Of all that webhooks may have been given, takes what they had to change least; the earlier
    /// where two are equal.
    fn likeliest(
        pod: &Pod,
        candidates: impl Iterator<Item = Candidate>,
        simulation: &Simulation<'_>,
    ) -> Self {
        // Most pods are just what one of them was, and then there is nothing to look into.
        let mut different = Vec::new();
        for candidate in candidates {
            if candidate.pod == *pod.template {
                return Self { changes_before: candidate.changes, ..Self::none_on(pod) };
            }
            different.push(candidate);
        }
        let mut live = live_pod(pod);
        service_account::unmount_token(&mut live);
        let between = |candidate| Self::between(candidate, pod, &live, simulation);
        let mut likeliest: Option<(usize, Self)> = None;
        for candidate in different {
            let webhooks = between(candidate);
            if webhooks.did_nothing() {
                return webhooks;
            }
            let n = Slice::n_differences("", Some(&webhooks.before), Some(&webhooks.after));
            if likeliest.as_ref().is_none_or(|(least, _)| n < *least) {
                likeliest = Some((n, webhooks));
            }
        }
        let nothing = || between(Candidate::default());
        likeliest.map_or_else(nothing, |(_, webhooks)| webhooks)
    }

    /// Nothing: that they left a pod as it was, which is taken to be made from no template.
    fn none_on(pod: &Pod) -> Self {
        Self {
            template: None,
            live: Arc::clone(&pod.template),
            psp: pod.psp.clone(),
            before: PodTemplateSpec::default(),
            after: PodTemplateSpec::default(),
            changes_before: Vec::new(),
            changes_after: Vec::new(),
        }
    }

    /// What lies between a pod that webhooks may have been given and the [`live_pod`] without its
    /// token.
    fn between(
        candidate: Candidate,
        pod: &Pod,
        live: &PodTemplateSpec,
        simulation: &Simulation<'_>,
    ) -> Self {
        let Candidate { pod: mut before, changes: changes_before } = candidate;
        let Stripped { pod: mut after, changes: changes_after } =
            without_policy_values(live, pod.psp.as_ref(), &before, simulation);
        service_account::unmount_token(&mut before);
        // PSP annotates every pod, so that annotations are there which the author did not begin.
        if before.annotations.is_none() {
            after.annotations = after.annotations.filter(|annotations| !annotations.is_empty());
        }
        Self { before, after, changes_before, changes_after, ..Self::none_on(pod) }
    }

    /// Whether the pod is as PSP would leave it.
    #[must_use]
    pub fn did_nothing(&self) -> bool {
        self.before == self.after
    }

    /// Does to `target` what they did.
    #[must_use]
    pub fn done_to(&self, target: &PodTemplateSpec) -> PodTemplateSpec {
        if self.did_nothing() {
            return target.clone();
        }
        Slice::transplanted("", Some(&self.before), Some(&self.after), Some(target))
            .unwrap_or_default()
    }

    fn added_containers(&self) -> impl Iterator<Item = String> {
        let is_known = |name: &str| self.before.spec.all_containers().any(|it| it.name == name);
        let containers = self.after.spec.all_containers();
        containers.filter(move |it| !is_known(&it.name)).map(|it| it.name.clone())
    }
}

fn mutated_by(
    policy: &Name,
    mut pod: PodTemplateSpec,
    simulation: &Simulation<'_>,
) -> Option<Candidate> {
    let changes = simulation.policy(policy)?.mutate(&mut pod);
    Some(Candidate::stored(pod, changes))
}

/// The live pod with the API's defaults and without ephemeral containers.
#[must_use]
pub fn live_pod(pod: &Pod) -> PodTemplateSpec {
    let mut live = prepare::defaulted_pod(&pod.template);
    live.spec.ephemeral_containers.clear();
    live
}

/// A [`live_pod`] without what the policy that its annotation names wrote, beside what `keep` has.
#[must_use]
pub fn without_policy_values(
    live: &PodTemplateSpec,
    psp: Option<&Name>,
    keep: &PodTemplateSpec,
    simulation: &Simulation<'_>,
) -> Stripped {
    let Some(name) = psp else { return Stripped { pod: live.clone(), changes: Vec::new() } };
    match simulation.policy(name) {
        Some(policy) => attribution::without_values_of(policy, live, keep),
        None => attribution::without_values_of_unknown(name, live, keep),
    }
}

/// The pod as servers with PSP store it.
#[must_use]
pub fn stored(pod: &PodTemplateSpec) -> PodTemplateSpec {
    let mut pod = pod.clone();
    profiles::copy_seccomp(&mut pod);
    pod
}
