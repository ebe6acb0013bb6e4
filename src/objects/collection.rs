//! What does a collected snapshot say about itself?
//!
//! A dump by kubectl does not tell an empty kind from one that nobody asked for. Snapshots by
//! `collect` begin with an object of their own, which does, and which names the server.

use super::meta::Name;
use super::server::{Server, Unlisted};
use super::slim::slim;
use super::snapshot::Conflict;
use super::source::{ObjectError, Source};
use super::time::MaybeTime;

/// `apiVersion` of the object.
pub const API_VERSION: &str = "psp2psa/v1";
/// `kind` of the object.
pub const KIND: &str = "Snapshot";

slim! {
    /// `reading` of a Snapshot: what was read, and what could not be.
    pub struct Collection as "an account of what was read" with long parts {
        /// `takenAt`: when it was read.
        "takenAt" taken_at: MaybeTime,
        /// `server`.
        "server" server: Option<CollectedServer>,
        /// `kinds`: those of which the snapshot has everything that there was.
        "kinds" kinds: Vec<String>,
        /// `unlisted`: the lists that the cluster did not give.
        "unlisted" unlisted: Vec<CollectedUnlisted>,
        /// `unreadable`: the objects that could not be read.
        "unreadable" unreadable: Vec<CollectedError>,
        /// `unreadableInputs`: what could not be read to its end.
        "unreadableInputs" unreadable_inputs: Vec<String>,
        /// `conflicts`: the objects of which the newest version is not known; the snapshot has one.
        "conflicts" conflicts: Vec<CollectedConflict>,
    }
}

slim! {
    /// `server`.
    pub struct CollectedServer as "a server" with long parts {
        /// `version`: `v1.N`.
        "version" version: String,
        /// `gitVersion`.
        "gitVersion" git_version: String,
        /// `servesPsp`.
        "servesPsp" serves_psp: bool,
    }
}

slim! {
    /// One of `unlisted`.
    pub struct CollectedUnlisted as "a list that was not given" with long parts {
        /// `kind`.
        "kind" kind: String,
        /// `namespace`; `None` for the whole cluster.
        "namespace" namespace: Option<String>,
        /// `reason`.
        "reason" reason: String,
        /// `grant`.
        "grant" grant: String,
    }
}

slim! {
    /// One of `unreadable`; nothing of the object but its name.
    pub struct CollectedError as "an error" with long parts {
        /// `file`.
        "file" file: String,
        /// `index`.
        "index" index: i64,
        /// `line` where the object starts.
        "line" line: Option<i64>,
        /// `faultLine`: the line of the fault.
        "faultLine" fault_line: Option<i64>,
        /// `apiVersion`.
        "apiVersion" api_version: String,
        /// `kind`.
        "kind" kind: String,
        /// `namespace`.
        "namespace" namespace: String,
        /// `name`.
        "name" name: String,
        /// `field`.
        "field" field: String,
        /// `reason`.
        "reason" reason: String,
    }
}

slim! {
    /// One of `conflicts`.
    pub struct CollectedConflict as "a conflict" with long parts {
        /// `kind`.
        "kind" kind: String,
        /// `namespace`; empty for objects of the cluster.
        "namespace" namespace: String,
        /// `name`.
        "name" name: String,
        /// `kept`: where the version stood that the snapshot has.
        "kept" kept: CollectedSource,
        /// `dropped`: where the others stood.
        "dropped" dropped: Vec<CollectedSource>,
    }
}

slim! {
    /// Where an object stood.
    pub struct CollectedSource as "a place" with long parts {
        /// `file`.
        "file" file: String,
        /// `index`.
        "index" index: i64,
        /// `line` where the object starts.
        "line" line: Option<i64>,
    }
}

impl CollectedServer {
    /// The server; `None` where its version is none.
    #[must_use]
    pub fn to_server(&self) -> Option<Server> {
        Some(Server {
            version: self.version.parse().ok()?,
            git_version: Name::from(self.git_version.as_str()),
            serves_psp: self.serves_psp,
        })
    }
}

impl From<&Server> for CollectedServer {
    fn from(server: &Server) -> Self {
        Self {
            version: server.version.to_string(),
            git_version: server.git_version.to_string(),
            serves_psp: server.serves_psp,
        }
    }
}

impl From<&CollectedUnlisted> for Unlisted {
    fn from(unlisted: &CollectedUnlisted) -> Self {
        Self {
            kind: unlisted.kind.as_str().into(),
            namespace: unlisted.namespace.as_deref().map(Name::from),
            reason: unlisted.reason.clone(),
            grant: unlisted.grant.clone(),
        }
    }
}

impl From<&Unlisted> for CollectedUnlisted {
    fn from(unlisted: &Unlisted) -> Self {
        Self {
            kind: unlisted.kind.to_string(),
            namespace: unlisted.namespace.as_deref().map(str::to_owned),
            reason: unlisted.reason.clone(),
            grant: unlisted.grant.clone(),
        }
    }
}

impl From<&CollectedError> for ObjectError {
    fn from(error: &CollectedError) -> Self {
        Self {
            at: Source {
                file: error.file.as_str().into(),
                index: read_number(error.index),
                line: error.line.map(read_number),
            },
            line: error.fault_line.map(read_number),
            api_version: error.api_version.clone(),
            kind: error.kind.clone(),
            namespace: error.namespace.clone(),
            name: error.name.clone(),
            field: error.field.clone(),
            reason: error.reason.clone(),
        }
    }
}

impl From<&ObjectError> for CollectedError {
    fn from(error: &ObjectError) -> Self {
        Self {
            file: error.at.file.to_string(),
            index: written_number(error.at.index),
            line: error.at.line.map(written_number),
            fault_line: error.line.map(written_number),
            api_version: error.api_version.clone(),
            kind: error.kind.clone(),
            namespace: error.namespace.clone(),
            name: error.name.clone(),
            field: error.field.clone(),
            reason: error.reason.clone(),
        }
    }
}

impl From<&CollectedConflict> for Conflict {
    fn from(conflict: &CollectedConflict) -> Self {
        Self {
            kind: conflict.kind.as_str().into(),
            namespace: conflict.namespace.as_str().into(),
            name: conflict.name.as_str().into(),
            kept: (&conflict.kept).into(),
            dropped: conflict.dropped.iter().map(Into::into).collect(),
        }
    }
}

impl From<&Conflict> for CollectedConflict {
    fn from(conflict: &Conflict) -> Self {
        Self {
            kind: conflict.kind.to_string(),
            namespace: conflict.namespace.to_string(),
            name: conflict.name.to_string(),
            kept: (&conflict.kept).into(),
            dropped: conflict.dropped.iter().map(Into::into).collect(),
        }
    }
}

impl From<&CollectedSource> for Source {
    fn from(source: &CollectedSource) -> Self {
        Self {
            file: source.file.as_str().into(),
            index: read_number(source.index),
            line: source.line.map(read_number),
        }
    }
}

impl From<&Source> for CollectedSource {
    fn from(source: &Source) -> Self {
        Self {
            file: source.file.to_string(),
            index: written_number(source.index),
            line: source.line.map(written_number),
        }
    }
}

fn read_number(number: i64) -> usize {
    usize::try_from(number).unwrap_or(0)
}

fn written_number(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
