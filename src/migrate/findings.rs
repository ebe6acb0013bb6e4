//! What should an admin know before the upgrade, and what shows it?
//!
//! Findings are drawn from the plan of each namespace. Nothing is judged anew but what the plan does
//! not hold: present labels, other versions, and pods without what webhooks inject.

mod exemptions;
mod namespace;
mod workload;

use serde::Serialize;

use super::Options;
use super::plan::{NamespacePlan, WorkloadPlan};
use crate::objects::meta::Name;

/// Something that breaks, weakens or hinders on the way, with its evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What it is.
    pub kind: FindingKind,
    /// The namespace.
    pub namespace: Name,
    /// Whether that is a system namespace.
    pub system: bool,
    /// The workloads that it is about, in the plan's order; empty where it is about the namespace.
    pub workloads: Vec<WorkloadName>,
    /// How many pods are at stake: for each workload the greater of those that it wants and those
    /// that it has.
    pub pods: usize,
    /// What happens, in a sentence.
    pub message: String,
    /// What shows it: fields with their values, policies, the API server's words.
    pub evidence: Vec<String>,
    /// What helps; `None` where that depends on the workload.
    pub suggestion: Option<String>,
}

/// The kinds of findings, the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum FindingKind {
    /// A label that is invalid, or stricter than what the workloads satisfy.
    LabelConflict,
    /// The cluster's default is stricter than what the workloads satisfy, and no label says otherwise.
    DefaultTooStrict,
    /// Users who make pods are exempt, so that nothing is refused of what they make.
    MakersAreExempt,
    /// The labels to be set, or that stay, refuse the pods that the workload makes after the
    /// upgrade.
    RefusedAfterUpgrade,
    /// Live pods run, but PSP would refuse to make them again.
    RunsThoughRefused,
    /// PSP sets the groups of pods that mount data.
    VolumeGroupsChange,
    /// A policy supplies the runtime class, and with it the sandbox.
    RuntimeClassVanishes,
    /// A seccomp profile stands in an annotation only, which servers from v1.27 on ignore.
    AnnotationStopsWorking,
    /// The namespace's pods satisfy more today than they will without PSP.
    StricterTodayThanAfter,
    /// PSP hardens the workload's pods, and nothing else does.
    LosesHardening,
    /// PSP loosens the workload's pods, which may become stricter without it.
    BecomesStricter,
    /// Containers that a webhook adds decide the workload's level.
    InjectedContainerDecides,
    /// The namespace would take a stricter level but for one workload.
    OneWorkloadAway,
    /// Only the controller that makes the pods may use the policy that admits them.
    AdmittedByControllersGrant,
    /// Service accounts of one namespace use different policies.
    AccountsUseDifferentPolicies,
    /// The cluster's configuration exempts the namespace, or some of its workloads.
    ExemptNamespace,
    /// The answer is another at an earlier or newer version of the standards.
    OtherVersions,
    /// PSP refuses the workload's pods today, and none runs.
    RefusedToday,
    /// Workloads that some inputs show, and others that could do not.
    NotInEveryInput,
}

impl FindingKind {
    /// Whether something breaks, weakens or is refused, so that the admin has to act. What remains
    /// explains the answer or shows what else could be reached.
    #[must_use]
    pub fn is_fault(self) -> bool {
        match self {
            Self::LabelConflict
            | Self::DefaultTooStrict
            | Self::MakersAreExempt
            | Self::RefusedAfterUpgrade
            | Self::RunsThoughRefused
            | Self::VolumeGroupsChange
            | Self::RuntimeClassVanishes
            | Self::AnnotationStopsWorking
            | Self::StricterTodayThanAfter
            | Self::LosesHardening
            | Self::RefusedToday => true,
            Self::BecomesStricter
            | Self::InjectedContainerDecides
            | Self::OneWorkloadAway
            | Self::AdmittedByControllersGrant
            | Self::AccountsUseDifferentPolicies
            | Self::ExemptNamespace
            | Self::OtherVersions
            | Self::NotInEveryInput => false,
        }
    }
}

/// A workload within its namespace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadName {
    /// The kind: of a workload, or `Pod`.
    pub kind: &'static str,
    /// The name.
    pub name: String,
}

impl WorkloadName {
    /// The name of a workload of the plan.
    #[must_use]
    pub fn of(workload: &WorkloadPlan) -> Self {
        Self { kind: workload.kind, name: workload.name.clone() }
    }
}

/// Prints `Deployment web`.
impl std::fmt::Display for WorkloadName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}

/// What is found in a namespace that was planned with these options, in the plan's order; see [`sort`].
#[must_use]
pub fn of(namespace: &NamespacePlan, options: &Options) -> Vec<Finding> {
    let mut findings = Vec::new();
    exemptions::find(namespace, options, &mut findings);
    namespace::find(namespace, options, &mut findings);
    for workload in &namespace.workloads {
        workload::find(namespace, workload, options, &mut findings);
    }
    findings
}

/// Sorts findings that are in the plan's order: the most urgent kinds first, and within a kind as they
/// were.
pub fn sort(findings: &mut [Finding]) {
    findings.sort_by_key(|finding| finding.kind);
}

/// A finding about some workloads of a namespace, or about the namespace where there are none.
fn finding(
    kind: FindingKind,
    namespace: &NamespacePlan,
    workloads: &[&WorkloadPlan],
    message: String,
    evidence: Vec<String>,
) -> Finding {
    Finding {
        kind,
        namespace: namespace.name.clone(),
        system: namespace.system,
        workloads: workloads.iter().map(|workload| WorkloadName::of(workload)).collect(),
        pods: workloads.iter().map(|workload| n_pods_at_stake(workload)).sum(),
        message,
        evidence,
        suggestion: None,
    }
}

fn n_pods_at_stake(workload: &WorkloadPlan) -> usize {
    let wanted = workload.replicas.and_then(|wanted| usize::try_from(wanted).ok());
    workload.pods.max(wanted.unwrap_or(0))
}

/// The number with its noun.
#[must_use]
pub fn counted(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

impl Finding {
    fn suggesting(mut self, suggestion: impl Into<String>) -> Self {
        self.suggestion = Some(suggestion.into());
        self
    }
}
