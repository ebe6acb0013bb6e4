//! What is found, and does it ask for action?

use serde::Serialize;

use crate::objects::meta::Name;

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// Admission refuses pods of a workload.
    PodsRefused,
    /// A workload has fewer pods than it wants, and nothing says why.
    PodsMissing,
    /// A workload has fewer ready pods than before.
    PodsNotReady,
    /// A Job has failed.
    JobFailed,
    /// The next pods of a workload violate what the namespace enforces.
    WouldBeRefused,
    /// The level that the plan enforces next does not hold any more.
    PlanTooStrict,
    /// Live pods lack values that PSP wrote before and that hardened them.
    HardeningLost,
    /// Live pods satisfy a lower level than before.
    PodsLooser,
    /// A label that the API server cannot read.
    LabelInvalid,
    /// A label that the stage sets is not there.
    LabelMissing,
    /// A label is looser than planned.
    LabelLooser,
    /// A label is stricter than planned.
    LabelStricter,
    /// The version of a label is not the one that is planned.
    LabelUnpinned,
    /// A label that the plan does not set is another one than the plan saw.
    LabelChanged,
    /// A namespace that the plan does not know.
    NamespaceNew,
    /// A namespace that is not there any more.
    NamespaceGone,
    /// Pods made after the bypass went through another policy.
    PolicyInUse,
    /// A namespace, or the cluster, lacks the bypass.
    BypassMissing,
    /// A policy is still there.
    PolicyExists,
    /// Live pods lack values by which PSP loosened them.
    BecameStricter,
    /// Live pods satisfy a stricter level than before.
    PodsStricter,
    /// A workload's template has changed since the plan.
    TemplateChanged,
    /// A workload that the plan does not know.
    WorkloadNew,
    /// A workload that is not there any more.
    WorkloadGone,
}

/// Whether a finding asks for action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// The cluster does not agree with the plan.
    Finding,
    /// It does, and this is worth knowing.
    Information,
}

/// An object, within its namespace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Subject {
    /// The kind.
    pub kind: String,
    /// The name.
    pub name: String,
}

/// Something in which the cluster does not agree with the plan, or that is worth knowing. Sorted as
/// reports list them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// Whether it asks for action.
    pub severity: Severity,
    /// The namespace; `None` for the cluster.
    pub namespace: Option<Name>,
    /// What it is about.
    pub kind: Kind,
    /// The object; `None` where it is about several.
    pub object: Option<Subject>,
    /// What is wrong, in a sentence. It may hold text of the input.
    pub message: String,
    /// What to do; empty where nothing is.
    pub hint: String,
    /// What shows it: fields, or names of objects.
    pub details: Vec<String>,
}

impl Finding {
    /// A finding about a namespace.
    pub(super) fn of(namespace: &str, kind: Kind, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Finding,
            namespace: Some(namespace.into()),
            kind,
            object: None,
            message: message.into(),
            hint: String::new(),
            details: Vec::new(),
        }
    }

    /// A finding about the cluster.
    pub(super) fn of_cluster(kind: Kind, message: impl Into<String>) -> Self {
        Self { namespace: None, ..Self::of("", kind, message) }
    }

    pub(super) fn object(mut self, kind: &str, name: &str) -> Self {
        self.object = Some(Subject { kind: kind.to_owned(), name: name.to_owned() });
        self
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    pub(super) fn details(mut self, details: Vec<String>) -> Self {
        self.details = details;
        self
    }

    /// No finding, but information, where that is so.
    pub(super) fn information_if(mut self, is_information: bool) -> Self {
        if is_information {
            self.severity = Severity::Information;
        }
        self
    }
}
