//! What is in the cluster?

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::discovery::Resource;
use crate::fields::Owners;

/// Kind, namespace (empty where there is none) and name.
pub(crate) type Key = (String, String, String);

/// The objects, with a counter of changes.
#[derive(Default)]
pub(crate) struct Store {
    /// As they stand in lists, without kind and apiVersion; in the order in which they came.
    objects: Vec<(Key, Value)>,
    /// Who has set which fields, of the objects that were written to.
    pub(crate) owners: BTreeMap<Key, Owners>,
    revision: u64,
}

pub(crate) fn key_of(kind: &str, object: &Value) -> Key {
    let of = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
    (kind.to_owned(), of("namespace"), of("name"))
}

impl Store {
    /// A store with these objects.
    pub(crate) fn of(objects: Vec<Value>) -> Self {
        let mut store = Self { revision: 1000, ..Self::default() };
        for mut object in objects {
            let fields = object.as_object_mut().unwrap();
            let Some(Value::String(kind)) = fields.remove("kind") else { panic!("no kind") };
            // Items of an API server's lists say neither.
            fields.remove("apiVersion");
            let revision = object["metadata"]["resourceVersion"].as_str();
            let revision = revision.and_then(|it| it.parse().ok()).unwrap_or_default();
            store.revision = store.revision.max(revision);
            store.objects.push((key_of(&kind, &object), object));
        }
        store
    }

    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    pub(crate) fn get(&self, key: &Key) -> Option<&Value> {
        self.objects.iter().find(|(known, _)| known == key).map(|(_, object)| object)
    }

    pub(crate) fn namespace(&self, name: &str) -> Option<&Value> {
        self.get(&("Namespace".to_owned(), String::new(), name.to_owned()))
    }

    /// The objects of a kind.
    pub(crate) fn list<'s>(&'s self, kind: &'s str) -> impl Iterator<Item = &'s Value> {
        self.objects.iter().filter(move |(key, _)| key.0 == kind).map(|(_, object)| object)
    }

    /// Counts a change.
    pub(crate) fn tick(&mut self) -> String {
        self.revision += 1;
        self.revision.to_string()
    }

    /// Puts an object into its place.
    pub(crate) fn put(&mut self, key: Key, object: Value) {
        match self.objects.iter_mut().find(|(known, _)| *known == key) {
            Some((_, old)) => *old = object,
            None => self.objects.push((key, object)),
        }
    }

    /// Removes an object, what it owns, and what is in it.
    pub(crate) fn remove(&mut self, key: &Key) {
        let Some(index) = self.objects.iter().position(|(known, _)| known == key) else { return };
        let (_, object) = self.objects.remove(index);
        self.owners.remove(key);
        self.tick();
        let uid = &object["metadata"]["uid"];
        let is_owned = |it: &Value| {
            let owners = it["metadata"]["ownerReferences"].as_array();
            uid.is_string() && owners.is_some_and(|all| all.iter().any(|one| one["uid"] == *uid))
        };
        let is_within = |it: &Key| key.0 == "Namespace" && it.1 == key.2;
        let goes = self.objects.iter().filter(|(key, it)| is_owned(it) || is_within(key));
        for key in goes.map(|(key, _)| key.clone()).collect::<Vec<_>>() {
            self.remove(&key);
        }
    }

    /// Every object with its kind and apiVersion, in order.
    pub(crate) fn complete(&self) -> Vec<Value> {
        let mut keys: Vec<&Key> = self.objects.iter().map(|(key, _)| key).collect();
        keys.sort();
        let complete = |key: &&Key| {
            let resource = Resource::of_kind(&key.0);
            let api_version = resource.map_or("v1", |resource| resource.api_version);
            named(self.get(key).unwrap(), api_version, &key.0)
        };
        keys.iter().map(complete).collect()
    }

    /// Every object without what differs after a change is taken back.
    pub(crate) fn normalised(&self) -> Vec<Value> {
        let mut objects = self.complete();
        for object in &mut objects {
            let metadata = object["metadata"].as_object_mut().unwrap();
            for field in ["resourceVersion", "managedFields", "generation"] {
                metadata.remove(field);
            }
            for field in ["labels", "annotations"] {
                metadata.retain(|name, value| name != field || *value != Value::Object(Map::new()));
            }
            // That of controllers' objects is the controllers'.
            object.as_object_mut().unwrap().remove("status");
        }
        objects
    }
}

/// An object that says what it is.
pub(crate) fn named(object: &Value, api_version: &str, kind: &str) -> Value {
    let mut fields = Map::new();
    fields.insert("kind".to_owned(), kind.into());
    fields.insert("apiVersion".to_owned(), api_version.into());
    fields.extend(object.as_object().unwrap().clone());
    Value::Object(fields)
}
