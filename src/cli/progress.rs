//! How far has reading come?
//!
//! One line on a terminal, redrawn; nothing where standard error is none, so that logs stay clean.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{HumanCount, HumanFloatCount, ProgressBar, ProgressStyle};

use crate::cluster;

/// The line.
#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    lists: usize,
    done: usize,
    pages: usize,
    objects: u64,
}

impl Progress {
    /// The line, from now on.
    pub(super) fn new() -> Self {
        // It is hidden where standard error is no terminal.
        let bar = ProgressBar::new_spinner();
        let style = ProgressStyle::with_template("{spinner} reading {msg}");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        bar.set_message("…");
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar, counts: Mutex::default() }
    }

    /// An object of a dump has been read.
    pub(super) fn object(&self) {
        let counts = self.update(|counts| counts.objects += 1);
        if counts.objects.is_multiple_of(1000) {
            self.show(counts);
        }
    }

    /// Takes the line away, before anything else is written.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }

    fn update(&self, update: impl FnOnce(&mut Counts)) -> Counts {
        // Counting does not panic.
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        update(&mut counts);
        *counts
    }

    fn show(&self, counts: Counts) {
        if self.bar.is_hidden() {
            return;
        }
        let objects = HumanCount(counts.objects);
        self.bar.set_position(counts.objects);
        let rate = HumanFloatCount(self.bar.per_sec().round());
        self.bar.set_message(if counts.lists == 0 {
            format!("{objects} objects ({rate}/s)")
        } else {
            let Counts { lists, done, pages, .. } = counts;
            format!("{done} of {lists} lists, {pages} pages, {objects} objects ({rate}/s)")
        });
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

impl cluster::Progress for Progress {
    fn lists(&self, lists: usize) {
        self.show(self.update(|counts| counts.lists = lists));
    }

    fn page(&self, n_objects: usize) {
        self.show(self.update(|counts| {
            counts.pages += 1;
            counts.objects += n_objects as u64;
        }));
    }

    fn list_done(&self) {
        self.show(self.update(|counts| counts.done += 1));
    }
}
