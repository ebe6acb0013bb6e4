//! `simulate`: what PSP admission answers for each pod and template.

use serde::Serialize;

use super::API_VERSION;
use super::item::{ItemHead, Subject};
use crate::objects::meta::Name;
use crate::objects::pod::PodTemplateSpec;
use crate::objects::source::{ObjectError, Source, printable};
use crate::psp::{Operation, Verdict, json_patch};

/// The report of `simulate`; its field names are a contract.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SimulationReport {
    api_version: &'static str,
    kind: &'static str,
    /// One item for each pod, template and unreadable object, in input order.
    pub items: Vec<SimulationItem>,
}

impl SimulationReport {
    /// A report with these items.
    #[must_use]
    pub fn new(items: Vec<SimulationItem>) -> Self {
        Self { api_version: API_VERSION, kind: "SimulationReport", items }
    }
}

/// One item of a [`SimulationReport`].
#[derive(Debug, Serialize)]
pub struct SimulationItem {
    #[serde(flatten)]
    head: ItemHead,
    #[serde(flatten)]
    outcome: SimulationOutcome,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum SimulationOutcome {
    Admitted { allowed: bool, policy: Name, mutated: bool, patch: Vec<Operation> },
    Refused { allowed: bool, message: String, errors: Vec<PolicyMessage> },
    Unreadable { error: String },
}

#[derive(Debug, Serialize)]
struct PolicyMessage {
    policy: Name,
    message: String,
}

impl SimulationItem {
    /// The item of a verdict; `given` is the pod or template as it stands in the input, from which
    /// the patch starts.
    #[must_use]
    pub fn of(
        index: usize,
        source: Source,
        subject: &Subject,
        given: &PodTemplateSpec,
        verdict: &Verdict<'_>,
    ) -> Self {
        let outcome = match verdict {
            Verdict::Admitted(admitted) => SimulationOutcome::Admitted {
                allowed: true,
                policy: admitted.policy.clone(),
                mutated: admitted.is_mutated(),
                patch: json_patch(&admitted.changes, Some(&admitted.policy), given),
            },
            Verdict::Refused(refused) => SimulationOutcome::Refused {
                allowed: false,
                message: refused.message(),
                errors: refused
                    .errors
                    .iter()
                    .map(|error| PolicyMessage {
                        policy: error.policy.clone(),
                        message: error.to_string(),
                    })
                    .collect(),
            },
        };
        Self { head: ItemHead::of(index, source, subject), outcome }
    }

    /// The item of an object that could not be read.
    #[must_use]
    pub fn unreadable(index: usize, source: Source, error: &ObjectError) -> Self {
        let head = ItemHead::unreadable(index, source, error);
        Self { head, outcome: SimulationOutcome::Unreadable { error: error.to_string() } }
    }

    /// Whether PSP refuses the pod.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        matches!(self.outcome, SimulationOutcome::Refused { .. })
    }
}

/// The report for reading: for each item the answer, then what the policy writes or why each policy
/// refuses.
#[must_use]
pub fn text(report: &SimulationReport) -> String {
    let mut lines = Vec::new();
    for item in &report.items {
        let head = &item.head;
        let title = format!("{}/{} {}", head.namespace, head.shown_name(), head.kind);
        match &item.outcome {
            SimulationOutcome::Admitted { policy, mutated, patch, .. } => {
                let change = if *mutated { "changed" } else { "unchanged" };
                lines.push(format!("{title}: admitted by {policy}, {change}"));
                if *mutated {
                    lines.extend(
                        patch
                            .iter()
                            .map(|operation| format!("  {} {}", operation.path, operation.value)),
                    );
                }
            }
            SimulationOutcome::Refused { errors, message, .. } => {
                lines.push(format!("{title}: refused"));
                if errors.is_empty() {
                    lines.push(format!("  {message}"));
                }
                lines.extend(
                    errors.iter().map(|error| format!("  {}: {}", error.policy, error.message)),
                );
            }
            SimulationOutcome::Unreadable { error } => lines.push(format!("unreadable: {error}")),
        }
    }
    lines.iter().map(|line| printable(line).into_owned() + "\n").collect()
}
