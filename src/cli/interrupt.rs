//! What remains when the user interrupts?
//!
//! Nothing that is half-written. Files are written under another name and then renamed, so that
//! only that one has to be removed; the rest the system does. While a cluster is changed, an
//! interruption waits until the request under way is answered, or ends the question that is asked; a second
//! one does not wait.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Mutex, Once, PoisonError};

use super::errors::EXIT_INTERRUPTED;

/// What has been begun and not yet been renamed.
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());
static HANDLER: Once = Once::new();

/// Whether an interruption waits, and whether there was one.
static IS_DEFERRED: AtomicBool = AtomicBool::new(false);
static IS_INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// What an interruption makes of the exit code.
static EXIT_CODE: AtomicU8 = AtomicU8::new(EXIT_INTERRUPTED);

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

/// The exit code of a run that was interrupted: 130, or what shells give for the signal that it was.
pub(super) fn exit_code() -> u8 {
    EXIT_CODE.load(Ordering::SeqCst)
}

fn handle() {
    // Where there can be no handler, a signal ends the program all the same.
    HANDLER.call_once(|| on_interruption(interrupted));
}

/// Ends the program, or notes that it shall end.
fn interrupted(code: u8) {
    EXIT_CODE.store(code, Ordering::SeqCst);
    let is_first = !IS_INTERRUPTED.swap(true, Ordering::SeqCst);
    if is_first && IS_DEFERRED.load(Ordering::SeqCst) {
        return;
    }
    // Nothing new is begun while the list is held.
    with_paths(|paths| {
        for path in paths.drain(..) {
            let _ = if path.is_dir() {
                std::fs::remove_dir_all(&path)
            } else {
                std::fs::remove_file(&path)
            };
        }
        std::process::exit(code.into());
    });
}

#[cfg(unix)]
fn on_interruption(act: fn(u8)) {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    // What nohup, or a shell for what runs in the background, has the program ignore stays ignored.
    let ignored = ignored_signals();
    let heeded = [SIGHUP, SIGINT, SIGTERM].into_iter().filter(|it| ignored >> (it - 1) & 1 == 0);
    if let Ok(mut signals) = Signals::new(heeded) {
        std::thread::spawn(move || {
            for signal in signals.forever() {
                // As shells say which signal it was.
                act(u8::try_from(128 + signal).unwrap_or(EXIT_INTERRUPTED));
            }
        });
    }
}

/// The signals that the program was started to ignore, the first in the lowest bit; none where that
/// cannot be told, but on Linux.
#[cfg(unix)]
fn ignored_signals() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

#[cfg(not(unix))]
fn on_interruption(act: fn(u8)) {
    let _ = ctrlc::set_handler(move || act(EXIT_INTERRUPTED));
}

/// Removes a file or directory if the user interrupts while this lives.
#[derive(Debug)]
pub(super) struct Unfinished(PathBuf);

impl Unfinished {
    /// What `begin` makes, and before it its removal: what is bound last is dropped first, so that
    /// there is no moment at which it is there and nobody removes it.
    ///
    /// # Errors
    /// Those of `begin`.
    pub(super) fn of<T>(
        begin: impl FnOnce() -> io::Result<T>,
        path: fn(&T) -> &Path,
    ) -> io::Result<(Self, T)> {
        handle();
        // There is no moment at which it is there and not on the list.
        with_paths(|paths| {
            let new = begin()?;
            let path = path(&new).to_owned();
            paths.push(path.clone());
            Ok((Self(path), new))
        })
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
        let unfinished = |path: &'static str| {
            let (unfinished, _) = Unfinished::of(|| Ok(path), |path| Path::new(*path)).unwrap();
            unfinished
        };
        let (one, two) = (unfinished("one"), unfinished("two"));
        drop(one);
        assert_eq!((is_listed("one"), is_listed("two")), (false, true));
        drop(two);
        assert!(!is_listed("two"));
    }
}
