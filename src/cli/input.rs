//! What shall be read, dumps or a cluster, and what could not be?

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::cluster_args::ClusterArgs;
use super::errors::{self, CliError, Outcome};
use super::progress::Progress;
use crate::cluster;
use crate::objects::Object;
use crate::objects::meta::Name;
use crate::objects::snapshot::{Snapshot, SnapshotBuilder};
use crate::objects::source::printable;
use crate::sources::{self, Content, Input, ObjectError, Source};

/// Where objects come from, the same for every subcommand.
#[derive(Debug, clap::Args)]
pub(super) struct InputArgs {
    /// Read this file, directory or (`-`) standard input; may be given several times
    ///
    /// YAML documents, JSON values one after another, Lists, and an API server's list responses are
    /// told apart by what they are, also within gzip.
    #[arg(short, long, value_name = "FILE")]
    filename: Vec<PathBuf>,

    /// Read the directories within a directory too
    #[arg(short = 'R', long)]
    recursive: bool,
}

impl InputArgs {
    /// Other files, read as these are.
    pub(super) fn of_files(&self, filename: &[PathBuf]) -> Self {
        Self { filename: filename.to_vec(), recursive: self.recursive }
    }

    /// Whether no file is given, so that a cluster is meant where the subcommand reads one.
    pub(super) fn is_empty(&self) -> bool {
        self.filename.is_empty()
    }

    /// The inputs.
    pub(super) fn inputs(&self) -> Result<Vec<Input>, CliError> {
        if self.filename.is_empty() {
            return Err(CliError::NoInput);
        }
        let inputs: Vec<Input> =
            self.filename.iter().map(|path| Input::new(path, self.recursive)).collect();
        if inputs.contains(&Input::Stdin) && std::io::stdin().is_terminal() {
            return Err(CliError::TerminalInput);
        }
        Ok(inputs)
    }

    /// Reads the inputs object by object, and says on standard error what cannot be read.
    ///
    /// `take` gets every object of a kind that the program knows, and every one that cannot be
    /// read, with its ordinal in the whole input; other kinds count too. The outcome is
    /// [`Outcome::Incomplete`] if anything could not be read.
    pub(super) fn read(
        &self,
        take: &mut dyn FnMut(usize, Source, Result<Known, ObjectError>),
    ) -> Result<Outcome, CliError> {
        let mut outcome = Outcome::Clean;
        let mut index = 0;
        sources::read(&self.inputs()?, &mut |item| match item {
            Ok(item) => {
                match item.content {
                    Ok(Content::Object { api_version, kind, object, .. }) => {
                        take(index, item.source, Ok(Known { api_version, kind, object }));
                    }
                    Ok(Content::Skipped { .. }) => {}
                    Err(error) => {
                        outcome = Outcome::Incomplete;
                        errors::say(&format!("error: {error}"));
                        take(index, item.source, Err(error));
                    }
                }
                index += 1;
            }
            Err(error) => {
                outcome = Outcome::Incomplete;
                errors::say(&format!("error: {}", errors::with_causes(&error)));
            }
        });
        if index == 0 && outcome == Outcome::Incomplete {
            return Err(CliError::NothingRead);
        }
        Ok(outcome)
    }
}

/// An object of a kind that the program knows.
pub(super) struct Known {
    pub(super) api_version: Name,
    pub(super) kind: Name,
    pub(super) object: Object,
}

/// Reads the dumps, or the cluster where none is given, and says on standard error what cannot be
/// read.
pub(super) fn read_snapshot(
    input: &InputArgs,
    cluster: &ClusterArgs,
    namespaces: &[String],
) -> Result<Snapshot, CliError> {
    read(input, cluster, &cluster.request(namespaces))
}

/// As [`read_snapshot`], of a cluster with the events that say that pods were refused.
pub(super) fn read_snapshot_with_events(
    input: &InputArgs,
    cluster: &ClusterArgs,
    namespaces: &[String],
) -> Result<Snapshot, CliError> {
    let request = cluster::Request { with_events: true, ..cluster.request(namespaces) };
    read(input, cluster, &request)
}

/// Reads a dump or snapshot.
pub(super) fn read_file(path: &Path) -> Result<Snapshot, CliError> {
    let input = InputArgs { filename: vec![path.to_owned()], recursive: false };
    read_dumps(&input, SnapshotBuilder::default())
}

fn read(
    input: &InputArgs,
    cluster: &ClusterArgs,
    request: &cluster::Request,
) -> Result<Snapshot, CliError> {
    match (input.is_empty(), cluster.chosen()) {
        (true, _) => read_live(request),
        (false, None) => read_dumps(input, SnapshotBuilder::default()),
        (false, Some(flag)) => Err(CliError::Usage {
            message: format!(
                "`-f` and `{flag}` do not go together: either files are read, or a cluster"
            ),
            hint: "leave one of them out".to_owned(),
        }),
    }
}

/// Reads the dumps into what was begun, and says on standard error what cannot be read.
pub(super) fn read_dumps(
    input: &InputArgs,
    mut builder: SnapshotBuilder,
) -> Result<Snapshot, CliError> {
    let inputs = input.inputs()?;
    let progress = Progress::new();
    let input_errors = sources::read_into_with(&mut builder, &inputs, &mut || progress.object());
    drop(progress);
    for error in &input_errors {
        errors::say(&format!("error: {}", errors::with_causes(error)));
    }
    let snapshot = builder.finish();
    report_reading(&snapshot);
    if snapshot.reading.read.is_empty() && !input_errors.is_empty() {
        return Err(CliError::NothingRead);
    }
    Ok(snapshot)
}

/// Reads the cluster, and says on standard error what cannot be read.
pub(super) fn read_cluster(
    cluster: &ClusterArgs,
    namespaces: &[String],
) -> Result<Snapshot, CliError> {
    read_live(&cluster.request(namespaces))
}

fn read_live(request: &cluster::Request) -> Result<Snapshot, CliError> {
    let mut builder = SnapshotBuilder::new("default");
    let progress = Arc::new(Progress::new());
    let read = cluster::read_into(&mut builder, request, progress.clone());
    progress.clear();
    read?;
    let snapshot = builder.finish();
    report_reading(&snapshot);
    Ok(snapshot)
}

/// Says which objects could not be read, and which are not known for certain.
pub(super) fn report_reading(snapshot: &Snapshot) {
    let reading = &snapshot.reading;
    for error in &reading.unreadable {
        errors::say(&format!("error: {error}"));
    }
    for unlisted in &reading.unlisted {
        let of = unlisted.namespace.as_deref().map_or(String::new(), |name| format!(" of {name}"));
        // A snapshot may say it, so that each is to be one line.
        errors::say(&printable(&format!(
            "error: the {} objects{of} are missing: {}",
            unlisted.kind, unlisted.reason
        )));
        if !unlisted.grant.is_empty() {
            errors::say(&printable(&format!("hint: {}", unlisted.grant)));
        }
    }
    for conflict in &reading.conflicts {
        errors::say(&format!("warning: {conflict}"));
    }
}
