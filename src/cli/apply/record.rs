//! How is it kept what was there, also where the program is killed?

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::super::errors::CliError;
use super::super::files::{failed, replace_file, shown};
use crate::objects::names::{is_namespace_name, is_object_name};
use crate::rollout::Undo;

/// A file with a record of what was there.
#[derive(Debug)]
pub(super) struct RecordFile {
    pub(super) path: PathBuf,
    pub(super) undo: Undo,
}

impl RecordFile {
    /// A record that is to be added to: the one that is there, else a new one, which is not written
    /// yet.
    ///
    /// # Errors
    /// Where the file is of another cluster or stage, or no record.
    pub(super) fn begin(
        path: &Path,
        stage: &str,
        server: &str,
        cluster: &str,
    ) -> Result<Self, CliError> {
        let new = || Self { path: path.to_owned(), undo: Undo::new(stage, server, cluster) };
        if !path.exists() {
            return Ok(new());
        }
        let known = Self::read(path)?;
        known.check_cluster(cluster)?;
        if known.undo.stage != stage {
            return Err(CliError::Stopped {
                message: format!("`{}` is of the stage {}", shown(path), known.undo.stage),
                hint: "give another file with `--undo-file`".to_owned(),
            });
        }
        // What has been put back needs no record any more.
        Ok(if known.undo.undone { new() } else { known })
    }

    /// The record that a file holds.
    ///
    /// # Errors
    /// Where it cannot be read, or is no record.
    pub(super) fn read(path: &Path) -> Result<Self, CliError> {
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
        Ok(Self { path: path.to_owned(), undo })
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
        let written = replace_file(&self.path, &new, |file| {
            serde_json::to_writer_pretty(&mut *file, &self.undo)?;
            file.write_all(b"\n")?;
            file.flush()?;
            file.get_ref().as_file().sync_all()
        });
        written.and_then(|()| sync_directory(&self.path)).map_err(failed(&self.path))
    }
}

/// A name that is new in a directory is on the disk only once the directory is.
#[cfg(unix)]
fn sync_directory(path: &Path) -> io::Result<()> {
    fs::File::open(super::super::files::parent_of(path))?.sync_all()
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "as on systems that can")]
fn sync_directory(_path: &Path) -> io::Result<()> {
    Ok(())
}
