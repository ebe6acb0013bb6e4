//! How many namespaces can take which level, in which state?

use super::{Shown, shown};
use crate::level::Level;
use crate::migrate::plan::NamespacePlan;

/// A state with the namespaces at each level.
pub(super) struct Bar {
    pub(super) title: &'static str,
    pub(super) aside: &'static str,
    /// From the strictest level to none.
    pub(super) parts: Vec<Part>,
}

/// The namespaces at one level.
pub(super) struct Part {
    pub(super) level: Shown,
    pub(super) n: usize,
}

type LevelOf = fn(&NamespacePlan) -> Option<Level>;

const STATES: &[(&str, &str, LevelOf)] = &[
    ("Running", "the live pods as they are", |namespace| namespace.levels.running),
    ("After PSP", "new pods, without what PSP writes", |namespace| namespace.levels.future),
    ("After PSP, kept", "templates say what PSP wrote", |namespace| namespace.levels.kept),
    ("After PSP, raised", "with the whole patches, to be tested", |namespace| {
        namespace.levels.raised
    }),
    ("To enforce", "safe before and after the upgrade", |namespace| namespace.enforce),
];

/// A bar for each state.
pub(super) fn bars<'p>(namespaces: impl Iterator<Item = &'p NamespacePlan>) -> Vec<Bar> {
    let namespaces: Vec<_> = namespaces.collect();
    let bar = |&(title, aside, level_of): &(&'static str, &'static str, LevelOf)| Bar {
        title,
        aside,
        parts: Level::ALL
            .into_iter()
            .rev()
            .map(Some)
            .chain([None])
            .map(|level| Part {
                level: shown(level),
                n: namespaces.iter().filter(|namespace| level_of(namespace) == level).count(),
            })
            .collect(),
    };
    STATES.iter().map(bar).collect()
}
