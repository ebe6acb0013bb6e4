//! Which namespaces may be touched?

use crate::migrate::plan::{NamespacePlan, Plan};
use crate::objects::names::is_namespace_name;
use crate::psa::policy::{Policy, policy_of_labels};

/// Which namespaces of a plan labels and patches are for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Labelling {
    /// Whether system namespaces are labelled too.
    pub includes_system: bool,
    /// Whether namespaces are labelled whose answer is uncertain.
    pub includes_incomplete: bool,
}

impl Labelling {
    /// Why a namespace of the plan is left out; `None` if it is labelled.
    #[must_use]
    pub fn reason_to_skip(&self, plan: &Plan, namespace: &NamespacePlan) -> Option<String> {
        if !is_namespace_name(&namespace.name) {
            return Some("not a name that a namespace can have".to_owned());
        }
        if namespace.exempt {
            return Some("exempt by the cluster's configuration, labels do nothing".to_owned());
        }
        if namespace.system && !self.includes_system {
            return Some("a system namespace (--include-system labels it)".to_owned());
        }
        if !namespace.complete && !self.includes_incomplete {
            let mut missing = namespace.missing.iter().chain(&plan.missing);
            let first = missing.next().map_or("see the plan", |missing| missing.what.as_str());
            let what = match missing.count() {
                0 => first.to_owned(),
                n => format!("{first}, and {n} more"),
            };
            return Some(format!("incomplete input: {what} (--allow-incomplete labels it)"));
        }
        None
    }

    /// Why a namespace is in no stage of a rollout; `None` if it is.
    ///
    /// A stage sets a part of the labels and can be undone. The server takes neither where labels are
    /// invalid already: it refuses every change that leaves other errors than there were.
    ///
    /// Upstream: `admission/admission.go`, `ValidateNamespace` (v1.37).
    #[must_use]
    pub fn reason_to_stay_out(&self, plan: &Plan, namespace: &NamespacePlan) -> Option<String> {
        self.reason_to_skip(plan, namespace).or_else(|| {
            let (_, errors) = policy_of_labels(&namespace.current_labels, &Policy::PRIVILEGED);
            let first = errors.first()?;
            let keys: Vec<String> = errors.iter().map(|it| format!("{}-", it.label)).collect();
            Some(format!(
                "{first} (`kubectl label namespace {} {}`, then plan again)",
                namespace.name,
                keys.join(" ")
            ))
        })
    }
}
