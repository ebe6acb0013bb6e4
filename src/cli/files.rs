//! How does a file get to its place, whole or not at all?

use std::io::{self, BufWriter, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use super::errors::CliError;
use super::interrupt::Unfinished;
use crate::objects::source::printable;

/// Writes a file in one step: whoever reads it sees the old text or the new one, never a part.
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
    let make = || new.tempfile_in(parent_of(path));
    let (mut new, _unfinished) = Unfinished::of(make, NamedTempFile::path)?;
    let mut file = BufWriter::with_capacity(1 << 16, &mut new);
    write(&mut file)?;
    file.flush()?;
    drop(file);
    new.persist(path).map_err(|error| error.error)?;
    Ok(())
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
