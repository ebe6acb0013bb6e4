//! How do results become bytes? One file per report; each is a function from data to text.

pub mod check;
pub mod diff;
pub mod item;
pub mod patches;
pub mod plan_table;
pub mod quoting;
pub mod script;
pub mod simulate;
pub mod table;
pub mod yaml;

use serde::Serialize;

/// The `apiVersion` of every structured report.
pub const API_VERSION: &str = "psp2psa/v1";

/// A structured report with the head that tells what it is.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Document<'a, T> {
    /// [`API_VERSION`].
    pub api_version: &'static str,
    /// The kind of report.
    pub kind: &'static str,
    /// The report's own fields.
    #[serde(flatten)]
    pub body: &'a T,
}

/// A format for data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StructuredFormat {
    /// Indented JSON.
    Json,
    /// YAML that kubectl reads back as the same.
    Yaml,
}

/// Writes data in a structured format, with a newline at the end.
#[must_use]
pub fn structured<T: Serialize>(data: &T, format: StructuredFormat) -> String {
    match format {
        StructuredFormat::Json => {
            let mut text = serde_json::to_string_pretty(data)
                .expect("reports have string keys only, so they have a JSON form");
            text.push('\n');
            text
        }
        StructuredFormat::Yaml => yaml::to_string(data),
    }
}
