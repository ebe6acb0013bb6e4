//! What do tests of the rollout plan with?

use std::collections::BTreeMap;

use crate::level::Level;
use crate::migrate::plan::{Evidence, NamespaceLevels, NamespacePlan};
use crate::migrate::recommend::{Levels, labels};
use crate::psa::configuration::Configuration;
use crate::version::Version;

/// A namespace without workloads that is to enforce a level before the upgrade and after it.
pub(super) fn namespace(name: &str, enforce: Option<Level>) -> NamespacePlan {
    let next = enforce.map_or(Level::Restricted, Level::next_stricter);
    let levels = Levels { enforce, audit: next, warn: next };
    NamespacePlan {
        name: name.into(),
        system: false,
        evidence: if enforce.is_some() { Evidence::Workloads } else { Evidence::None },
        complete: true,
        missing: Vec::new(),
        current_labels: BTreeMap::new(),
        exempt: false,
        effective_policy: None,
        enforce,
        enforce_after: enforce,
        warn: next,
        audit: next,
        labels: labels(levels, Version::v1(25), &BTreeMap::new(), &Configuration::default()).to_set,
        conflict: None,
        label_warnings: Vec::new(),
        levels: NamespaceLevels {
            running: enforce,
            admitted: enforce,
            future: enforce,
            kept: enforce,
            raised: enforce,
            allowed_by_policies: None,
        },
        other_versions: Vec::new(),
        earlier_versions: Vec::new(),
        workloads: Vec::new(),
    }
}
