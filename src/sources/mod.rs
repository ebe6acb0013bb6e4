//! How do bytes become objects?
//!
//! ```text
//!  file, directory,      buffer          json: walks into lists      decode        sink
//!  stdin, gzip      ──►  (chunks)  ──►   yaml: splits documents ──►  one    ──►  (Items in
//!                                        and lists                   object      input order)
//! ```
//!
//! Everything streams: in memory are one chunk, the object that is being read, and whatever the
//! sink keeps. What cannot be read is handed to the sink as an error, in its place among the
//! objects, and the rest goes on.

mod admission_config;
#[cfg(any(test, fuzzing))]
pub mod agreement;
mod ahead;
mod arriving;
mod buffer;
mod declined;
mod decode;
mod dump;
mod emit;
mod errors;
mod json;
mod yaml;

pub use admission_config::{AdmissionConfigError, read_admission_config};
pub use dump::{Input, read, read_from};
pub use errors::SourceError;
pub use json::{ListPage, read_page};
pub(crate) use yaml::parse_strictly as parse_yaml_strictly;

use crate::objects::Object;
use crate::objects::meta::Name;
use crate::objects::snapshot::SnapshotBuilder;
pub use crate::objects::source::{ObjectError, Source, printable};
use crate::objects::time::Time;

/// One object of the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Where it stands.
    pub source: Source,
    /// What it is, or why it could not be read.
    pub content: Result<Content, ObjectError>,
}

/// What an object of the input is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "a box would be an allocation for each object")]
pub enum Content {
    /// An object of a kind that the program reads.
    Object {
        /// `apiVersion`.
        api_version: Name,
        /// `kind`.
        kind: Name,
        /// The object; its namespace is empty where it names none.
        object: Object,
        /// `metadata.creationTimestamp`; `None` where it is unset, or no time.
        created: Option<Time>,
    },
    /// An object of another kind.
    Skipped {
        /// `apiVersion`.
        api_version: Name,
        /// `kind`.
        kind: Name,
        /// `metadata.namespace`; empty where there is none.
        namespace: String,
        /// `metadata.name`; empty where there is none.
        name: String,
    },
}

/// Takes what is read: the objects in the order of the input, and what is wrong with inputs as a
/// whole.
pub type Sink<'a> = dyn FnMut(Result<Item, SourceError>) + 'a;

/// Reads the inputs into a snapshot's builder; what could not be read is recorded there.
///
/// Returns what was wrong with inputs as a whole, which the builder has as text.
pub fn read_into(builder: &mut SnapshotBuilder, inputs: &[Input]) -> Vec<SourceError> {
    read_into_with(builder, inputs, &mut || {})
}

/// As [`read_into`]; `on_item` is called before each object.
pub fn read_into_with(
    builder: &mut SnapshotBuilder,
    inputs: &[Input],
    on_item: &mut dyn FnMut(),
) -> Vec<SourceError> {
    let mut errors = Vec::new();
    for input in inputs {
        builder.begin_input(input.name());
        read(std::slice::from_ref(input), &mut |item| {
            on_item();
            match item {
                Ok(Item { source, content: Ok(Content::Object { object, created, .. }) }) => {
                    builder.add(object, &source);
                    builder.saw(created);
                }
                Ok(Item { content: Ok(Content::Skipped { api_version, kind, .. }), .. }) => {
                    builder.skip(&api_version, &kind);
                }
                Ok(Item { content: Err(error), .. }) => builder.add_unreadable(error),
                Err(error) => {
                    builder.add_unreadable_input(error.to_string());
                    errors.push(error);
                }
            }
        });
    }
    errors
}

#[cfg(test)]
mod tests;
