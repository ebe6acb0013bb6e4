//! `plan -o table`: what each namespace can take, and what to do first.

use std::fmt::Write as _;

use super::quoting::printable_row;
use super::table::aligned;
use crate::level::Level;
use crate::migrate::plan::{Evidence, NamespacePlan, Plan, WorkloadPlan};
use crate::objects::source::printable;

/// The width that the table keeps to, in characters.
const WIDTH: u16 = 100;

/// How many names a line of advice lists before it only counts.
const MAX_NAMES: usize = 3;

/// The plan as a table with a row for each namespace, then what to do, most urgent first.
#[must_use]
pub fn table(plan: &Plan<'_>) -> String {
    let header = ["NAMESPACE", "ENFORCE", "AFTER PSP", "KEPT", "LABEL NOW", "WHY NOT STRICTER"];
    let mut rows = vec![printable_row(header)];
    rows.extend(plan.namespaces.iter().map(row));
    let mut text = aligned(&rows, Some(WIDTH));
    text.push('\n');
    text.push_str(&summary(plan));
    for advice in advice(plan) {
        text.push_str(&advice);
    }
    text
}

fn row(namespace: &NamespacePlan<'_>) -> Vec<String> {
    let name = match (namespace.system, namespace.complete) {
        (true, true) => format!("{} (system)", namespace.name),
        (true, false) => format!("{} (system, incomplete)", namespace.name),
        (false, false) => format!("{} (incomplete)", namespace.name),
        (false, true) => namespace.name.to_string(),
    };
    let level = |level: Option<Level>| level.map_or("-", Level::as_str);
    let now = namespace.current_labels.get(crate::psa::policy::ENFORCE_LABEL);
    printable_row([
        &name,
        level(namespace.enforce),
        level(namespace.enforce_after),
        level(namespace.levels.kept),
        now.map_or("-", String::as_str),
        &reason(namespace),
    ])
}

/// Why the namespace's level is no stricter: the checks of the first workload, and how many more
/// workloads there are like it.
fn reason(namespace: &NamespacePlan<'_>) -> String {
    let next = match namespace.enforce {
        None => return "no workloads to judge".to_owned(),
        Some(_) if namespace.evidence == Evidence::None => {
            return "no workloads to judge".to_owned();
        }
        Some(Level::Restricted) => return String::new(),
        Some(level) => level.next_stricter(),
    };
    let mut against =
        namespace.workloads.iter().filter(|workload| !checks_against(workload, next).is_empty());
    let Some(first) = against.next() else { return String::new() };
    let others = match against.count() {
        0 => String::new(),
        n => format!(" (+{n} more)"),
    };
    format!("{}: {}{others}", first.name, checks_against(first, next).join(", "))
}

/// The checks that a counted workload fails at a level, in any state.
fn checks_against<'p>(workload: &'p WorkloadPlan<'_>, level: Level) -> Vec<&'p str> {
    let mut checks = Vec::new();
    for violation in &workload.violations {
        let counts = workload.counted || violation.state == "running";
        if counts && violation.level == level && !checks.contains(&violation.check) {
            checks.push(violation.check);
        }
    }
    checks
}

fn summary(plan: &Plan<'_>) -> String {
    let summary = &plan.summary;
    let by = &summary.by_enforce;
    format!(
        "{} namespaces ({} restricted, {} baseline, {} privileged, {} without workloads) and {} \
         system namespaces,\n{} workloads, {} pods, judged by the Pod Security Standards {}.\n",
        summary.namespaces,
        by.restricted,
        by.baseline,
        by.privileged,
        by.none,
        summary.system,
        summary.workloads,
        summary.pods,
        plan.pss_version,
    )
}

/// What to do, most urgent first; each a paragraph.
fn advice(plan: &Plan<'_>) -> Vec<String> {
    let own = || plan.namespaces.iter().filter(|namespace| !namespace.system);
    let workloads = || {
        own().flat_map(|namespace| {
            namespace.workloads.iter().map(move |workload| (namespace, workload))
        })
    };
    let named = |(namespace, workload): (&NamespacePlan<'_>, &WorkloadPlan<'_>)| {
        format!("{}/{}", namespace.name, workload.name)
    };
    let missing = plan.missing.iter().map(|missing| format!("{} ({})", missing.what, missing.why));
    let sections: [(&str, Vec<String>); 5] = [
        ("The input is incomplete, so these answers are uncertain; missing", missing.collect()),
        (
            "Labels to look at first, too strict for what runs or invalid",
            own()
                .filter(|namespace| namespace.conflict.is_some())
                .map(|namespace| namespace.name.to_string())
                .collect(),
        ),
        (
            "Namespaces that may enforce less after PSP than before",
            own()
                .filter(|namespace| namespace.levels.admitted > namespace.levels.future)
                .filter(|namespace| namespace.levels.future.is_some())
                .map(|namespace| namespace.name.to_string())
                .collect(),
        ),
        (
            "Workloads that lose hardening with PSP (see -o diff)",
            workloads().filter(|(_, workload)| !workload.lost.is_empty()).map(named).collect(),
        ),
        (
            "Workloads that PSP refuses today, and that do not count",
            workloads().filter(|(_, workload)| workload.refused_today).map(named).collect(),
        ),
    ];
    let mut paragraphs = Vec::new();
    for (title, names) in sections {
        if names.is_empty() {
            continue;
        }
        let mut paragraph =
            format!("\n{title}: {}", names[..names.len().min(MAX_NAMES)].join(", "));
        if names.len() > MAX_NAMES {
            // Writing to a String cannot fail.
            let _ = write!(paragraph, " and {} more", names.len() - MAX_NAMES);
        }
        let lines: Vec<_> =
            paragraph.split('\n').map(|line| printable(line).into_owned()).collect();
        paragraphs.push(lines.join("\n") + ".\n");
    }
    paragraphs
}
