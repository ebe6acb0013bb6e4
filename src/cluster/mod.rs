//! How do a running cluster's objects become a snapshot?
//!
//! ```text
//!  kubeconfig ──► connection ──► discovery ──► list, a few kinds at once ──► SnapshotBuilder
//!  pod's account   (kube)        version,      pages through the decoder
//!                                kinds         of dumps (sources::read_page)
//! ```
//!
//! Each kind is listed once, for the whole cluster or for the namespaces that were named; nothing is
//! asked per object. What the cluster does not give is recorded, with the grant that would cure it,
//! and the rest goes on. Only this module knows of asynchrony: [`read_into`] returns when all is
//! read, and a [`Writer`] when what it was told to write is written.

mod connection;
mod discovery;
mod errors;
mod grants;
mod kinds;
mod list;
mod login;
mod request;
mod warnings;
mod write;

use std::sync::{Arc, Mutex};

pub use connection::Target;
pub use errors::ClusterError;
pub use grants::cluster_role;
pub use kinds::{EVENTS, KINDS, ListedKind};
pub use write::{Address, Mode, WriteError, Writer, Written};

use crate::objects::meta::Name;
use crate::objects::server::Unlisted;
use crate::objects::snapshot::SnapshotBuilder;
use list::{ListError, Reader};
use request::{RequestError, Requester};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// How many lists are read at once. Priority and fairness of the API server gives a user few seats,
/// and pods, which take longest, are read page after page anyway.
const MAX_IN_FLIGHT: usize = 4;

/// What shall be read.
#[derive(Debug, Clone)]
pub struct Request {
    /// From which cluster, as whom.
    pub target: Target,
    /// The namespaces to read; empty for all of them.
    pub namespaces: Vec<String>,
    /// How many objects to ask for at a time; 0 for all at once.
    pub page_size: u32,
    /// Whether to read [`EVENTS`] too.
    pub with_events: bool,
}

/// Is told how far the reading has come.
pub trait Progress: Send + Sync {
    /// So many lists will be read.
    fn lists(&self, n_lists: usize);
    /// A page with so many objects has been read.
    fn page(&self, n_objects: usize);
    /// A list has ended, well or not.
    fn list_done(&self);
}

/// Reads everything that a plan needs into the builder.
///
/// # Errors
/// Where nothing can be read at all. What cannot be read besides is recorded in the builder.
pub fn read_into(
    builder: &mut SnapshotBuilder,
    request: &Request,
    progress: Arc<dyn Progress>,
) -> Result<(), ClusterError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(ClusterError::Start)?;
    let reader = runtime.block_on(async {
        let connection = connection::connect(&request.target).await?;
        let reader = Arc::new(Reader {
            requester: Requester::new(connection, request.target.request_timeout),
            builder: Mutex::new(std::mem::take(builder)),
            progress,
            page_size: request.page_size,
            namespaces: request.namespaces.clone(),
        });
        let kinds: Vec<_> = KINDS.iter().chain(request.with_events.then_some(&EVENTS)).collect();
        let result = read_all(&reader, &kinds).await;
        reader.with_builder(|read| std::mem::swap(read, builder));
        result
    });
    // What still reads has nobody to read for.
    runtime.shutdown_background();
    reader
}

async fn read_all(reader: &Arc<Reader>, kinds: &[&'static ListedKind]) -> Result<(), ClusterError> {
    let fatal = |error: RequestError| error.fatal(reader.requester.server());
    let (version, git_version, served) =
        discovery::discover(&reader.requester).await.map_err(fatal)?;
    let served = Arc::new(served);
    let lists: Vec<(&'static ListedKind, Option<Name>)> = kinds
        .iter()
        .flat_map(|&kind| {
            let is_split = kind.is_namespaced && !reader.namespaces.is_empty();
            let names = if is_split {
                reader.namespaces.iter().map(|name| Some(Name::from(name.as_str()))).collect()
            } else {
                vec![None]
            };
            names.into_iter().map(move |name| (kind, name))
        })
        .collect();
    reader.progress.lists(lists.len());
    let seats = Arc::new(Semaphore::new(MAX_IN_FLIGHT));
    let mut tasks = JoinSet::new();
    for (kind, namespace) in lists {
        let (reader, served, seats) = (Arc::clone(reader), Arc::clone(&served), Arc::clone(&seats));
        tasks.spawn(async move {
            // The semaphore is never closed.
            let _seat = seats.acquire().await;
            let result = read_kind(&reader, &served, kind, namespace.as_deref()).await;
            reader.progress.list_done();
            (kind, namespace, result)
        });
    }
    let mut report = Report::default();
    while let Some(done) = tasks.join_next().await {
        // No task is cancelled, so this can only be a panic, which must not pass for an empty list.
        let (kind, namespace, result) = match done {
            Ok(done) => done,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        };
        if let Err(RequestError::Status(status)) = &result
            && status.code == 401
        {
            return Err(fatal(RequestError::Status(status.clone())));
        }
        report.add(kind, namespace, result);
    }
    report.finish(reader, kinds, version, &git_version)
}

/// Whether a kind is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IsServed {
    Yes,
    No,
}

async fn read_kind(
    reader: &Arc<Reader>,
    served: &discovery::Served,
    kind: &ListedKind,
    namespace: Option<&str>,
) -> Result<IsServed, RequestError> {
    for version in served.versions_of(kind) {
        match reader.read_list(&kind.path(version, namespace)).await {
            Ok(()) => return Ok(IsServed::Yes),
            Err(ListError::NotServed) => {}
            Err(ListError::Request(error)) => return Err(error),
        }
    }
    Ok(IsServed::No)
}

/// What has become of the lists.
#[derive(Default)]
struct Report {
    n_listed: usize,
    serves_psp: bool,
    /// The kinds that were given in part, or not at all.
    unlisted: Vec<Unlisted>,
    /// The error of the first of [`KINDS`] that has one, whichever came first.
    first_error: Option<(usize, RequestError)>,
}

impl Report {
    fn add(
        &mut self,
        kind: &ListedKind,
        namespace: Option<Name>,
        result: Result<IsServed, RequestError>,
    ) {
        let is_psp = kind.kind == "PodSecurityPolicy";
        let error = match result {
            Ok(is_served) => {
                self.n_listed += usize::from(is_served == IsServed::Yes);
                self.serves_psp |= is_psp && is_served == IsServed::Yes;
                return;
            }
            Err(error) => error,
        };
        // What is refused is there.
        self.serves_psp |= is_psp;
        let reason = error.reason();
        let grant = match &error {
            RequestError::Status(status) if status.code == 403 => {
                grants::grant(kind, namespace.as_deref(), &status.message)
            }
            _ => String::new(),
        };
        self.unlisted.push(Unlisted { kind: kind.kind.into(), namespace, reason, grant });
        let place = KINDS.iter().position(|known| known.kind == kind.kind).unwrap_or(KINDS.len());
        if self.first_error.as_ref().is_none_or(|(first, _)| place < *first) {
            self.first_error = Some((place, error));
        }
    }

    fn finish(
        self,
        reader: &Reader,
        kinds: &[&ListedKind],
        version: Option<crate::version::Version>,
        git_version: &str,
    ) -> Result<(), ClusterError> {
        if let (0, Some((_, error))) = (self.n_listed, self.first_error) {
            let server = reader.requester.server().to_owned();
            return Err(match error {
                RequestError::Status(status) if status.code == 403 => {
                    let reason = RequestError::Status(status).reason();
                    ClusterError::NothingListed { server, reason }
                }
                error => error.fatal(&server),
            });
        }
        reader.with_builder(|builder| {
            if let Some(server) = discovery::server(version, git_version, self.serves_psp) {
                builder.add_server(server);
            }
            for kind in kinds {
                if self.unlisted.iter().all(|unlisted| *unlisted.kind != *kind.kind) {
                    builder.add_listed(kind.kind.into());
                }
            }
            for unlisted in self.unlisted {
                builder.add_unlisted(unlisted);
            }
        });
        Ok(())
    }
}
