//! `check`: the levels of pods and templates, and what stands against the stricter ones.

use serde::Serialize;

use super::API_VERSION;
use super::item::{ItemHead, Subject};
use super::quoting::printable_row;
use super::table::aligned;
use crate::level::Level;
use crate::objects::source::{ObjectError, Source};
use crate::prepare;
use crate::psa::{self, Evaluation};
use crate::version::Version;

/// The report of `check`; its field names are a contract.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckReport {
    api_version: &'static str,
    kind: &'static str,
    pss_version: Version,
    /// One item for each pod, template and unreadable object, in input order.
    pub items: Vec<CheckItem>,
}

impl CheckReport {
    /// A report with these items.
    #[must_use]
    pub fn new(pss_version: Version, items: Vec<CheckItem>) -> Self {
        Self { api_version: API_VERSION, kind: "CheckReport", pss_version, items }
    }
}

/// One item of a [`CheckReport`].
#[derive(Debug, Serialize)]
pub struct CheckItem {
    #[serde(flatten)]
    head: ItemHead,
    #[serde(flatten)]
    outcome: CheckOutcome,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum CheckOutcome {
    Judged { level: Level, baseline: LevelAnswer, restricted: LevelAnswer },
    Unreadable { error: String },
}

/// Whether a level allows a pod, and the API server's words if not.
#[derive(Debug, Serialize)]
pub struct LevelAnswer {
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    violations: Vec<CheckViolation>,
}

#[derive(Debug, Serialize)]
struct CheckViolation {
    check: &'static str,
    reason: String,
    detail: String,
}

impl LevelAnswer {
    fn of(evaluation: Evaluation) -> Self {
        let allowed = evaluation.is_allowed();
        Self {
            allowed,
            reason: (!allowed).then(|| evaluation.reason()),
            detail: (!allowed).then(|| evaluation.detail()),
            violations: evaluation
                .violations
                .into_iter()
                .map(|violation| CheckViolation {
                    check: violation.check,
                    reason: violation.reason.to_string(),
                    detail: violation.detail,
                })
                .collect(),
        }
    }
}

impl CheckItem {
    /// Judges a pod or template, or (`is_prepared`) the pod that the API server would make of it.
    #[must_use]
    pub fn judge(
        index: usize,
        source: Source,
        subject: &Subject,
        version: Version,
        is_prepared: bool,
    ) -> Self {
        let prepared;
        let pod = if is_prepared {
            prepared = prepare::for_pod_security(&subject.template);
            &prepared
        } else {
            &*subject.template
        };
        let baseline = LevelAnswer::of(psa::evaluate(Level::Baseline, version, pod));
        let restricted = LevelAnswer::of(psa::evaluate(Level::Restricted, version, pod));
        let level = match (restricted.allowed, baseline.allowed) {
            (true, _) => Level::Restricted,
            (false, true) => Level::Baseline,
            (false, false) => Level::Privileged,
        };
        let outcome = CheckOutcome::Judged { level, baseline, restricted };
        Self { head: ItemHead::of(index, source, subject), outcome }
    }

    /// The item of an object that could not be read.
    #[must_use]
    pub fn unreadable(index: usize, source: Source, error: &ObjectError) -> Self {
        let head = ItemHead::unreadable(index, source, error);
        Self { head, outcome: CheckOutcome::Unreadable { error: error.to_string() } }
    }

    /// Whether a level allows the pod; an object that could not be read is not known to be refused.
    #[must_use]
    pub fn allows(&self, level: Level) -> bool {
        match (&self.outcome, level) {
            (CheckOutcome::Judged { baseline, .. }, Level::Baseline) => baseline.allowed,
            (CheckOutcome::Judged { restricted, .. }, Level::Restricted) => restricted.allowed,
            (CheckOutcome::Judged { .. }, Level::Privileged)
            | (CheckOutcome::Unreadable { .. }, _) => true,
        }
    }
}

/// The report as a table: what each item satisfies, and what the next level says against it, in
/// short or (`is_wide`) in full.
#[must_use]
pub fn table(report: &CheckReport, is_wide: bool) -> String {
    let mut rows = vec![printable_row(["NAMESPACE", "KIND", "NAME", "LEVEL", "AGAINST STRICTER"])];
    for item in &report.items {
        let (level, against) = match &item.outcome {
            CheckOutcome::Judged { level, baseline, restricted } => {
                let next = match level {
                    Level::Privileged => baseline,
                    Level::Baseline | Level::Restricted => restricted,
                };
                let text = if is_wide { &next.detail } else { &next.reason };
                (level.as_str(), text.as_deref().unwrap_or("-"))
            }
            CheckOutcome::Unreadable { error } => ("?", error.as_str()),
        };
        let head = &item.head;
        rows.push(printable_row([&head.namespace, &*head.kind, head.shown_name(), level, against]));
    }
    aligned(&rows, None)
}
