//! What is left for an admin to look at by hand, of the steps of the migration guide?

use serde::Serialize;

use super::label_access::{LabelAccess, label_access};
use super::owners::Owned;
use super::removal::{Removal, removal};
use super::template_drift::{TemplateDrift, template_drift};
use crate::migrate::plan::{Missing, Plan};
use crate::migrate::policies;
use crate::migrate::simulation::Simulation;
use crate::objects::meta::Name;
use crate::objects::snapshot::Snapshot;

/// The report of `review`. Scripts depend on its names: they stay, and more may be added.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Review {
    /// Whether the input held everything that the answers depend on.
    pub complete: bool,
    /// What the input lacked.
    pub missing: Vec<Missing>,
    /// Who may change the labels of namespaces.
    pub label_access: LabelAccess,
    /// What goes with PSP, what is patched and what is left to others.
    pub removal: Removal,
    /// The policies that nothing is made by, sorted by name.
    pub left_over_policies: Vec<LeftOver>,
    /// The workloads whose pods differ from their templates, by namespace, kind and name.
    pub template_drift: Vec<TemplateDrift>,
}

/// A policy that nothing is made by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LeftOver {
    /// The policy.
    pub name: Name,
    /// Why.
    pub why: WhyLeftOver,
    /// Those that win wherever it could be used.
    pub shadowed_by: Vec<Name>,
    /// Who keeps it; `None` where nothing shows anybody.
    pub owner: Option<String>,
}

/// Why nothing is made by a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum WhyLeftOver {
    /// Nobody may use it.
    GrantedToNobody,
    /// It takes no part in admission.
    Broken,
    /// It admits no workload or pod.
    NeverUsed,
}

/// Reviews a cluster with its plan over all namespaces.
#[must_use]
pub fn review<'s>(plan: &Plan, snapshot: &'s Snapshot, simulation: &Simulation<'s>) -> Review {
    Review {
        complete: plan.complete,
        missing: plan.missing.clone(),
        label_access: label_access(snapshot),
        removal: removal(snapshot),
        left_over_policies: left_over(plan, snapshot, simulation),
        template_drift: template_drift(snapshot, simulation),
    }
}

fn left_over(plan: &Plan, snapshot: &Snapshot, simulation: &Simulation<'_>) -> Vec<LeftOver> {
    let report = policies::report(plan, snapshot, simulation, None);
    let unused = report.policies.into_iter().filter(|policy| policy.never_used);
    unused
        .map(|policy| LeftOver {
            why: if policy.plan.broken.is_some() {
                WhyLeftOver::Broken
            } else if policy.grants.is_empty() {
                WhyLeftOver::GrantedToNobody
            } else {
                WhyLeftOver::NeverUsed
            },
            owner: snapshot.policies.get(&policy.plan.name).and_then(Owned::owner),
            shadowed_by: policy.shadowed_by,
            name: policy.plan.name,
        })
        .collect()
}
