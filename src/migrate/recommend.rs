//! Which level can a namespace take, and which labels say so?

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::level::Level;
use crate::objects::pod::PodTemplateSpec;
use crate::psa::configuration::Configuration;
use crate::psa::policy::Mode;
use crate::psa::{self, LevelsEvaluation};
use crate::version::Version;

/// Which levels a set of pods passes.
///
/// Restricted does not imply baseline for every input (`spec.os.name: windows`, volumes with two
/// sources), so both are evaluated; see docs/checks.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passes {
    baseline: bool,
    restricted: bool,
}

impl Passes {
    /// What the empty set passes: everything.
    pub const EVERYTHING: Self = Self { baseline: true, restricted: true };

    const NOTHING: Self = Self { baseline: false, restricted: false };

    /// What one pod passes.
    #[must_use]
    pub fn of(pod: &PodTemplateSpec, version: Version) -> Self {
        Self {
            baseline: psa::allows(Level::Baseline, version, pod),
            restricted: psa::allows(Level::Restricted, version, pod),
        }
    }

    /// What a pod passes that has been evaluated.
    #[must_use]
    pub fn by(evaluation: &LevelsEvaluation) -> Self {
        Self {
            baseline: evaluation.allows(Level::Baseline),
            restricted: evaluation.allows(Level::Restricted),
        }
    }

    /// What pods pass together; `None` for no pods.
    #[must_use]
    pub fn of_all<'p>(
        pods: impl IntoIterator<Item = &'p Arc<PodTemplateSpec>>,
        version: Version,
    ) -> Option<Self> {
        Self::of_more(None, pods, version)
    }

    /// What pods pass together with others that pass `others`; `None` for no pods at all. Pods are
    /// judged until nothing is left to pass.
    #[must_use]
    pub fn of_more<'p>(
        others: Option<Self>,
        pods: impl IntoIterator<Item = &'p Arc<PodTemplateSpec>>,
        version: Version,
    ) -> Option<Self> {
        let mut together = others;
        for pod in pods {
            let so_far = together.unwrap_or(Self::EVERYTHING);
            if so_far == Self::NOTHING {
                break;
            }
            together = Some(Self {
                baseline: so_far.baseline && psa::allows(Level::Baseline, version, pod),
                restricted: so_far.restricted && psa::allows(Level::Restricted, version, pod),
            });
        }
        together
    }

    /// What two sets of pods pass together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            baseline: self.baseline && other.baseline,
            restricted: self.restricted && other.restricted,
        }
    }

    /// The strictest level that is passed.
    #[must_use]
    pub fn strictest(self) -> Level {
        match self {
            Self { restricted: true, .. } => Level::Restricted,
            Self { baseline: true, .. } => Level::Baseline,
            Self { .. } => Level::Privileged,
        }
    }
}

/// What two sets of pods pass together, where either may be empty (`None`).
#[must_use]
pub fn both(a: Option<Passes>, b: Option<Passes>) -> Option<Passes> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.and(b)),
        (a, b) => a.or(b),
    }
}

/// The levels to set, mode by mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Levels {
    /// `enforce`; `None` sets none.
    pub enforce: Option<Level>,
    /// `audit`.
    pub audit: Level,
    /// `warn`.
    pub warn: Level,
}

/// How a conflict begins where nothing is wrong but the cluster's default.
pub(super) const DEFAULT_IS_STRICTER: &str = "the cluster's default for enforce is stricter";

/// The labels that a namespace should carry, and what stands against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    /// The complete set of labels to be set.
    pub to_set: BTreeMap<String, String>,
    /// What is wrong with the labels that are there; `None` if nothing is.
    pub conflict: Option<String>,
}

/// The labels of a namespace that is exempt: none does anything, but bad ones stay refused.
#[must_use]
pub fn labels_of_exempt(
    current: &BTreeMap<String, String>,
    configuration: &Configuration,
) -> Labels {
    let (_, errors) = configuration.policy_of(current);
    let conflicts: Vec<String> = errors.iter().map(ToString::to_string).collect();
    let conflict = (!conflicts.is_empty()).then(|| conflicts.join("; "));
    Labels { to_set: BTreeMap::new(), conflict }
}

/// The labels for `levels`, pinned to `version`.
///
/// A label that is stricter than what is asked for stays: it is never loosened silently. For
/// `enforce` that is a conflict, as the namespace holds pods that it refuses. A default of the cluster that
/// is stricter is a conflict too, but the label loosens it: without a label the pods are refused.
#[must_use]
pub fn labels(
    levels: Levels,
    version: Version,
    current: &BTreeMap<String, String>,
    configuration: &Configuration,
) -> Labels {
    let (policy, errors) = configuration.policy_of(current);
    let mut conflicts: Vec<String> = errors.iter().map(ToString::to_string).collect();
    let is_valid = |label: &str| {
        current.contains_key(label) && errors.iter().all(|error| error.label != label)
    };
    if let Some(wanted) = levels.enforce
        && !current.contains_key(Mode::Enforce.level_label())
        && configuration.defaults.enforce.level > wanted
    {
        conflicts.push(format!(
            "{DEFAULT_IS_STRICTER} ({}) than {wanted}, the strictest level that every workload \
             satisfies",
            policy.enforce,
        ));
    }
    let mut to_set = BTreeMap::new();
    for (mode, wanted) in [
        (Mode::Enforce, levels.enforce),
        (Mode::Audit, Some(levels.audit)),
        (Mode::Warn, Some(levels.warn)),
    ] {
        let Some(wanted) = wanted else { continue };
        let present = policy.of(mode);
        let is_stricter = is_valid(mode.level_label()) && present.level > wanted;
        let mut pinned = version.to_string();
        if is_stricter && mode == Mode::Enforce {
            conflicts.push(format!(
                "{}={} is stricter than {wanted}, the strictest level that every workload satisfies",
                mode.level_label(),
                present.level,
            ));
            if is_valid(mode.version_label()) {
                pinned = present.version.to_string();
            }
        }
        let level = if is_stricter { present.level } else { wanted };
        to_set.insert(mode.level_label().to_owned(), level.to_string());
        to_set.insert(mode.version_label().to_owned(), pinned);
    }
    let conflict = (!conflicts.is_empty()).then(|| conflicts.join("; "));
    Labels { to_set, conflict }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEVELS: Levels = Levels {
        enforce: Some(Level::Baseline),
        audit: Level::Restricted,
        warn: Level::Restricted,
    };

    fn labels_over(current: &[(&str, &str)]) -> Labels {
        let current =
            current.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        labels(LEVELS, Version::v1(25), &current, &Configuration::default())
    }

    #[test]
    fn every_mode_is_pinned() {
        let labels = labels_over(&[]);
        assert_eq!(labels.conflict, None);
        assert_eq!(labels.to_set.len(), 6);
        assert_eq!(labels.to_set["pod-security.kubernetes.io/enforce"], "baseline");
        assert_eq!(labels.to_set["pod-security.kubernetes.io/audit-version"], "v1.25");
    }

    #[test]
    fn a_stricter_enforce_label_stays_and_is_told() {
        let labels = labels_over(&[
            ("pod-security.kubernetes.io/enforce", "restricted"),
            ("pod-security.kubernetes.io/enforce-version", "latest"),
        ]);
        assert_eq!(labels.to_set["pod-security.kubernetes.io/enforce"], "restricted");
        assert_eq!(labels.to_set["pod-security.kubernetes.io/enforce-version"], "latest");
        assert!(labels.conflict.unwrap().contains("stricter than baseline"));
    }

    #[test]
    fn a_stricter_default_is_told_and_loosened() {
        let mut configuration = Configuration::default();
        configuration.defaults.enforce.level = Level::Restricted;
        let of = |level, current: &BTreeMap<String, String>| {
            let levels = Levels { enforce: level, ..LEVELS };
            labels(levels, Version::v1(25), current, &configuration)
        };
        let unlabelled = of(Some(Level::Baseline), &BTreeMap::new());
        assert_eq!(unlabelled.to_set["pod-security.kubernetes.io/enforce"], "baseline");
        assert_eq!(
            unlabelled.conflict.unwrap(),
            "the cluster's default for enforce is stricter (restricted:latest) than baseline, the \
             strictest level that every workload satisfies"
        );
        assert_eq!(of(Some(Level::Restricted), &BTreeMap::new()).conflict, None);
        assert_eq!(of(None, &BTreeMap::new()).conflict, None);
        let key = "pod-security.kubernetes.io/enforce".to_owned();
        let labelled = BTreeMap::from([(key, "baseline".to_owned())]);
        assert_eq!(of(Some(Level::Baseline), &labelled).conflict, None);
    }

    #[test]
    fn an_invalid_label_is_told_in_the_servers_words_and_replaced() {
        let labels = labels_over(&[("pod-security.kubernetes.io/enforce", "Restricted")]);
        assert_eq!(labels.to_set["pod-security.kubernetes.io/enforce"], "baseline");
        assert_eq!(
            labels.conflict.unwrap(),
            "metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: \"Restricted\": \
             must be one of privileged, baseline, restricted"
        );
    }

    #[test]
    fn a_stricter_warn_label_stays_without_a_conflict() {
        let levels = Levels { warn: Level::Baseline, ..LEVELS };
        let key = "pod-security.kubernetes.io/warn".to_owned();
        let current = BTreeMap::from([(key.clone(), "restricted".to_owned())]);
        let labels = labels(levels, Version::v1(25), &current, &Configuration::default());
        assert_eq!((labels.to_set[&key].as_str(), labels.conflict), ("restricted", None));
    }
}
