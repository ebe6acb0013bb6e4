//! What is this object called, whatever else is wrong with it?
//!
//! Reads anything: values of a wrong type count as absent, and what has been read before a fault
//! stands. It serves to find a kind that comes late and to name objects that cannot be read.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::objects::slim::Key;

/// The type and name of an object; each empty where absent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Header {
    /// `apiVersion`.
    pub api_version: String,
    /// `kind`.
    pub kind: String,
    /// `metadata`.
    pub metadata: HeaderMeta,
}

/// The names in an object's metadata; each empty where absent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HeaderMeta {
    /// `namespace`.
    pub namespace: String,
    /// `name`.
    pub name: String,
    /// `generateName`.
    pub generate_name: String,
    /// `continue` of a list: the token that asks for its next page.
    pub continue_token: String,
    /// `resourceVersion`.
    pub resource_version: String,
}

/// Reads into a [`Header`] or a part of it; after an error it holds what was read before.
pub enum HeaderSeed<'a> {
    /// An object.
    Object(&'a mut Header),
    /// Its `metadata`.
    Meta(&'a mut HeaderMeta),
    /// One of its strings.
    Text(&'a mut String),
    /// A value that does not matter.
    Nothing,
}

impl HeaderSeed<'_> {
    /// The seed for a field of what this seed reads.
    fn field(&mut self, key: &str) -> HeaderSeed<'_> {
        match (self, key) {
            (Self::Object(header), "apiVersion") => HeaderSeed::Text(&mut header.api_version),
            (Self::Object(header), "kind") => HeaderSeed::Text(&mut header.kind),
            (Self::Object(header), "metadata") => HeaderSeed::Meta(&mut header.metadata),
            (Self::Meta(meta), "namespace") => HeaderSeed::Text(&mut meta.namespace),
            (Self::Meta(meta), "name") => HeaderSeed::Text(&mut meta.name),
            (Self::Meta(meta), "generateName") => HeaderSeed::Text(&mut meta.generate_name),
            (Self::Meta(meta), "resourceVersion") => HeaderSeed::Text(&mut meta.resource_version),
            (Self::Meta(meta), "continue") => HeaderSeed::Text(&mut meta.continue_token),
            _ => HeaderSeed::Nothing,
        }
    }

    /// Forgets an earlier value: the last of duplicate keys wins.
    fn reset(&mut self) {
        match self {
            Self::Object(header) => **header = Header::default(),
            Self::Meta(meta) => **meta = HeaderMeta::default(),
            Self::Text(text) => text.clear(),
            Self::Nothing => {}
        }
    }
}

impl<'de> DeserializeSeed<'de> for HeaderSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(mut self, deserializer: D) -> Result<(), D::Error> {
        self.reset();
        match self {
            Self::Nothing => deserializer.deserialize_ignored_any(IgnoredAny).map(|_| ()),
            seed => deserializer.deserialize_any(seed),
        }
    }
}

impl<'de> Visitor<'de> for HeaderSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        if let Self::Text(text) = self {
            value.clone_into(text);
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key_seed(Key)? {
            map.next_value_seed(self.field(&key))?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
}
