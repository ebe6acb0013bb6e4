//! What remains when the user interrupts?
//!
//! Nothing that is half-written. Files are written under another name and then renamed, so that
//! only that one has to be removed; the rest the system does.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, Once, PoisonError};

/// What has been begun and not yet been renamed.
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());
static HANDLER: Once = Once::new();

/// The exit code of programs that are interrupted, as shells give it.
const EXIT_INTERRUPTED: i32 = 130;

/// Removes a file or directory if the user interrupts while this lives.
#[derive(Debug)]
pub(super) struct Unfinished(PathBuf);

impl Unfinished {
    pub(super) fn new(path: &Path) -> Self {
        HANDLER.call_once(|| {
            // Without a handler an interruption ends the program all the same.
            let _ = ctrlc::set_handler(|| {
                for path in with_paths(std::mem::take) {
                    let _ = if path.is_dir() {
                        std::fs::remove_dir_all(&path)
                    } else {
                        std::fs::remove_file(&path)
                    };
                }
                std::process::exit(EXIT_INTERRUPTED);
            });
        });
        with_paths(|paths| paths.push(path.to_owned()));
        Self(path.to_owned())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        with_paths(|paths| paths.retain(|path| *path != self.0));
    }
}

fn with_paths<T>(act: impl FnOnce(&mut Vec<PathBuf>) -> T) -> T {
    // Nothing panics while it holds the list.
    act(&mut UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_finished_stays() {
        let one = Unfinished::new(Path::new("one"));
        let two = Unfinished::new(Path::new("two"));
        drop(one);
        assert_eq!(with_paths(|paths| paths.clone()), [PathBuf::from("two")]);
        drop(two);
        assert!(with_paths(|paths| paths.is_empty()));
    }
}
