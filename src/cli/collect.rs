//! `collect`: a cluster into files, for work without it.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use tempfile::TempDir;

use super::cluster_args::ClusterArgs;
use super::errors::{self, CliError, Outcome};
use super::files::{failed, file_behind, parent_of, replace_file_for_good, shown, sync_directory};
use super::input::{InputArgs, read_snapshot, read_snapshot_with_events};
use super::interrupt::Unfinished;
use crate::cluster;
use crate::objects::encode;
use crate::objects::snapshot::Snapshot;
use crate::reports::json::write_compact;
use crate::reports::yaml;

/// What the names of files begin with until they are whole.
const PREFIX: &str = ".psp2psa-";

/// Take a snapshot of a cluster into files, for plans without the cluster
///
/// Only what a plan reads is asked for and written: no Secrets or ConfigMaps, no environment, no
/// arguments, no annotations but those that bear on the plan. The snapshot names the server's
/// version and the kinds that were read, so that a plan of it is the plan of the cluster, and when
/// that was: snapshots of several days together (`plan -f monday.json -f sunday.json`) show the
/// batch work that one look misses. With `-f` a dump is reduced to the same.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    # A snapshot of the current context's cluster\n  \
    psp2psa collect -o cluster.json.gz\n\n  \
    # The plan from it, elsewhere\n  \
    psp2psa plan -f cluster.json.gz\n\n  \
    # Take what may hold secrets out of a dump\n  \
    psp2psa collect -f dump.json -o reduced.yaml\n\n  \
    # The permissions that it needs\n  \
    psp2psa collect --show-rbac | kubectl apply -f -")]
pub(super) struct Args {
    #[command(flatten)]
    input: InputArgs,

    #[command(flatten)]
    cluster: ClusterArgs,

    /// Read only this namespace's objects and those of the cluster, instead of all; may be given
    /// several times
    #[arg(short, long, value_name = "NAME")]
    namespace: Vec<String>,

    /// Write into this file (.json, .yaml; .gz behind it packs), into this directory (with a slash
    /// behind its name if it is new) a file for each kind, or (`-`) to standard output
    #[arg(short, long, value_name = "FILE|DIR", required_unless_present = "show_rbac")]
    output: Option<PathBuf>,

    /// Take along the events that say that pods were refused, for `psp2psa verify`
    #[arg(long)]
    events: bool,

    /// Print the smallest ClusterRole that lets the program read everything, and end
    #[arg(long)]
    show_rbac: bool,
}

pub(super) fn run(args: &Args, out: &mut impl Write) -> Result<Outcome, CliError> {
    let Some(path) = args.output.as_deref().filter(|_| !args.show_rbac) else {
        out.write_all(cluster::cluster_role().as_bytes()).map_err(CliError::Output)?;
        return Ok(Outcome::Clean);
    };
    // What cannot be written is said before minutes of reading.
    let place = Place::of(path)?;
    let read = if args.events { read_snapshot_with_events } else { read_snapshot };
    let mut snapshot = read(&args.input, &args.cluster, &args.namespace)?;
    snapshot.taken_at = match snapshot.inputs.as_slice() {
        [] => Some(SystemTime::now().into()),
        [input] => input.taken_at,
        // It is of no one time.
        _ => None,
    };
    match &place {
        Place::Stdout => {
            write_list(out, encode::values(&snapshot).map(|(_, value)| value))
                .and_then(|()| out.flush())
                .map_err(CliError::Output)?;
        }
        Place::File(format) => write_file(path, *format, &snapshot).map_err(failed(path))?,
        Place::Directory => write_directory(path, &snapshot).map_err(failed(path))?,
    }
    if !matches!(place, Place::Stdout) {
        let n_objects: usize = snapshot.reading.read.values().sum();
        errors::say(&format!("wrote {} with {n_objects} objects", shown(path)));
    }
    let is_complete = snapshot.reading.is_complete();
    Ok(if is_complete { Outcome::Clean } else { Outcome::Incomplete })
}

/// Where the snapshot goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Stdout,
    File(FileFormat),
    Directory,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileFormat {
    is_yaml: bool,
    is_packed: bool,
}

impl Place {
    fn of(path: &Path) -> Result<Self, CliError> {
        let text = path.to_string_lossy();
        if text == "-" {
            return Ok(Self::Stdout);
        }
        if path.is_dir() {
            let is_empty = fs::read_dir(path).map_err(failed(path))?.next().is_none();
            return if is_empty {
                Ok(Self::Directory)
            } else {
                Err(CliError::NotEmpty { path: path.to_owned() })
            };
        }
        if text.ends_with('/') || text.ends_with(std::path::MAIN_SEPARATOR) {
            return Ok(Self::Directory);
        }
        let name = text.to_ascii_lowercase();
        let (name, is_packed) = match name.strip_suffix(".gz") {
            Some(name) => (name, true),
            None => (name.as_str(), false),
        };
        let is_yaml = match name.rsplit_once('.') {
            Some((_, "json")) => false,
            Some((_, "yaml" | "yml")) => true,
            _ => {
                return Err(CliError::Usage {
                    message: format!("the name `{text}` does not say which format is meant"),
                    hint:
                        "let it end in .json or .yaml, perhaps with .gz behind it, or in / for a \
                           directory"
                            .to_owned(),
                });
            }
        };
        file_behind(path).map_err(failed(path))?;
        Ok(Self::File(FileFormat { is_yaml, is_packed }))
    }
}

/// Writes beside the place, then renames: whoever looks finds the old file or the new one, whole.
fn write_file(path: &Path, format: FileFormat, snapshot: &Snapshot) -> io::Result<()> {
    // Nobody else may read what a snapshot holds.
    replace_file_for_good(&file_behind(path)?, tempfile::Builder::new().prefix(PREFIX), |writer| {
        let values = encode::values(snapshot).map(|(_, value)| value);
        if format.is_packed {
            let mut packer = GzEncoder::new(&mut *writer, Compression::default());
            write_values(&mut packer, format, values)?;
            packer.finish()?;
        } else {
            write_values(writer, format, values)?;
        }
        Ok(())
    })
}

/// Writes a directory beside the place, then renames it.
fn write_directory(path: &Path, snapshot: &Snapshot) -> io::Result<()> {
    let make = || TempDir::with_prefix_in(PREFIX, parent_of(path));
    let (_unfinished, directory) = Unfinished::of(make, TempDir::path)?;
    let format = FileFormat { is_yaml: false, is_packed: false };
    // The values come kind by kind, but kinds that share a map in turns.
    let mut by_kind = std::collections::BTreeMap::<&str, Vec<Value>>::new();
    for (kind, value) in encode::values(snapshot) {
        by_kind.entry(kind).or_default().push(value);
    }
    for (kind, values) in by_kind {
        let name = format!("{}.json", kind.to_ascii_lowercase());
        let mut writer = BufWriter::new(fs::File::create(directory.path().join(name))?);
        write_values(&mut writer, format, values.into_iter())?;
        writer.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    }
    fs::rename(directory.path(), path)?;
    // It is the snapshot now, and stays.
    let _ = directory.keep();
    sync_directory(parent_of(path))
}

fn write_values(
    writer: &mut impl Write,
    format: FileFormat,
    values: impl Iterator<Item = Value>,
) -> io::Result<()> {
    if !format.is_yaml {
        return write_list(writer, values);
    }
    for (index, value) in values.enumerate() {
        if index > 0 {
            writer.write_all(b"---\n")?;
        }
        writer.write_all(yaml::to_string(&value).as_bytes())?;
    }
    Ok(())
}

/// A kubectl list with an object on each line, so that the snapshot can be searched and compared.
fn write_list(writer: &mut impl Write, values: impl Iterator<Item = Value>) -> io::Result<()> {
    writer.write_all(b"{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[")?;
    for (index, value) in values.enumerate() {
        writer.write_all(if index > 0 { b",\n" } else { b"\n" })?;
        write_compact(&value, writer)?;
    }
    writer.write_all(b"\n]}\n")
}
