//! What was planned, as far as the present state is compared with it?
//!
//! The names are those of `plan -o json`, from which it is read; of a plan at hand it is taken.

use std::collections::BTreeMap;

use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::level::Level;
use crate::migrate::plan::{NamespacePlan, Plan, WorkloadPlan};
use crate::objects::meta::Name;
use crate::rollout::Wishes;

/// The kind of the report that a reference is read from.
pub const KIND: &str = "MigrationPlan";

/// A plan that was made before.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reference {
    /// The kind of the report; [`KIND`].
    pub kind: String,
    /// The version of the standards that it judges by, such as `v1.25`.
    pub pss_version: String,
    /// What the policy is called that lets every pod pass as it is.
    pub bypass_policy: String,
    /// The namespaces.
    pub namespaces: Vec<PlannedNamespace>,
}

/// What was planned for a namespace.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedNamespace {
    /// The name.
    pub name: String,
    /// Whether it is a system namespace.
    pub system: bool,
    /// Whether its answer was certain.
    pub complete: bool,
    /// Whether the cluster's configuration exempts it.
    #[serde(default)]
    pub exempt: bool,
    /// The labels that it had.
    pub current_labels: BTreeMap<String, String>,
    /// The labels to be set.
    pub labels: BTreeMap<String, String>,
    /// What to enforce before the upgrade.
    #[serde(default, deserialize_with = "some_level")]
    pub enforce: Option<Level>,
    /// What to enforce after it.
    #[serde(default, deserialize_with = "some_level")]
    pub enforce_after: Option<Level>,
    /// What to warn by.
    #[serde(deserialize_with = "level")]
    pub warn: Level,
    /// What to audit by.
    #[serde(deserialize_with = "level")]
    pub audit: Level,
    /// The workloads.
    pub workloads: Vec<PlannedWorkload>,
}

/// A workload as the plan saw it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedWorkload {
    /// The kind.
    pub kind: String,
    /// The name.
    pub name: String,
    /// How many unfinished pods it had.
    pub pods: usize,
    /// The policies that the annotations of these pods named.
    pub policy_in_use: Vec<String>,
    /// What changes whenever its template does.
    pub template_revision: Option<String>,
    /// Whether no policy admitted its template.
    pub refused_today: bool,
    /// Its levels.
    pub levels: PlannedLevels,
    /// What PSP wrote into its pods and its template does not have.
    pub lost: Vec<PlannedValue>,
}

/// The level of a workload's live pods.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct PlannedLevels {
    /// `None` without live unfinished pods.
    #[serde(default, deserialize_with = "some_level")]
    pub running: Option<Level>,
}

/// A value that PSP wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedValue {
    /// Where, in the pod; list elements by name.
    pub path: String,
    /// The value, or the one that is added to a list.
    pub value: Json,
    /// The policy that wrote it.
    pub policy: String,
    /// The policy's field.
    pub policy_field: Option<String>,
    /// Whether it loosens the pod.
    pub loosens: bool,
}

fn level<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Level, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
}

fn some_level<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Level>, D::Error> {
    let text: Option<String> = Option::deserialize(deserializer)?;
    text.map(|text| text.parse().map_err(D::Error::custom)).transpose()
}

impl From<&Plan> for Reference {
    fn from(plan: &Plan) -> Self {
        Self {
            kind: KIND.to_owned(),
            pss_version: plan.pss_version.to_string(),
            bypass_policy: plan.bypass_policy.to_string(),
            namespaces: plan.namespaces.iter().map(Into::into).collect(),
        }
    }
}

impl From<&NamespacePlan> for PlannedNamespace {
    fn from(plan: &NamespacePlan) -> Self {
        Self {
            name: plan.name.to_string(),
            system: plan.system,
            complete: plan.complete,
            exempt: plan.exempt,
            current_labels: plan.current_labels.clone(),
            labels: plan.labels.clone(),
            enforce: plan.enforce,
            enforce_after: plan.enforce_after,
            warn: plan.warn,
            audit: plan.audit,
            workloads: plan.workloads.iter().map(Into::into).collect(),
        }
    }
}

impl From<&WorkloadPlan> for PlannedWorkload {
    fn from(plan: &WorkloadPlan) -> Self {
        let lost = plan.lost.iter().map(|lost| PlannedValue {
            path: lost.path.by_name(),
            value: lost.value.clone(),
            policy: lost.policy.to_string(),
            policy_field: lost.policy_field.map(str::to_owned),
            loosens: lost.loosens,
        });
        Self {
            kind: plan.kind.to_owned(),
            name: plan.name.clone(),
            pods: plan.pods,
            policy_in_use: plan.policy_in_use.iter().map(ToString::to_string).collect(),
            template_revision: plan.template_revision.as_deref().map(str::to_owned),
            refused_today: plan.refused_today,
            levels: PlannedLevels { running: plan.levels.running },
            lost: lost.collect(),
        }
    }
}

impl PlannedNamespace {
    /// What the stages go by.
    #[must_use]
    pub fn wishes(&self) -> Wishes<'_> {
        Wishes {
            labels: &self.labels,
            enforce: self.enforce,
            enforce_after: self.enforce_after,
            warn: self.warn,
            audit: self.audit,
        }
    }

    /// The workload of that kind and name.
    #[must_use]
    pub fn workload(&self, kind: &str, name: &str) -> Option<&PlannedWorkload> {
        self.workloads.iter().find(|it| it.kind == kind && it.name == name)
    }
}

impl Reference {
    /// The namespaces by their names.
    #[must_use]
    pub fn by_name(&self) -> BTreeMap<&str, &PlannedNamespace> {
        self.namespaces.iter().map(|namespace| (namespace.name.as_str(), namespace)).collect()
    }

    /// What the bypass policy is called.
    #[must_use]
    pub fn bypass(&self) -> Name {
        self.bypass_policy.as_str().into()
    }
}
