//! How is something found that equals this?
//!
//! In maps and sets that are only ever asked, never walked, so that no hash shows in any output. The
//! standard library's hash takes several times as long for whole pods; this one is seeded too, so that
//! who writes a dump cannot know what collides.

#![expect(clippy::disallowed_types, reason = "the one place that gives them their hash")]

use foldhash::fast::RandomState;

/// As the standard library's, but for the hash.
pub(crate) type HashMap<K, V> = std::collections::HashMap<K, V, RandomState>;

/// As the standard library's, but for the hash.
pub(crate) type HashSet<T> = std::collections::HashSet<T, RandomState>;
