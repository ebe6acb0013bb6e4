//! `policies`: what each policy is worth, to be read.

use super::outline::Outline;
use super::policy_docs;
use super::table::aligned;
use crate::migrate::policies::{PolicyDetail, PolicyReport, UsedBy};
use crate::objects::source::printable;

/// The width that the table keeps to, in characters.
const WIDTH: u16 = 100;

/// How many names a line lists before it only counts.
const MAX_NAMES: usize = 20;

/// The policies as a table, one row each; `is_wide` adds the reasons, and wraps no line.
#[must_use]
pub fn table(report: &PolicyReport, is_wide: bool) -> String {
    let width = (!is_wide).then_some(WIDTH);
    let rows: Vec<Vec<String>> = rows(report, is_wide)
        .into_iter()
        .map(|row| row.iter().map(|cell| printable(cell).into_owned()).collect())
        .collect();
    aligned(&rows, width)
}

/// The policies for reading: a table, and every policy in full where it is the only one.
#[must_use]
pub fn outline(report: &PolicyReport) -> Outline {
    let mut outline = Outline::default();
    if let [policy] = report.policies.as_slice() {
        detail(&mut outline, policy, report);
        return outline;
    }
    outline.heading(1, "PodSecurityPolicies");
    outline.table(rows(report, true));
    outline
}

fn rows(report: &PolicyReport, is_wide: bool) -> Vec<Vec<String>> {
    let mut header = vec!["POLICY", "LEVEL", "LENIENT", "WRITES", "PODS", "WORKLOADS", "REMARKS"];
    if is_wide {
        header.extend(["USABLE BY", "WHY NOT STRICTER"]);
    }
    let mut rows = vec![header.into_iter().map(str::to_owned).collect::<Vec<_>>()];
    for policy in &report.policies {
        let plan = &policy.plan;
        let mut row = vec![
            plan.name.to_string(),
            plan.level.to_string(),
            plan.level_ignoring.level.to_string(),
            plan.mutates.len().to_string(),
            plan.pods.to_string(),
            policy.used_by.len().to_string(),
            or_dash(remarks(policy).join("; ")),
        ];
        if is_wide {
            let subjects: Vec<String> = plan
                .usable_by
                .iter()
                .map(|by| match &by.namespace {
                    Some(namespace) => format!("{} {} in {namespace}", by.kind, by.name),
                    None => format!("{} {}", by.kind, by.name),
                })
                .collect();
            row.push(or_dash(listed(&subjects)));
            let reasons = plan.reasons.iter().map(|it| format!("{} {}", it.field, it.reason));
            row.push(or_dash(reasons.collect::<Vec<_>>().join("; ")));
        }
        rows.push(row);
    }
    rows
}

fn or_dash(text: String) -> String {
    if text.is_empty() { "-".to_owned() } else { text }
}

/// What stands out, in a few words each.
fn remarks(policy: &PolicyDetail) -> Vec<String> {
    let mut remarks = Vec::new();
    if policy.plan.broken.is_some() {
        return vec!["takes no part in admission".to_owned()];
    }
    if policy.never_used && policy.grants.is_empty() {
        remarks.push("never used, granted to nobody".to_owned());
    } else if policy.never_used {
        remarks.push(match policy.shadowed_by.as_slice() {
            [] => "never used".to_owned(),
            names => format!("never used, shadowed by {}", names.join(", ")),
        });
    }
    if policy.grants.iter().any(is_for_everybody) {
        remarks.push("reaches everybody".to_owned());
    }
    if policy.forbids_seccomp_profile {
        remarks.push("forbids seccompProfile".to_owned());
    }
    let is_relied_on = policy.relied_on.iter().any(|it| !it.workloads.is_empty());
    if is_relied_on || !policy.per_subject.is_empty() {
        remarks.push("asks what no level can".to_owned());
    }
    remarks.extend(policy.managed_by.as_ref().map(ToString::to_string));
    remarks
}

/// Whether a grant reaches everybody's pods in every namespace.
fn is_for_everybody(grant: &crate::migrate::policies::PolicyGrant) -> bool {
    grant.namespace.is_none() && grant.reaches_everybody.is_some()
}

fn detail(outline: &mut Outline, policy: &PolicyDetail, report: &PolicyReport) {
    let plan = &policy.plan;
    outline.heading(1, format!("PodSecurityPolicy {}", plan.name));
    if let Some(broken) = &plan.broken {
        outline.item(0, format!("takes no part in admission: {broken}"));
    }
    let (level, version) = (plan.level, report.pss_version);
    outline.item(0, format!("level: {level} ({version}), by what each field lets through"));
    let ignoring = &plan.level_ignoring;
    outline.item(0, format!("level without {}: {}", ignoring.fields.join(" and "), ignoring.level));
    if policy.may_leave_run_as_non_root_unset {
        outline.item(
            0,
            format!(
                "but its runAsUser admits pods that set a user other than 0 and leave runAsNonRoot \
                 unset, which restricted refuses; see {}",
                policy_docs::section("spec.runAsUser")
            ),
        );
    }
    if let Some(owner) = &policy.managed_by {
        outline.item(0, format!("managed by {owner}, which would put it back"));
    }
    if policy.forbids_seccomp_profile {
        outline.item(
            0,
            "refuses the seccompProfile that restricted asks for: pods that it admits cannot be \
             mended before it is replaced or bypassed",
        );
    }
    if policy.never_used && plan.broken.is_none() {
        outline.item(0, "never used: it admits no workload or pod of the input");
        if !policy.shadowed_by.is_empty() {
            let names = policy.shadowed_by.join(", ");
            outline.item(1, format!("wherever it could, another wins: {names}"));
        }
    }
    if !plan.reasons.is_empty() {
        outline.heading(2, "Why its level is no stricter");
        for reason in &plan.reasons {
            let (level, field, why) = (reason.level, reason.field, &reason.reason);
            let docs = policy_docs::section(field);
            outline.item(0, format!("{level}: {field}, {why}; see {docs}"));
        }
    }
    if !plan.mutates.is_empty() {
        outline.heading(2, "What writes into pods");
        for field in &plan.mutates {
            outline.item(0, format!("{field}; see {}", policy_docs::section(field)));
        }
    }
    what_no_level_can(outline, policy);
    who(outline, policy);
    outline.heading(2, "Who uses it");
    outline.item(0, format!("live pods by annotation: {}", plan.pods));
    outline.item(0, format!("workloads: {}", users(&policy.used_by)));
}

fn what_no_level_can(outline: &mut Outline, policy: &PolicyDetail) {
    if policy.relied_on.is_empty() && policy.per_subject.is_empty() {
        return;
    }
    outline.heading(2, "What no level can ask for");
    for relied_on in &policy.relied_on {
        let docs = policy_docs::section(relied_on.field);
        outline.item(0, format!("{}: {}", relied_on.field, users(&relied_on.workloads)));
        outline.item(1, format!("see {docs}"));
    }
    if !policy.per_subject.is_empty() {
        outline.item(0, "per-subject scope, as a level holds for a whole namespace:");
    }
    for scope in &policy.per_subject {
        let names = |workloads: &[UsedBy]| {
            let names = workloads.iter().map(|it| format!("{} {}", it.kind, it.name));
            listed(&names.collect::<Vec<_>>())
        };
        let (used_by, others) = (names(&scope.used_by), names(&scope.not_usable_by));
        outline.item(1, format!("in {}: for {used_by}; not for {others}", scope.namespace));
    }
}

fn who(outline: &mut Outline, policy: &PolicyDetail) {
    outline.heading(2, "Who may use it");
    if policy.grants.is_empty() {
        outline.item(0, "nobody, as far as the input shows");
    }
    for grant in &policy.grants {
        let place = match &grant.namespace {
            Some(namespace) => format!("in namespace {namespace}"),
            None => "everywhere".to_owned(),
        };
        outline.item(0, format!("{place}: {}", grant.path));
        if let Some(why) = grant.reaches_everybody {
            outline.item(1, format!("! reaches everybody's pods: {why}"));
        }
    }
    let Some(accounts) = &policy.service_accounts else { return };
    if !accounts.is_empty() {
        outline.heading(2, "Service accounts that may use it by their own right");
        for (namespace, accounts) in accounts {
            outline.item(0, format!("{namespace}: {}", listed(accounts)));
        }
    }
}

fn users(workloads: &[UsedBy]) -> String {
    let name = |it: &UsedBy| {
        let without_pods = if it.pods == 0 { " (no pods now)" } else { "" };
        format!("{} {}/{}{without_pods}", it.kind, it.namespace, it.name)
    };
    let names: Vec<String> = workloads.iter().map(name).collect();
    if names.is_empty() { "no workload".to_owned() } else { listed(&names) }
}

fn listed(names: &[String]) -> String {
    let shown = names[..names.len().min(MAX_NAMES)].join(", ");
    match names.len().saturating_sub(MAX_NAMES) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
