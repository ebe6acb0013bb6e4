//! What remains when the user interrupts?
//!
//! Nothing that is half-written. Files are written under another name and then renamed, so that
//! only that one has to be removed; the rest the system does. While a cluster is changed, an
//! interruption waits until the request under way is answered, or ends the question that is asked; a second
//! one does not wait.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, Once, PoisonError};

use super::errors::EXIT_INTERRUPTED;

/// What has been begun and not yet been renamed.
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());
static HANDLER: Once = Once::new();

/// Whether an interruption waits, and whether there was one.
static IS_DEFERRED: AtomicBool = AtomicBool::new(false);
static IS_INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// While this lives, an interruption is only noted.
#[derive(Debug)]
pub(super) struct Deferred(());

impl Deferred {
    pub(super) fn new() -> Self {
        handle();
        IS_DEFERRED.store(true, Ordering::SeqCst);
        Self(())
    }

    /// Whether the user has interrupted.
    #[expect(clippy::unused_self, reason = "only while it lives does it say so")]
    pub(super) fn is_interrupted(&self) -> bool {
        IS_INTERRUPTED.load(Ordering::SeqCst)
    }
}

impl Drop for Deferred {
    fn drop(&mut self) {
        IS_DEFERRED.store(false, Ordering::SeqCst);
    }
}

fn handle() {
    HANDLER.call_once(|| {
        // Without a handler an interruption ends the program all the same.
        let _ = ctrlc::set_handler(|| {
            let is_first = !IS_INTERRUPTED.swap(true, Ordering::SeqCst);
            if is_first && IS_DEFERRED.load(Ordering::SeqCst) {
                return;
            }
            for path in with_paths(std::mem::take) {
                let _ = if path.is_dir() {
                    std::fs::remove_dir_all(&path)
                } else {
                    std::fs::remove_file(&path)
                };
            }
            std::process::exit(EXIT_INTERRUPTED.into());
        });
    });
}

/// Removes a file or directory if the user interrupts while this lives.
#[derive(Debug)]
pub(super) struct Unfinished(PathBuf);

impl Unfinished {
    pub(super) fn new(path: &Path) -> Self {
        handle();
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
        // Other tests have files of their own on the list.
        let is_listed =
            |path: &str| with_paths(|paths| paths.iter().any(|it| *it == Path::new(path)));
        let one = Unfinished::new(Path::new("one"));
        let two = Unfinished::new(Path::new("two"));
        drop(one);
        assert_eq!((is_listed("one"), is_listed("two")), (false, true));
        drop(two);
        assert!(!is_listed("two"));
    }
}
