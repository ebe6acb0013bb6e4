//! How do the many copies of a pod share what none of them changes?

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

use serde::de::Deserializer;
use serde::ser::Serializer;
use serde_json::Value as Json;

use super::path::Segment;
use super::slice::Slice;
use super::slim::Slim;

/// A list whose copies share their elements until one of them is changed.
///
/// A pod is copied for each state and each patch that is tried, and its volumes are most of it.
#[derive(Clone)]
pub struct SharedList<T>(Option<Arc<Vec<T>>>);

impl<T: Clone> SharedList<T> {
    /// The elements, to change; copied first if they are shared.
    pub fn to_mut(&mut self) -> &mut Vec<T> {
        Arc::make_mut(self.0.get_or_insert_default())
    }

    /// The elements, to be shared with equal lists; `None` where there are none.
    pub fn shared_mut(&mut self) -> Option<&mut Arc<Vec<T>>> {
        self.0.as_mut()
    }
}

impl<T> Default for SharedList<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Deref for SharedList<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        self.0.as_deref().map_or(&[], Vec::as_slice)
    }
}

impl<T> From<Vec<T>> for SharedList<T> {
    fn from(items: Vec<T>) -> Self {
        Self((!items.is_empty()).then(|| Arc::new(items)))
    }
}

impl<T> FromIterator<T> for SharedList<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Vec::from_iter(items).into()
    }
}

impl<'a, T> IntoIterator for &'a SharedList<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T: fmt::Debug> fmt::Debug for SharedList<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: PartialEq> PartialEq for SharedList<T> {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(left), Some(right)) if Arc::ptr_eq(left, right) => true,
            _ => **self == **other,
        }
    }
}

impl<T: Eq> Eq for SharedList<T> {}

impl<T: PartialOrd> PartialOrd for SharedList<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        (**self).partial_cmp(&**other)
    }
}

impl<T: Ord> Ord for SharedList<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (**self).cmp(&**other)
    }
}

impl<T: Hash> Hash for SharedList<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl<T: Slim + Clone> Slim for SharedList<T> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::read(deserializer).map(Self::from)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        super::slim::write_list(self, serializer)
    }

    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

impl<T: Slice> SharedList<T> {
    fn as_vec(list: Option<&Self>) -> Option<&Vec<T>> {
        list?.0.as_deref()
    }
}

impl<T: Slice> Slice for SharedList<T> {
    fn get(&self, path: &[Segment]) -> Option<Json> {
        Slice::get(&**self.0.as_ref()?, path)
    }

    fn set(&mut self, path: &[Segment], value: &Json) {
        Slice::set(self.to_mut(), path, value);
    }

    fn remove(&mut self, path: &[Segment], keep: Option<&Self>) {
        Slice::remove(self.to_mut(), path, Self::as_vec(keep));
    }

    fn transplanted(
        field: &str,
        base: Option<&Self>,
        changed: Option<&Self>,
        target: Option<&Self>,
    ) -> Option<Self> {
        if base == changed {
            return target.cloned();
        }
        let [base, changed, target] = [base, changed, target].map(Self::as_vec);
        Slice::transplanted(field, base, changed, target).map(Self::from)
    }

    fn n_differences(field: &str, a: Option<&Self>, b: Option<&Self>) -> usize {
        if a == b {
            return 0;
        }
        Slice::n_differences(field, Self::as_vec(a), Self::as_vec(b))
    }
}
