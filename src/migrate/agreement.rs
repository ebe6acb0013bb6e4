//! Does the simulation agree with what the live pods say of the policies that admitted them?

use serde::Serialize;

use super::lineage::{Member, Revision, Top, Unit};
use super::simulation::Simulation;
use crate::objects::meta::Name;
use crate::psp::Verdict;

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
    /// Who made the pod is not known, so that its policy cannot be simulated.
    RequesterUnknown,
    /// The policy is there, but neither the service account nor the controller may use it any more.
    GrantGone,
    /// The policy is there and may be used, but does not admit the pod any more.
    PolicyChanged,
    /// The policy still admits the pod, but another is now preferred: it was added, renamed or
    /// granted since.
    PolicyAdded,
}

/// Every disagreement of a unit, in order of the pods' names; empty where nothing can be simulated.
#[must_use]
pub fn disagreements(
    unit: &Unit<'_>,
    simulated: Option<&Name>,
    simulation: &Simulation<'_>,
) -> Vec<Disagreement> {
    let mut disagreements: Vec<Disagreement> = Vec::new();
    if !simulation.is_possible() {
        return disagreements;
    }
    for member in &unit.pods {
        let policy = member.pod.psp.as_ref();
        if policy == simulated && matches!(unit.top, Top::Workload(_)) {
            continue;
        }
        let explanation = explanation(unit, member, simulation);
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

fn explanation(unit: &Unit<'_>, member: &Member<'_>, simulation: &Simulation<'_>) -> Explanation {
    let Some(name) = &member.pod.psp else { return Explanation::NotAdmittedByPsp };
    let Some(policy) = simulation.policy(name) else { return Explanation::PolicyGone };
    let Top::Workload(workload) = unit.top else { return Explanation::RequesterUnknown };
    let (Revision::Current(template) | Revision::Older(template)) = member.revision else {
        return Explanation::TemplateChanged;
    };
    let namespace = &workload.namespace;
    let requester = simulation.requester_of(workload.kind);
    let selected = |verdict: Option<Verdict>| match verdict {
        Some(Verdict::Admitted(admitted)) => Some(admitted.policy),
        _ => None,
    };
    let of_revision = simulation.admit_template(namespace, template, requester.as_ref());
    if selected(of_revision).as_ref() == Some(name) {
        return Explanation::TemplateChanged;
    }
    // As PSP would choose for the pod as it is now. Its values are in it already, so that a policy
    // which wrote them is not passed over for writing them.
    let mut live = (*member.pod.template).clone();
    live.spec.ephemeral_containers.clear();
    if selected(simulation.admit(namespace, &live, requester.as_ref())).as_ref() == Some(name) {
        return Explanation::OtherMutation;
    }
    let account = live.spec.service_account();
    if !simulation.may_use(name, namespace, account, requester.as_ref()) {
        return Explanation::GrantGone;
    }
    let mut mutated = live.clone();
    policy.mutate(&mut mutated);
    if policy.validate(&mutated).is_empty() {
        Explanation::PolicyAdded
    } else {
        Explanation::PolicyChanged
    }
}
