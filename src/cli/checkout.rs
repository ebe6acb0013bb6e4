//! Which files does a checkout hold, and how are they replaced?

use std::ffi::OsStr;
use std::fs::{self, FileType};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::errors::{self, CliError};
use super::files::{failed, replace_file_for_good};
use crate::manifests::{Edits, LeftAlone, Manifest, Reason, mentions_namespaces};
use crate::objects::source::printable;

/// How deep directories may stand in each other.
const MAX_DEPTH: usize = 64;

/// Nobody writes a larger manifest by hand.
const MAX_BYTES: u64 = 64 << 20;

/// What Git keeps for itself.
const GIT: &str = ".git";

/// Reads the files below a directory that may hold Namespaces, sorted by name, each directory after
/// another; with those that cannot be read.
///
/// # Errors
/// Where the directory itself cannot be read.
pub(super) fn read(directory: &Path) -> Result<Vec<Manifest>, CliError> {
    let unreadable = |source| CliError::Checkout { path: directory.to_owned(), source };
    let top = fs::canonicalize(directory).map_err(unreadable)?;
    let mut walk = Walk { top, manifests: Vec::new() };
    let entries = entries(directory).map_err(unreadable)?;
    walk.enter(entries, "", MAX_DEPTH);
    Ok(walk.manifests)
}

struct Walk {
    /// The directory itself, whatever links lead to it.
    top: PathBuf,
    manifests: Vec<Manifest>,
}

impl Walk {
    /// Visits the entries of the directory that is called `above`, a slash at its end.
    fn enter(&mut self, entries: Vec<(PathBuf, FileType)>, above: &str, depth: usize) {
        for (path, kind) in entries {
            let name = path.file_name().unwrap_or_default();
            if name == GIT {
                continue;
            }
            let is_manifest = is_manifest(name);
            let named = format!("{above}{}", name.to_string_lossy());
            if kind.is_symlink() {
                self.link(&path, named, is_manifest);
            } else if kind.is_dir() {
                match (depth.checked_sub(1), self::entries(&path)) {
                    (Some(depth), Ok(entries)) => self.enter(entries, &format!("{named}/"), depth),
                    (None, _) => self.leave(named, "the directories are too deep".to_owned()),
                    (_, Err(error)) => self.leave(named, format!("it cannot be read: {error}")),
                }
            } else if is_manifest {
                self.file(&path, named, kind);
            }
        }
    }

    fn leave(&mut self, path: String, why: String) {
        self.manifests.push(Manifest { path, text: Err(Reason::Unreadable(why)) });
    }

    /// A link within the directory leads to what is visited anyway.
    fn link(&mut self, path: &Path, named: String, is_manifest: bool) {
        match fs::canonicalize(path) {
            Ok(target) if target.starts_with(&self.top) => {}
            Ok(target) if is_manifest || target.is_dir() => {
                self.leave(named, "it is a link out of the directory".to_owned());
            }
            Err(_) if is_manifest => self.leave(named, "it is a link to nothing".to_owned()),
            _ => {}
        }
    }

    fn file(&mut self, path: &Path, named: String, kind: FileType) {
        if path.file_name().and_then(OsStr::to_str).is_none() || named.contains('\u{fffd}') {
            return self.leave(named, "its path is not UTF-8".to_owned());
        }
        if !kind.is_file() {
            return self.leave(named, "it is not a file".to_owned());
        }
        match text(path) {
            Ok(text) if mentions_namespaces(&text) => {
                self.manifests.push(Manifest { path: named, text: Ok(text) });
            }
            Ok(_) => {}
            Err(why) => self.leave(named, why),
        }
    }
}

/// The text of a file, or why there is none.
fn text(path: &Path) -> Result<String, String> {
    let unreadable = |error: io::Error| format!("it cannot be read: {error}");
    if fs::metadata(path).map_err(unreadable)?.len() > MAX_BYTES {
        return Err("it is too large".to_owned());
    }
    let bytes = fs::read(path).map_err(unreadable)?;
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())
}

/// What stands in a directory, sorted by name.
fn entries(directory: &Path) -> io::Result<Vec<(PathBuf, FileType)>> {
    let of = |entry: io::Result<fs::DirEntry>| {
        let entry = entry?;
        Ok((entry.path(), entry.file_type()?))
    };
    let mut entries = fs::read_dir(directory)?.map(of).collect::<io::Result<Vec<_>>>()?;
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(entries)
}

fn is_manifest(name: &OsStr) -> bool {
    let name = name.to_string_lossy().to_ascii_lowercase();
    [".yaml", ".yml", ".json"].iter().any(|extension| name.ends_with(extension))
}

/// Writes the files that change, and says so. A file that has changed since it was read is left alone.
///
/// # Errors
/// Where a file cannot be written; those before it are written then.
pub(super) fn write(directory: &Path, edits: &mut Edits) -> Result<(), CliError> {
    for file in std::mem::take(&mut edits.files) {
        let path = directory.join(&file.path);
        if let Some(why) = obstacle(&path, &file.before) {
            let reason = Reason::Unreadable(why.to_owned());
            errors::say(&format!("left alone: {}: {reason}", printable(&file.path)));
            edits.left_alone.push(LeftAlone { path: file.path, reason });
            continue;
        }
        replace(&path, &file.after).map_err(failed(&path))?;
        errors::say(&format!("wrote {}", printable(&path.to_string_lossy())));
        edits.files.push(file);
    }
    Ok(())
}

/// Why a file is not to be replaced that held this text.
fn obstacle(path: &Path, before: &String) -> Option<&'static str> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_file() && text(path).as_ref() == Ok(before) => {
            // Replacing it by another would not mind.
            found.permissions().readonly().then_some("it is read-only")
        }
        _ => Some("it has changed since it was read"),
    }
}

/// Replaces a file, and leaves whose it is, and who may read and run it.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let found = fs::metadata(path)?;
    replace_file_for_good(path, &tempfile::Builder::new(), |out| {
        out.write_all(text.as_bytes())?;
        let new = out.get_ref().as_file();
        give_to_owner_of(&found, new)?;
        new.set_permissions(found.permissions())
    })
}

/// A checkout is edited by root at times, and stays its owner's.
#[cfg(unix)]
fn give_to_owner_of(old: &fs::Metadata, new: &fs::File) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let made = new.metadata()?;
    if (made.uid(), made.gid()) == (old.uid(), old.gid()) {
        return Ok(());
    }
    // Who may write a file of another's may not always give one away, or only to a group of theirs; and
    // in a container without root the owner may have no number.
    if fchown(new, Some(old.uid()), Some(old.gid())).is_err() {
        let _ = fchown(new, None, Some(old.gid()));
    }
    Ok(())
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "as on systems where files have owners")]
fn give_to_owner_of(_old: &fs::Metadata, _new: &fs::File) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifests::FileEdit;

    #[test]
    fn what_has_changed_meanwhile_or_is_read_only_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let edit = |path: &str| FileEdit {
            path: path.to_owned(),
            before: "before".to_owned(),
            after: "after".to_owned(),
            namespaces: Vec::new(),
        };
        for (name, text) in [("a", "before"), ("b", "other"), ("c", "before")] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let read_only = folder.path().join("c");
        let mut permissions = fs::metadata(&read_only).unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(&read_only, permissions).unwrap();
        let files = ["a", "b", "c", "gone"].map(edit).into();
        let mut edits = Edits { files, ..Edits::default() };
        write(folder.path(), &mut edits).unwrap();
        let left: Vec<_> = edits.left_alone.iter().map(|it| it.path.as_str()).collect();
        assert_eq!((edits.files.len(), left), (1, vec!["b", "c", "gone"]));
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!([read("a"), read("b"), read("c")], ["after", "other", "before"]);
    }
}
