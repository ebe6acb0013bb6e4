//! What does the cluster's configuration leave unjudged?

use super::{Finding, FindingKind, WorkloadName, finding};
use crate::migrate::Options;
use crate::migrate::plan::{NamespacePlan, WorkloadPlan};
use crate::objects::workload::WorkloadKind;
use crate::psa::admission::ignored_policy;
use crate::rbac::User;

/// Adds what the configuration exempts of one namespace.
pub(super) fn find(namespace: &NamespacePlan, options: &Options, findings: &mut Vec<Finding>) {
    if namespace.exempt {
        findings.push(exempt_namespace(namespace, options));
        return;
    }
    findings.extend(exempt_workloads(namespace));
    findings.extend(makers_are_exempt(namespace, options));
}

fn exempt_namespace(namespace: &NamespacePlan, options: &Options) -> Finding {
    let message = "the cluster's configuration exempts it: nothing in it is refused, warned of or \
                   audited, whatever its labels say";
    let labels = namespace.current_labels.iter();
    let mut evidence: Vec<String> =
        labels.map(|(key, value)| format!("label {key}={value} does nothing")).collect();
    let warning =
        ignored_policy(&namespace.name, &namespace.current_labels, &options.configuration);
    evidence.extend(warning.map(|it| format!("the server warns where they are set: {it}")));
    let kind = FindingKind::ExemptNamespace;
    finding(kind, namespace, &[], message.to_owned(), evidence)
}

fn exempt_workloads(namespace: &NamespacePlan) -> Option<Finding> {
    let exempt: Vec<&WorkloadPlan> =
        namespace.workloads.iter().filter(|workload| workload.exempt_by.is_some()).collect();
    if exempt.is_empty() {
        return None;
    }
    let by = |workload: &&WorkloadPlan| {
        let class = workload.exempt_by.as_ref()?;
        Some(format!("{}: runtime class {class}", WorkloadName::of(workload)))
    };
    let evidence = exempt.iter().filter_map(by).collect();
    let message = "the cluster's configuration exempts these workloads by their runtime class, so they \
                   do not count for the level";
    let kind = FindingKind::ExemptNamespace;
    Some(finding(kind, namespace, &exempt, message.to_owned(), evidence))
}

/// Workloads whose pods are made by a user who is exempt. They count all the same: the level is what it
/// would be if the exemption ended.
fn makers_are_exempt(namespace: &NamespacePlan, options: &Options) -> Option<Finding> {
    let exempt = &options.configuration.exemptions.usernames;
    let maker = |workload: &WorkloadPlan| {
        let account = WorkloadKind::from_kind(workload.kind)?.controller_account()?;
        let user = options.controllers_user.clone();
        Some(user.unwrap_or_else(|| User::controller(account).name))
    };
    let made: Vec<(&WorkloadPlan, String)> = namespace
        .workloads
        .iter()
        .filter_map(|workload| Some((workload, maker(workload)?)))
        .filter(|(_, user)| exempt.contains(user))
        .collect();
    if made.is_empty() {
        return None;
    }
    let evidence = made
        .iter()
        .map(|(workload, user)| format!("{}: {user}", WorkloadName::of(workload)))
        .collect();
    let workloads: Vec<&WorkloadPlan> = made.into_iter().map(|(workload, _)| workload).collect();
    let message = "the cluster's configuration exempts the user who makes these workloads' pods, so \
                   whoever may create such a workload may run any pod";
    let kind = FindingKind::MakersAreExempt;
    Some(finding(kind, namespace, &workloads, message.to_owned(), evidence).suggesting(
        "take controllers' accounts off exemptions.usernames; exempt namespaces instead",
    ))
}
