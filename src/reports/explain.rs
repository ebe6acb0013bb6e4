//! `explain`: how a namespace or a workload comes to its answers, to be read.

mod patch;

use super::diff;
use super::digest::level;
use super::outline::Outline;
use super::policy_docs;
use crate::level::Level;
use crate::migrate::explain::{Against, Answer, Considered, Derivation, Explanation, Written};
use crate::migrate::findings::{Finding, FindingKind, counted};
use crate::migrate::harden::When;
use crate::migrate::plan::{Evidence, NamespacePlan, Note, WorkloadPlan};
use crate::psa::policy::Mode;
use crate::version::Version;

/// The explanation of a namespace: its answer, what decides it, and each workload in short.
#[must_use]
pub fn namespace(explanation: &Explanation) -> Outline {
    let mut outline = Outline::default();
    let namespace = &explanation.plan;
    outline.heading(1, format!("Namespace {}", namespace.name));
    let version = explanation.pss_version;
    answer(&mut outline, namespace, version);
    missing(&mut outline, explanation);
    what_decides(&mut outline, namespace);
    patch::changes_by_hand(&mut outline, namespace);
    findings(&mut outline, "What to know before the upgrade", &explanation.findings, |_| true);
    if namespace.workloads.is_empty() {
        return outline;
    }
    outline.heading(2, "Workloads");
    let header =
        ["WORKLOAD", "POLICY", "RUNNING", "ADMITTED", "FUTURE", "KEPT", "RAISED", "LOSES", "PATCH"];
    let mut rows = vec![header.map(str::to_owned).into()];
    for workload in &namespace.workloads {
        let levels = workload.levels;
        let policy = match &workload.policy_simulated {
            Some(policy) => policy.to_string(),
            None if workload.refused_today => "refused".to_owned(),
            None => in_use(workload),
        };
        let lost = workload.lost_hardening().count();
        rows.push(vec![
            format!("{} {}", workload.kind, workload.name),
            policy,
            level(levels.running),
            level(levels.admitted),
            level(levels.future),
            level(levels.kept),
            level(levels.raised),
            if lost == 0 { "-".to_owned() } else { lost.to_string() },
            workload.patch.as_ref().and_then(|patch| patch.when).map_or("-", When::as_str).into(),
        ]);
    }
    outline.table(rows);
    let command = format!("psp2psa explain KIND/NAME -n {}", namespace.name);
    outline.command("", &command, " explains each, from the same input.");
    outline
}

/// The explanation of one workload: every step from its template to its levels.
#[must_use]
pub fn workload(explanation: &Explanation) -> Outline {
    let mut outline = Outline::default();
    let pairs = explanation.plan.workloads.iter().zip(&explanation.derivations);
    for (workload, derivation) in pairs {
        let namespace = &explanation.plan;
        outline.heading(1, format!("{} {}/{}", workload.kind, namespace.name, workload.name));
        head(&mut outline, workload, derivation, explanation.pss_version);
        missing(&mut outline, explanation);
        let (title, of_namespace) =
            ("What to know before the upgrade", "What to know of its namespace");
        let is_of_namespace = |finding: &Finding| finding.workloads.is_empty();
        findings(&mut outline, title, &explanation.findings, |it| !is_of_namespace(it));
        findings(&mut outline, of_namespace, &explanation.findings, is_of_namespace);
        policies(&mut outline, workload, derivation);
        writes(&mut outline, &derivation.writes);
        against(&mut outline, workload, derivation);
        patch::of_workload(&mut outline, workload);
        let diffs = diff::of_workload(&namespace.name, workload);
        if !diffs.is_empty() {
            outline.heading(2, "Differences");
        }
        for diff in diffs {
            outline.diff(diff);
        }
    }
    outline
}

/// What the input lacked, for the cluster and for the namespace.
fn missing(outline: &mut Outline, explanation: &Explanation) {
    for missing in explanation.missing.iter().chain(&explanation.plan.missing) {
        outline.item(0, format!("missing from the input: {} ({})", missing.what, missing.why));
    }
}

fn in_use(workload: &WorkloadPlan) -> String {
    let names: Vec<&str> = workload.policy_in_use.iter().map(|name| &**name).collect();
    if names.is_empty() { "-".to_owned() } else { names.join(", ") }
}

fn answer(outline: &mut Outline, namespace: &NamespacePlan, version: Version) {
    let levels = namespace.levels;
    match (namespace.evidence, namespace.enforce, namespace.enforce_after) {
        (Evidence::None, ..) => {
            outline.item(0, "no workload counts, so that nothing is known of what it needs");
        }
        (_, Some(enforce), Some(after)) if enforce == after => {
            outline.item(0, format!("enforce {enforce} ({version}), before and after the upgrade"));
        }
        (_, enforce, after) => outline.item(
            0,
            format!(
                "enforce {} ({version}) now, {} once PSP is gone",
                level(enforce),
                level(after)
            ),
        ),
    }
    let known: Vec<String> = [
        (levels.running, "as they run"),
        (levels.admitted, "as PSP admits them today"),
        (levels.future, "without PSP"),
        (levels.kept, "with what PSP writes kept in the templates"),
        (levels.raised, "with the whole patches"),
    ]
    .into_iter()
    .filter_map(|(level, state)| Some(format!("{} {state}", level?)))
    .collect();
    if !known.is_empty() {
        outline.item(0, format!("its pods satisfy {}", known.join(", ")));
    }
    if let Some(allowed) = levels.allowed_by_policies {
        outline.item(0, format!("the loosest policy that can be used there allows {allowed}"));
    }
    if namespace.exempt {
        outline.item(0, "exempt by the cluster's configuration: nothing in it is judged");
    }
    if let Some(policy) = namespace.effective_policy {
        let modes = Mode::ALL.map(|mode| format!("{mode} {}", policy.of(mode)));
        outline.item(0, format!("in force now: {}", modes.join(", ")));
    }
    for (key, value) in &namespace.current_labels {
        outline.item(0, format!("present label {key}={value}"));
    }
    if let [headline, lines @ ..] = namespace.label_warnings.as_slice() {
        outline.item(0, format!("the server will warn when they are set: {headline}"));
        for line in lines {
            outline.item(1, line);
        }
    }
    if let Some(conflict) = &namespace.conflict {
        outline.item(0, format!("labels in conflict: {conflict}"));
    }
}

/// The workloads that hold the namespace below each stricter level, with their checks.
fn what_decides(outline: &mut Outline, namespace: &NamespacePlan) {
    let Some(enforce) = namespace.enforce.filter(|_| namespace.evidence == Evidence::Workloads)
    else {
        return;
    };
    for level in [Level::Baseline, Level::Restricted].into_iter().filter(|level| *level > enforce) {
        outline.heading(2, format!("What stands against {level}"));
        for workload in namespace.workloads.iter().filter(|workload| workload.is_against(level)) {
            let mut checks: Vec<&str> =
                workload.violations_that_count(level).map(|violation| violation.check).collect();
            checks.sort_unstable();
            checks.dedup();
            outline.item(0, format!("{} {}: {}", workload.kind, workload.name, checks.join(", ")));
        }
    }
}

fn findings(
    outline: &mut Outline,
    title: &str,
    findings: &[Finding],
    is_told: impl Fn(&Finding) -> bool,
) {
    for (index, finding) in findings.iter().filter(|finding| is_told(finding)).enumerate() {
        if index == 0 {
            outline.heading(2, title);
        }
        outline.item(0, finding.message.clone());
        // What is lost is shown by the workload, with the field behind each value.
        if !matches!(finding.kind, FindingKind::LosesHardening | FindingKind::BecomesStricter) {
            for evidence in &finding.evidence {
                outline.item(1, evidence.clone());
            }
        }
        if let Some(suggestion) = &finding.suggestion {
            outline.item(1, format!("→ {suggestion}"));
        }
    }
}

fn head(outline: &mut Outline, workload: &WorkloadPlan, derivation: &Derivation, version: Version) {
    let levels = workload.levels;
    outline.item(
        0,
        format!(
            "levels ({version}): {} running, {} admitted today, {} once PSP is gone, {} with what PSP \
             writes kept, {} with the whole patch",
            level(levels.running),
            level(levels.admitted),
            level(levels.future),
            level(levels.kept),
            level(levels.raised)
        ),
    );
    let wanted = workload.replicas.map(|n| format!(" of {n}")).unwrap_or_default();
    let suspended = if workload.suspended { ", suspended or paused" } else { "" };
    outline.item(0, format!("live pods: {}{wanted}{suspended}", workload.pods));
    if let Some(class) = &workload.exempt_by {
        let exempt = format!("exempt by its runtime class {class}: its pods are not judged");
        outline.item(0, exempt);
    }
    if let Some(owner) = &workload.managed_by {
        outline.item(0, format!("managed by {owner}, which would revert a change by hand"));
    }
    if let Some(pod) = &derivation.pod {
        let policy = match &pod.policy {
            Some(policy) => format!("its annotation names policy {policy}"),
            None => "no annotation names a policy".to_owned(),
        };
        outline.item(0, format!("pod {}: satisfies {}, {policy}", pod.name, pod.level));
    }
    match workload.injection {
        "unknown" => outline.item(0, "webhooks: not known, as no live pod can be compared"),
        "seen" if workload.injected_containers.is_empty() => {
            outline.item(0, "webhooks: change its pods");
        }
        "seen" => {
            let names = workload.injected_containers.join(", ");
            outline.item(0, format!("webhooks: add {names} to its pods"));
        }
        _ => outline.item(0, "webhooks: leave its pods alone"),
    }
    for note in &workload.notes {
        let text = match note {
            // Findings say these.
            Note::AnnotationStopsWorking | Note::RunsThoughRefused => continue,
            Note::MirrorPod => "a static pod's picture: its manifest lies on a node",
            Note::FinishedPod => "a finished pod",
            Note::AssumedAuthorship => {
                "its author's text is not in the input: what PSP may have written is taken for PSP's"
            }
        };
        outline.item(0, text);
    }
    if !workload.counted {
        outline.item(0, "does not count for its namespace's level");
    }
    if !derivation.template_path.is_empty() {
        outline.item(
            0,
            format!(
                "fields below are those of the pod; in the {} they stand under {}",
                workload.kind, derivation.template_path
            ),
        );
    }
}

fn policies(outline: &mut Outline, workload: &WorkloadPlan, derivation: &Derivation) {
    outline.heading(2, "Which policy");
    let account = &workload.service_account;
    match &derivation.requester {
        Some(user) => outline.item(
            0,
            format!(
                "{user} makes its pods, for service account {account}; either one's right counts"
            ),
        ),
        None if derivation.kind == "Pod" => outline.item(
            0,
            format!(
                "who made the pod is not known, so only the right of service account {account} is \
                 simulated; policy in use: {}",
                in_use(workload)
            ),
        ),
        None => outline.item(0, "nobody makes pods of it"),
    }
    if derivation.policies.is_empty() {
        return;
    }
    let (others, told): (Vec<_>, Vec<_>) =
        derivation.policies.iter().partition(|considered| considered.answer == Answer::NotGranted);
    if !others.is_empty() {
        let names: Vec<&str> = others.iter().map(|considered| &*considered.policy).collect();
        let who = match derivation.requester {
            Some(_) => "neither may use them".to_owned(),
            None => format!("service account {account} may not use them"),
        };
        outline.item(0, format!("passed over, as {who}: {}", names.join(", ")));
    }
    for considered in told {
        let is_certain = derivation.requester.is_some();
        let (answer, grant) = (answer_of(considered, is_certain), &considered.grant);
        outline.item(0, format!("{}: {answer}", considered.policy));
        for error in &considered.errors {
            outline.item(1, error.clone());
        }
        if let Some(grant) = grant.as_ref().filter(|_| considered.answer != Answer::ComesLater) {
            let to = match grant.to {
                "requester" => "the requester",
                _ => "the service account",
            };
            outline.item(1, format!("granted to {to}: {grant}"));
        }
    }
    if derivation.policies.iter().all(|considered| considered.answer != Answer::Wins) {
        outline.item(
            0,
            match derivation.requester {
                Some(_) => "no policy admits the pod",
                None => {
                    "no policy admits the pod by the service account's right; whoever made it may \
                     have had another"
                }
            },
        );
    }
    let after_webhooks: Vec<_> =
        workload.refusal.iter().filter(|refusal| refusal.after_webhooks).collect();
    if !after_webhooks.is_empty() {
        outline.item(
            0,
            "once webhooks have changed the pod, PSP runs again, and then no policy admits it:",
        );
        for refusal in after_webhooks {
            let policy = refusal.policy.as_ref().map(|policy| format!("{policy}: "));
            outline.item(1, format!("{}{}", policy.unwrap_or_default(), refusal.message));
        }
    }
    for disagreement in &workload.disagreements {
        let named = disagreement.policy.as_deref().unwrap_or("no policy");
        let more = match disagreement.pods {
            0 | 1 => String::new(),
            n => format!(" (and {} more)", n - 1),
        };
        let (pod, why) = (&disagreement.pod, disagreement.explanation.text());
        outline.item(0, format!("pod {pod}{more} names {named} instead: {why}"));
    }
}

/// `is_certain` where it is known who asks for the pod.
fn answer_of(considered: &Considered, is_certain: bool) -> String {
    match (considered.answer, considered.n_writes) {
        (Answer::Wins, n) => {
            let written = counted(n, "value", "values");
            match (is_certain, n) {
                (true, 0) => "WINS, and leaves the pod as it is".to_owned(),
                (true, _) => format!("WINS, and writes {written}"),
                (false, 0) => "would win by that right, and leave the pod as it is".to_owned(),
                (false, _) => format!("would win by that right, and write {written}"),
            }
        }
        (Answer::NotGranted, _) => "passed over, as it may not be used".to_owned(),
        (Answer::Refuses, _) => "passed over, as it refuses the pod".to_owned(),
        (Answer::WouldMutate, _) => {
            "passed over, as it would change the pod and another leaves it as it is".to_owned()
        }
        (Answer::ComesLater, 0) => "not needed; it would leave the pod as it is too".to_owned(),
        (Answer::ComesLater, _) => "not needed; it would admit the pod too".to_owned(),
        (Answer::Broken, _) => "takes no part in admission".to_owned(),
    }
}

fn writes(outline: &mut Outline, writes: &[Written]) {
    if writes.is_empty() {
        return;
    }
    outline.heading(2, "What PSP writes");
    for written in writes {
        let field = match written.policy_field {
            Some(field) => format!("by {field} of {}", written.policy),
            None => format!("by {}, though no field is known to ask for it", written.policy),
        };
        let docs =
            written.policy_field.map(|field| format!("; see {}", policy_docs::section(field)));
        let when = if written.after_webhooks { ", once webhooks are done" } else { "" };
        let fate = if written.lost { "; lost with PSP" } else { "; stays without PSP" };
        let after = &written.after;
        outline.item(0, format!("{}: {after}", written.path));
        let before = written.before.as_ref().map(|before| format!(", instead of {before}"));
        let (before, docs) = (before.unwrap_or_default(), docs.unwrap_or_default());
        outline.item(1, format!("{field}{before}{when}{fate}{docs}"));
    }
}

fn against(outline: &mut Outline, workload: &WorkloadPlan, derivation: &Derivation) {
    for level in [Level::Baseline, Level::Restricted] {
        let of_level: Vec<&Against> =
            derivation.against.iter().filter(|against| against.level == level).collect();
        if of_level.is_empty() {
            continue;
        }
        outline.heading(2, format!("What stands against {level}"));
        for against in of_level {
            outline.item(0, format!("{} ({})", against.reason, against.detail));
            let states = against.states.join(", ");
            let anchor = against.check.to_lowercase();
            outline.item(1, format!("in: {states}; see docs/checks.md#{anchor}"));
            for field in &against.fields {
                let injected = workload
                    .injected_containers
                    .iter()
                    .any(|name| field.path.contains(&format!("[name={name}]")));
                let origin = if injected { " (injected by a webhook)" } else { "" };
                let path = &field.path;
                let advice = match &field.set {
                    // The API server takes no other value there, nor none.
                    _ if path.starts_with("spec.ephemeralContainers") => {
                        format!("→ make the pod anew, without {path}")
                    }
                    Some(value) if stops_pod(path, &derivation.against) => format!(
                        "→ set {path}: {value}{origin}, but not alone: with user 0 the pod would not \
                         start"
                    ),
                    Some(value) => format!("→ set {path}: {value}{origin}"),
                    None => format!("→ change or remove {path}{origin}"),
                };
                outline.item(1, advice);
            }
        }
    }
}

/// Whether to set a field for the pod or a container stops it where it is, as its user is 0.
fn stops_pod(path: &str, against: &[Against]) -> bool {
    let Some(place) = path.strip_suffix(".runAsNonRoot") else { return false };
    let of_pod = "spec.securityContext";
    against
        .iter()
        .filter(|against| against.check == "runAsUser")
        .flat_map(|against| &against.fields)
        .filter_map(|field| field.path.strip_suffix(".runAsUser"))
        .any(|of_user| of_user == place || of_user == of_pod || place == of_pod)
}
