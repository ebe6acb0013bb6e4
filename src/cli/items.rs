//! Does an item of a report go out as soon as it is there, or with all others?

use std::io::{self, Write};

use serde::Serialize;

use super::errors;

/// The items of a report in the order of the input: kept until the report is written, or each written
/// as a line of JSON at once.
pub(super) struct Items<'o, T, W> {
    kept: Vec<T>,
    lines: Option<&'o mut W>,
}

impl<'o, T: Serialize, W: Write> Items<'o, T, W> {
    /// Items that are kept.
    pub(super) fn kept() -> Self {
        Self { kept: Vec::new(), lines: None }
    }

    /// Items that are written, none of which is kept: their number may have no end.
    pub(super) fn lines(out: &'o mut W) -> Self {
        Self { kept: Vec::new(), lines: Some(out) }
    }

    /// Keeps or writes an item. Ends the program where it cannot be written.
    pub(super) fn take(&mut self, item: T) {
        match &mut self.lines {
            None => self.kept.push(item),
            Some(out) => {
                if let Err(error) = write_line(&item, *out) {
                    errors::end(error);
                }
            }
        }
    }

    /// What was kept.
    pub(super) fn into_kept(self) -> Vec<T> {
        self.kept
    }
}

/// Writes an item as one line, and lets nobody wait for it.
fn write_line(item: &impl Serialize, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, item)?;
    out.write_all(b"\n")?;
    out.flush()
}
