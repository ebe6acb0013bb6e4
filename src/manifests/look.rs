//! Which Namespaces does a file hold?

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::document::{Document, documents};
use super::edit::{is_plain, parsed};
use super::{Manifest, Place, Reason};
use crate::objects::names::is_namespace_name;

/// Whether a text may hold a Namespace at all.
#[must_use]
pub fn mentions_namespaces(text: &str) -> bool {
    text.contains("Namespace")
}

/// A Namespace of a file.
#[derive(Debug)]
pub(super) struct Found {
    /// Its name; `None` where no namespace can have it.
    pub(super) name: Option<String>,
    /// Which document of the file it is in.
    pub(super) document: usize,
    /// The line at which the document begins, from 1.
    pub(super) line: usize,
    /// `metadata.labels`.
    pub(super) labels: Json,
    /// Why it is not edited, whatever it looks like.
    obstacle: Option<Reason>,
}

/// What a file holds.
#[derive(Debug, Default)]
pub(super) struct Look<'t> {
    pub(super) documents: Vec<Document<'t>>,
    pub(super) found: Vec<Found>,
    /// Why it cannot be known which Namespaces it holds.
    pub(super) trouble: Option<Reason>,
}

impl<'t> Look<'t> {
    pub(super) fn at(file: &'t Manifest) -> Self {
        let text = match &file.text {
            Ok(text) => text,
            Err(reason) => return Self { trouble: Some(reason.clone()), ..Self::default() },
        };
        if file.path.to_ascii_lowercase().ends_with(".json") {
            return Self::at_json(text);
        }
        let mut look = Self { documents: documents(text), ..Self::default() };
        for (n, document) in look.documents.iter().enumerate() {
            if document.is_blank() || !mentions_namespaces(document.body) {
                continue;
            }
            match parsed(document) {
                Ok(object) => add(&mut look.found, &object, n, document.line, None),
                Err(reason) if seems_a_namespace(document.body) => {
                    look.trouble.get_or_insert(is_plain(document).err().unwrap_or(reason));
                }
                Err(_) => {}
            }
        }
        if let Some(found) = look.found.iter().find(|found| found.name.is_none()) {
            let document = &look.documents[found.document];
            let nameless = Reason::Name { line: found.line };
            let reason = is_plain(document).err().unwrap_or(nameless);
            look.trouble.get_or_insert(reason);
        }
        look
    }

    fn at_json(text: &str) -> Self {
        let mut look = Self::default();
        for object in serde_json::Deserializer::from_str(text).into_iter::<Json>() {
            match object {
                Ok(object) => add(&mut look.found, &object, 0, 1, Some(&Reason::Json)),
                Err(_) if text.contains("\"Namespace\"") => look.trouble = Some(Reason::Json),
                Err(_) => {}
            }
        }
        look
    }

    /// Whether every document is YAML. Where one is not, a template engine may make the whole of
    /// the file, and lines mean what it says.
    pub(super) fn is_yaml_throughout(&self) -> Result<(), Reason> {
        let mut documents = self.documents.iter().filter(|document| !document.is_blank());
        documents.try_for_each(|document| parsed(document).map(drop))
    }
}

impl Found {
    pub(super) fn place(&self, name: &str, path: &str) -> Place {
        Place { namespace: name.to_owned(), path: path.to_owned(), line: self.line }
    }

    /// Whether it is clear that this is the one place to be edited.
    pub(super) fn is_editable(
        &self,
        file: &Manifest,
        name: &str,
        places: &BTreeMap<String, Vec<Place>>,
    ) -> Result<(), Reason> {
        if let Some(obstacle) = &self.obstacle {
            return Err(obstacle.clone());
        }
        let here = self.place(name, &file.path);
        let mut others = places.get(name).into_iter().flatten().filter(|place| **place != here);
        match others.next() {
            None => Ok(()),
            Some(other) => {
                let at = if other.path == here.path { "line" } else { &other.path };
                let sign = if other.path == here.path { " " } else { ":" };
                let other = format!("{at}{sign}{}", other.line);
                Err(Reason::Several { line: self.line, namespace: here.namespace, other })
            }
        }
    }
}

/// Adds the Namespaces of an object: itself, or the items of a List.
fn add(found: &mut Vec<Found>, object: &Json, document: usize, line: usize, why: Option<&Reason>) {
    if let Some(items) = object["items"].as_array() {
        let obstacle = why.cloned().unwrap_or(Reason::List { line });
        for item in items {
            add(found, item, document, line, Some(&obstacle));
        }
    }
    if object["apiVersion"] == "v1" && object["kind"] == "Namespace" {
        let metadata = &object["metadata"];
        let name = metadata["name"].as_str().filter(|name| is_namespace_name(name));
        found.push(Found {
            name: name.map(str::to_owned),
            document,
            line,
            labels: metadata["labels"].clone(),
            obstacle: why.cloned(),
        });
    }
}

/// Whether a text that is no YAML was meant to be a Namespace.
fn seems_a_namespace(text: &str) -> bool {
    text.lines().any(|line| {
        // Further in, it may be anything that names a kind.
        let kind = line.strip_prefix("kind:").map(str::trim_start);
        let kind = kind.map(|kind| kind.trim_start_matches(['"', '\'']));
        let rest = kind.and_then(|kind| kind.strip_prefix("Namespace"));
        rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
    })
}
