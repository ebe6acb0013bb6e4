//! How do the many copies of a pod share the parts that none of them changes?

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use serde::de::Deserializer;
use serde::ser::Serializer;
use serde_json::Value as Json;

use super::path::Segment;
use super::slice::{Slice, assign};
use super::slim::Slim;

/// A value whose copies are one until one of them is changed.
///
/// A pod is copied for each state, each policy and each patch that is tried, and hardly any of them
/// changes more than a field or two. To borrow the value mutably copies it where it is shared, so
/// that one looks first whether there is anything to change.
#[derive(Clone, Default, PartialOrd, Ord)]
pub struct Shared<T>(Arc<T>);

impl<T> From<T> for Shared<T> {
    fn from(value: T) -> Self {
        Self(Arc::new(value))
    }
}

impl<T> Shared<T> {
    /// The value, to change, where nobody shares it.
    pub fn unshared_mut(&mut self) -> Option<&mut T> {
        Arc::get_mut(&mut self.0)
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Clone> DerefMut for Shared<T> {
    fn deref_mut(&mut self) -> &mut T {
        Arc::make_mut(&mut self.0)
    }
}

impl<T: fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: PartialEq> PartialEq for Shared<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || **self == **other
    }
}

impl<T: Eq> Eq for Shared<T> {}

impl<T: Hash> Hash for Shared<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl<T: Slim> Slim for Shared<T> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::read(deserializer).map(Self::from)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).write(serializer)
    }

    fn is_absent(&self) -> bool {
        (**self).is_absent()
    }
}

impl<T: Slice> Slice for Shared<T> {
    fn get(&self, path: &[Segment]) -> Option<Json> {
        (**self).get(path)
    }

    fn set(&mut self, path: &[Segment], value: &Json) {
        match path {
            [] => assign(self, value),
            path => (**self).set(path, value),
        }
    }

    fn remove(&mut self, path: &[Segment], keep: Option<&Self>) {
        (**self).remove(path, keep.map(|keep| &**keep));
    }

    fn is_empty_object(&self) -> bool {
        (**self).is_empty_object()
    }

    fn text_of(&self, key: &str) -> Option<&str> {
        (**self).text_of(key)
    }

    fn text(&self) -> Option<&str> {
        (**self).text()
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
        let [base, changed, target] = [base, changed, target].map(|it| it.map(|it| &**it));
        T::transplanted(field, base, changed, target).map(Self::from)
    }

    fn n_differences(field: &str, a: Option<&Self>, b: Option<&Self>) -> usize {
        if a == b {
            return 0;
        }
        T::n_differences(field, a.map(|it| &**it), b.map(|it| &**it))
    }
}
