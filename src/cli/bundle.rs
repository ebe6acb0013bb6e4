//! `plan --out-dir`: how do the files of a plan get into a directory, and those of an earlier plan out?

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Component, Path, PathBuf};

use tempfile::NamedTempFile;

use super::errors::{self, CliError};
use super::files::{failed, replace_file, shown};
use crate::reports::gitops;
use crate::reports::rollout::README;
use crate::reports::workload_patches::{self, Bundle, File};

/// The list of the patches that stand in a directory: what a later run may remove.
const LIST: &str = ".written";

const LIST_HEAD: &str =
    "# The patches that `psp2psa plan --out-dir` has written here, and may remove.\n";

/// Makes the directory; one that holds something is taken only where that `is_forced`.
///
/// # Errors
/// Where it cannot be made or read, or is not empty.
pub(super) fn prepare(directory: &Path, is_forced: bool) -> Result<(), CliError> {
    fs::create_dir_all(directory).map_err(failed(directory))?;
    let mut entries = fs::read_dir(directory).map_err(failed(directory))?;
    if entries.next().is_some() && !is_forced {
        return Err(CliError::NotEmpty { path: directory.to_owned() });
    }
    Ok(())
}

/// Writes one file, and says so.
///
/// # Errors
/// Where it cannot be written; what stood there before stays then.
pub(super) fn write(
    directory: &Path,
    name: &str,
    content: impl FnOnce(&mut BufWriter<&mut NamedTempFile>) -> io::Result<()>,
) -> Result<(), CliError> {
    let path = directory.join(name);
    replace(&path, content)?;
    errors::say(&format!("wrote {}", shown(&path)));
    Ok(())
}

/// Writes the workloads' patches and what applies them; removes patches that an earlier run wrote and
/// this one does not, as they would be applied with the others.
///
/// # Errors
/// Where a file cannot be read, written or removed.
pub(super) fn write_patches(directory: &Path, bundle: &Bundle) -> Result<(), CliError> {
    replace_all(directory, workload_patches::DIRECTORY, &bundle.patches)?;
    for file in [&bundle.kustomization, &bundle.script, &bundle.bypass] {
        write(directory, &file.path, |out| out.write_all(file.text.as_bytes()))?;
    }
    Ok(())
}

/// Writes the component for a kustomization with Namespaces, as [`write_patches`] does.
///
/// # Errors
/// Where a file cannot be read, written or removed.
pub(super) fn write_gitops(
    directory: &Path,
    component: &gitops::Component,
) -> Result<(), CliError> {
    replace_all(directory, gitops::DIRECTORY, &component.patches)?;
    let file = &component.kustomization;
    write_below(directory, &file.path, &file.text)?;
    errors::say(&format!("wrote {}", shown(&directory.join(&file.path))));
    Ok(())
}

/// Writes the patches below the directory `top` of a bundle; those of an earlier run go.
fn replace_all(directory: &Path, top: &str, files: &[File]) -> Result<(), CliError> {
    let patches: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let n_removed = remove_stale(directory, top, &patches)?;
    let place = directory.join(top);
    if n_removed > 0 {
        errors::say(&format!(
            "removed {n_removed} patches of an earlier run below {}",
            shown(&place)
        ));
    }
    if !patches.is_empty() {
        // The list comes first: what it names and is not there yet does no harm.
        let list: String = patches.iter().flat_map(|path| [path, "\n"]).collect();
        write_below(directory, &format!("{top}/{LIST}"), &[LIST_HEAD, &list].concat())?;
        for file in files {
            write_below(directory, &file.path, &file.text)?;
        }
        errors::say(&format!("wrote {} patches below {}", patches.len(), shown(&place)));
    }
    Ok(())
}

/// Writes the rollout's scripts.
///
/// # Errors
/// Where a file cannot be written.
pub(super) fn write_rollout(directory: &Path, files: &[File]) -> Result<(), CliError> {
    for file in files {
        write_below(directory, &file.path, &file.text)?;
    }
    errors::say(&format!("wrote the rollout; begin with {}", shown(&directory.join(README))));
    Ok(())
}

fn write_below(directory: &Path, name: &str, text: &str) -> Result<(), CliError> {
    let path = directory.join(name);
    let mut parent = directory.to_owned();
    for part in Path::new(name).parent().into_iter().flat_map(Path::components) {
        parent.push(part);
        make_directory(&parent).map_err(failed(&parent))?;
    }
    replace(&path, |out| out.write_all(text.as_bytes()))
}

/// Makes a directory; one that is there stays. A link to one does not count: it could lead anywhere.
fn make_directory(path: &Path) -> io::Result<()> {
    match fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            is_directory(&fs::symlink_metadata(path)?)
        }
        made => made,
    }
}

fn is_directory(found: &fs::Metadata) -> io::Result<()> {
    let fault = || io::Error::other("a link or a file stands there, and no directory");
    if found.is_dir() { Ok(()) } else { Err(fault()) }
}

/// Removes the files that an earlier run has listed and that are not `wanted`, with directories and
/// the list itself where nothing else is left; returns how many patches.
fn remove_stale(directory: &Path, top: &str, wanted: &BTreeSet<&str>) -> Result<usize, CliError> {
    let place = directory.join(top);
    match fs::symlink_metadata(&place) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        found => is_directory(&found.map_err(failed(&place))?).map_err(failed(&place))?,
    }
    let list = place.join(LIST);
    let text = match fs::read_to_string(&list) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        text => text.map_err(failed(&list))?,
    };
    let stale = text.lines().filter(|line| !wanted.contains(line));
    let mut n_removed = 0;
    for path in stale.filter_map(|line| patch_path(directory, top, line)) {
        match fs::remove_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            removed => removed.map_err(failed(&path))?,
        }
        n_removed += 1;
        if let Some(parent) = path.parent() {
            // Stays where it holds anything else.
            let _ = fs::remove_dir(parent);
        }
    }
    if wanted.is_empty() {
        fs::remove_file(&list).map_err(failed(&list))?;
        let _ = fs::remove_dir(directory.join(top));
    }
    Ok(n_removed)
}

/// The file of a line of the list; `None` for what no run writes, as the list is a file that others
/// may have changed: only `<top>/<directory>/<name>.yaml` within real directories is ours.
fn patch_path(directory: &Path, top: &str, line: &str) -> Option<PathBuf> {
    let parts: Option<Vec<_>> = Path::new(line)
        .components()
        .map(|part| match part {
            Component::Normal(part) => Some(part),
            _ => None,
        })
        .collect();
    let [first, namespace, file] = parts?.try_into().ok()?;
    let is_patch = first == top && Path::new(file).extension().is_some_and(|it| it == "yaml");
    let top = directory.join(top);
    let namespace = top.join(namespace);
    let is_real = |path: &Path| fs::symlink_metadata(path).is_ok_and(|found| found.is_dir());
    (is_patch && is_real(&top) && is_real(&namespace)).then(|| namespace.join(file))
}

/// Writes a file as any new one is: the umask says who may read it.
fn replace(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<&mut NamedTempFile>) -> io::Result<()>,
) -> Result<(), CliError> {
    let mut new = tempfile::Builder::new();
    #[cfg(unix)]
    new.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    replace_file(path, &new, write).map_err(failed(path))
}
