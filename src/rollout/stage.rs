//! Which labels does each stage set?

use std::collections::BTreeMap;

use crate::level::Level;
use crate::migrate::plan::NamespacePlan;
use crate::psa::policy::Mode;

/// A stage of the rollout that sets labels, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// `warn` and `audit`: nothing is refused, and what would be is seen.
    Warn,
    /// `enforce`, at the level that is safe with PSP and without it.
    Enforce,
    /// `enforce` at the stricter level that holds only where PSP no longer loosens pods.
    EnforceAfter,
}

impl Stage {
    /// The modes whose labels the stage may change.
    #[must_use]
    pub fn modes(self) -> &'static [Mode] {
        match self {
            Self::Warn => &[Mode::Audit, Mode::Warn],
            Self::Enforce => &[Mode::Enforce],
            Self::EnforceAfter => &Mode::ALL,
        }
    }

    /// The labels that the stage sets on a namespace, which may be there already; empty where it has
    /// nothing to do with it.
    #[must_use]
    pub fn labels(self, namespace: &NamespacePlan) -> BTreeMap<String, String> {
        self.labels_of(&Wishes::from(namespace))
    }

    /// As [`Self::labels`], where only the levels and labels of a plan are at hand.
    #[must_use]
    pub fn labels_of(self, namespace: &Wishes<'_>) -> BTreeMap<String, String> {
        let mut labels: BTreeMap<String, String> = self
            .modes()
            .iter()
            .flat_map(|mode| [mode.level_label(), mode.version_label()])
            .filter_map(|key| Some((key.to_owned(), namespace.labels.get(key)?.clone())))
            .collect();
        if self == Self::EnforceAfter {
            match stricter_afterwards(namespace) {
                Some(level) => tighten(&mut labels, namespace, level),
                None => labels.clear(),
            }
        }
        labels
    }
}

/// What a plan wishes for a namespace, as far as stages go by it.
#[derive(Debug, Clone, Copy)]
pub struct Wishes<'p> {
    /// As [`NamespacePlan::labels`].
    pub labels: &'p BTreeMap<String, String>,
    /// As [`NamespacePlan::enforce`].
    pub enforce: Option<Level>,
    /// As [`NamespacePlan::enforce_after`].
    pub enforce_after: Option<Level>,
    /// As [`NamespacePlan::warn`].
    pub warn: Level,
    /// As [`NamespacePlan::audit`].
    pub audit: Level,
}

impl<'p> From<&'p NamespacePlan> for Wishes<'p> {
    fn from(plan: &'p NamespacePlan) -> Self {
        let NamespacePlan { labels, enforce, enforce_after, warn, audit, .. } = plan;
        Self {
            labels,
            enforce: *enforce,
            enforce_after: *enforce_after,
            warn: *warn,
            audit: *audit,
        }
    }
}

/// The level that can be enforced only once PSP no longer loosens pods; `None` where it is no
/// stricter than what is enforced by then.
fn stricter_afterwards(namespace: &Wishes<'_>) -> Option<Level> {
    let now: Level = namespace.labels.get(Mode::Enforce.level_label())?.parse().ok()?;
    namespace.enforce_after.filter(|after| *after > now)
}

/// Sets `enforce`, and takes `warn` and `audit` along where they stand one level above `enforce`.
fn tighten(labels: &mut BTreeMap<String, String>, namespace: &Wishes<'_>, enforce: Level) {
    let mut set = |mode: Mode, level: Level| {
        labels.insert(mode.level_label().to_owned(), level.to_string());
    };
    set(Mode::Enforce, enforce);
    for (mode, planned) in [(Mode::Audit, namespace.audit), (Mode::Warn, namespace.warn)] {
        let is_next = namespace.enforce.is_some_and(|before| planned == before.next_stricter());
        if is_next {
            set(mode, enforce.next_stricter());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollout::testing::namespace;

    fn text(labels: &BTreeMap<String, String>) -> String {
        let short = |key: &str| key.trim_start_matches("pod-security.kubernetes.io/").to_owned();
        let words: Vec<_> =
            labels.iter().map(|(key, value)| format!("{}={value}", short(key))).collect();
        words.join(" ")
    }

    #[test]
    fn each_stage_sets_its_own_labels() {
        let shop = namespace("shop", Some(Level::Baseline));
        assert_eq!(
            text(&Stage::Warn.labels(&shop)),
            "audit=restricted audit-version=v1.25 warn=restricted warn-version=v1.25"
        );
        assert_eq!(text(&Stage::Enforce.labels(&shop)), "enforce=baseline enforce-version=v1.25");
        assert_eq!(text(&Stage::EnforceAfter.labels(&shop)), "");
    }

    #[test]
    fn nothing_is_enforced_without_evidence() {
        let empty = namespace("empty", None);
        assert_eq!(text(&Stage::Enforce.labels(&empty)), "");
        assert_eq!(Stage::Warn.labels(&empty).len(), 4);
        assert_eq!(text(&Stage::EnforceAfter.labels(&empty)), "");
    }

    #[test]
    fn what_only_psp_loosens_is_tightened_afterwards_with_its_warnings() {
        let mut shop = namespace("shop", Some(Level::Privileged));
        shop.enforce_after = Some(Level::Baseline);
        assert_eq!(
            text(&Stage::EnforceAfter.labels(&shop)),
            "audit=restricted audit-version=v1.25 enforce=baseline enforce-version=v1.25 \
             warn=restricted warn-version=v1.25"
        );
        // A label that is as strict already stays.
        shop.labels.insert(Mode::Enforce.level_label().to_owned(), "baseline".to_owned());
        assert_eq!(text(&Stage::EnforceAfter.labels(&shop)), "");
    }
}
