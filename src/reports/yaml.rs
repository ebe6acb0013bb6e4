//! How is YAML written so that kubectl reads back what was meant?
//!
//! This module and `sources::yaml` own the choice of library. It quotes every string that YAML 1.1
//! would read as something else (`yes`, `on`, `1_000`, `12:30`).

use serde::Serialize;

/// Writes data as one YAML document, with its fields in the order of their declaration, and a newline
/// at the end.
#[must_use]
pub fn to_string<T: Serialize>(data: &T) -> String {
    let mut text = serde_yaml::to_string(data)
        .expect("reports have string keys only, so they have a YAML form");
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}
