//! What of a plan does a person want to see at a glance? Shared by the reports that are read.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::level::Level;
use crate::migrate::agreement::{Disagreement, Explanation};
use crate::migrate::findings::counted;
use crate::migrate::harden::NeedsChange;
use crate::migrate::lost::Lost;
use crate::migrate::plan::{Evidence, NamespacePlan, Note, Plan, WorkloadPlan};
use crate::objects::snapshot::Input;

/// A level; `-` where there is none.
pub(super) fn level(level: Option<Level>) -> String {
    level.map_or("-", Level::as_str).to_owned()
}

/// How many workloads lose hardening with PSP.
pub(super) fn n_losing(namespace: &NamespacePlan) -> usize {
    let loses = |workload: &&WorkloadPlan| workload.lost_hardening().next().is_some();
    namespace.workloads.iter().filter(loses).count()
}

/// How many workloads PSP refuses today.
pub(super) fn n_refused(namespace: &NamespacePlan) -> usize {
    namespace.workloads.iter().filter(|workload| workload.refused_today).count()
}

/// How many unfinished pods there are.
pub(super) fn n_pods(namespace: &NamespacePlan) -> usize {
    namespace.workloads.iter().map(|workload| workload.pods).sum()
}

/// What the server is, for the migration.
pub(super) fn server(plan: &Plan) -> Option<String> {
    let server = plan.server.as_ref()?;
    let psp = if server.serves_psp { "serves" } else { "does not serve" };
    let psa = match server.pod_security_admission {
        "absent" => {
            "has no Pod Security admission yet: it comes as alpha in v1.22, is on from v1.23 \
                     and stable in v1.25"
                .to_owned()
        }
        "alpha" => {
            "has Pod Security admission as alpha: off unless its feature gate is on".to_owned()
        }
        stage => format!("has Pod Security admission ({stage})"),
    };
    let version = server.judges_by.map_or(String::new(), |version| {
        format!(", which judges by {version} where a label pins no version")
    });
    Some(format!("The server {} {psp} PodSecurityPolicies and {psa}{version}.", server.git_version))
}

/// What the cluster's configuration says, in a sentence.
pub(super) fn configuration(plan: &Plan) -> Option<String> {
    let configuration = plan.configuration.as_ref()?;
    let defaults = configuration.defaults;
    let exemptions = &configuration.exemptions;
    let exempt: Vec<String> = [
        (exemptions.namespaces.len(), "namespace", "namespaces"),
        (exemptions.runtime_classes.len(), "runtime class", "runtime classes"),
        (exemptions.usernames.len(), "user", "users"),
    ]
    .into_iter()
    .filter(|(n, ..)| *n > 0)
    .map(|(n, one, many)| counted(n, one, many))
    .collect();
    let exempt = if exempt.is_empty() { "nothing".to_owned() } else { exempt.join(", ") };
    Some(format!(
        "By the cluster's configuration, namespaces without labels enforce {}, audit {} and warn {}; \
         exempt: {exempt}.",
        defaults.enforce, defaults.audit, defaults.warn
    ))
}

/// How many workloads hold the namespace below the next level, and the check that most of them fail;
/// `+n` counts the other checks.
pub(super) fn why_not_stricter(namespace: &NamespacePlan) -> String {
    let next = match namespace.enforce {
        Some(Level::Restricted) if namespace.evidence == Evidence::Workloads => {
            return "-".to_owned();
        }
        Some(level) if namespace.evidence == Evidence::Workloads => level.next_stricter(),
        _ => return "no workloads to judge".to_owned(),
    };
    let mut by_check: BTreeMap<&str, usize> = BTreeMap::new();
    let mut n_against = 0;
    let mut n_counted = 0;
    for workload in &namespace.workloads {
        let checks = checks_against(workload, next);
        n_against += usize::from(!checks.is_empty());
        n_counted += usize::from(workload.counted || !checks.is_empty());
        for check in checks {
            *by_check.entry(check).or_default() += 1;
        }
    }
    // The commonest; of equally common ones the first by name.
    let Some((check, _)) = by_check.iter().max_by_key(|(check, count)| (**count, Reverse(**check)))
    else {
        return "-".to_owned();
    };
    let others = match by_check.len() - 1 {
        0 => String::new(),
        n => format!(" +{n}"),
    };
    format!("{n_against} of {n_counted}: {check}{others}")
}

/// The checks of a level that a workload fails in any state that counts, without the level that some
/// ids end in.
pub(super) fn checks_against(workload: &WorkloadPlan, level: Level) -> BTreeSet<&str> {
    workload
        .violations_that_count(level)
        .map(|violation| violation.check.split('_').next().unwrap_or(violation.check))
        .collect()
}

/// A check that a workload fails, once for all the states and levels in which it does.
pub(super) struct Failure<'p> {
    /// The check's id.
    pub(super) check: &'static str,
    /// The most lenient level that the check stands in the way of.
    pub(super) level: Level,
    /// The states in which the pods fail it, in words.
    pub(super) states: Vec<&'static str>,
    /// The API server's short text.
    pub(super) reason: &'p str,
    /// The API server's long text.
    pub(super) detail: &'p str,
}

/// The checks that a workload fails, in order of level and check.
pub(super) fn failures(workload: &WorkloadPlan) -> Vec<Failure<'_>> {
    let mut failures: Vec<Failure<'_>> = Vec::new();
    for violation in &workload.violations {
        let is_same = |failure: &&mut Failure<'_>| {
            failure.check == violation.check && failure.detail == &*violation.detail
        };
        match failures.iter_mut().find(is_same) {
            Some(failure) => {
                failure.level = failure.level.min(violation.level);
                if !failure.states.contains(&state(violation.state)) {
                    failure.states.push(state(violation.state));
                }
            }
            None => failures.push(Failure {
                check: violation.check,
                level: violation.level,
                states: vec![state(violation.state)],
                reason: violation.reason,
                detail: &violation.detail,
            }),
        }
    }
    failures.sort_by_key(|failure| (failure.level, failure.check));
    failures
}

/// A state of a violation, in the words of the reports.
fn state(state: &'static str) -> &'static str {
    match state {
        "admitted" => "admitted today",
        "future" => "after PSP",
        state => state,
    }
}

/// What is special about a namespace, each a word.
pub(super) fn marks(namespace: &NamespacePlan) -> Vec<&'static str> {
    [
        (namespace.system, "system"),
        (namespace.exempt, "exempt"),
        (!namespace.complete, "uncertain"),
        (namespace.conflict.is_some(), "conflict"),
    ]
    .into_iter()
    .filter_map(|(is_so, mark)| is_so.then_some(mark))
    .collect()
}

/// Who has set what needs a change.
pub(super) fn set_by(needed: &NeedsChange) -> &'static str {
    if needed.injected { "a webhook" } else { "the template" }
}

/// A note, in words.
pub(super) fn note(note: Note) -> &'static str {
    match note {
        Note::AnnotationStopsWorking => {
            "The seccomp profile is set by an annotation only, which servers from v1.27 ignore."
        }
        Note::MirrorPod => "A static pod: its manifest lies on a node.",
        Note::FinishedPod => "A finished pod; it counts where its controller may make another.",
        Note::AssumedAuthorship => {
            "The author's text is not in the input: what PSP may have written is taken to be PSP's."
        }
        Note::RunsThoughRefused => {
            "Pods run, but no policy would admit the template today: the policy that admitted them \
             is gone, or they are of an earlier template."
        }
    }
}

/// What is said of pods whose annotation names another policy than the one simulated.
pub(super) fn disagreement(workload: &WorkloadPlan, disagreement: &Disagreement) -> String {
    let pods = match disagreement.pods {
        1 => format!("Pod {} was", disagreement.pod),
        n => format!("{n} pods ({}, \u{2026}) were", disagreement.pod),
    };
    let admitted = match &disagreement.policy {
        Some(policy) => format!("admitted by {policy}"),
        None => "admitted by no policy".to_owned(),
    };
    let simulated = match &disagreement.simulated {
        Some(policy) => format!("; today it would be {policy}"),
        // Who made it is not known, so nothing is simulated.
        None if workload.kind == "Pod" => String::new(),
        None => "; today no policy would be selected".to_owned(),
    };
    let why = match disagreement.explanation {
        Explanation::NotAdmittedByPsp => "PSP was off then, or the annotation was removed",
        Explanation::PolicyGone => "that policy is not there any more",
        Explanation::TemplateChanged => "the template has changed since",
        Explanation::OtherMutation => "a webhook changed the pod, and PSP chose anew",
        Explanation::GrantGone => {
            "the accounts that make such pods may not use that policy any more"
        }
        Explanation::PolicyChanged => "that policy would change the pod now",
        Explanation::PolicyAdded => "another policy is preferred now",
    };
    format!("{pods} {admitted}{simulated}: {why}.")
}

/// A value that goes with PSP.
pub(super) struct LostValue<'p> {
    pub(super) path: String,
    pub(super) value: String,
    pub(super) policy: &'p str,
    pub(super) field: &'p str,
    pub(super) evidence: &'static str,
}

/// What a workload loses, by path; what loosens its pods too.
pub(super) fn lost(workload: &WorkloadPlan) -> Vec<LostValue<'_>> {
    workload
        .lost
        .iter()
        .map(|lost| {
            let Lost { path, value, policy, policy_field, proven, assumed, loosens } = lost;
            LostValue {
                path: path.by_name(),
                value: value.as_str().map_or_else(|| value.to_string(), str::to_owned),
                policy,
                field: policy_field.unwrap_or("not in the input any more"),
                evidence: match (loosens, proven, assumed) {
                    (true, _, false) => "loosens",
                    (true, _, true) => "loosens, assumed",
                    (false, true, false) => "proven",
                    (false, true, true) => "proven, assumed",
                    (false, false, true) => "assumed",
                    (false, false, false) => "to be tested",
                },
            }
        })
        .collect()
}

/// What was looked at, and when; `None` where there is nothing to say of the one input.
pub(super) fn inputs(plan: &Plan) -> Option<String> {
    if let [input] = plan.inputs.as_slice() {
        return Some(format!("The input was collected {}.", input.taken_at?));
    }
    let inputs: Vec<String> = plan
        .inputs
        .iter()
        .map(|input| match age(input) {
            Some(age) => format!("{} ({age})", input.name),
            None => input.name.to_string(),
        })
        .collect();
    let n = inputs.len();
    (n > 0).then(|| format!("{n} inputs are evidence together: {}.", inputs.join(", ")))
}

/// When an input was taken; `None` where neither it nor its objects say.
pub(super) fn age(input: &Input) -> Option<String> {
    match (input.taken_at, input.newest_object) {
        (Some(taken_at), _) => Some(format!("collected {taken_at}")),
        (None, Some(newest)) => {
            Some(format!("not before {newest}, when its newest object was created"))
        }
        (None, None) => None,
    }
}
