//! What is found in a namespace as a whole.

use std::collections::{BTreeMap, BTreeSet};

use super::{Finding, FindingKind, WorkloadName, finding};
use crate::level::Level;
use crate::migrate::Options;
use crate::migrate::judgement::Judge;
use crate::migrate::plan::{NamespacePlan, OtherVersion, WorkloadPlan};
use crate::migrate::recommend::{DEFAULT_IS_STRICTER, Passes};
use crate::psa;
use crate::version::Version;

/// How many workloads the evidence for another version names.
const MAX_EXAMPLES: usize = 3;

/// Adds what is found in one namespace as a whole.
pub(super) fn find(namespace: &NamespacePlan, options: &Options, findings: &mut Vec<Finding>) {
    let version = options.pss_version;
    let judge = Judge { version, exemptions: &options.configuration.exemptions };
    findings.extend(label_conflict(namespace));
    findings.extend(stricter_today_than_after(namespace, judge));
    findings.extend(one_workload_away(namespace));
    findings.extend(accounts_use_different_policies(namespace));
    findings.extend(other_versions(namespace, version));
    findings.extend(not_in_every_input(namespace));
}

fn not_in_every_input(namespace: &NamespacePlan) -> Option<Finding> {
    let missed: Vec<&WorkloadPlan> =
        namespace.workloads.iter().filter(|workload| !workload.not_seen_in.is_empty()).collect();
    if missed.is_empty() {
        return None;
    }
    let evidence = missed
        .iter()
        .map(|workload| {
            let (seen, missing) = (workload.seen_in.join(", "), workload.not_seen_in.join(", "));
            format!("{}: in {seen}, not in {missing}", WorkloadName::of(workload))
        })
        .collect();
    let message = "not every input shows these workloads; they count all the same, as they may \
                   come again";
    let kind = FindingKind::NotInEveryInput;
    Some(
        finding(kind, namespace, &missed, message.to_owned(), evidence)
            .suggesting("leave older inputs out if these workloads are gone for good"),
    )
}

fn label_conflict(namespace: &NamespacePlan) -> Option<Finding> {
    let conflict = namespace.conflict.clone()?;
    if conflict.starts_with(DEFAULT_IS_STRICTER) {
        let message = "the cluster's default is stricter than what the workloads satisfy, and no label \
                       says otherwise";
        let kind = FindingKind::DefaultTooStrict;
        let found = finding(kind, namespace, &[], message.to_owned(), vec![conflict]);
        return Some(found.suggesting("set the plan's labels, or exempt the namespace"));
    }
    let message = "a label is invalid, or stricter than what the workloads satisfy".to_owned();
    Some(finding(FindingKind::LabelConflict, namespace, &[], message, vec![conflict]))
}

fn stricter_today_than_after(namespace: &NamespacePlan, judge: Judge<'_>) -> Option<Finding> {
    // Of those that neither run nor can be simulated nobody knows what they satisfy today.
    let known: Vec<(&WorkloadPlan, Passes)> = namespace
        .workloads
        .iter()
        .filter_map(|workload| Some((workload, today(workload, judge)?)))
        .collect();
    let futures = known
        .iter()
        .filter(|(workload, _)| workload.counted)
        .flat_map(|(workload, _)| &workload.states.future);
    let future = judge.of_all(futures)?.strictest();
    let now = known.iter().map(|(_, passes)| *passes).reduce(Passes::and)?.strictest();
    if now <= future {
        return None;
    }
    let becomes_weaker = |workload: &WorkloadPlan| {
        workload.counted && workload.levels.future.is_some_and(|level| level < now)
    };
    let weaker: Vec<_> =
        known.into_iter().filter(|(workload, _)| becomes_weaker(workload)).collect();
    let message = format!("its pods satisfy {now} today, and {future} once PSP is gone");
    let evidence = weaker
        .iter()
        .map(|(workload, today)| {
            let after = workload.levels.future.map_or("not known", Level::as_str);
            format!("{}: {} today, {after} after", WorkloadName::of(workload), today.strictest())
        })
        .collect();
    let weaker: Vec<&WorkloadPlan> = weaker.into_iter().map(|(workload, _)| workload).collect();
    Some(finding(FindingKind::StricterTodayThanAfter, namespace, &weaker, message, evidence))
}

/// What the pods of a workload pass today; `None` where nothing is known of them. What runs need not
/// be what admission would make: static pods never met PSP, and nobody knows who made bare pods.
fn today(workload: &WorkloadPlan, judge: Judge<'_>) -> Option<Passes> {
    let states = &workload.states;
    let admitted = states.admitted.iter().filter(|_| workload.counted);
    judge.of_all(states.running.iter().chain(admitted))
}

/// Whether all workloads but one satisfy a stricter level than the namespace can enforce.
fn one_workload_away(namespace: &NamespacePlan) -> Option<Finding> {
    let enforce = namespace.enforce?;
    let judged: Vec<_> = namespace
        .workloads
        .iter()
        .filter(|workload| workload.counted || !workload.states.running.is_empty())
        .collect();
    if judged.len() < 2 {
        return None;
    }
    [Level::Restricted, Level::Baseline].into_iter().filter(|level| *level > enforce).find_map(
        |level| {
            let against: Vec<&WorkloadPlan> =
                judged.iter().copied().filter(|workload| workload.is_against(level)).collect();
            let [workload] = against.as_slice() else { return None };
            let name = WorkloadName::of(workload);
            let checks: BTreeSet<String> = workload
                .violations_that_count(level)
                .map(|violation| format!("{} ({})", violation.reason, violation.detail))
                .collect();
            let others = match judged.len() - 1 {
                1 => "the other one satisfies it".to_owned(),
                n => format!("the other {n} satisfy it"),
            };
            let message =
                format!("1 workload away from {level}: {name} stands against it, {others}");
            let kind = FindingKind::OneWorkloadAway;
            let finding =
                finding(kind, namespace, &[workload], message, checks.into_iter().collect());
            Some(finding.suggesting(format!(
                "mend {name}, or move it into a namespace of its own, and enforce {level} here"
            )))
        },
    )
}

fn accounts_use_different_policies(namespace: &NamespacePlan) -> Option<Finding> {
    let mut by_account: BTreeMap<&str, BTreeMap<&str, Vec<WorkloadName>>> = BTreeMap::new();
    for workload in namespace.workloads.iter().filter(|workload| workload.counted) {
        let policies: Vec<&str> = match &workload.policy_simulated {
            Some(policy) => vec![policy],
            None => workload.policy_in_use.iter().map(|policy| &**policy).collect(),
        };
        for policy in policies {
            let of_account = by_account.entry(&workload.service_account).or_default();
            of_account.entry(policy).or_default().push(WorkloadName::of(workload));
        }
    }
    let sets: BTreeSet<Vec<&str>> =
        by_account.values().map(|policies| policies.keys().copied().collect()).collect();
    if sets.len() < 2 {
        return None;
    }
    let evidence = by_account
        .iter()
        .flat_map(|(account, policies)| {
            policies.iter().map(move |(policy, workloads)| {
                let first = workloads.first().map(ToString::to_string).unwrap_or_default();
                let more = match workloads.len() {
                    0 | 1 => String::new(),
                    n => format!(" and {} more", n - 1),
                };
                format!("service account {account} uses {policy}: {first}{more}")
            })
        })
        .collect();
    let message = format!("{}, and a namespace has one level only", differences(&by_account));
    let kind = FindingKind::AccountsUseDifferentPolicies;
    Some(finding(kind, namespace, &[], message, evidence))
}

/// In what the policies of accounts differ; what all of them use is no difference.
fn differences<T>(by_account: &BTreeMap<&str, BTreeMap<&str, T>>) -> String {
    let policies_of = |account: &BTreeMap<&str, T>| -> BTreeSet<String> {
        account.keys().map(ToString::to_string).collect()
    };
    let sets = by_account.values().map(policies_of);
    let shared = sets.reduce(|all, set| &all & &set).unwrap_or_default();
    if shared.is_empty() {
        return "its service accounts use different policies".to_owned();
    }
    let listed = |names: BTreeSet<String>| names.into_iter().collect::<Vec<_>>().join(", ");
    let others: Vec<String> = by_account
        .iter()
        .map(|(account, policies)| (account, &policies_of(policies) - &shared))
        .filter(|(_, more)| !more.is_empty())
        .map(|(account, more)| format!("{account} also uses {}", listed(more)))
        .collect();
    format!("its service accounts all use {}, but {}", listed(shared), others.join(" and "))
}

fn other_versions(namespace: &NamespacePlan, version: Version) -> Option<Finding> {
    let (earlier, newer) = (&namespace.earlier_versions, &namespace.other_versions);
    let mut evidence = Vec::new();
    for (index, other) in earlier.iter().enumerate() {
        let next = earlier.get(index + 1).map_or(version, |next| next.version);
        evidence.push(format!("from {} on, before {next}: {}", other.version, answer(*other)));
        evidence.extend(changed_answers(namespace, version, other.version));
    }
    let mut last = version;
    for other in newer {
        evidence.push(format!("from {} on: {}", other.version, answer(*other)));
        evidence.extend(changed_answers(namespace, last, other.version));
        last = other.version;
    }
    let which = match (earlier.is_empty(), newer.is_empty()) {
        (true, true) => return None,
        (false, true) => "earlier",
        (true, false) => "newer",
        (false, false) => "earlier and newer",
    };
    let mut advice = Vec::new();
    if !newer.is_empty() {
        advice.push(format!("keep the labels pinned to {version} until that is settled"));
    }
    if !earlier.is_empty() {
        advice.push(
            "mind that a server judges by no version newer than itself, whatever the labels pin"
                .to_owned(),
        );
    }
    let message = format!("{which} versions of the standards than {version} give another answer");
    let kind = FindingKind::OtherVersions;
    Some(finding(kind, namespace, &[], message, evidence).suggesting(advice.join("; ")))
}

fn answer(at: OtherVersion) -> String {
    let level = |level: Option<Level>| level.map_or("nothing", Level::as_str);
    format!("enforce {}, after PSP {}", level(at.enforce), level(at.enforce_after))
}

/// The first workloads whose pods are judged otherwise at a version than at another.
fn changed_answers(namespace: &NamespacePlan, other: Version, version: Version) -> Vec<String> {
    let texts = |workload: &WorkloadPlan, version| -> BTreeSet<String> {
        let pods = workload.states.future.iter().chain(&workload.states.running);
        pods.flat_map(|pod| psa::evaluate(Level::Restricted, version, pod).violations)
            .map(|violation| violation.text())
            .collect()
    };
    let counted = namespace.workloads.iter().filter(|workload| workload.counted);
    counted
        .flat_map(|workload| {
            let (before, after) = (texts(workload, other), texts(workload, version));
            let name = WorkloadName::of(workload);
            let gone = before.difference(&after).map(|text| format!("{name}: no more {text}"));
            let new = after.difference(&before).map(|text| format!("{name}: now {text}"));
            gone.chain(new).collect::<Vec<_>>()
        })
        .take(MAX_EXAMPLES)
        .collect()
}
