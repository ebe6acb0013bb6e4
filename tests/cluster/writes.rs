//! What becomes of a request that writes?
//!
//! As in an API server: the new object is made of the old one and the request, compared with the
//! version that the request expects, validated and admitted, and kept where it differs at all.

use serde_json::{Value, json};

use crate::admission::{Admission, Admitted};
use crate::discovery::{Release, Target};
use crate::fake::Settings;
use crate::fields::{self, Owners};
use crate::patches::{self, PatchError};
use crate::protobuf;
use crate::server::{Answer, Seen};
use crate::store::{Key, Store, key_of, named};
use crate::strategy::{drop_disabled, immutable, restore, stand_in, tidy};

/// A request that writes, and what it is about.
pub(crate) struct Write<'a> {
    pub(crate) store: &'a mut Store,
    pub(crate) target: &'a Target,
    pub(crate) seen: &'a Seen,
    pub(crate) release: Release,
    pub(crate) settings: Settings,
}

impl Target {
    pub(crate) fn key(&self) -> Key {
        let [namespace, name] =
            [&self.namespace, &self.name].map(|it| it.clone().unwrap_or_default());
        (self.resource.kind.to_owned(), namespace, name)
    }

    /// Whether an item is in this list.
    pub(crate) fn holds(&self, item: &Value) -> bool {
        self.namespace.as_ref().is_none_or(|name| item["metadata"]["namespace"] == name.as_str())
    }

    pub(crate) fn failure(&self, code: u16, reason: &str, name: &str, message: &str) -> Answer {
        let mut details = json!({"name": name, "kind": self.resource.plural});
        if !self.resource.group().is_empty() {
            details["group"] = self.resource.group().into();
        }
        Answer::json(
            code,
            &json!({
                "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                "message": message, "reason": reason, "details": details, "code": code,
            }),
        )
    }
}

pub(crate) fn not_found(target: &Target) -> Answer {
    let name = target.name.as_deref().unwrap_or_default();
    let message = format!("{} \"{name}\" not found", target.resource.qualified());
    target.failure(404, "NotFound", name, &message)
}

impl Write<'_> {
    /// The answer; a refusal is an error.
    pub(crate) fn answer(&mut self) -> Result<Answer, Answer> {
        match (self.seen.method.as_str(), &self.target.name) {
            ("POST", None) => self.create(self.body()?),
            ("PUT", Some(_)) => self.replace(),
            ("PATCH", Some(_)) => self.patch(),
            ("DELETE", Some(_)) => self.delete(),
            _ => {
                let message = "the server does not allow this method on the requested resource";
                Err(Answer::status(405, "MethodNotAllowed", message))
            }
        }
    }

    fn bad_request(message: &str) -> Answer {
        Answer::status(400, "BadRequest", message)
    }

    /// kubectl sends JSON also where it says YAML.
    fn body(&self) -> Result<Value, Answer> {
        protobuf::object(&self.seen.body).map_err(|error| {
            Self::bad_request(&format!("the object provided is unrecognized: {error}"))
        })
    }

    fn is_dry_run(&self) -> bool {
        let options: Value = serde_json::from_slice(&self.seen.body).unwrap_or_default();
        let is_in_body = self.seen.method == "DELETE" && options["dryRun"] == json!(["All"]);
        self.seen.decoded("dryRun") == "All" || is_in_body
    }

    /// Who is to own what is set: what the request says, else the client's name.
    fn manager(&self) -> String {
        let agent = self.seen.header("user-agent").unwrap_or("unknown");
        match self.seen.decoded("fieldManager") {
            manager if manager.is_empty() => agent.split('/').next().unwrap_or(agent).to_owned(),
            manager => manager,
        }
    }

    fn create(&mut self, mut object: Value) -> Result<Answer, Answer> {
        let resource = self.target.resource;
        let fields = object.as_object_mut().ok_or_else(|| Self::bad_request("no object"))?;
        if fields.remove("kind").is_some_and(|kind| kind != resource.kind) {
            return Err(Self::bad_request("the object is of another kind"));
        }
        fields.remove("apiVersion");
        let stem = object["metadata"]["generateName"].as_str().map(str::to_owned);
        if let (Some(stem), Value::Null) = (stem, &object["metadata"]["name"]) {
            object["metadata"]["name"] = format!("{stem}x{:04}", self.store.revision()).into();
        }
        if let Some(namespace) = &self.target.namespace {
            object["metadata"]["namespace"] = namespace.as_str().into();
            if self.store.namespace(namespace).is_none() {
                let message = format!("namespaces \"{namespace}\" not found");
                return Err(self.target.failure(404, "NotFound", namespace, &message));
            }
        }
        let key = key_of(resource.kind, &object);
        let name = key.2.clone();
        if name.is_empty() {
            let message =
                format!("{} \"\" is invalid: metadata.name: Required value", resource.kind);
            return Err(self.target.failure(422, "Invalid", "", &message));
        }
        if self.store.get(&key).is_some() {
            let message = format!("{} \"{name}\" already exists", resource.qualified());
            return Err(self.target.failure(409, "AlreadyExists", &name, &message));
        }
        let uid = format!("00000000-0000-4000-8000-{:012}", self.store.revision() + 1);
        object["metadata"]["uid"] = uid.into();
        object["metadata"]["creationTimestamp"] = "2026-11-22T00:00:00Z".into();
        self.commit(None, object, &key, 201)
    }

    fn old(&self) -> Result<(Key, Value), Answer> {
        let key = self.target.key();
        let old = self.store.get(&key).ok_or_else(|| not_found(self.target))?;
        Ok((key.clone(), old.clone()))
    }

    fn replace(&mut self) -> Result<Answer, Answer> {
        let (key, old) = self.old()?;
        let mut new = self.body()?;
        for field in ["kind", "apiVersion"] {
            new.as_object_mut().ok_or_else(|| Self::bad_request("no object"))?.remove(field);
        }
        self.commit(Some(&old), new, &key, 200)
    }

    fn patch(&mut self) -> Result<Answer, Answer> {
        let media = self.seen.header("content-type").unwrap_or_default().to_owned();
        let patch = self.body()?;
        if media == "application/apply-patch+yaml" {
            return self.apply(&patch);
        }
        let (key, old) = self.old()?;
        let resource = self.target.resource;
        // A patch is of the whole object, which says what it is.
        let mut new = named(&old, &self.target.group_version, resource.kind);
        let patched = match media.as_str() {
            "application/strategic-merge-patch+json" => patches::strategic(&mut new, &patch),
            "application/merge-patch+json" => {
                json_patch::merge(&mut new, &patch);
                Ok(())
            }
            "application/json-patch+json" => patches::json(&mut new, patch),
            _ => return Err(Answer::status(415, "UnsupportedMediaType", "not a kind of patch")),
        };
        patched.map_err(|error| match error {
            PatchError::Malformed(message) => Self::bad_request(&message),
            PatchError::DoesNotApply => {
                let message = "the server rejected our request due to an error in our request";
                Answer::status(422, "Invalid", message)
            }
        })?;
        let fields = new.as_object_mut().ok_or_else(|| Self::bad_request("no object"))?;
        fields.remove("kind");
        fields.remove("apiVersion");
        self.commit(Some(&old), new, &key, 200)
    }

    /// Server-side apply.
    fn apply(&mut self, applied: &Value) -> Result<Answer, Answer> {
        let manager = self.seen.decoded("fieldManager");
        if manager.is_empty() {
            let message = "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is \
                           required for apply patch";
            return Err(self.target.failure(422, "Invalid", "", message));
        }
        let mut applied = applied.clone();
        let fields = applied.as_object_mut().ok_or_else(|| Self::bad_request("no object"))?;
        fields.remove("kind");
        fields.remove("apiVersion");
        let key = self.target.key();
        let Some(old) = self.store.get(&key).cloned() else {
            let answer = self.create(applied.clone())?;
            if !self.is_dry_run() {
                self.store.owners.entry(key).or_default().own(&manager, &applied);
            }
            return Ok(answer);
        };
        let mut owners = self.store.owners.get(&key).cloned().unwrap_or_default();
        let is_forced = self.seen.decoded("force") == "true";
        let new = owners
            .apply(&manager, &old, &applied, is_forced)
            .map_err(|conflicts| fields::refusal(&conflicts))?;
        let answer = self.commit(Some(&old), new, &key, 200)?;
        if !self.is_dry_run() {
            self.store.owners.insert(key, owners);
        }
        Ok(answer)
    }

    fn delete(&mut self) -> Result<Answer, Answer> {
        let (key, old) = self.old()?;
        let options: Value = serde_json::from_slice(&self.seen.body).unwrap_or_default();
        for field in ["uid", "resourceVersion"] {
            let wanted = &options["preconditions"][field];
            if !wanted.is_null() && *wanted != old["metadata"][field] {
                let message = format!("the {field} in the precondition does not match");
                return Err(self.conflict(&key.2, &message));
            }
        }
        if !self.is_dry_run() {
            self.store.remove(&key);
        }
        let (name, plural) = (&key.2, self.target.resource.plural);
        let details = json!({"name": name, "kind": plural, "uid": old["metadata"]["uid"]});
        Ok(Answer::json(
            200,
            &json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
                "details": details}),
        ))
    }

    fn conflict(&self, name: &str, why: &str) -> Answer {
        let resource = self.target.resource.qualified();
        let message = format!("Operation cannot be fulfilled on {resource} \"{name}\": {why}");
        self.target.failure(409, "Conflict", name, &message)
    }

    /// Keeps an object, unless it is refused or changes nothing.
    fn commit(
        &mut self,
        old: Option<&Value>,
        mut new: Value,
        key: &Key,
        code: u16,
    ) -> Result<Answer, Answer> {
        let kind = self.target.resource.kind;
        if let Some(old) = old {
            let expected = &new["metadata"]["resourceVersion"];
            if !expected.is_null()
                && *expected != ""
                && *expected != old["metadata"]["resourceVersion"]
            {
                let why = "the object has been modified; please apply your changes to the latest \
                           version and try again";
                return Err(self.conflict(&key.2, why));
            }
            if key_of(kind, &new) != *key {
                return Err(Self::bad_request("the name of the object does not match the request"));
            }
            // What only the server writes.
            for field in
                ["uid", "creationTimestamp", "generation", "resourceVersion", "managedFields"]
            {
                restore(&mut new["metadata"], &old["metadata"], field);
            }
            restore(&mut new, old, "status");
            if let Some(field) = immutable(kind, old, &new) {
                let message =
                    format!("{kind} \"{}\" is invalid: {field}: field is immutable", key.2);
                return Err(self.target.failure(422, "Invalid", &key.2, &message));
            }
        }
        tidy(&mut new["metadata"]);
        drop_disabled(kind, old, &mut new);
        let admission = Admission {
            store: self.store,
            settings: &self.settings,
            release: self.release,
            target: self.target,
            seen: self.seen,
        };
        let Admitted { mut object, warnings } = admission.admit(old, new, &key.2)?;
        if old.is_none_or(|old| old["spec"] != object["spec"]) {
            stand_in(kind, &mut object);
        }
        let is_same = old == Some(&object);
        if !is_same && !self.is_dry_run() {
            let manager = self.manager();
            let owners: &mut Owners = self.store.owners.entry(key.clone()).or_default();
            // What is applied is owned otherwise.
            if self.seen.header("content-type") != Some("application/apply-patch+yaml") {
                owners.update(&manager, old.unwrap_or(&Value::Null), &object);
            }
            object["metadata"]["managedFields"] = owners.rendered(&self.target.group_version);
            object["metadata"]["resourceVersion"] = self.store.tick().into();
            self.store.put(key.clone(), object.clone());
            if kind == "Namespace" && old.is_none() {
                let account = json!({"metadata": {"name": "default", "namespace": key.2,
                    "resourceVersion": self.store.tick()}});
                self.store.put(key_of("ServiceAccount", &account), account);
            }
        }
        let answer = Answer::json(code, &named(&object, &self.target.group_version, kind));
        Ok(warnings.iter().fold(answer, |answer, warning| {
            let text = warning.replace('\\', "\\\\").replace('"', "\\\"");
            answer.with_header("Warning", &format!("299 - \"{text}\""))
        }))
    }
}
