//! `verify`: in what the cluster does not agree with the plan, to be read.

use super::outline::Outline;
use crate::rollout::verify::finding::{Finding, Kind, Severity};
use crate::rollout::verify::labels::Reached;
use crate::rollout::verify::{NamespaceState, Target, Verification};

/// How many of the things that show a finding are listed.
const MAX_DETAILS: usize = 8;
/// How many names a line lists before it only counts.
const MAX_NAMES: usize = 8;

/// The report: the answer, what asks for action, what is worth knowing, and how far namespaces are.
#[must_use]
pub fn outline(report: &Verification) -> Outline {
    let mut outline = Outline::default();
    outline.heading(1, answer(report));
    if !report.missing.is_empty() {
        outline.heading(2, "What the input lacks");
        for missing in &report.missing {
            outline.item(0, format!("{}: {}", missing.what, missing.why));
        }
    }
    let of = |severity| report.findings.iter().filter(move |it| it.severity == severity);
    part(&mut outline, "What does not agree", &of(Severity::Finding).collect::<Vec<_>>());
    part(&mut outline, "What is worth knowing", &of(Severity::Information).collect::<Vec<_>>());
    if !report.not_checked.is_empty() {
        outline.heading(2, "What was not compared");
        for missing in &report.not_checked {
            outline.item(0, format!("{}: {}", missing.what, missing.why));
        }
    }
    progress(&mut outline, report);
    outline
}

fn answer(report: &Verification) -> String {
    let stage = match report.stage {
        None => "",
        Some(Target::Warn) => " at stage warn",
        Some(Target::Enforce) => " at stage enforce",
        Some(Target::Bypass) => " at stage bypass",
        Some(Target::After) => " at stage after",
        Some(Target::Removed) => " at stage removed",
    };
    let but = if report.complete { "" } else { ", as far as the input shows" };
    match report.summary.findings {
        0 => format!("The cluster agrees with the plan{stage}{but}"),
        1 => format!("1 finding: the cluster does not agree with the plan{stage}"),
        n => format!("{n} findings: the cluster does not agree with the plan{stage}"),
    }
}

fn part(outline: &mut Outline, title: &str, findings: &[&Finding]) {
    if findings.is_empty() {
        return;
    }
    outline.heading(2, title);
    for finding in findings {
        outline.item(0, sentence(finding));
        let is_told =
            |detail: &&String| is_list(finding.kind) || finding.message.contains(detail.as_str());
        let details: Vec<&String> = finding.details.iter().filter(|it| !is_told(it)).collect();
        for detail in details.iter().take(MAX_DETAILS) {
            outline.item(1, (*detail).clone());
        }
        if let Some(n_more @ 1..) = details.len().checked_sub(MAX_DETAILS) {
            outline.item(1, format!("and {n_more} more"));
        }
        if !finding.hint.is_empty() {
            outline.item(1, format!("→ {}", finding.hint));
        }
    }
}

/// Whether a message names what it is about, as far as it is of interest.
fn is_list(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::PolicyExists | Kind::WorkloadNew | Kind::WorkloadGone | Kind::TemplateChanged
    )
}

/// The finding in a line that begins with its place.
fn sentence(finding: &Finding) -> String {
    let object = finding.object.as_ref();
    let place = match (&finding.namespace, object) {
        (None, _) => "cluster".to_owned(),
        (Some(namespace), Some(it)) if it.kind != "Namespace" => {
            format!("{namespace} {}/{}", it.kind, it.name)
        }
        (Some(namespace), _) => namespace.to_string(),
    };
    format!("{place}: {}", finding.message)
}

fn progress(outline: &mut Outline, report: &Verification) {
    const REACHED: [(Reached, &str); 5] = [
        (Reached::After, "enforce, stricter than with PSP"),
        (Reached::Enforce, "enforce"),
        (Reached::Warn, "warn and audit only"),
        (Reached::None, "not labelled yet"),
        (Reached::LeftOut, "left out of the rollout"),
    ];
    if report.namespaces.is_empty() {
        return;
    }
    outline.heading(2, "How far namespaces are");
    let mut rows = vec![["STAGE", "NAMESPACES", "WHICH"].map(str::to_owned).to_vec()];
    for (reached, text) in REACHED {
        let of: Vec<&NamespaceState> =
            report.namespaces.iter().filter(|it| it.reached == reached).collect();
        if !of.is_empty() {
            rows.push(vec![text.to_owned(), of.len().to_string(), listed(&of)]);
        }
    }
    outline.table(rows);
}

/// Names with commas between, those with findings first and marked; of many only the first.
fn listed(states: &[&NamespaceState]) -> String {
    let (with, without): (Vec<&NamespaceState>, Vec<&NamespaceState>) =
        states.iter().partition(|state| state.findings > 0);
    let names = with
        .into_iter()
        .map(|state| format!("{}!", state.name))
        .chain(without.into_iter().map(|state| state.name.to_string()));
    let names: Vec<String> = names.collect();
    match names.len().checked_sub(MAX_NAMES) {
        Some(n_more @ 1..) => format!("{} and {n_more} more", names[..MAX_NAMES].join(", ")),
        _ => names.join(", "),
    }
}
