//! How does a workload come to its policy, its mutations and its levels?
//!
//! The plan gives the answers; this gives the steps that lead there, each with what it rests on.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value as Json;

use super::findings::Finding;
use super::grant::GrantPath;
use super::plan::{Missing, NamespacePlan, Plan, WorkloadPlan};
use super::recommend::Passes;
use super::remedy::{self, FieldChange};
use super::simulation::Simulation;
use super::{attribution, lost};
use crate::level::Level;
use crate::objects::meta::Name;
use crate::objects::pod::Pod;
use crate::objects::workload::WorkloadKind;
use crate::psp::{Consideration, Request, Subjects, Verdict};
use crate::rbac::User;
use crate::version::Version;

/// The explanation of a namespace, or of one workload in it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The version of the standards that levels are judged by.
    pub pss_version: Version,
    /// What the input lacked, for the whole cluster.
    pub missing: Vec<Missing>,
    /// The plan of the namespace, with the workloads that are explained.
    pub plan: NamespacePlan,
    /// What is found in the namespace; for one workload what is found about it, and about the
    /// namespace as such (no workloads).
    pub findings: Vec<Finding>,
    /// How each workload of the plan comes to its answers, in the plan's order.
    pub derivations: Vec<Derivation>,
}

/// How a workload comes to its answers.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Derivation {
    /// The kind.
    pub kind: &'static str,
    /// The name.
    pub name: String,
    /// Where its pod template stands in the object, so that `spec.…` of a pod is `TEMPLATE.spec.…`
    /// there; empty for a pod.
    pub template_path: &'static str,
    /// The user that asks for its pods; `None` where that is not known, or nobody does.
    pub requester: Option<String>,
    /// The pod that was asked for; `None` where the workload was.
    pub pod: Option<AskedPod>,
    /// What came of each policy for the pod that its template makes, in the order in which PSP
    /// looks at them; empty where nothing can be simulated, or nobody makes pods of it.
    pub policies: Vec<Considered>,
    /// What PSP writes into its pods.
    pub writes: Vec<Written>,
    /// What stands against each level, with the fields to change.
    pub against: Vec<Against>,
}

/// A pod that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AskedPod {
    /// The name.
    pub name: Name,
    /// The policy that its annotation names.
    pub policy: Option<Name>,
    /// The strictest level that it satisfies as it is.
    pub level: Level,
}

/// What came of one policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Considered {
    /// The policy.
    pub policy: Name,
    /// What came of it.
    pub answer: Answer,
    /// Through what it may be used; `None` where it may not.
    pub grant: Option<GrantPath>,
    /// What it holds against the pod, in the API server's words.
    pub errors: Vec<String>,
    /// How many values it would write; 0 where it does not admit the pod.
    pub n_writes: usize,
}

/// What came of a policy for a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Answer {
    /// It admits the pod.
    Wins,
    /// Neither the service account nor the requester, as far as that is known, may use it.
    NotGranted,
    /// It does not allow the pod.
    Refuses,
    /// It would admit the pod with changes, and another does so without.
    WouldMutate,
    /// It would admit the pod too, but comes after the one that wins.
    ComesLater,
    /// It takes no part in admission.
    Broken,
}

/// A value that PSP writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Written {
    /// Where, in the pod; list elements by name.
    pub path: String,
    /// What stood there.
    pub before: Option<Json>,
    /// What stands there then.
    pub after: Json,
    /// The policy.
    pub policy: Name,
    /// The policy's field; `None` where no field asks for it, or the policy is not in the input.
    pub policy_field: Option<&'static str>,
    /// Whether it is written only once webhooks have changed the pod.
    pub after_webhooks: bool,
    /// Whether pods will lack it without PSP.
    pub lost: bool,
}

/// What stands against a level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Against {
    /// The most lenient level that it stands against.
    pub level: Level,
    /// The check's id; docs/checks.md explains each.
    pub check: &'static str,
    /// The API server's short text.
    pub reason: String,
    /// The API server's long text.
    pub detail: Name,
    /// The states in which it does: `running`, `admitted`, `future`.
    pub states: Vec<&'static str>,
    /// The fields to change, in the pod.
    pub fields: Vec<FieldChange>,
}

/// Which part of a namespace to explain.
#[derive(Debug, Clone, Copy)]
pub enum Part<'s> {
    /// All of it.
    Everything,
    /// One workload, or a pod that stands for itself, by the plan's kind and name.
    Workload(&'s str, &'s str),
    /// A pod, by the kind and name under which the plan has it.
    Pod(&'s Pod, &'s str, &'s str),
}

/// Explains a part of the only namespace of a plan; `None` where the plan does not have it.
#[must_use]
pub fn explain(mut plan: Plan, simulation: &Simulation<'_>, part: Part<'_>) -> Option<Explanation> {
    let version = plan.pss_version;
    let mut namespace = plan.namespaces.pop()?;
    let mut findings = plan.findings;
    let asked = match part {
        Part::Everything => None,
        Part::Workload(kind, name) => Some((kind, name, None)),
        Part::Pod(pod, kind, name) => Some((kind, name, Some(pod))),
    };
    if let Some((kind, name, _)) = asked {
        namespace.workloads.retain(|workload| workload.kind == kind && workload.name == name);
        findings.retain(|finding| {
            let mut about = finding.workloads.iter();
            finding.workloads.is_empty() || about.any(|it| it.kind == kind && it.name == name)
        });
        if namespace.workloads.is_empty() {
            return None;
        }
    }
    let pod = asked.and_then(|(_, _, pod)| pod);
    let derivations = namespace
        .workloads
        .iter()
        .map(|workload| Derivation {
            pod: pod.map(|pod| AskedPod {
                name: pod.name.as_ref().into(),
                policy: pod.psp.clone(),
                level: Passes::of(&pod.template, version).strictest(),
            }),
            ..derivation(&namespace.name, workload, simulation, version)
        })
        .collect();
    Some(Explanation {
        pss_version: version,
        missing: plan.missing,
        plan: namespace,
        findings,
        derivations,
    })
}

fn derivation(
    namespace: &Name,
    workload: &WorkloadPlan,
    simulation: &Simulation<'_>,
    version: Version,
) -> Derivation {
    let kind = WorkloadKind::from_kind(workload.kind);
    let requester = kind.and_then(|kind| simulation.requester_of(kind));
    // Nobody makes pods of a PodTemplate; a pod is simulated by its service account alone.
    let is_made = requester.is_some() || kind.is_none();
    let policies = if is_made && simulation.is_possible() {
        considered(namespace, workload, requester.as_ref(), simulation)
    } else {
        Vec::new()
    };
    Derivation {
        kind: workload.kind,
        name: workload.name.clone(),
        template_path: template_path(kind),
        requester: requester.map(|user| user.name),
        pod: None,
        policies,
        writes: writes(workload),
        against: against(workload, version),
    }
}

/// Where a kind's pod template stands.
fn template_path(kind: Option<WorkloadKind>) -> &'static str {
    match kind {
        None => "",
        Some(WorkloadKind::CronJob) => "spec.jobTemplate.spec.template",
        Some(WorkloadKind::PodTemplate) => "template",
        Some(_) => "spec.template",
    }
}

fn considered(
    namespace: &Name,
    workload: &WorkloadPlan,
    requester: Option<&User>,
    simulation: &Simulation<'_>,
) -> Vec<Considered> {
    let (admission, authorizer) = (simulation.admission(), simulation.authorizer());
    let pod = &workload.states.authored;
    let request = Request { namespace, name: "", pod, requester };
    let subjects = Subjects::new(namespace, pod.spec.service_account(), requester);
    let granted = admission.granted(&subjects, authorizer);
    let winner = match admission.decide("", pod, &granted) {
        Verdict::Admitted(admitted) => Some(admitted.policy),
        Verdict::Refused(_) => None,
    };
    let consider = |(policy, consideration): (Name, Consideration)| {
        let grant = granted.iter().find(|granted| granted.policy == policy);
        let grant = grant.map(|granted| GrantPath::of(granted.via, &granted.grant));
        let (answer, errors, n_writes) = match consideration {
            Consideration::NotAuthorized => (Answer::NotGranted, Vec::new(), 0),
            Consideration::Failed(errors) => (Answer::Refuses, errors, 0),
            Consideration::Admits(changes) => {
                let answer = match policy.cmp(winner.as_ref().unwrap_or(&policy)) {
                    Ordering::Less => Answer::WouldMutate,
                    Ordering::Equal => Answer::Wins,
                    Ordering::Greater => Answer::ComesLater,
                };
                (answer, Vec::new(), changes.len())
            }
        };
        let errors = errors.iter().map(ToString::to_string).collect();
        Considered { policy, answer, grant, errors, n_writes }
    };
    let all = admission.explain(&request, authorizer).into_iter().map(consider);
    let broken = admission.unusable().iter().map(|unusable| Considered {
        policy: unusable.name.clone(),
        answer: Answer::Broken,
        grant: None,
        errors: vec![unusable.reason.to_string()],
        n_writes: 0,
    });
    all.chain(broken).collect()
}

fn writes(workload: &WorkloadPlan) -> Vec<Written> {
    let states = &workload.states;
    let first = states.changes.iter().map(|change| (change, false));
    let second = states.changes_after_injection.iter().map(|change| (change, true));
    let lost_paths: BTreeSet<String> = workload.lost.iter().map(|it| it.path.by_name()).collect();
    let mut writes: Vec<Written> = Vec::new();
    for (change, after_webhooks) in first.chain(second) {
        let mut values = lost::values(change).into_iter();
        let is_lost = values.any(|(path, _)| lost_paths.contains(&path.by_name()));
        let written = Written {
            path: change.path.by_name(),
            before: change.before.as_ref().map(attribution::json),
            after: attribution::json(&change.after),
            policy: change.policy.clone(),
            policy_field: change.policy_field,
            after_webhooks,
            lost: is_lost,
        };
        let is_known = writes.iter().any(|known| {
            known.path == written.path
                && known.after == written.after
                && known.policy == written.policy
        });
        if !is_known {
            writes.push(written);
        }
    }
    writes
}

/// The violations of a workload, each once with every state that shows it; the most lenient level
/// first.
fn against(workload: &WorkloadPlan, version: Version) -> Vec<Against> {
    let mut found: Vec<Against> = Vec::new();
    for violation in &workload.violations {
        let known = found
            .iter_mut()
            .find(|known| known.check == violation.check && known.detail == violation.detail);
        if let Some(known) = known {
            known.level = known.level.min(violation.level);
            if !known.states.contains(&violation.state) {
                known.states.push(violation.state);
            }
            continue;
        }
        let states = &workload.states;
        let pods = match violation.state {
            "running" => &states.running,
            "admitted" => &states.admitted,
            _ => &states.future,
        };
        let pod = pods.iter().find(|pod| {
            let evaluation = crate::psa::evaluate(violation.level, version, pod);
            evaluation
                .violations
                .iter()
                .any(|it| it.check == violation.check && it.detail == *violation.detail)
        });
        let fields = pod.map_or_else(Vec::new, |pod| {
            remedy::fields_to_change(violation.check, violation.level, version, pod)
        });
        found.push(Against {
            level: violation.level,
            check: violation.check,
            reason: violation.reason.to_owned(),
            detail: violation.detail.clone(),
            states: vec![violation.state],
            fields,
        });
    }
    found.sort_by_key(|against| against.level);
    found
}
