//! Which namespaces may be touched?

use crate::migrate::plan::{NamespacePlan, Plan};
use crate::objects::names::is_namespace_name;

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
}
