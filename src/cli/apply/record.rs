//! How is it kept what was there, also where the program is killed?

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::super::errors::CliError;
use super::super::files::{failed, file_behind, parent_of, replace_file_for_good, shown};
use super::super::interrupt::Unfinished;
use crate::objects::names::{is_namespace_name, is_object_name};
use crate::rollout::Undo;

/// A file with a record of what was there, which no other run changes meanwhile.
#[derive(Debug)]
pub(super) struct RecordFile {
    pub(super) path: PathBuf,
    pub(super) undo: Undo,
    /// `None` where nothing is written.
    _lock: Option<Lock>,
}

impl RecordFile {
    /// A record that is to be added to: the one that is there, else a new one, which is not written
    /// yet; not at all where it `is_read_only`.
    ///
    /// # Errors
    /// Where the file is of another cluster or stage, or no record, or another run has it.
    pub(super) fn begin(
        path: &Path,
        stage: &str,
        server: &str,
        cluster: &str,
        is_read_only: bool,
    ) -> Result<Self, CliError> {
        let lock = Lock::unless(is_read_only, path)?;
        let new = Undo::new(stage, server, cluster);
        let path = path.to_owned();
        if !path.exists() {
            return Ok(Self { path, undo: new, _lock: lock });
        }
        let known = Self { undo: read(&path)?, path, _lock: lock };
        known.check_cluster(cluster)?;
        if known.undo.stage != stage {
            return Err(CliError::Stopped {
                message: format!("`{}` is of the stage {}", shown(&known.path), known.undo.stage),
                hint: "give another file with `--undo-file`".to_owned(),
            });
        }
        // What has been put back needs no record any more.
        Ok(if known.undo.undone { Self { undo: new, ..known } } else { known })
    }

    /// The record that a file holds, to be written unless it `is_read_only`.
    ///
    /// # Errors
    /// Where it cannot be read, or is no record, or another run has it.
    pub(super) fn open(path: &Path, is_read_only: bool) -> Result<Self, CliError> {
        // What is no record gets no lock beside it.
        read(path)?;
        let lock = Lock::unless(is_read_only, path)?;
        Ok(Self { undo: read(path)?, path: path.to_owned(), _lock: lock })
    }

    /// # Errors
    /// Where the record is of another cluster.
    pub(super) fn check_cluster(&self, cluster: &str) -> Result<(), CliError> {
        if self.undo.cluster == cluster {
            return Ok(());
        }
        Err(CliError::Stopped {
            message: format!(
                "`{}` is of another cluster, which was at {}",
                shown(&self.path),
                crate::objects::source::printable(&self.undo.server)
            ),
            hint: "choose that cluster with `--context`, or another file".to_owned(),
        })
    }

    /// Writes the record, and waits until it is on the disk.
    ///
    /// # Errors
    /// Where it cannot be written; nothing must be changed then.
    pub(super) fn save(&self) -> Result<(), CliError> {
        let mut new = tempfile::Builder::new();
        // Readable by its owner only, as temporary files are.
        new.prefix(".psp2psa-undo-").suffix(".json");
        let written = file_behind(&self.path);
        let written = written.and_then(|path| {
            replace_file_for_good(&path, &new, |file| {
                serde_json::to_writer_pretty(&mut *file, &self.undo)?;
                file.write_all(b"\n")
            })
        });
        written.map_err(failed(&self.path))
    }
}

/// The record that a file holds.
fn read(path: &Path) -> Result<Undo, CliError> {
    let unreadable = |reason: String| CliError::Read { path: path.to_owned(), reason };
    let text = fs::read(path).map_err(|error| unreadable(error.to_string()))?;
    let undo: Undo = serde_json::from_slice(&text)
        .map_err(|_| unreadable("it is no undo file of `psp2psa apply`".to_owned()))?;
    if undo.api_version != crate::reports::API_VERSION || undo.kind != "Undo" {
        return Err(unreadable("it is no undo file of `psp2psa apply`".to_owned()));
    }
    // Names go into requests.
    let objects = undo.objects.iter().all(|object| {
        let kinds = ["PodSecurityPolicy", "ClusterRole", "RoleBinding"];
        kinds.contains(&object.kind.as_str())
            && is_object_name(&object.name)
            && is_namespace_name(&object.namespace) == (object.kind == "RoleBinding")
    });
    if !objects || !undo.namespaces.keys().all(|name| is_namespace_name(name)) {
        return Err(unreadable("it names what the API server could not have".to_owned()));
    }
    Ok(undo)
}

/// Keeps other runs away from a record: each knows the whole of it, and would write it without what
/// the other has added.
#[derive(Debug)]
struct Lock {
    path: PathBuf,
    /// Locked; closing it lets go.
    file: File,
    unfinished: Option<Unfinished>,
}

impl Lock {
    fn unless(is_read_only: bool, record: &Path) -> Result<Option<Self>, CliError> {
        if is_read_only {
            return Ok(None);
        }
        // Whoever comes by a link and who does not have the same record.
        let behind = file_behind(record).map_err(failed(record))?;
        let name = behind.file_name().unwrap_or_default().to_string_lossy();
        let path = parent_of(&behind).join(format!(".{name}.lock"));
        match Self::of(&path) {
            Ok(lock) => Ok(Some(lock)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(CliError::Stopped {
                message: format!("another run writes `{}`", shown(record)),
                hint: "wait until it has ended, or give another file with `--undo-file`".to_owned(),
            }),
            // Some network file systems have no locks, and nobody is kept from work there.
            Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(None),
            Err(error) => Err(failed(&path)(error)),
        }
    }

    fn of(path: &Path) -> io::Result<Self> {
        let make = || {
            let file = File::options().create(true).truncate(false).write(true).open(path)?;
            file.try_lock()?;
            Ok(Self { path: path.to_owned(), file, unfinished: None })
        };
        let (unfinished, mut lock) = Unfinished::of(make, |lock| &lock.path)?;
        // The run before may have removed the file between opening and locking it.
        if !lock.is_in_place() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        lock.unfinished = Some(unfinished);
        Ok(lock)
    }

    #[cfg(unix)]
    fn is_in_place(&self) -> bool {
        use std::os::unix::fs::MetadataExt;
        let [own, there] = [self.file.metadata(), fs::metadata(&self.path)];
        matches!((own, there), (Ok(own), Ok(there)) if own.ino() == there.ino())
    }

    #[cfg(not(unix))]
    fn is_in_place(&self) -> bool {
        self.path.exists()
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if self.is_in_place() {
            let _ = fs::remove_file(&self.path);
        }
    }
}
