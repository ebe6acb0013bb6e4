//! How do results become bytes? One file per report; each is a function from data to text.

pub mod admission_config;
pub mod apply;
pub mod check;
pub mod clones;
pub mod diff;
mod digest;
pub mod edits;
mod escape;
pub mod explain;
mod findings;
pub mod gitops;
pub mod guard;
pub mod html;
pub mod item;
pub mod json;
pub mod markdown;
pub mod outline;
pub mod patches;
pub mod plan_table;
pub mod policies;
mod policy_docs;
pub mod quoting;
pub mod review;
pub mod rollout;
pub mod script;
pub mod simulate;
pub mod table;
pub mod verify;
pub mod workload_patches;
pub mod yaml;

use std::io::{self, Write};

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

/// Writes data in a structured format, with a newline at the end; JSON as it goes.
///
/// # Errors
/// Those of `out`.
pub fn write_structured<T: Serialize>(
    data: &T,
    format: StructuredFormat,
    out: &mut impl Write,
) -> io::Result<()> {
    match format {
        StructuredFormat::Json => {
            json::write_indented(data, out)?;
            out.write_all(b"\n")
        }
        StructuredFormat::Yaml => out.write_all(yaml::to_string(data).as_bytes()),
    }
}
