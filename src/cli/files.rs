//! How does a file get to its place, whole or not at all?

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::errors::CliError;
use super::interrupt::Unfinished;
use crate::objects::source::printable;

/// Writes a file in one step: whoever reads it sees the old text or the new one, never a part. A link
/// is replaced by the file.
///
/// `new` says what the file is called until then, and who may read it.
///
/// # Errors
/// Where it cannot be written; what stood there before stays then.
pub(super) fn replace_file(
    path: &Path,
    new: &tempfile::Builder<'_, '_>,
    write: impl FnOnce(&mut BufWriter<&mut NamedTempFile>) -> io::Result<()>,
) -> io::Result<()> {
    let make = || new.tempfile_in(parent_of(path)).map_err(without_path);
    let (_unfinished, mut new) = Unfinished::of(make, NamedTempFile::path)?;
    let mut file = BufWriter::with_capacity(1 << 16, &mut new);
    write(&mut file)?;
    file.flush()?;
    drop(file);
    new.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// As [`replace_file`], and waits until the file is on the disk.
///
/// # Errors
/// As those of [`replace_file`].
pub(super) fn replace_file_for_good(
    path: &Path,
    new: &tempfile::Builder<'_, '_>,
    write: impl FnOnce(&mut BufWriter<&mut NamedTempFile>) -> io::Result<()>,
) -> io::Result<()> {
    replace_file(path, new, |file| {
        write(file)?;
        file.flush()?;
        file.get_ref().as_file().sync_all()
    })?;
    sync_directory(parent_of(path))
}

/// Where a file is that is named by `path`: links lead to it. A link to nothing is replaced by it.
///
/// # Errors
/// Where something else stands there, such as a pipe, which a file would replace.
pub(super) fn file_behind(path: &Path) -> io::Result<PathBuf> {
    match fs::metadata(path) {
        Ok(found) if found.is_file() => fs::canonicalize(path),
        Ok(_) => Err(io::Error::other("it is not a file")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(path.to_owned()),
        Err(error) => Err(error),
    }
}

/// A name that is new in a directory is on the disk only once the directory is.
///
/// # Errors
/// Those of the disk. Not that the directory may be written and not read, or that its file system knows
/// no such thing: the file is in its place by now.
#[cfg(unix)]
pub(super) fn sync_directory(path: &Path) -> io::Result<()> {
    use io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
    match fs::File::open(path).and_then(|directory| directory.sync_all()) {
        Err(error) if matches!(error.kind(), InvalidInput | PermissionDenied | Unsupported) => {
            Ok(())
        }
        synced => synced,
    }
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "as on systems that can")]
pub(super) fn sync_directory(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// The fault without the name of a file that nobody has asked for, which tempfile tells in its text and
/// nowhere else.
fn without_path(error: io::Error) -> io::Error {
    match error.to_string().split_once(" at path ") {
        Some((cause, _)) => io::Error::new(error.kind(), cause),
        None => error,
    }
}

/// The directory that a path stands in.
pub(super) fn parent_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// What a message calls a path: as it was given, but for what a terminal would act on.
pub(super) fn shown(path: &Path) -> String {
    printable(&path.to_string_lossy()).into_owned()
}

/// Says which path it was that could not be written.
pub(super) fn failed(path: &Path) -> impl FnOnce(io::Error) -> CliError + use<> {
    let path = path.to_owned();
    move |source| CliError::Write { path, source }
}
