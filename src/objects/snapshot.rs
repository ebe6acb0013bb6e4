//! What does one run know of a cluster, and what does it not know?

mod builder;
mod inputs;
mod intern;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

pub use builder::SnapshotBuilder;
pub use inputs::{Input, SeenIn};

use super::event::Event;
use super::meta::Name;
use super::namespace::{Namespace, ServiceAccount};
use super::pod::Pod;
use super::psp::PodSecurityPolicy;
use super::rbac::{Binding, Role};
use super::server::{Server, Unlisted};
use super::source::{ObjectError, Source, printable};
use super::time::Time;
use super::workload::{Workload, WorkloadKind};
use crate::version::Version;

/// Everything one run knows of a cluster, sorted, each object once.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Snapshot {
    /// The PodSecurityPolicies, by name.
    pub policies: BTreeMap<Name, PodSecurityPolicy>,
    /// The Roles (by namespace and name) and ClusterRoles (namespace `None`).
    pub roles: BTreeMap<(Option<Name>, Name), Role>,
    /// The RoleBindings (by namespace and name) and ClusterRoleBindings (namespace `None`).
    pub bindings: BTreeMap<(Option<Name>, Name), Binding>,
    /// The Namespace objects, by name. Pods may stand in namespaces that have none here.
    pub namespaces: BTreeMap<Name, Namespace>,
    /// The ServiceAccounts, by namespace and name.
    pub service_accounts: BTreeMap<(Name, Name), ServiceAccount>,
    /// The workloads, by namespace, kind and name. One without a name stands under its
    /// `generateName`, further ones of the same with `#2`, `#3` … behind it.
    pub workloads: BTreeMap<(Name, WorkloadKind, Box<str>), Workload>,
    /// The pods, sorted by namespace and name.
    pub pods: Vec<Pod>,
    /// The events that say that admission has refused pods, sorted by namespace and name. There are
    /// none where they were not asked for, or are too old: servers keep them for an hour.
    pub events: Vec<Event>,
    /// The API server; `None` where the input does not say.
    pub server: Option<Server>,
    /// When it was taken of a running cluster; `None` where it was not, or has been since.
    pub taken_at: Option<Time>,
    /// The inputs that it was made from, sorted by name; empty for a running cluster.
    pub inputs: Vec<Input>,
    /// What was read and what could not be.
    pub reading: Reading,
}

impl Snapshot {
    /// The version of the API server; `None` where the input does not say.
    #[must_use]
    pub fn server_version(&self) -> Option<Version> {
        self.server.as_ref().map(|server| server.version)
    }
}

/// What a snapshot was made from: the evidence for how complete it is.
///
/// An empty kind leaves no trace in what kubectl prints, so a kind that is absent from [`Self::read`]
/// is not known to be missing, unless [`Self::listed`] says that all of it was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// How many objects of each kind were given, duplicates included, by the kind's name.
    pub read: BTreeMap<&'static str, usize>,
    /// The kinds that were asked for and given to their end, or that the cluster does not have: of
    /// these, what is not there does not exist.
    pub listed: BTreeSet<Name>,
    /// The lists that the cluster did not give, sorted.
    pub unlisted: Vec<Unlisted>,
    /// How many objects of kinds that the program does not read were skipped, by apiVersion and
    /// kind.
    pub skipped: BTreeMap<(Name, Name), usize>,
    /// The objects that could not be read, sorted. An error with an empty kind may stand for any
    /// number of objects: a document that is no YAML, the rest of a truncated file.
    pub unreadable: Vec<ObjectError>,
    /// What is wrong with inputs that could not be read at all or to their end, sorted.
    pub unreadable_inputs: Vec<String>,
    /// The objects that were given in several versions of which none is the newest, sorted.
    pub conflicts: Vec<Conflict>,
}

impl Reading {
    /// Whether everything that was given could be read, and is known to be the newest.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.unreadable.is_empty()
            && self.unreadable_inputs.is_empty()
            && self.unlisted.is_empty()
            && self.conflicts.is_empty()
    }

    /// Whether something that could not be read may belong to a namespace: an object of that
    /// namespace, or one of which it is not known, or that counts for all (a PodSecurityPolicy,
    /// ClusterRole or ClusterRoleBinding).
    #[must_use]
    pub fn may_lack_objects_of(&self, namespace: &str) -> bool {
        let concerns = |unlisted: &Unlisted| {
            unlisted.namespace.as_deref().is_none_or(|name| name == namespace)
        };
        !self.unreadable_inputs.is_empty()
            || self.unlisted.iter().any(concerns)
            || self.unreadable.iter().any(|error| match error.kind.as_str() {
                "Namespace" => error.name.is_empty() || error.name == namespace,
                _ => error.namespace.is_empty() || error.namespace == namespace,
            })
    }
}

/// An object that was given more than once, with different contents of which none is known to be
/// the newest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Conflict {
    /// The kind.
    pub kind: Name,
    /// The namespace; empty for objects of the cluster.
    pub namespace: Name,
    /// The name.
    pub name: Name,
    /// Where the version stands that the snapshot keeps. Which one that is does not depend on the
    /// order of the input.
    pub kept: Source,
    /// Where the others stand, sorted.
    pub dropped: Vec<Source>,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match &*self.namespace {
            "" => self.name.to_string(),
            namespace => format!("{namespace}/{}", self.name),
        };
        write!(
            f,
            "{}: {} `{}` stands elsewhere too with other contents, and neither is known to be newer",
            self.kept,
            printable(&self.kind),
            printable(&name),
        )
    }
}
