//! How do two lists differ, and how is the difference done to a third?

use super::{Sides, Slice};

/// What tells the elements of a list apart.
#[derive(Clone, Copy)]
enum ListKind {
    /// The text of this member.
    By(&'static str),
    /// The elements themselves.
    Set,
    /// Nothing: the list is one value.
    Atomic,
}

fn list_kind(field: &str) -> ListKind {
    match field {
        "containers" | "initContainers" | "ephemeralContainers" | "volumes" | "sysctls" => {
            ListKind::By("name")
        }
        "volumeMounts" => ListKind::By("mountPath"),
        "add" | "drop" | "ports" => ListKind::Set,
        _ => ListKind::Atomic,
    }
}

/// See [`Slice::transplanted`].
pub(super) fn transplanted<T: Slice>(
    field: &str,
    base: Option<&Vec<T>>,
    changed: Option<&Vec<T>>,
    target: Option<&Vec<T>>,
) -> Option<Vec<T>> {
    let empty = Vec::new();
    match Sides::of(base, changed, target, &empty) {
        Sides::Decided(value) => value.cloned(),
        Sides::Merged { base, changed, target, one_lacks } => {
            let merged = match list_kind(field) {
                ListKind::By(key) => by_key(key, base, changed, target),
                ListKind::Set => of_sets(base, changed, target),
                ListKind::Atomic if base.is_empty() && !target.is_empty() => target.clone(),
                ListKind::Atomic => changed.clone(),
            };
            (!(one_lacks && merged.is_empty())).then_some(merged)
        }
    }
}

fn by_key<T: Slice>(key: &str, base: &[T], changed: &[T], target: &[T]) -> Vec<T> {
    let mut result = Vec::new();
    for item in changed {
        let (base, target) = (counterpart(key, base, item), counterpart(key, target, item));
        // What was there before and is gone from the target stays gone.
        if target.is_some() || base.is_none() {
            result.extend(T::transplanted("", base, Some(item), target));
        }
    }
    for item in target {
        if counterpart(key, changed, item).is_none() && counterpart(key, base, item).is_none() {
            result.push(item.clone());
        }
    }
    result
}

/// The first element that cannot be told from `item`.
fn counterpart<'l, T: Slice>(key: &str, list: &'l [T], item: &T) -> Option<&'l T> {
    list.iter().find(|other| other.text_of(key) == item.text_of(key))
}

fn of_sets<T: Slice>(base: &[T], changed: &[T], target: &[T]) -> Vec<T> {
    let was_removed = |item: &T| base.contains(item) && !changed.contains(item);
    let mut result: Vec<T> = target.iter().filter(|item| !was_removed(item)).cloned().collect();
    for item in changed {
        if !base.contains(item) && !result.contains(item) {
            result.push(item.clone());
        }
    }
    result
}

/// See [`Slice::n_differences`].
pub(super) fn n_differences<T: Slice>(
    field: &str,
    a: Option<&Vec<T>>,
    b: Option<&Vec<T>>,
) -> usize {
    let (Some(a), Some(b)) = (a, b) else {
        let only =
            a.or(b).map(|only| only.iter().map(|item| T::n_differences("", Some(item), None)));
        return only.map_or(0, |items| items.sum::<usize>().max(1));
    };
    let n_missing =
        |from: &[T], items: &[T]| items.iter().filter(|item| !from.contains(item)).count();
    match list_kind(field) {
        ListKind::By(key) => {
            let of_a =
                a.iter().map(|item| T::n_differences("", Some(item), counterpart(key, b, item)));
            let only_b = b.iter().filter(|item| counterpart(key, a, item).is_none());
            of_a.sum::<usize>()
                + only_b.map(|item| T::n_differences("", None, Some(item))).sum::<usize>()
        }
        ListKind::Set => n_missing(a, b) + n_missing(b, a),
        ListKind::Atomic => usize::from(a != b),
    }
}
