//! What becomes of one workload?

use super::agreement;
use super::grant::GrantPath;
use super::harden::{self, bypass};
use super::injection::Injection;
use super::judgement::{Evaluated, Judge};
use super::lineage::{Top, Unit};
use super::lost;
use super::plan::{Note, Refusal, WorkloadPlan};
use super::simulation::Simulation;
use super::states;
use crate::objects::meta::{Name, OwnerReference};
use crate::objects::pod::{Pod, PodTemplateSpec};
use crate::objects::workload::{CurrentRevision, Workload, WorkloadKind};
use crate::psp::{Refused, Verdict};

/// Plans one workload, or a pod that stands for itself.
#[must_use]
pub fn plan<'s>(unit: &Unit<'s>, simulation: &Simulation<'s>, judge: Judge<'_>) -> WorkloadPlan {
    let version = judge.version;
    let (mut states, verdict) = states::of(unit, simulation);
    let (policy_simulated, refusal) = match verdict.as_deref() {
        Some(Verdict::Admitted(admitted)) => {
            // Of pods that webhooks change differently some may be admitted.
            let refused = states.refused_after_injection.iter();
            let refused = refused.filter(|_| states.admitted.is_empty());
            (Some(admitted.policy.clone()), refusals(refused, true))
        }
        Some(Verdict::Refused(refused)) => (None, refusals([refused], false)),
        None => (None, Vec::new()),
    };
    // Before `harden`, which takes what webhooks did.
    let disagreements =
        agreement::disagreements(unit, policy_simulated.as_ref(), &states.webhooks, simulation);
    let lost = lost::of(unit, &states, version);
    let patch = harden::harden(unit, &mut states, &lost, simulation, version);
    states.share_equal_pods();
    let n_pods = unit.unfinished_pods().count();
    // A workload that runs counts with what its template asks for, even where its pods are of an
    // earlier one: it is in use, and a level that refuses its next pods would break it.
    // What webhooks do is seen in pods that were admitted, so that a level has to take such pods.
    let is_admitted = policy_simulated.is_some();
    let refused_today = !is_admitted && !refusal.is_empty() && n_pods == 0;
    let (injection, injected_containers) = injection(&states.injection);
    let exempt_by = exempt_by(&states, judge);
    let evaluated = Evaluated::of(&states, judge);
    let mut plan = WorkloadPlan {
        api_version: "v1".into(),
        kind: "Pod",
        name: String::new(),
        managed_by: None,
        service_account: service_account(&states.authored),
        pods: n_pods,
        replicas: None,
        suspended: false,
        policy_in_use: policies_in_use(unit),
        disagreements,
        policy_simulated,
        policy_grant: verdict.as_deref().and_then(grant),
        refused_today,
        refusal,
        counted: !refused_today && !states.future.is_empty() && exempt_by.is_none(),
        exempt_by,
        template_revision: None,
        under_bypass: bypass::under_bypass(
            unit,
            states.future.iter().map(|pod| &**pod),
            simulation,
        ),
        injection,
        injected_containers,
        seen_in: Vec::new(),
        not_seen_in: Vec::new(),
        notes: Vec::new(),
        levels: evaluated.levels(),
        lost,
        patch,
        violations: evaluated.violations(),
        states,
    };
    note_states(&mut plan);
    match unit.top {
        Top::Workload(workload) => describe_workload(&mut plan, workload),
        Top::Pod(pod) => describe_pod(&mut plan, pod),
    }
    plan
}

/// The runtime class by which none of the pods of the future is judged.
fn exempt_by(states: &states::States, judge: Judge<'_>) -> Option<String> {
    let classes: Option<Vec<&str>> =
        states.future.iter().map(|pod| judge.exemptions.runtime_class_of(pod)).collect();
    classes?.first().map(ToString::to_string)
}

/// Why the policy that admits a template may be used.
fn grant(verdict: &Verdict<'_>) -> Option<GrantPath> {
    match verdict {
        Verdict::Admitted(admitted) => Some(GrantPath::of(admitted.via, &admitted.grant)),
        Verdict::Refused(_) => None,
    }
}

fn injection(injection: &Injection) -> (&'static str, Vec<String>) {
    match injection {
        Injection::Unknown => ("unknown", Vec::new()),
        Injection::None => ("none", Vec::new()),
        Injection::Seen(containers) => ("seen", containers.clone()),
    }
}

fn policies_in_use(unit: &Unit<'_>) -> Vec<Name> {
    let mut policies: Vec<Name> =
        unit.unfinished_pods().filter_map(|member| member.pod.psp.clone()).collect();
    policies.sort();
    policies.dedup();
    policies
}

fn note_states(plan: &mut WorkloadPlan) {
    if plan.states.has_seccomp_annotation {
        plan.notes.push(Note::AnnotationStopsWorking);
    }
    if !plan.refusal.is_empty() && plan.pods > 0 {
        plan.notes.push(Note::RunsThoughRefused);
    }
}

fn describe_workload(plan: &mut WorkloadPlan, workload: &Workload) {
    plan.api_version = workload.api_version.clone();
    plan.kind = workload.kind.as_str();
    plan.name = name_or(&workload.name, &workload.generate_name);
    plan.managed_by = managed_by(workload.controller.as_deref(), workload.managed_by.as_ref());
    plan.replicas = workload.replicas;
    plan.template_revision = template_revision(workload);
    plan.suspended = workload.is_suspended;
    plan.counted &= workload.kind != WorkloadKind::PodTemplate;
}

fn template_revision(workload: &Workload) -> Option<Name> {
    match (&workload.kind, &workload.current_revision) {
        (WorkloadKind::Deployment, _) => workload.rollout_revision.as_deref().map(Name::from),
        (_, CurrentRevision::Hash(revision) | CurrentRevision::TemplateGeneration(revision)) => {
            Some(revision.clone())
        }
        _ => None,
    }
}

fn describe_pod(plan: &mut WorkloadPlan, pod: &Pod) {
    plan.name = name_or(&pod.name, &pod.generate_name);
    plan.managed_by = managed_by(pod.controller.as_deref(), pod.managed_by.as_ref());
    if pod.is_mirror() {
        plan.notes.push(Note::MirrorPod);
    }
    if plan.states.is_assumed {
        plan.notes.push(Note::AssumedAuthorship);
    }
    if pod.is_finished() {
        plan.notes.push(Note::FinishedPod);
        // Like a finished Job's, a controller's next pod will be of the same kind.
        plan.counted &= pod.controller.is_some();
    }
}

fn name_or(name: &str, generate_name: &str) -> String {
    if name.is_empty() { generate_name } else { name }.to_owned()
}

fn service_account(pod: &PodTemplateSpec) -> String {
    match pod.spec.service_account() {
        "" => "default".to_owned(),
        account => account.to_owned(),
    }
}

fn managed_by(controller: Option<&OwnerReference>, tool: Option<&Name>) -> Option<String> {
    controller
        .map(|owner| format!("{} {}", owner.kind, owner.name))
        .or_else(|| tool.map(ToString::to_string))
}

/// What policies hold against pods, each once; empty only without any refused.
fn refusals<'a>(
    refused: impl IntoIterator<Item = &'a Refused>,
    after_webhooks: bool,
) -> Vec<Refusal> {
    let mut refusals: Vec<Refusal> = Vec::new();
    for refused in refused {
        let errors = refused.errors.iter();
        let found = errors.map(|error| (Some(error.policy.clone()), error.error.to_string()));
        let without_policy = refused.errors.is_empty().then(|| (None, refused.message()));
        for (policy, message) in found.chain(without_policy) {
            let refusal = Refusal { policy, message, after_webhooks };
            if !refusals.contains(&refusal) {
                refusals.push(refusal);
            }
        }
    }
    refusals
}
