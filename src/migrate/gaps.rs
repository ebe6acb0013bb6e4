//! What does the input lack, so that an answer is uncertain?

use std::collections::BTreeMap;

use crate::objects::meta::Name;
use crate::objects::server::Unlisted;
use crate::objects::snapshot::{Conflict, Snapshot};
use crate::objects::source::ObjectError;
use crate::objects::workload::WorkloadKind;

use super::plan::Missing;

/// What concerns every namespace: kinds of which the input holds nothing, inputs that could not be
/// read to their end, and objects that count everywhere and are unreadable or of which the newest
/// version is not known.
#[must_use]
pub fn of_cluster(snapshot: &Snapshot) -> Vec<Missing> {
    let reading = &snapshot.reading;
    let inputs = reading.unreadable_inputs.iter().map(|message| Missing {
        what: message.clone(),
        why: "any object may be missing".to_owned(),
    });
    let objects = reading.unreadable.iter().filter(|error| namespace_of(error).is_none());
    let lists = reading.unlisted.iter().filter(|unlisted| unlisted.namespace.is_none());
    let conflicts = reading.conflicts.iter().filter(|it| namespace_in_conflict(it).is_none());
    absent_kinds(snapshot)
        .into_iter()
        .chain(inputs)
        .chain(objects.map(unreadable))
        .chain(lists.map(unlisted))
        .chain(conflicts.map(uncertain))
        .collect()
}

/// What concerns single namespaces, sorted out once for all of them.
#[derive(Debug)]
pub struct OfNamespaces<'s> {
    snapshot: &'s Snapshot,
    unreadable: BTreeMap<&'s str, Vec<&'s ObjectError>>,
    unlisted: BTreeMap<&'s str, Vec<&'s Unlisted>>,
    conflicts: BTreeMap<&'s str, Vec<&'s Conflict>>,
}

impl<'s> OfNamespaces<'s> {
    /// What a snapshot lacks.
    #[must_use]
    pub fn new(snapshot: &'s Snapshot) -> Self {
        let reading = &snapshot.reading;
        Self {
            snapshot,
            unreadable: grouped(&reading.unreadable, namespace_of),
            unlisted: grouped(&reading.unlisted, |list| list.namespace.as_deref()),
            conflicts: grouped(&reading.conflicts, namespace_in_conflict),
        }
    }

    /// What concerns that namespace.
    #[must_use]
    pub fn of(&self, namespace: &str) -> Vec<Missing> {
        let objects = self.unreadable.get(namespace).into_iter().flatten();
        let lists = self.unlisted.get(namespace).into_iter().flatten();
        let mut missing: Vec<_> = objects.copied().map(unreadable).collect();
        missing.extend(lists.copied().map(unlisted));
        let conflicts = self.conflicts.get(namespace).into_iter().flatten();
        missing.extend(conflicts.copied().map(uncertain));
        // Without any Namespace the whole kind is missing, and of_cluster says so.
        let namespaces = &self.snapshot.namespaces;
        if !namespaces.is_empty() && !namespaces.contains_key(namespace) {
            missing.push(Missing {
                what: format!("Namespace {namespace}"),
                why: "its labels are not known".to_owned(),
            });
        }
        missing
    }
}

fn grouped<'s, T>(
    all: &'s [T],
    namespace_of: impl Fn(&'s T) -> Option<&'s str>,
) -> BTreeMap<&'s str, Vec<&'s T>> {
    let mut groups = BTreeMap::<&str, Vec<&T>>::new();
    for one in all {
        if let Some(namespace) = namespace_of(one) {
            groups.entry(namespace).or_default().push(one);
        }
    }
    groups
}

/// The namespaces of objects and lists that could not be read, or not for certain.
pub fn namespaces_named(snapshot: &Snapshot) -> impl Iterator<Item = Name> {
    let reading = &snapshot.reading;
    let of_lists = reading.unlisted.iter().filter_map(|list| list.namespace.clone());
    let of_objects = reading.unreadable.iter().filter_map(namespace_of);
    let of_conflicts = reading.conflicts.iter().filter_map(namespace_in_conflict);
    of_objects.chain(of_conflicts).map(Name::from).chain(of_lists)
}

/// The namespace that an unreadable object concerns; `None` where it may concern every one.
fn namespace_of(error: &ObjectError) -> Option<&str> {
    concerned(&error.kind, &error.namespace, &error.name)
}

/// The namespace that a conflict concerns; `None` where it concerns every one.
fn namespace_in_conflict(conflict: &Conflict) -> Option<&str> {
    concerned(&conflict.kind, &conflict.namespace, &conflict.name)
}

fn concerned<'o>(kind: &str, namespace: &'o str, name: &'o str) -> Option<&'o str> {
    let namespace = if kind == "Namespace" { name } else { namespace };
    Some(namespace).filter(|namespace| !namespace.is_empty())
}

/// An object of which the newest version is not known.
fn uncertain(conflict: &Conflict) -> Missing {
    Missing {
        what: format!("the newest {} {}", conflict.kind, conflict.name),
        why: "it was given in versions of which none is known to be the newest".to_owned(),
    }
}

fn unreadable(error: &ObjectError) -> Missing {
    Missing { what: error.to_string(), why: "the object could not be read".to_owned() }
}

/// A list that the cluster did not give.
fn unlisted(list: &Unlisted) -> Missing {
    let why = match list.grant.as_str() {
        "" => list.reason.clone(),
        grant => format!("{}; to grant it: {grant}", list.reason),
    };
    let of = list.namespace.as_deref().map_or(String::new(), |name| format!(" of {name}"));
    Missing { what: format!("the list of {} objects{of}", list.kind), why }
}

/// The kinds without which the answer is uncertain and of which the snapshot holds none.
fn absent_kinds(snapshot: &Snapshot) -> Vec<Missing> {
    let has_rbac = !snapshot.roles.is_empty() && !snapshot.bindings.is_empty();
    // What was asked for and is not there does not exist.
    let may_exist =
        |kinds: &[&str]| kinds.iter().any(|kind| !snapshot.reading.listed.contains(*kind));
    let rbac = ["Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"];
    let workloads = WorkloadKind::ALL.map(WorkloadKind::as_str);
    let kinds = [
        (
            snapshot.policies.is_empty() && may_exist(&["PodSecurityPolicy"]),
            "PodSecurityPolicies",
            "admission today cannot be simulated, and what PSP wrote into pods is guessed",
        ),
        (
            !has_rbac && may_exist(&rbac),
            "roles and bindings",
            "admission today cannot be simulated, as nobody is known to use a policy",
        ),
        (
            snapshot.namespaces.is_empty() && may_exist(&["Namespace"]),
            "Namespaces",
            "labels and empty namespaces are not known",
        ),
        (
            snapshot.pods.is_empty() && may_exist(&["Pod"]),
            "Pods",
            "neither what runs now nor what webhooks inject is known",
        ),
        (
            snapshot.workloads.is_empty() && may_exist(&workloads),
            "workloads",
            "the pods of tomorrow are guessed from live pods",
        ),
    ];
    kinds
        .into_iter()
        .filter(|(is_absent, ..)| *is_absent)
        .map(|(_, what, why)| Missing { what: what.to_owned(), why: why.to_owned() })
        .collect()
}
