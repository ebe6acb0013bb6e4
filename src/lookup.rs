//! Has this been seen before?
//!
//! Maps and sets that are only ever asked, never walked, so that no hash shows in any output. Every
//! object of a dump is looked up, and the standard library's hash would take longer than the rest; this
//! one is seeded too, so that no dump can be made for its collisions.

use foldhash::fast::RandomState;

/// As the standard library's, but for the hash.
pub(crate) type HashMap<K, V> = std::collections::HashMap<K, V, RandomState>;

/// As the standard library's, but for the hash.
pub(crate) type HashSet<T> = std::collections::HashSet<T, RandomState>;
