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
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};

use crate::objects::source::is_unprintable;

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

/// Writes data in a structured format, with a newline at the end; JSON as it goes, as it may be
/// large.
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
            data.serialize(&mut serde_json::Serializer::with_formatter(
                &mut *out,
                Shown(PrettyFormatter::new()),
            ))?;
            out.write_all(b"\n")
        }
        StructuredFormat::Yaml => out.write_all(yaml::to_string(data).as_bytes()),
    }
}

/// The text of data as indented JSON, with a newline at the end; empty where it has no JSON form, as
/// with keys that are no strings.
#[must_use]
pub fn json(data: &impl Serialize) -> String {
    let mut text = Vec::new();
    match write_structured(data, StructuredFormat::Json, &mut text) {
        Ok(()) => String::from_utf8(text).unwrap_or_default(),
        Err(_) => String::new(),
    }
}

/// Writes data as JSON without a newline in it or behind it.
///
/// # Errors
/// Those of `out`.
pub fn write_compact(data: &impl Serialize, out: &mut impl Write) -> io::Result<()> {
    data.serialize(&mut serde_json::Serializer::with_formatter(
        &mut *out,
        Shown(CompactFormatter),
    ))?;
    Ok(())
}

/// JSON in which what a terminal would act on is escaped, and so means the same.
struct Shown<F>(F);

impl<F: Formatter> Formatter for Shown<F> {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        // JSON escapes the other control characters by itself.
        let is_harmless =
            fragment.is_ascii() && memchr::memchr(0x7f, fragment.as_bytes()).is_none();
        if is_harmless {
            return out.write_all(fragment.as_bytes());
        }
        let mut units = [0; 2];
        let mut rest = fragment;
        while let Some(at) = rest.find(is_unprintable) {
            let (before, from) = rest.split_at(at);
            out.write_all(before.as_bytes())?;
            let mut chars = from.chars();
            for unit in chars.next().map(|c| c.encode_utf16(&mut units)).into_iter().flatten() {
                write!(out, "\\u{unit:04x}")?;
            }
            rest = chars.as_str();
        }
        out.write_all(rest.as_bytes())
    }

    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_array(out)
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array(out)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array_value(out)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object(out)
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object(out)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object_value(out)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object_value(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_shows_no_control_character_and_means_the_same() {
        let text = "a\u{9b}31m\u{7f}\u{202e}\u{1b}\n naïve 🦀\u{feff}";
        let mut written = Vec::new();
        write_structured(&text, StructuredFormat::Json, &mut written).unwrap();
        let written = String::from_utf8(written).unwrap();
        assert_eq!(written, "\"a\\u009b31m\\u007f\\u202e\\u001b\\n naïve 🦀\\ufeff\"\n");
        assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
    }
}
