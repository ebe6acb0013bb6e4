//! The whole plan, as data.
//!
//! The field names are those of `plan -o json`, on which scripts depend: they stay, and more may be
//! added.

use std::collections::BTreeMap;

use serde::Serialize;

use super::agreement::Disagreement;
use super::findings::Finding;
use super::grant::GrantPath;
use super::harden::Patch;
use super::harden::bypass::UnderBypass;
use super::lost::Lost;
use super::states::States;
use super::translate::FieldLevel;
use crate::level::Level;
use crate::objects::meta::Name;
use crate::objects::server::{PodSecurityStage, Server};
use crate::objects::snapshot::Input;
use crate::psa::configuration::Exemptions;
use crate::psa::policy::Policy;
use crate::version::Version;

/// What to do with every namespace of a cluster.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// The version of the standards that levels are judged by.
    pub pss_version: Version,
    /// The cluster's API server; `None` where the input does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerPlan>,
    /// The cluster's PodSecurityConfiguration; left out of JSON where none is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configuration: Option<ConfigurationPlan>,
    /// The inputs that are evidence together, sorted by name; left out of JSON where there is but
    /// one.
    #[serde(skip_serializing_if = "is_one")]
    pub inputs: Vec<Input>,
    /// Whether the input held everything that the answer depends on.
    pub complete: bool,
    /// What the input lacked, for the whole cluster.
    pub missing: Vec<Missing>,
    /// The namespaces, sorted by name.
    pub namespaces: Vec<NamespacePlan>,
    /// What should be known before the upgrade, the most urgent first.
    pub findings: Vec<Finding>,
    /// The policies, sorted by name.
    pub policies: Vec<PolicyPlan>,
    /// What a policy that lets every pod pass as it is has to be called to come before all others.
    pub bypass_policy: Name,
    /// Counts.
    pub summary: Summary,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_false(value: &bool) -> bool {
    !value
}

fn is_one(inputs: &[Input]) -> bool {
    inputs.len() < 2
}

/// How the cluster has set Pod Security admission up, as its PodSecurityConfiguration says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConfigurationPlan {
    /// What holds where labels say nothing.
    pub defaults: Policy,
    /// What is not judged.
    pub exemptions: Exemptions,
}

/// What the cluster's API server means for the migration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServerPlan {
    /// The minor version.
    pub version: Version,
    /// The version as the server gives it.
    pub git_version: Name,
    /// Whether it serves PodSecurityPolicies.
    pub serves_psp: bool,
    /// How far Pod Security admission has come in it: `absent`, `alpha`, `beta` or `stable`.
    pub pod_security_admission: &'static str,
    /// The version of the standards by which it judges labels that pin none; `None` where there is
    /// no Pod Security admission.
    pub judges_by: Option<Version>,
}

impl ServerPlan {
    /// What is known of a server.
    #[must_use]
    pub fn of(server: &Server) -> Self {
        let stage = server.pod_security();
        Self {
            version: server.version,
            git_version: server.git_version.clone(),
            serves_psp: server.serves_psp,
            pod_security_admission: stage.as_str(),
            judges_by: (stage != PodSecurityStage::Absent).then_some(server.version),
        }
    }
}

/// Something that the input lacked, so that an answer is uncertain.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Missing {
    /// What is missing: a kind, or an object.
    pub what: String,
    /// What that means for the answer.
    pub why: String,
}

/// What to do with one namespace.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NamespacePlan {
    /// The name.
    pub name: Name,
    /// Whether it is one of Kubernetes' own, or named as such.
    pub system: bool,
    /// What the recommendation rests on.
    pub evidence: Evidence,
    /// Whether the input held everything that this namespace's answer depends on.
    pub complete: bool,
    /// What the input lacked for this namespace.
    pub missing: Vec<Missing>,
    /// The pod-security labels that it has.
    pub current_labels: BTreeMap<String, String>,
    /// Whether the cluster's configuration exempts it, so that nothing in it is judged and its labels do
    /// nothing. The levels say what it could take. Left out of JSON where it is not.
    #[serde(skip_serializing_if = "is_false")]
    pub exempt: bool,
    /// What holds in it now, by its labels and the cluster's defaults; left out of JSON where no
    /// configuration is given, and where it is exempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effective_policy: Option<Policy>,
    /// The strictest level that is safe before and after the upgrade; `None` without evidence.
    pub enforce: Option<Level>,
    /// The strictest level that is safe after the upgrade; `None` without evidence.
    pub enforce_after: Option<Level>,
    /// The level to warn by.
    pub warn: Level,
    /// The level to audit by.
    pub audit: Level,
    /// The complete set of labels to be set; none where the namespace is exempt.
    pub labels: BTreeMap<String, String>,
    /// What is wrong with the labels that are there, or with the cluster's defaults where there are
    /// none; `None` if nothing is.
    pub conflict: Option<String>,
    /// What the server warns of when the labels are set, as kubectl prints it: pods that violate the new
    /// enforced level, in the server's words. Finished pods count for it too. Empty where it has nothing to say.
    pub label_warnings: Vec<String>,
    /// The strictest level in each state.
    pub levels: NamespaceLevels,
    /// The versions of the standards, newer than the plan's, at which the answer differs.
    pub other_versions: Vec<OtherVersion>,
    /// The versions of the standards from v1.24 on, earlier than the plan's, at which the answer
    /// differs. A server judges by no version that is newer than itself, whatever labels pin.
    pub earlier_versions: Vec<OtherVersion>,
    /// The workloads, by kind and name; then pods without a workload.
    pub workloads: Vec<WorkloadPlan>,
}

/// What a namespace's recommendation rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Evidence {
    /// Workloads that count.
    Workloads,
    /// Nothing: no workload, or only finished bare pods, PodTemplates and workloads that are
    /// refused today.
    None,
}

/// The strictest level that all counted pods of a namespace satisfy, state by state; `None` where
/// there is no pod to judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NamespaceLevels {
    /// The live, unfinished pods.
    pub running: Option<Level>,
    /// The pods that today's admission makes.
    pub admitted: Option<Level>,
    /// The pods that will be made once PSP is gone.
    pub future: Option<Level>,
    /// As `future`, with what PSP wrote written down.
    pub kept: Option<Level>,
    /// As `kept`, with what the next levels still need.
    pub raised: Option<Level>,
    /// The level of the least restrictive policy usable by the namespace's service accounts or by
    /// the built-in controllers there; `None` for no policy.
    pub allowed_by_policies: Option<Level>,
}

/// The answer at another version of the standards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OtherVersion {
    /// From this version on, until the next one listed; of earlier versions, or the plan's.
    pub version: Version,
    /// As [`NamespacePlan::enforce`].
    pub enforce: Option<Level>,
    /// As [`NamespacePlan::enforce_after`].
    pub enforce_after: Option<Level>,
}

/// What becomes of one workload.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadPlan {
    /// `apiVersion` as given.
    pub api_version: Name,
    /// The kind: of a workload, or `Pod`.
    pub kind: &'static str,
    /// The name.
    pub name: String,
    /// What would revert a change to it: its owner, or the tool whose marks it carries.
    pub managed_by: Option<String>,
    /// The service account of its pods.
    pub service_account: String,
    /// How many unfinished pods it has.
    pub pods: usize,
    /// How many pods it wants, where it says so.
    pub replicas: Option<i64>,
    /// Whether it is suspended or paused.
    pub suspended: bool,
    /// The policies that its unfinished pods' annotations name, sorted.
    pub policy_in_use: Vec<Name>,
    /// The policy that today's admission selects for its template; `None` if none admits it, or if
    /// it cannot be simulated.
    pub policy_simulated: Option<Name>,
    /// By whose right, and through what, that policy may be used.
    pub policy_grant: Option<GrantPath>,
    /// Whether no policy admits its template and none of its pods runs, so that it does not count.
    pub refused_today: bool,
    /// Why no policy admits its template, or its pods once webhooks have changed them; empty where
    /// one does.
    pub refusal: Vec<Refusal>,
    /// The runtime class by which its pods are exempt; left out of JSON where they are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exempt_by: Option<String>,
    /// Whether its pods count for the namespace's levels.
    pub counted: bool,
    /// What changes whenever its template does: of a Deployment the number of its rollout, of a
    /// StatefulSet or DaemonSet its pods' revision; `None` where the object does not say.
    pub template_revision: Option<Name>,
    /// What becomes of its pods while the namespace may use [`Plan::bypass_policy`]; `None` where
    /// that cannot be simulated.
    pub under_bypass: Option<UnderBypass>,
    /// What live pods show of webhooks: `unknown`, `none` or `seen`.
    pub injection: &'static str,
    /// The containers that webhooks add, sorted.
    pub injected_containers: Vec<String>,
    /// The inputs that show it or pods of it; empty where there is but one input.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub seen_in: Vec<Name>,
    /// The inputs that do not, although they hold its kind in its namespace: it may be gone, or may
    /// come again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_seen_in: Vec<Name>,
    /// What the admin should know besides.
    pub notes: Vec<Note>,
    /// The strictest level in each state.
    pub levels: WorkloadLevels,
    /// What PSP writes into its pods and they will lack without it.
    pub lost: Vec<Lost>,
    /// How its template keeps what PSP writes and takes the next levels; `None` where nothing is to
    /// be done, and without a template.
    pub patch: Option<Patch>,
    /// What holds it below `restricted`, by state and level.
    pub violations: Vec<StateViolation>,
    /// Pods whose annotation does not name the policy that was simulated, with the reason.
    pub disagreements: Vec<Disagreement>,
    /// The pods behind the levels, for diffs.
    #[serde(skip)]
    pub states: States,
}

impl WorkloadPlan {
    /// The violations of a level that hold the namespace below it: those of live pods, and of the
    /// other states where the workload counts.
    pub fn violations_that_count(&self, level: Level) -> impl Iterator<Item = &StateViolation> {
        self.violations.iter().filter(move |violation| {
            violation.level == level && (self.counted || violation.state == "running")
        })
    }

    /// The values that PSP hardens its pods by and that they will lack without it: what loosens them
    /// is none.
    pub fn lost_hardening(&self) -> impl Iterator<Item = &Lost> {
        self.lost.iter().filter(|lost| !lost.loosens)
    }

    /// Whether the workload holds its namespace below a level.
    #[must_use]
    pub fn is_against(&self, level: Level) -> bool {
        self.violations_that_count(level).next().is_some()
    }
}

/// One error of a policy that does not admit a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Refusal {
    /// The policy; `None` where no policy can be used at all.
    pub policy: Option<Name>,
    /// The API server's text.
    pub message: String,
    /// Whether the template is admitted, and this is held against what webhooks make of its pods,
    /// for which PSP runs again.
    pub after_webhooks: bool,
}

/// Something about a workload that is easily overlooked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Note {
    /// The profile is set by a seccomp annotation only, which servers from v1.27 ignore.
    AnnotationStopsWorking,
    /// A static pod's picture in the API server: its manifest lies on a node.
    MirrorPod,
    /// A finished pod. It counts where it has a controller, which may make another of its kind.
    FinishedPod,
    /// The author's text is not in the input: what PSP may have written is taken to be PSP's.
    AssumedAuthorship,
    /// No policy admits the template, or what webhooks make of its pods, but live pods run: their
    /// policy is gone, or they are of an earlier template.
    RunsThoughRefused,
}

/// The strictest level of one workload's pods, state by state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadLevels {
    /// `None` without live unfinished pods.
    pub running: Option<Level>,
    /// `None` where nothing can be simulated, or nothing is admitted.
    pub admitted: Option<Level>,
    /// `None` for a workload without a template.
    pub future: Option<Level>,
    /// `None` for a workload without a template.
    pub kept: Option<Level>,
    /// `None` for a workload without a template.
    pub raised: Option<Level>,
}

/// A violation of a level in a state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StateViolation {
    /// `running`, `admitted` or `future`.
    pub state: &'static str,
    /// The level that is violated.
    pub level: Level,
    /// The check's id.
    pub check: &'static str,
    /// The API server's short text.
    pub reason: &'static str,
    /// The API server's long text.
    pub detail: Name,
}

/// What a policy comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyPlan {
    /// The name.
    pub name: Name,
    /// The strictest level that every pod it admits satisfies.
    pub level: Level,
    /// As `level`, leaving fields out of account that nearly every real policy leaves open.
    pub level_ignoring: LevelIgnoring,
    /// Why the level is no stricter, field by field.
    pub reasons: Vec<FieldLevel>,
    /// The fields that write into pods.
    pub mutates: Vec<&'static str>,
    /// The fields that demand what no level can.
    pub not_expressible: Vec<&'static str>,
    /// Why the policy takes no part in admission; `None` if it does.
    pub broken: Option<String>,
    /// Who may use it: kind and name of a subject, and the namespace it holds in (`None`: all).
    pub usable_by: Vec<UsableBy>,
    /// How many live unfinished pods name it in their annotation.
    pub pods: usize,
}

/// A level that leaves some fields out of account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LevelIgnoring {
    /// The fields left out.
    pub fields: &'static [&'static str],
    /// The level.
    pub level: Level,
}

/// A subject that may use a policy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UsableBy {
    /// `User`, `Group` or `ServiceAccount`.
    pub kind: String,
    /// The name; `namespace:name` for a service account.
    pub name: String,
    /// The namespace that it holds in; `None` for every one.
    pub namespace: Option<Name>,
}

/// Counts over the plan; system namespaces are counted apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Namespaces that are not system namespaces.
    pub namespaces: usize,
    /// System namespaces.
    pub system: usize,
    /// Namespaces by what to enforce.
    pub by_enforce: ByEnforce,
    /// Workloads in namespaces that are not system namespaces.
    pub workloads: usize,
    /// Unfinished pods in namespaces that are not system namespaces.
    pub pods: usize,
}

/// Namespaces by what to enforce.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Default)]
pub struct ByEnforce {
    /// Those at `privileged`.
    pub privileged: usize,
    /// Those at `baseline`.
    pub baseline: usize,
    /// Those at `restricted`.
    pub restricted: usize,
    /// Those without evidence.
    pub none: usize,
}
