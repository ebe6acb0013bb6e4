//! How are findings told? Their words are shared by the reports that are read.

use std::collections::BTreeMap;

use crate::migrate::findings::{Finding, FindingKind};
use crate::migrate::plan::Plan;

/// The findings of each namespace, the most urgent first.
pub(super) fn by_namespace(plan: &Plan) -> BTreeMap<&str, Vec<&Finding>> {
    let mut by_namespace: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in &plan.findings {
        by_namespace.entry(&finding.namespace).or_default().push(finding);
    }
    by_namespace
}

/// What a list of findings of a kind says.
pub(super) fn title(kind: FindingKind) -> &'static str {
    match kind {
        FindingKind::LabelConflict => {
            "Labels to look at first, too strict for what runs or invalid"
        }
        FindingKind::DefaultTooStrict => {
            "Namespaces that the cluster's default is too strict for, unless the plan's labels are set"
        }
        FindingKind::MakersAreExempt => {
            "Namespaces in which exempt users make pods, so that nothing is refused"
        }
        FindingKind::RefusedAfterUpgrade => {
            "Workloads whose pods will be refused after the upgrade"
        }
        FindingKind::RunsThoughRefused => {
            "Workloads that run, but whose pods PSP would refuse to make again"
        }
        FindingKind::VolumeGroupsChange => {
            "Workloads that lose the groups by which they may reach their volumes' data"
        }
        FindingKind::RuntimeClassVanishes => {
            "Workloads that lose the runtime class (a sandbox?) that a policy gives them"
        }
        FindingKind::AnnotationStopsWorking => {
            "Workloads whose seccomp profile is an annotation, which servers from v1.27 on ignore"
        }
        FindingKind::StricterTodayThanAfter => {
            "Namespaces whose pods satisfy more today than they will once PSP is gone"
        }
        FindingKind::LosesHardening => "Workloads that lose hardening with PSP",
        FindingKind::BecomesStricter => {
            "Workloads that PSP loosens, and whose pods may become stricter without it"
        }
        FindingKind::InjectedContainerDecides => {
            "Workloads that are held back by what webhooks inject"
        }
        FindingKind::OneWorkloadAway => "Namespaces that one workload holds back",
        FindingKind::AdmittedByControllersGrant => {
            "Workloads whose policy is granted to the controller, and so to every such workload"
        }
        FindingKind::AccountsUseDifferentPolicies => {
            "Namespaces whose service accounts use different policies, where one level must do"
        }
        FindingKind::ExemptNamespace => {
            "Namespaces that the cluster's configuration exempts, or workloads of them"
        }
        FindingKind::OtherVersions => {
            "Namespaces with another answer at other versions of the standards"
        }
        FindingKind::RefusedToday => "Workloads that PSP refuses today, and that do not count",
        FindingKind::NotInEveryInput => "Namespaces with workloads that only some inputs show",
    }
}

/// A kind of findings in a few words, where a list of workloads or namespaces follows or stands
/// beside.
pub(super) fn short_title(kind: FindingKind) -> &'static str {
    match kind {
        FindingKind::LabelConflict => "label conflict",
        FindingKind::DefaultTooStrict => "the default is too strict",
        FindingKind::MakersAreExempt => "made by an exempt user",
        FindingKind::RefusedAfterUpgrade => "refused after the upgrade",
        FindingKind::RunsThoughRefused => "runs, but PSP would refuse it",
        FindingKind::VolumeGroupsChange => "access to volumes",
        FindingKind::RuntimeClassVanishes => "loses its runtime class",
        FindingKind::AnnotationStopsWorking => "seccomp annotation",
        FindingKind::StricterTodayThanAfter => "stricter today than after",
        FindingKind::LosesHardening => "loses hardening",
        FindingKind::BecomesStricter => "becomes stricter",
        FindingKind::InjectedContainerDecides => "injected container",
        FindingKind::OneWorkloadAway => "one workload away",
        FindingKind::AdmittedByControllersGrant => "granted to the controller",
        FindingKind::AccountsUseDifferentPolicies => "accounts use different policies",
        FindingKind::ExemptNamespace => "exempt",
        FindingKind::OtherVersions => "other answer at other versions",
        FindingKind::RefusedToday => "refused today",
        FindingKind::NotInEveryInput => "not in every input",
    }
}

/// The word that filters by a kind.
pub(super) fn token(kind: FindingKind) -> String {
    format!("{kind:?}")
}
