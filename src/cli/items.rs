//! Does an item of a report go out as soon as it is there, or with all others?

use std::io::Write;

use serde::Serialize;

use super::errors;
use super::output::Output;
use crate::reports::json::write_compact;

/// The items of a report in the order of the input: kept until the report is written, or each written
/// as a line of JSON at once.
pub(super) struct Items<'o, T> {
    kept: Vec<T>,
    lines: Option<&'o mut Output>,
}

impl<'o, T: Serialize> Items<'o, T> {
    /// Items that are kept.
    pub(super) fn kept() -> Self {
        Self { kept: Vec::new(), lines: None }
    }

    /// Items that are written, none of which is kept: their number may have no end.
    pub(super) fn lines(out: &'o mut Output) -> Self {
        Self { kept: Vec::new(), lines: Some(out) }
    }

    /// Keeps or writes an item. Ends the program where it cannot be written, or nobody reads it: the
    /// input may have no end.
    pub(super) fn take(&mut self, item: T) {
        match &mut self.lines {
            None => self.kept.push(item),
            Some(out) => {
                // Nobody is to wait for it.
                let written = write_compact(&item, *out).and_then(|()| out.write_all(b"\n"));
                if let Err(error) = written.and_then(|()| out.flush()) {
                    errors::end(error);
                }
                if !out.has_reader() {
                    errors::end_unread();
                }
            }
        }
    }

    /// What was kept.
    pub(super) fn into_kept(self) -> Vec<T> {
        self.kept
    }
}
