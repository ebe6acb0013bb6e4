//! `plan -o table`: what each namespace can take, and what to do first.

use std::collections::{BTreeMap, BTreeSet};

use super::quoting::printable_row;
use super::table::aligned;
use crate::level::Level;
use crate::migrate::plan::{Evidence, NamespacePlan, Plan, WorkloadPlan};

/// The width that the table keeps to, in characters.
const WIDTH: u16 = 100;

/// How many names a line of advice lists before it only counts.
const MAX_NAMES: usize = 3;

/// The plan as a table with a row for each namespace, then what to do, most urgent first.
#[must_use]
pub fn table(plan: &Plan<'_>) -> String {
    let has_labels = plan.namespaces.iter().any(|namespace| !namespace.current_labels.is_empty());
    let mut rows = vec![row(
        has_labels,
        Row {
            name: "NAMESPACE",
            enforce: "ENFORCE",
            after: "AFTER PSP",
            kept: "KEPT",
            now: "NOW",
            lost: "LOSE",
            why: "WHY NOT STRICTER",
        },
    )];
    rows.extend(plan.namespaces.iter().map(|namespace| namespace_row(has_labels, namespace)));
    let mut text = aligned(&rows, Some(WIDTH));
    text.push('\n');
    text.push_str(&summary(plan));
    for paragraph in advice(plan) {
        text.push('\n');
        text.push_str(&aligned(&[printable_row([&paragraph])], Some(WIDTH)));
    }
    text
}

/// The cells of a row.
struct Row<'c> {
    name: &'c str,
    enforce: &'c str,
    after: &'c str,
    /// The level with the hardening kept that PSP writes today.
    kept: &'c str,
    /// The enforce label that is there.
    now: &'c str,
    /// How many workloads lose hardening.
    lost: &'c str,
    why: &'c str,
}

/// The row, with the present label only where any namespace has one.
fn row(has_labels: bool, row: Row<'_>) -> Vec<String> {
    let mut cells = printable_row([row.name, row.enforce, row.after, row.kept]);
    if has_labels {
        cells.extend(printable_row([row.now]));
    }
    cells.extend(printable_row([row.lost, row.why]));
    cells
}

fn namespace_row(has_labels: bool, namespace: &NamespacePlan<'_>) -> Vec<String> {
    let name = match (namespace.system, namespace.complete) {
        (true, true) => format!("{} (system)", namespace.name),
        (true, false) => format!("{} (system, incomplete)", namespace.name),
        (false, false) => format!("{} (incomplete)", namespace.name),
        (false, true) => namespace.name.to_string(),
    };
    let level = |level: Option<Level>| level.map_or("-", Level::as_str);
    let now = namespace.current_labels.get(crate::psa::policy::ENFORCE_LABEL);
    let losing = namespace.workloads.iter().filter(|workload| !workload.lost.is_empty());
    let lost = match losing.count() {
        0 => "-".to_owned(),
        n => n.to_string(),
    };
    row(
        has_labels,
        Row {
            name: &name,
            enforce: level(namespace.enforce),
            after: level(namespace.enforce_after),
            kept: level(namespace.levels.kept),
            now: now.map_or("-", String::as_str),
            lost: &lost,
            why: &why_not_stricter(namespace),
        },
    )
}

/// How many workloads hold the namespace below the next level, and the API server's word for what
/// most of them do; `+n` counts the other words.
fn why_not_stricter(namespace: &NamespacePlan<'_>) -> String {
    let next = match namespace.enforce {
        Some(Level::Restricted) if namespace.evidence == Evidence::Workloads => {
            return "-".to_owned();
        }
        Some(level) if namespace.evidence == Evidence::Workloads => level.next_stricter(),
        _ => return "no workloads to judge".to_owned(),
    };
    let mut by_reason: BTreeMap<&str, usize> = BTreeMap::new();
    let mut n_against = 0;
    let mut n_counted = 0;
    for workload in &namespace.workloads {
        let reasons = reasons_against(workload, next);
        n_against += usize::from(!reasons.is_empty());
        n_counted += usize::from(workload.counted || !reasons.is_empty());
        for reason in reasons {
            *by_reason.entry(reason).or_default() += 1;
        }
    }
    // The commonest; of equally common ones the first by name.
    let Some((reason, _)) =
        by_reason.iter().max_by_key(|(reason, count)| (**count, std::cmp::Reverse(**reason)))
    else {
        return "-".to_owned();
    };
    let others = match by_reason.len() - 1 {
        0 => String::new(),
        n => format!(" +{n}"),
    };
    format!("{n_against} of {n_counted}: {reason}{others}")
}

/// The reasons why a level does not hold for a workload, in any state that counts.
fn reasons_against<'p>(workload: &'p WorkloadPlan<'_>, level: Level) -> BTreeSet<&'p str> {
    workload
        .violations
        .iter()
        .filter(|violation| workload.counted || violation.state == "running")
        .filter(|violation| violation.level == level)
        .map(|violation| violation.reason.as_str())
        .collect()
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
    sections
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(title, names)| {
            let listed = names[..names.len().min(MAX_NAMES)].join(", ");
            match names.len().saturating_sub(MAX_NAMES) {
                0 => format!("{title}: {listed}."),
                more => format!("{title}: {listed} and {more} more."),
            }
        })
        .collect()
}
