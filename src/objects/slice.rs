//! How is one value of a slice reached by its path, and how do two slices differ, whatever the field?
//!
//! Injection, patches and what PSP wrote can stand in any field. Code for each field would repeat
//! every field of a pod for each question, so `slice!` declares with a struct how paths lead
//! through it. Containers, volumes and the like are found by name: a webhook that puts its container
//! first has not changed the others.

mod merge;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::de::DeserializeSeed;
use serde_json::Value as Json;

use super::path::Segment;
use super::slim::{Nullable, Slim, Written};

/// A part of a pod that paths lead through.
///
/// What [`Slim::is_absent`] says is not there, so that an `Option` tells an absent value throughout.
pub trait Slice: Slim + Clone + PartialEq {
    /// The value at a path below; `None` where nothing stands.
    fn get(&self, path: &[Segment]) -> Option<Json> {
        path.is_empty().then(|| json(self))
    }

    /// Sets the value at a path below, making the objects on the way. Nothing happens where a list
    /// on the way lacks the element, or where the value is of another type than the field.
    fn set(&mut self, path: &[Segment], value: &Json) {
        if path.is_empty() {
            assign(self, value);
        }
    }

    /// Removes the value at a path below, and the objects above it that become empty and that `keep`
    /// does not have.
    fn remove(&mut self, _path: &[Segment], _keep: Option<&Self>) {}

    /// Whether it is an object without members.
    fn is_empty_object(&self) -> bool {
        false
    }

    /// The text of the member `key`, by which lists tell their elements apart.
    fn text_of(&self, _key: &str) -> Option<&str> {
        None
    }

    /// The value itself where it is a text.
    fn text(&self) -> Option<&str> {
        None
    }

    /// Does to `target` what has been done to `base` to make `changed`: a three-way merge. `field`
    /// is the field in which the values stand.
    ///
    /// Where both sides changed a value, the change wins over the target; where both added one, the
    /// target's stays, as webhooks fill in what is unset.
    #[must_use]
    fn transplanted(
        _field: &str,
        base: Option<&Self>,
        changed: Option<&Self>,
        target: Option<&Self>,
    ) -> Option<Self> {
        transplanted_whole(base, changed, target).cloned()
    }

    /// In how many values two parts differ. `field` is the field in which they stand.
    #[must_use]
    fn n_differences(_field: &str, a: Option<&Self>, b: Option<&Self>) -> usize {
        usize::from(a != b)
    }
}

/// The JSON of a value.
fn json<T: Slim>(value: &T) -> Json {
    serde_json::to_value(Written(value)).unwrap_or_default()
}

/// Takes a value over if it has the right type.
pub fn assign<T: Slim>(field: &mut T, value: &Json) {
    if let Ok(value) = Nullable::seed().deserialize(value) {
        *field = value;
    }
}

/// A field's value, where it is not absent.
pub fn present<T: Slim>(value: &T) -> Option<&T> {
    (!value.is_absent()).then_some(value)
}

/// Removes what stands at `path` below a field of an object whose counterpart `keep` is; the whole
/// field where the path ends there, or where nothing but an empty object is left.
pub fn remove_in<T: Slice>(field: &mut T, path: &[Segment], keep: Option<&T>) {
    if path.is_empty() {
        *field = T::default();
    } else if !field.is_absent() {
        field.remove(path, keep);
        if keep.is_none() && field.is_empty_object() {
            *field = T::default();
        }
    }
}

/// The merge of values that are not looked into.
#[must_use]
pub fn transplanted_whole<'a, T: PartialEq + ?Sized>(
    base: Option<&'a T>,
    changed: Option<&'a T>,
    target: Option<&'a T>,
) -> Option<&'a T> {
    match (base, changed, target) {
        _ if base == changed => target,
        (None, Some(_), Some(target)) => Some(target),
        _ => changed,
    }
}

/// The merge of a field of objects.
pub fn transplanted_in<T: Slice>(field: &str, base: &T, changed: &T, target: &T) -> T {
    let [base, changed, target] = [base, changed, target].map(present);
    T::transplanted(field, base, changed, target).unwrap_or_default()
}

/// Declares a [`slim!`](super::slim) struct together with the ways through it.
macro_rules! slice {
    ($(#[$meta:meta])* $vis:vis struct $name:ident as $expecting:literal {
        $($(#[$field_meta:meta])* $key:literal $field:ident: $type:ty,)*
    }) => {
        $crate::objects::slim::slim! {
            $(#[$meta])* $vis struct $name as $expecting {
                $($(#[$field_meta])* $key $field: $type,)*
            }
        }
        $crate::objects::slice::ways!($name { $($key $field,)* });
    };
}

/// The ways through a struct whose fields have these keys.
macro_rules! ways {
    ($name:ident { $($key:literal $field:ident,)* }) => {
        #[allow(unused_variables, reason = "a struct may have no fields")]
        impl $crate::objects::slice::Slice for $name {
            fn get(&self, path: &[$crate::objects::path::Segment]) -> Option<::serde_json::Value> {
                use $crate::objects::path::Segment;
                use $crate::objects::slice::{Slice, present};
                match path {
                    [] => ::serde_json::to_value(self).ok(),
                    $([Segment::Field($key), rest @ ..] => {
                        present(&self.$field).and_then(|field| Slice::get(field, rest))
                    })*
                    _ => None,
                }
            }

            fn set(
                &mut self,
                path: &[$crate::objects::path::Segment],
                value: &::serde_json::Value,
            ) {
                use $crate::objects::path::Segment;
                use $crate::objects::slice::Slice;
                match path {
                    [] => $crate::objects::slice::assign(self, value),
                    $([Segment::Field($key), rest @ ..] => Slice::set(&mut self.$field, rest, value),)*
                    _ => {}
                }
            }

            fn remove(
                &mut self,
                path: &[$crate::objects::path::Segment],
                keep: Option<&Self>,
            ) {
                use $crate::objects::path::Segment;
                use $crate::objects::slice::{present, remove_in};
                match path {
                    $([Segment::Field($key), rest @ ..] => {
                        let keep = keep.and_then(|keep| present(&keep.$field));
                        remove_in(&mut self.$field, rest, keep);
                    })*
                    _ => {}
                }
            }

            fn is_empty_object(&self) -> bool {
                *self == Self::default()
            }

            fn text_of(&self, key: &str) -> Option<&str> {
                use $crate::objects::slice::{Slice, present};
                match key {
                    $($key => present(&self.$field).and_then(Slice::text),)*
                    _ => None,
                }
            }

            fn transplanted(
                _field: &str,
                base: Option<&Self>,
                changed: Option<&Self>,
                target: Option<&Self>,
            ) -> Option<Self> {
                use $crate::objects::slice::{Sides, transplanted_in};
                let empty = Self::default();
                match Sides::of(base, changed, target, &empty) {
                    Sides::Decided(value) => value.cloned(),
                    Sides::Merged { base, changed, target, one_lacks } => {
                        let merged = Self {
                            $($field: transplanted_in(
                                $key, &base.$field, &changed.$field, &target.$field,
                            ),)*
                        };
                        (!(one_lacks && merged == empty)).then_some(merged)
                    }
                }
            }

            fn n_differences(_field: &str, a: Option<&Self>, b: Option<&Self>) -> usize {
                use $crate::objects::slice::{Slice, present};
                if a == b {
                    return 0;
                }
                let empty = Self::default();
                let (left, right) = (a.unwrap_or(&empty), b.unwrap_or(&empty));
                let n: usize = 0 $(+ Slice::n_differences(
                    $key, present(&left.$field), present(&right.$field),
                ))*;
                n.max(usize::from(a.is_none() || b.is_none()))
            }
        }
    };
}

pub(crate) use {slice, ways};

/// The sides of a merge of objects, or of lists.
pub enum Sides<'a, T: ?Sized> {
    /// The outcome needs no look into the values; `None` for an absent one.
    Decided(Option<&'a T>),
    /// The members are to be merged one by one.
    Merged {
        /// What was there.
        base: &'a T,
        /// What it has become.
        changed: &'a T,
        /// What the same is to be done to.
        target: &'a T,
        /// Whether `changed` or `target` was absent, so that an empty outcome is absent too.
        one_lacks: bool,
    },
}

impl<'a, T: ?Sized + PartialEq> Sides<'a, T> {
    /// Where two of the three have a value to look into, the third is as good as empty if it has
    /// none.
    pub fn of(
        base: Option<&'a T>,
        changed: Option<&'a T>,
        target: Option<&'a T>,
        empty: &'a T,
    ) -> Self {
        let merged =
            |base, changed, target, one_lacks| Self::Merged { base, changed, target, one_lacks };
        match (base, changed, target) {
            _ if base == changed => Self::Decided(target),
            (Some(base), Some(changed), None) => merged(base, changed, empty, true),
            (Some(base), None, Some(target)) => merged(base, empty, target, true),
            (base, Some(changed), Some(target)) => {
                merged(base.unwrap_or(empty), changed, target, false)
            }
            (_, changed, _) => Self::Decided(changed),
        }
    }
}

impl Slice for bool {}

impl Slice for i64 {}

impl Slice for String {
    fn text(&self) -> Option<&str> {
        Some(self)
    }
}

impl<T: Slice> Slice for Option<T> {
    fn get(&self, path: &[Segment]) -> Option<Json> {
        self.as_ref()?.get(path)
    }

    fn set(&mut self, path: &[Segment], value: &Json) {
        match path {
            [] => assign(self, value),
            path => self.get_or_insert_default().set(path, value),
        }
    }

    fn remove(&mut self, path: &[Segment], keep: Option<&Self>) {
        if let Some(value) = self {
            value.remove(path, keep.and_then(Option::as_ref));
        }
    }

    fn is_empty_object(&self) -> bool {
        self.as_ref().is_some_and(T::is_empty_object)
    }

    fn text(&self) -> Option<&str> {
        self.as_ref()?.text()
    }

    fn transplanted(
        field: &str,
        base: Option<&Self>,
        changed: Option<&Self>,
        target: Option<&Self>,
    ) -> Option<Self> {
        let [base, changed, target] =
            [base, changed, target].map(|value| value.and_then(Option::as_ref));
        T::transplanted(field, base, changed, target).map(Some)
    }

    fn n_differences(field: &str, a: Option<&Self>, b: Option<&Self>) -> usize {
        T::n_differences(field, a.and_then(Option::as_ref), b.and_then(Option::as_ref))
    }
}

impl<T: Slice> Slice for Vec<T> {
    fn get(&self, path: &[Segment]) -> Option<Json> {
        match path {
            [] => Some(json(self)),
            [Segment::Index(index, name), rest @ ..] => {
                self[position(self, *index, name.as_deref())?].get(rest)
            }
            _ => None,
        }
    }

    fn set(&mut self, path: &[Segment], value: &Json) {
        match path {
            [] => assign(self, value),
            [Segment::Index(index, name), rest @ ..] => {
                if let Some(index) = position(self, *index, name.as_deref()) {
                    self[index].set(rest, value);
                }
            }
            _ => {}
        }
    }

    fn remove(&mut self, path: &[Segment], keep: Option<&Self>) {
        let [Segment::Index(index, name), rest @ ..] = path else { return };
        let Some(place) = position(self, *index, name.as_deref()) else { return };
        if rest.is_empty() {
            Vec::remove(self, place);
            return;
        }
        let kept = keep.and_then(|keep| Some(&keep[position(keep, *index, name.as_deref())?]));
        self[place].remove(rest, kept);
    }

    fn transplanted(
        field: &str,
        base: Option<&Self>,
        changed: Option<&Self>,
        target: Option<&Self>,
    ) -> Option<Self> {
        merge::transplanted(field, base, changed, target)
    }

    fn n_differences(field: &str, a: Option<&Self>, b: Option<&Self>) -> usize {
        merge::n_differences(field, a, b)
    }
}

/// Where in a list an element stands: by name where it has one, else by index.
fn position<T: Slice>(list: &[T], index: usize, name: Option<&str>) -> Option<usize> {
    let has_name = |item: &T, name: &str| item.text_of("name") == Some(name);
    match name {
        // Names can be given twice in input that no server has checked; then the index decides.
        Some(name) if !list.get(index).is_some_and(|item| has_name(item, name)) => {
            list.iter().position(|item| has_name(item, name))
        }
        _ => (index < list.len()).then_some(index),
    }
}

impl Slice for BTreeMap<String, String> {
    fn get(&self, path: &[Segment]) -> Option<Json> {
        match path {
            [] => Some(json(self)),
            [Segment::Key(key)] => BTreeMap::get(self, &**key).map(|value| Json::from(&**value)),
            _ => None,
        }
    }

    fn set(&mut self, path: &[Segment], value: &Json) {
        if let ([Segment::Key(key)], Json::String(value)) = (path, value) {
            self.insert(key.to_string(), value.clone());
        }
    }

    fn remove(&mut self, path: &[Segment], _keep: Option<&Self>) {
        if let [Segment::Key(key)] = path {
            BTreeMap::remove(self, &**key);
        }
    }

    fn is_empty_object(&self) -> bool {
        self.is_empty()
    }

    fn transplanted(
        _field: &str,
        base: Option<&Self>,
        changed: Option<&Self>,
        target: Option<&Self>,
    ) -> Option<Self> {
        let empty = Self::new();
        match Sides::of(base, changed, target, &empty) {
            Sides::Decided(value) => value.cloned(),
            Sides::Merged { base, changed, target, one_lacks } => {
                let only_changed = changed.keys().filter(|key| !target.contains_key(*key));
                let keys = target.keys().chain(only_changed);
                let merged: Self = keys
                    .filter_map(|key| {
                        let [base, changed, target] =
                            [base, changed, target].map(|map| BTreeMap::get(map, key));
                        let value = transplanted_whole(base, changed, target)?;
                        Some((key.clone(), value.clone()))
                    })
                    .collect();
                (!(one_lacks && merged.is_empty())).then_some(merged)
            }
        }
    }

    fn n_differences(_field: &str, a: Option<&Self>, b: Option<&Self>) -> usize {
        let (Some(a), Some(b)) = (a, b) else {
            return a.or(b).map_or(0, |only| only.len().max(1));
        };
        let only_b = b.keys().filter(|key| !a.contains_key(*key)).count();
        only_b + a.iter().filter(|(key, value)| BTreeMap::get(b, *key) != Some(*value)).count()
    }
}
