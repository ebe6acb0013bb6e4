//! Does the simulation agree with what the live pods say of the policies that admitted them?

use std::sync::Arc;

use serde::Serialize;

use super::injection::{Webhooks, stored};
use super::lineage::{Member, Revision, Top, Unit};
use super::simulation::Simulation;
use crate::objects::meta::Name;
use crate::objects::pod::{Pod, PodTemplateSpec};
use crate::psp::Verdict;
use crate::rbac::User;

/// Live pods whose `kubernetes.io/psp` annotation differs from the policy that today's admission
/// would select for their workload's template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Disagreement {
    /// The first of the pods, by name.
    pub pod: String,
    /// How many pods.
    pub pods: usize,
    /// The policy that their annotation names; `None` without the annotation.
    pub policy: Option<Name>,
    /// The policy that would be selected today; `None` if none admits the template, or if it
    /// cannot be simulated.
    pub simulated: Option<Name>,
    /// Why they differ.
    pub explanation: Explanation,
}

/// Why a pod's annotation differs from the policy that would be selected today.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Explanation {
    /// The pod was made while PSP was off, or the annotation was removed.
    NotAdmittedByPsp,
    /// The policy that the annotation names is not there any more.
    PolicyGone,
    /// The pod was made from an earlier template.
    TemplateChanged,
    /// A webhook changed the pod, and PSP then chose anew for the changed pod.
    OtherMutation,
    /// The policy is there, but neither the service account nor the controller may use it any more.
    GrantGone,
    /// The policy is there, but does not leave the pod as it is any more.
    PolicyChanged,
    /// The policy still admits the pod, but another is now preferred: it was added, renamed or
    /// granted since.
    PolicyAdded,
}

impl Explanation {
    /// The reason in words.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::NotAdmittedByPsp => "it was made while PSP was off",
            Self::PolicyGone => "that policy is gone",
            Self::TemplateChanged => "it was made from an earlier template",
            Self::OtherMutation => "a webhook changed it, and PSP then chose anew",
            Self::GrantGone => "that policy is not granted any more",
            Self::PolicyChanged => "that policy would not leave it as it is any more",
            Self::PolicyAdded => "another policy is preferred since",
        }
    }
}

/// Every disagreement of a unit, in order of the pods' names; empty where nothing can be simulated. Of
/// bare pods nobody knows who made them, so only policies that are not there any more are told.
///
/// `webhooks` is what these did to each of the unit's pods whose template is known.
#[must_use]
pub fn disagreements(
    unit: &Unit<'_>,
    simulated: Option<&Name>,
    webhooks: &[Webhooks],
    simulation: &Simulation<'_>,
) -> Vec<Disagreement> {
    let mut disagreements: Vec<Disagreement> = Vec::new();
    let mut explained: Vec<(&Member<'_>, Explanation)> = Vec::new();
    if !simulation.is_possible() {
        return disagreements;
    }
    for member in &unit.pods {
        let policy = member.pod.psp.as_ref();
        if policy == simulated && matches!(unit.top, Top::Workload(_)) {
            continue;
        }
        // Pods of one workload are mostly alike, and explaining one is dear.
        let alike = explained.iter().find(|(other, _)| is_alike(other, member));
        let explanation = match alike {
            Some((_, explanation)) => Some(*explanation),
            None => explanation(unit, member, webhooks, simulation),
        };
        let Some(explanation) = explanation else { continue };
        if alike.is_none() {
            explained.push((member, explanation));
        }
        let same = disagreements.iter_mut().find(|earlier| {
            earlier.policy.as_ref() == policy && earlier.explanation == explanation
        });
        match same {
            Some(earlier) => earlier.pods += 1,
            None => disagreements.push(Disagreement {
                pod: member.pod.name.to_string(),
                pods: 1,
                policy: policy.cloned(),
                simulated: simulated.cloned(),
                explanation,
            }),
        }
    }
    disagreements
}

/// Whether two pods of a unit are the same but for their names.
fn is_alike(a: &Member<'_>, b: &Member<'_>) -> bool {
    let is_same_revision = match (a.revision, b.revision) {
        (Revision::Older(a), Revision::Older(b)) => Arc::ptr_eq(a, b),
        (a, b) => std::mem::discriminant(&a) == std::mem::discriminant(&b),
    };
    is_same_revision && a.pod.psp == b.pod.psp && Arc::ptr_eq(&a.pod.template, &b.pod.template)
}

fn explanation(
    unit: &Unit<'_>,
    member: &Member<'_>,
    webhooks: &[Webhooks],
    simulation: &Simulation<'_>,
) -> Option<Explanation> {
    let pod = member.pod;
    let Some(name) = &pod.psp else { return Some(Explanation::NotAdmittedByPsp) };
    let Some(policy) = simulation.policy(name) else {
        let unusable = simulation.admission().unusable();
        let is_there = unusable.iter().any(|unusable| unusable.name == *name);
        return Some(if is_there { Explanation::PolicyChanged } else { Explanation::PolicyGone });
    };
    let Top::Workload(workload) = unit.top else { return None };
    let requester = simulation.requester_of(workload.kind);
    let requester = requester.as_ref();
    let template = unit.template_of(member);
    let is_of_other_template = match template {
        Some(template) => {
            let of_revision = simulation.admit_template(&pod.namespace, template, requester);
            selects(of_revision.as_deref(), name)
        }
        None => matches!(member.revision, Revision::Gone),
    };
    if is_of_other_template {
        return Some(Explanation::TemplateChanged);
    }
    let live = without_ephemeral_containers(pod);
    if !simulation.may_use(name, &pod.namespace, live.spec.service_account(), requester) {
        return Some(Explanation::GrantGone);
    }
    if let Some(template) = template
        && let Some(webhooks) = webhooks.iter().find(|it| it.is_on_made_pod(pod, template))
        && !webhooks.did_nothing()
        && is_chosen_after_injection(pod, template, webhooks, requester, simulation)
    {
        return Some(Explanation::OtherMutation);
    }
    // The policy left the pod as it liked it.
    let mut mutated = live;
    let changes = policy.mutate(&mut mutated);
    let is_as_before = changes.is_empty() && policy.validate(&mutated).is_empty();
    Some(if is_as_before { Explanation::PolicyAdded } else { Explanation::PolicyChanged })
}

/// Whether PSP chooses the policy that the pod's annotation names once webhooks have changed the pod.
fn is_chosen_after_injection(
    pod: &Pod,
    template: &Arc<PodTemplateSpec>,
    webhooks: &Webhooks,
    requester: Option<&User>,
    simulation: &Simulation<'_>,
) -> bool {
    let Some(name) = &pod.psp else { return false };
    let before = match simulation.admit_template(&pod.namespace, template, requester).as_deref() {
        Some(Verdict::Admitted(admitted)) => stored(&admitted.pod),
        _ => PodTemplateSpec::clone(&simulation.prepared(&pod.namespace, template, None)),
    };
    let is_chosen_for = |injected: &PodTemplateSpec| {
        selects(simulation.admit(&pod.namespace, injected, requester).as_ref(), name)
    };
    // What webhooks made is known but for values that PSP may have written afterwards; with those in
    // it, a policy that wrote them is not passed over for writing them. One that is taken to have
    // written before any webhook was chosen then, and has nothing left to write for that reason alone.
    let wrote_before = webhooks.changes_before.iter().any(|change| change.policy == *name);
    is_chosen_for(&webhooks.done_to(&before))
        || !wrote_before && is_chosen_for(&without_ephemeral_containers(pod))
}

fn selects(verdict: Option<&Verdict<'_>>, policy: &Name) -> bool {
    matches!(verdict, Some(Verdict::Admitted(admitted)) if admitted.policy == *policy)
}

fn without_ephemeral_containers(pod: &Pod) -> PodTemplateSpec {
    let mut live = PodTemplateSpec::clone(&pod.template);
    live.spec.ephemeral_containers.clear();
    live
}
