//! `plan -o table`: what each namespace can take, and what to do first.

use super::digest::{
    configuration, inputs, level, n_losing, n_pods, n_refused, server, why_not_stricter,
};
use super::findings::title;
use super::quoting::printable_row;
use super::table::aligned;
use crate::level::Level;
use crate::migrate::findings::{Finding, FindingKind, counted};
use crate::migrate::plan::{NamespacePlan, Plan};
use crate::objects::source::printable;
use crate::psa::policy::ENFORCE_LABEL;

/// The width that the table keeps to, in characters.
const WIDTH: u16 = 100;

/// How many names a line of advice lists before it only counts.
const MAX_NAMES: usize = 3;

/// The plan as a table with a row for each namespace, then what to do, most urgent first.
#[must_use]
pub fn table(plan: &Plan) -> String {
    let columns: Vec<_> = COLUMNS.iter().filter(|column| column.is_shown(plan)).collect();
    laid_out(plan, &columns, Some(WIDTH))
}

/// As [`table`], with every state and a line of any width for each namespace.
#[must_use]
pub fn wide(plan: &Plan) -> String {
    let columns: Vec<_> = COLUMNS.iter().chain(MORE_COLUMNS).collect();
    laid_out(plan, &columns, None)
}

fn laid_out(plan: &Plan, columns: &[&Column], width: Option<u16>) -> String {
    let header = columns.iter().map(|column| column.title.to_owned()).collect();
    let mut rows = vec![header];
    rows.extend(plan.namespaces.iter().map(|namespace| {
        columns.iter().map(|column| printable(&(column.cell)(namespace)).into_owned()).collect()
    }));
    let mut text = aligned(&rows, width);
    let paragraphs = std::iter::once(summary(plan)).chain(server(plan)).chain(configuration(plan));
    let paragraphs = paragraphs.chain(inputs(plan)).chain(advice(plan));
    for paragraph in paragraphs {
        text.push('\n');
        text.push_str(&aligned(&[printable_row([&paragraph])], Some(WIDTH)));
    }
    text
}

/// A column of the table.
struct Column {
    title: &'static str,
    cell: fn(&NamespacePlan) -> String,
    /// Whether a namespace makes the column worth its width; it is left out if none does.
    is_telling: fn(&NamespacePlan) -> bool,
}

const COLUMNS: &[Column] = &[
    Column { title: "NAMESPACE", cell: marked_name, is_telling: |_| true },
    Column { title: "ENFORCE", cell: |namespace| level(namespace.enforce), is_telling: |_| true },
    Column {
        title: "AFTER PSP",
        cell: |namespace| level(namespace.enforce_after),
        is_telling: |namespace| namespace.enforce_after != namespace.enforce,
    },
    Column { title: "KEPT", cell: |namespace| level(namespace.levels.kept), is_telling: |_| true },
    Column {
        title: "NOW",
        cell: enforced_now,
        is_telling: |namespace| enforced_now(namespace) != "-",
    },
    Column { title: "LOSE", cell: |namespace| count(n_losing(namespace)), is_telling: |_| true },
    Column { title: "WHY NOT STRICTER", cell: why_not_stricter, is_telling: |_| true },
];

/// What `wide` shows besides.
const MORE_COLUMNS: &[Column] = &[
    more("RUNNING", |namespace| level(namespace.levels.running)),
    more("ADMITTED", |namespace| level(namespace.levels.admitted)),
    more("FUTURE", |namespace| level(namespace.levels.future)),
    more("RAISED", |namespace| level(namespace.levels.raised)),
    more("ALLOWED BY PSP", |namespace| level(namespace.levels.allowed_by_policies)),
    more("WARN", |namespace| level(Some(namespace.warn))),
    more("AUDIT", |namespace| level(Some(namespace.audit))),
    more("WORKLOADS", |namespace| namespace.workloads.len().to_string()),
    more("PODS", |namespace| count(n_pods(namespace))),
    more("REFUSED", |namespace| count(n_refused(namespace))),
    more("CONFLICT", |namespace| namespace.conflict.clone().unwrap_or_else(|| "-".to_owned())),
];

const fn more(title: &'static str, cell: fn(&NamespacePlan) -> String) -> Column {
    Column { title, cell, is_telling: |_| true }
}

impl Column {
    fn is_shown(&self, plan: &Plan) -> bool {
        plan.namespaces.is_empty() || plan.namespaces.iter().any(self.is_telling)
    }
}

/// What is enforced now: by the label, or in parentheses by the cluster's default.
fn enforced_now(namespace: &NamespacePlan) -> String {
    let label = namespace.current_labels.get(ENFORCE_LABEL);
    let default = namespace.effective_policy.map(|policy| policy.enforce.level);
    match (label, default) {
        _ if namespace.exempt => "exempt".to_owned(),
        (Some(label), _) => label.clone(),
        (None, Some(level)) if level > Level::Privileged => format!("({level})"),
        (None, _) => "-".to_owned(),
    }
}

/// The name, with `*` behind that of a system namespace and `?` where the input lacks something.
fn marked_name(namespace: &NamespacePlan) -> String {
    let system = if namespace.system { "*" } else { "" };
    let incomplete = if namespace.complete { "" } else { "?" };
    format!("{}{system}{incomplete}", namespace.name)
}

/// A count; `-` for none.
fn count(n: usize) -> String {
    if n == 0 { "-".to_owned() } else { n.to_string() }
}

fn summary(plan: &Plan) -> String {
    let summary = &plan.summary;
    let by = &summary.by_enforce;
    let system = match summary.system {
        0 => String::new(),
        n => format!(" and {} (*)", counted(n, "system namespace", "system namespaces")),
    };
    format!(
        "{} ({} restricted, {} baseline, {} privileged, {} without workloads){system}, {}, {}, \
         judged by the Pod Security Standards {}.",
        counted(summary.namespaces, "namespace", "namespaces"),
        by.restricted,
        by.baseline,
        by.privileged,
        by.none,
        counted(summary.workloads, "workload", "workloads"),
        counted(summary.pods, "pod", "pods"),
        plan.pss_version,
    )
}

/// What the input lacks, then what is found, most urgent first; each a paragraph.
fn advice(plan: &Plan) -> Vec<String> {
    let missing = plan.missing.iter().map(|missing| format!("{} ({})", missing.what, missing.why));
    let incomplete = plan.namespaces.iter().flat_map(|namespace| {
        let missing = namespace.missing.iter();
        missing
            .map(move |missing| format!("{}: {} ({})", namespace.name, missing.what, missing.why))
    });
    let mut sections = vec![
        ("The input is incomplete, so these answers are uncertain; missing", missing.collect()),
        ("Answers marked ? are uncertain, as the input lacks something", incomplete.collect()),
    ];
    let own = plan.findings.iter().filter(|finding| !finding.system);
    for of_kind in own.collect::<Vec<_>>().chunk_by(|a, b| a.kind == b.kind) {
        let Some(first) = of_kind.first() else { continue };
        let title = match first.kind {
            FindingKind::LosesHardening => "Workloads that lose hardening with PSP (see -o diff)",
            kind => title(kind),
        };
        sections.push((title, of_kind.iter().map(|finding| named(finding)).collect()));
    }
    sections.retain(|(_, names): &(_, Vec<String>)| !names.is_empty());
    let paragraph = |(title, names): (&str, Vec<String>)| {
        let listed = names[..names.len().min(MAX_NAMES)].join(", ");
        match names.len().saturating_sub(MAX_NAMES) {
            0 => format!("{title}: {listed}."),
            more => format!("{title}: {listed} and {more} more."),
        }
    };
    sections.into_iter().map(paragraph).collect()
}

/// What a finding is about, as short as a list needs it.
fn named(finding: &Finding) -> String {
    let namespace = &finding.namespace;
    match (finding.kind, finding.workloads.as_slice()) {
        (FindingKind::StricterTodayThanAfter, _) => namespace.to_string(),
        (FindingKind::OneWorkloadAway, [workload]) => format!("{namespace} ({})", workload.name),
        (FindingKind::RefusedAfterUpgrade, [workload]) => {
            format!("{namespace}/{} ({})", workload.name, counted(finding.pods, "pod", "pods"))
        }
        (_, [workload]) => format!("{namespace}/{}", workload.name),
        _ => namespace.to_string(),
    }
}
