//! What is found in a single workload.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Finding, FindingKind, counted, finding, n_pods_at_stake};
use crate::level::Level;
use crate::migrate::Options;
use crate::migrate::lost::Lost;
use crate::migrate::plan::{NamespacePlan, Note, WorkloadPlan};
use crate::migrate::recommend::Passes;
use crate::objects::pod::{ContainerKind, PodTemplateSpec};
use crate::objects::volume::Volume;
use crate::psa;
use crate::psa::configuration::Configuration;
use crate::version::Version;

/// Sources of volumes that hold nothing beyond the pod or nothing that groups matter for.
const SOURCES_WITHOUT_DATA: &[&str] =
    &["emptyDir", "secret", "configMap", "downwardAPI", "projected", "gitRepo", "image"];

/// Adds what is found in one workload.
pub(super) fn find(
    namespace: &NamespacePlan,
    workload: &WorkloadPlan,
    options: &Options,
    findings: &mut Vec<Finding>,
) {
    if workload.refused_today {
        findings.push(refused_today(namespace, workload));
        return;
    }
    findings.extend(refused_after_upgrade(namespace, workload, &options.configuration));
    findings.extend(runs_though_refused(namespace, workload));
    findings.extend(volume_groups_change(namespace, workload));
    findings.extend(runtime_class_vanishes(namespace, workload));
    findings.extend(annotation_stops_working(namespace, workload));
    findings.extend(loses_hardening(namespace, workload));
    findings.extend(becomes_stricter(namespace, workload));
    findings.extend(injected_container_decides(namespace, workload, options.pss_version));
    findings.extend(admitted_by_controllers_grant(namespace, workload));
}

fn refused_today(namespace: &NamespacePlan, workload: &WorkloadPlan) -> Finding {
    let message = format!(
        "PSP refuses the pods of {} {} today and none runs, so it does not count for the level",
        workload.kind, workload.name
    );
    finding(FindingKind::RefusedToday, namespace, &[workload], message, refusals(workload))
}

fn runs_though_refused(namespace: &NamespacePlan, workload: &WorkloadPlan) -> Option<Finding> {
    if !workload.notes.contains(&Note::RunsThoughRefused) {
        return None;
    }
    let message = format!(
        "the pods of {} {} run, but PSP would refuse to make them again",
        workload.kind, workload.name
    );
    let kind = FindingKind::RunsThoughRefused;
    Some(finding(kind, namespace, &[workload], message, refusals(workload)))
}

fn refusals(workload: &WorkloadPlan) -> Vec<String> {
    let refusals = workload.refusal.iter();
    refusals
        .map(|refusal| {
            let when =
                if refusal.after_webhooks { ", once webhooks have changed the pod" } else { "" };
            match &refusal.policy {
                Some(policy) => format!("{policy}{when}: {}", refusal.message),
                None => refusal.message.clone(),
            }
        })
        .collect()
}

/// Whether the enforce label, as it will be once the plan's labels are set, refuses the pods of the
/// future.
fn refused_after_upgrade(
    namespace: &NamespacePlan,
    workload: &WorkloadPlan,
    configuration: &Configuration,
) -> Option<Finding> {
    if !workload.counted || namespace.exempt {
        return None;
    }
    let mut labels = namespace.current_labels.clone();
    labels.extend(namespace.labels.clone());
    let (policy, _) = configuration.policy_of(&labels);
    let (level, version) = (policy.enforce.level, policy.enforce.version.resolved());
    let mut evidence = BTreeSet::new();
    let mut is_refused = false;
    // A pod with two readings is refused if it is in either: servers differ.
    let exemptions = &configuration.exemptions;
    let is_judged = |pod: &&Arc<PodTemplateSpec>| exemptions.runtime_class_of(pod).is_none();
    for pod in workload.states.future.iter().filter(is_judged) {
        let evaluation = psa::evaluate(level, version, pod);
        is_refused |= !evaluation.is_allowed();
        evidence.extend(evaluation.violations.iter().map(psa::Violation::text));
    }
    if !is_refused {
        return None;
    }
    let message = format!(
        "enforce={level} ({version}) refuses the pods of {} {} after the upgrade: {} at stake",
        workload.kind,
        workload.name,
        counted(n_pods_at_stake(workload), "pod", "pods"),
    );
    let kind = FindingKind::RefusedAfterUpgrade;
    Some(
        finding(kind, namespace, &[workload], message, evidence.into_iter().collect()).suggesting(
            format!("mend {} or lower the label before the upgrade", manifest(workload)),
        ),
    )
}

fn volume_groups_change(namespace: &NamespacePlan, workload: &WorkloadPlan) -> Option<Finding> {
    let is_group = |lost: &&Lost| {
        let path = lost.path.to_string();
        path.ends_with(".fsGroup") || path.ends_with(".supplementalGroups")
    };
    let mut evidence: Vec<String> =
        workload.lost.iter().filter(is_group).map(evidence_of).collect();
    if evidence.is_empty() {
        return None;
    }
    let volumes: BTreeSet<String> = workload
        .states
        .future
        .iter()
        .flat_map(|pod| &pod.spec.volumes)
        .filter_map(|volume| Some(format!("volume {}: {}", volume.name, data_source(volume)?)))
        .collect();
    if volumes.is_empty() {
        return None;
    }
    evidence.extend(volumes);
    let message = format!(
        "the pods of {} {} lose the groups that PSP gives them, and may no longer be able to read \
         or write the data that they mount",
        workload.kind, workload.name
    );
    let kind = FindingKind::VolumeGroupsChange;
    Some(
        finding(kind, namespace, &[workload], message, evidence)
            .suggesting(format!("write the groups into {}", manifest(workload))),
    )
}

/// The kind of data that a volume holds beyond its pod; `None` for volumes that hold none.
fn data_source(volume: &Volume) -> Option<&'static str> {
    let sources = volume.sources.iter().map(crate::objects::volume::VolumeSource::field);
    sources.into_iter().find(|source| !SOURCES_WITHOUT_DATA.contains(source))
}

fn runtime_class_vanishes(namespace: &NamespacePlan, workload: &WorkloadPlan) -> Option<Finding> {
    let lost =
        workload.lost.iter().find(|lost| lost.path.to_string() == "spec.runtimeClassName")?;
    let message = format!(
        "the pods of {} {} lose the runtime class that a policy gives them, and any sandbox that \
         comes with it",
        workload.kind, workload.name
    );
    let kind = FindingKind::RuntimeClassVanishes;
    Some(
        finding(kind, namespace, &[workload], message, vec![evidence_of(lost)])
            .suggesting(format!("write runtimeClassName into {}", manifest(workload))),
    )
}

fn annotation_stops_working(namespace: &NamespacePlan, workload: &WorkloadPlan) -> Option<Finding> {
    if !workload.notes.contains(&Note::AnnotationStopsWorking) {
        return None;
    }
    let annotations: Vec<(&str, &str)> = workload
        .states
        .authored
        .security_annotations()
        .filter(|(key, _)| key.contains("seccomp"))
        .collect();
    let n_unconfined = annotations.iter().filter(|(_, profile)| *profile == "unconfined").count();
    let evidence =
        annotations.iter().map(|(key, value)| format!("metadata.annotations[{key}]: {value}"));
    let message = format!(
        "the seccomp profile of {} {} stands in an annotation only, which servers from v1.27 on \
         ignore",
        workload.kind, workload.name
    );
    // The field would go on violating baseline where the annotation ends by itself.
    let advice = match n_unconfined {
        0 => "write the profile into securityContext.seccompProfile",
        n if n == annotations.len() => {
            "remove the annotation: unconfined ends with it, which baseline refuses"
        }
        _ => {
            "write the profile into securityContext.seccompProfile, but where it is unconfined, \
             which baseline refuses, remove the annotation only"
        }
    };
    let kind = FindingKind::AnnotationStopsWorking;
    let found = finding(kind, namespace, &[workload], message, evidence.collect());
    Some(found.suggesting(advice))
}

fn loses_hardening(namespace: &NamespacePlan, workload: &WorkloadPlan) -> Option<Finding> {
    let evidence: Vec<String> = workload.lost_hardening().map(evidence_of).collect();
    if evidence.is_empty() {
        return None;
    }
    let message = format!(
        "the pods of {} {} lose {} that PSP writes into them",
        workload.kind,
        workload.name,
        counted(evidence.len(), "value", "values"),
    );
    let kind = FindingKind::LosesHardening;
    let advice = format!("write the values into {} before the upgrade", manifest(workload));
    Some(finding(kind, namespace, &[workload], message, evidence).suggesting(advice))
}

fn becomes_stricter(namespace: &NamespacePlan, workload: &WorkloadPlan) -> Option<Finding> {
    // Processes may gain privileges where nothing is said of it, too.
    let is_default = |lost: &Lost| lost.path.last_field() == "allowPrivilegeEscalation";
    let loosening = workload.lost.iter().filter(|lost| lost.loosens && !is_default(lost));
    let evidence: Vec<String> = loosening.map(evidence_of).collect();
    if evidence.is_empty() {
        return None;
    }
    let message = format!(
        "PSP loosens the pods of {} {} by {}; they may become stricter without it",
        workload.kind,
        workload.name,
        counted(evidence.len(), "value", "values"),
    );
    let kind = FindingKind::BecomesStricter;
    Some(
        finding(kind, namespace, &[workload], message, evidence)
            .suggesting("test that they run without"),
    )
}

/// Where the author of a workload's pods says what they are.
fn manifest(workload: &WorkloadPlan) -> &'static str {
    if workload.kind == "Pod" { "its manifest" } else { "the template" }
}

/// `spec.securityContext.fsGroup: 1000, written by restricted (spec.fsGroup.rule)`.
fn evidence_of(lost: &Lost) -> String {
    let field = lost.policy_field.unwrap_or("not in the input any more");
    let assumed = if lost.assumed { ", as far as can be told" } else { "" };
    format!(
        "{}: {}, written by {} ({field}){assumed}",
        lost.path.by_name(),
        lost.value,
        lost.policy
    )
}

fn injected_container_decides(
    namespace: &NamespacePlan,
    workload: &WorkloadPlan,
    version: Version,
) -> Option<Finding> {
    let future = workload.levels.future?;
    let injected = &workload.injected_containers;
    if !workload.counted || injected.is_empty() || future == Level::Restricted {
        return None;
    }
    let without: Vec<_> =
        workload.states.future.iter().map(|pod| without_containers(pod, injected).into()).collect();
    let level = Passes::of_all(&without, version)?.strictest();
    if level <= future {
        return None;
    }
    let violations = |pods: &[std::sync::Arc<PodTemplateSpec>]| -> BTreeSet<String> {
        pods.iter()
            .flat_map(|pod| psa::evaluate(level, version, pod).violations)
            .map(|violation| violation.text())
            .collect()
    };
    let evidence = violations(&workload.states.future).into_iter().collect();
    let message = format!(
        "{} {} satisfies {future} with what webhooks inject ({}), {level} without",
        workload.kind,
        workload.name,
        injected.join(", "),
    );
    let kind = FindingKind::InjectedContainerDecides;
    Some(
        finding(kind, namespace, &[workload], message, evidence)
            .suggesting("look for a setting of the webhook that hardens what it injects"),
    )
}

fn without_containers(pod: &PodTemplateSpec, names: &[String]) -> PodTemplateSpec {
    let mut pod = pod.clone();
    for kind in ContainerKind::ALL {
        pod.spec.containers_of_mut(kind).retain(|container| !names.contains(&container.name));
    }
    pod
}

fn admitted_by_controllers_grant(
    namespace: &NamespacePlan,
    workload: &WorkloadPlan,
) -> Option<Finding> {
    let policy = workload.policy_simulated.as_ref()?;
    let grant = workload.policy_grant.as_ref().filter(|grant| grant.to == "requester")?;
    let account = &workload.service_account;
    let message = format!(
        "{} {} is admitted by {policy}, which only the controller that makes its pods may use",
        workload.kind, workload.name
    );
    // A service account that a pod names is asked about without the group of those who log in.
    let why = if grant.subject == "Group system:authenticated" {
        ": named by a pod, it is not taken for a member of system:authenticated"
    } else {
        ""
    };
    let evidence = vec![
        format!("service account {}/{account} may not use {policy}{why}", namespace.name),
        format!("the controller may: {grant}"),
        "whoever may create such a workload gets the same policy".to_owned(),
    ];
    let kind = FindingKind::AdmittedByControllersGrant;
    Some(finding(kind, namespace, &[workload], message, evidence))
}
