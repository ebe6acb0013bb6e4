//! How does one object's text become one of our types?
//!
//! In one pass: the visitor learns the kind first and then reads each field straight into the slim
//! type that the kind asks for; `managedFields`, status details, environment values and whole
//! objects of other kinds are skipped without being built. Where the kind comes late, or the text
//! turns out to be a list, the visitor gives up at once and says so ([`Detour`]); the caller then
//! looks for the kind with [`Header`] and comes again.

mod cluster;
mod event;
mod header;
mod kinds;
mod pod;
mod workload;

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

pub use header::{Header, HeaderMeta, HeaderSeed};
use kinds::Shape;
pub use kinds::TypeMeta;

use super::Object;
use super::meta::{Name, ObjectMeta};
use super::slim::{Key, Nullable};
use super::time::{MaybeTime, Time};

/// What one object's text holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// `apiVersion` and `kind`.
    pub type_meta: TypeMeta,
    /// The object, or the name of one whose kind the program does not read.
    pub body: Result<Object, Skipped>,
    /// `metadata.creationTimestamp`, for kinds that the program reads.
    pub created: Option<Time>,
}

/// An object of a kind that the program does not read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Skipped {
    /// `metadata.namespace`; empty where there is none.
    pub namespace: String,
    /// `metadata.name`; empty where there is none.
    pub name: String,
}

/// Why an object could not be read in one pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detour {
    /// `kind` or `apiVersion` comes after other fields, comes twice, or is missing.
    KindLate,
    /// It is a list: it has `items`.
    List,
}

/// What is known of an object's kind before it is read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Expected {
    /// Nothing: the object says it.
    #[default]
    Unknown,
    /// What the object is if it does not say it: it is an item of a typed list.
    Default(TypeMeta),
    /// What the object is, whatever it says.
    Certain(TypeMeta),
}

/// Reads an object.
pub struct ObjectSeed<'a> {
    /// What is known of the object's kind.
    pub expected: &'a Expected,
    /// Set where deserialising fails for a reason that is no fault of the object.
    pub detour: &'a mut Option<Detour>,
}

impl<'de> DeserializeSeed<'de> for ObjectSeed<'_> {
    type Value = Decoded;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Decoded, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ObjectSeed<'_> {
    type Value = Decoded;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Decoded, A::Error> {
        let (is_certain, assumed) = match self.expected {
            Expected::Unknown => (false, None),
            Expected::Default(type_meta) => (false, Some(type_meta)),
            Expected::Certain(type_meta) => (true, Some(type_meta)),
        };
        let mut api_version: Option<Name> = assumed.map(|meta| meta.api_version.clone());
        let mut kind: Option<Name> = assumed.map(|meta| meta.kind.clone());
        let mut draft: Option<Draft> = None;
        while let Some(key) = map.next_key_seed(Key)? {
            let type_field = match &*key {
                "apiVersion" => Some(&mut api_version),
                "kind" => Some(&mut kind),
                _ => None,
            };
            if let Some(type_field) = type_field {
                if is_certain {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
                let value: String = map.next_value_seed(Nullable::seed())?;
                // An empty one is none, as it is for the API server.
                let value = Some(Name::from(value)).filter(|value| !value.is_empty());
                if *type_field != value {
                    if draft.is_some() || type_field.is_some() && value.is_none() {
                        return self.give_up(Detour::KindLate);
                    }
                    *type_field = value;
                }
                continue;
            }
            if key == "items" && kind.as_ref().is_none_or(|kind| kind.ends_with("List")) {
                return self.give_up(Detour::List);
            }
            if draft.is_none() {
                let (Some(api_version), Some(kind)) = (&api_version, &kind) else {
                    return self.give_up(Detour::KindLate);
                };
                draft = Some(Draft::new(Shape::of(api_version, kind)));
            }
            if let Some(draft) = &mut draft {
                draft.read(&key, &mut map)?;
            }
        }
        let (Some(api_version), Some(kind)) = (api_version, kind) else {
            return self.give_up(Detour::KindLate);
        };
        let draft = draft.unwrap_or_else(|| Draft::new(Shape::of(&api_version, &kind)));
        let type_meta = TypeMeta { api_version, kind };
        let MaybeTime(created) = draft.metadata.created;
        Ok(Decoded { body: draft.finish(&type_meta), type_meta, created })
    }
}

impl ObjectSeed<'_> {
    fn give_up<E: serde::de::Error>(self, detour: Detour) -> Result<Decoded, E> {
        *self.detour = Some(detour);
        Err(E::custom("a second pass is needed"))
    }
}

/// An object that is being read.
struct Draft {
    shape: Shape,
    metadata: ObjectMeta,
    body: Body,
}

/// The fields besides `metadata`.
enum Body {
    Pod(Box<pod::PodBody>),
    Workload(Box<workload::WorkloadBody>),
    Cluster(Box<cluster::ClusterBody>),
    Event(Box<event::EventBody>),
    Other(HeaderMeta),
}

impl Draft {
    fn new(shape: Shape) -> Self {
        let body = match shape {
            Shape::Pod => Body::Pod(Box::default()),
            Shape::Workload(_) => Body::Workload(Box::default()),
            Shape::Event => Body::Event(Box::default()),
            Shape::Other => Body::Other(HeaderMeta::default()),
            _ => Body::Cluster(Box::default()),
        };
        Self { shape, metadata: ObjectMeta::default(), body }
    }

    fn read<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let is_read = match (&mut self.body, key) {
            (Body::Other(metadata), "metadata") => {
                map.next_value_seed(HeaderSeed::Meta(metadata))?;
                true
            }
            (Body::Other(_), _) => false,
            (_, "metadata") => {
                self.metadata = map.next_value_seed(Nullable::seed())?;
                true
            }
            (Body::Pod(body), key) => body.read(key, map)?,
            (Body::Workload(body), key) => body.read(key, map)?,
            (Body::Event(body), key) => body.read(key, map)?,
            (Body::Cluster(body), key) => body.read(self.shape, key, map)?,
        };
        if !is_read {
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }

    fn finish(self, type_meta: &TypeMeta) -> Result<Object, Skipped> {
        match (self.body, self.shape) {
            (Body::Pod(body), _) => Ok(Object::Pod(body.finish(self.metadata))),
            (Body::Workload(body), Shape::Workload(kind)) => {
                Ok(Object::Workload(body.finish(kind, type_meta, self.metadata)))
            }
            (Body::Event(body), _) => {
                let skipped = Skipped {
                    namespace: self.metadata.namespace.clone(),
                    name: self.metadata.name.clone(),
                };
                body.finish(self.metadata).map(Object::Event).ok_or(skipped)
            }
            (Body::Cluster(body), shape) => {
                body.finish(shape, type_meta, self.metadata).ok_or_else(Skipped::default)
            }
            (Body::Other(meta), _) => Err(Skipped { namespace: meta.namespace, name: meta.name }),
            // `new` pairs a workload's body with a workload's shape.
            (Body::Workload(_), _) => Err(Skipped::default()),
        }
    }
}

/// An owned string as a shared name; `None` where it is empty.
fn name_unless_empty(text: Option<&str>) -> Option<Name> {
    text.filter(|text| !text.is_empty()).map(Name::from)
}
