//! What does the input lack, so that an answer is uncertain?

use crate::objects::meta::Name;
use crate::objects::server::Unlisted;
use crate::objects::snapshot::Snapshot;
use crate::objects::source::ObjectError;
use crate::objects::workload::WorkloadKind;

use super::plan::Missing;

/// What concerns every namespace: kinds of which the input holds nothing, inputs that could not be
/// read to their end, and unreadable objects that count everywhere.
#[must_use]
pub fn of_cluster(snapshot: &Snapshot) -> Vec<Missing> {
    let reading = &snapshot.reading;
    let inputs = reading.unreadable_inputs.iter().map(|message| Missing {
        what: message.clone(),
        why: "any object may be missing".to_owned(),
    });
    let objects = reading.unreadable.iter().filter(|error| namespace_of(error).is_none());
    let lists = reading.unlisted.iter().filter(|unlisted| unlisted.namespace.is_none());
    absent_kinds(snapshot)
        .into_iter()
        .chain(inputs)
        .chain(objects.map(unreadable))
        .chain(lists.map(unlisted))
        .collect()
}

/// What concerns one namespace.
#[must_use]
pub fn of_namespace(snapshot: &Snapshot, namespace: &str) -> Vec<Missing> {
    let objects = snapshot.reading.unreadable.iter();
    let mut missing: Vec<_> =
        objects.filter(|error| namespace_of(error) == Some(namespace)).map(unreadable).collect();
    let lists = snapshot.reading.unlisted.iter();
    missing.extend(lists.filter(|list| list.namespace.as_deref() == Some(namespace)).map(unlisted));
    let conflicts = snapshot.reading.conflicts.iter();
    missing.extend(
        conflicts
            .filter(|conflict| match conflict.kind {
                "Namespace" => *conflict.name == *namespace,
                _ => conflict.namespace.is_empty() || *conflict.namespace == *namespace,
            })
            .map(|conflict| Missing {
                what: format!("the newest {} {}", conflict.kind, conflict.name),
                why: "it was given in versions of which none is known to be the newest".to_owned(),
            }),
    );
    // Without any Namespace the whole kind is missing, and of_cluster says so.
    if !snapshot.namespaces.is_empty() && !snapshot.namespaces.contains_key(namespace) {
        missing.push(Missing {
            what: format!("Namespace {namespace}"),
            why: "its labels are not known".to_owned(),
        });
    }
    missing
}

/// The namespaces of objects and lists that could not be read.
pub fn namespaces_named(snapshot: &Snapshot) -> impl Iterator<Item = Name> {
    let reading = &snapshot.reading;
    let of_lists = reading.unlisted.iter().filter_map(|list| list.namespace.clone());
    reading.unreadable.iter().filter_map(namespace_of).map(Name::from).chain(of_lists)
}

/// The namespace that an unreadable object concerns; `None` where it may concern every one.
fn namespace_of(error: &ObjectError) -> Option<&str> {
    let namespace = if error.kind == "Namespace" { &error.name } else { &error.namespace };
    Some(namespace.as_str()).filter(|namespace| !namespace.is_empty())
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
