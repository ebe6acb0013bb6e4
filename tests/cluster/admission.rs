//! What do the admission plugins make of a new or changed object?
//!
//! Their answers are the library's own, which are proven equal to Kubernetes' by recorded vectors.

use std::collections::BTreeMap;

use psp2psa::migrate::simulation::Simulation;
use psp2psa::objects::Object;
use psp2psa::objects::pod::PodTemplateSpec;
use psp2psa::objects::snapshot::SnapshotBuilder;
use psp2psa::prepare;
use psp2psa::psa::admission::{
    ExistingPod, InvalidNamespace, NamespaceAnswer, NamespaceChange, PodRequest, Target as Judged,
    namespace_answer, pod_answer,
};
use psp2psa::psp::{Verdict, json_patch};
use psp2psa::rbac::User;
use psp2psa::sources::{self, Content};
use psp2psa::version::Version;
use serde_json::{Value, json};

use crate::access::{groups_of, user_of};
use crate::discovery::{Release, Target};
use crate::fake::Settings;
use crate::server::{Answer, Seen};
use crate::store::{Store, named};

/// The plugins, and the request that they are asked about.
pub(crate) struct Admission<'a> {
    pub(crate) store: &'a Store,
    pub(crate) settings: &'a Settings,
    pub(crate) release: Release,
    pub(crate) target: &'a Target,
    pub(crate) seen: &'a Seen,
}

/// An object that may be kept.
pub(crate) struct Admitted {
    pub(crate) object: Value,
    pub(crate) warnings: Vec<String>,
}

impl Admission<'_> {
    /// The object as the plugins leave it; otherwise the refusal.
    pub(crate) fn admit(
        &self,
        old: Option<&Value>,
        mut object: Value,
        name: &str,
    ) -> Result<Admitted, Answer> {
        let kind = self.target.resource.kind;
        if kind == "Namespace" {
            default_namespace(&mut object, name);
        }
        if kind == "Pod" && old.is_none() {
            let spec = &mut object["spec"];
            if spec["serviceAccountName"].as_str().unwrap_or_default().is_empty() {
                spec["serviceAccountName"] = "default".into();
            }
            if self.settings.psp && self.release < Release::V1_25 {
                object = self.pod_security_policy(object, name)?;
            }
        }
        let warnings = match &self.settings.psa {
            Some(_) if self.release >= Release::V1_23 => self.pod_security(old, &object, name)?,
            _ => Vec::new(),
        };
        Ok(Admitted { object, warnings })
    }

    fn pod_security_policy(&self, mut object: Value, name: &str) -> Result<Value, Answer> {
        let mut builder = SnapshotBuilder::new("default");
        let mut pod = None;
        let kinds = ["Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding", "ServiceAccount"];
        let is_needed = |it: &Value| {
            it["kind"] == "PodSecurityPolicy" || kinds.iter().any(|kind| it["kind"] == *kind)
        };
        let items = self.store.complete().into_iter().filter(is_needed);
        let items: Vec<Value> = items.chain([named(&object, "v1", "Pod")]).collect();
        let list = json!({"kind": "List", "apiVersion": "v1", "items": items}).to_string();
        sources::read_from("cluster", list.as_bytes(), &mut |item| {
            let item = item.unwrap();
            match item.content.unwrap() {
                Content::Object { object: Object::Pod(read), .. } => pod = Some(read),
                Content::Object { object, .. } => builder.add(object, &item.source),
                Content::Skipped { .. } => {}
            }
        });
        let (snapshot, pod) = (builder.finish(), pod.unwrap());
        let simulation = Simulation::new(&snapshot, Version::v1(self.release.minor()), None);
        let requester = User { name: user_of(self.seen).to_owned(), groups: groups_of(self.seen) };
        let created = simulation.created_pod(&pod.namespace, &pod.template);
        match simulation.verdict(&pod.namespace, name, &created, Some(&requester)) {
            Verdict::Admitted(admitted) => {
                let patch = json_patch(&admitted.changes, Some(&admitted.policy), &pod.template);
                let patch: json_patch::Patch = serde_json::from_value(json!(patch)).unwrap();
                json_patch::patch(&mut object, &patch).unwrap();
                Ok(object)
            }
            Verdict::Refused(refused) => {
                Err(self.target.failure(403, "Forbidden", name, &refused.message()))
            }
        }
    }

    fn pod_security(
        &self,
        old: Option<&Value>,
        object: &Value,
        name: &str,
    ) -> Result<Vec<String>, Answer> {
        let configuration = self.settings.psa.as_ref().unwrap();
        if self.target.resource.kind == "Namespace" {
            let (labels, old_labels) = (labels(object), old.map(labels));
            let change = NamespaceChange { name, labels: &labels, old_labels: old_labels.as_ref() };
            let pods: Vec<(&Value, PodTemplateSpec)> = self
                .store
                .list("Pod")
                .filter(|pod| pod["metadata"]["namespace"] == name)
                .map(|pod| (&pod["metadata"], read(pod)))
                .collect();
            let existing = || {
                pods.iter().map(|(metadata, pod)| ExistingPod {
                    name: metadata["name"].as_str().unwrap(),
                    controller: metadata["ownerReferences"][0]["uid"].as_str().unwrap_or_default(),
                    pod,
                })
            };
            return match namespace_answer(&change, configuration, existing) {
                NamespaceAnswer::Allowed(warnings) => Ok(warnings),
                NamespaceAnswer::Invalid(invalid) => Err(refused_labels(&invalid)),
            };
        }
        let Some(template) = template_of(self.target.resource.kind, object) else {
            return Ok(Vec::new());
        };
        let namespace = self.target.namespace.as_deref().unwrap_or_default();
        let labels = self.store.namespace(namespace).map(labels).unwrap_or_default();
        let pod = prepare::for_pod_security(&read(template));
        let is_pod = self.target.resource.kind == "Pod";
        let request = PodRequest {
            target: if is_pod { Judged::Pod } else { Judged::Controller },
            namespace,
            name,
            username: user_of(self.seen),
            subresource: "",
            labels: Ok(&labels),
            pod: Some(&pod),
            is_significant: old.is_none_or(|old| old["spec"] != object["spec"]),
        };
        let answer = pod_answer(&request, configuration);
        match answer.refusal {
            Some(message) => Err(self.target.failure(403, "Forbidden", name, &message)),
            None => Ok(answer.warnings),
        }
    }
}

fn labels(object: &Value) -> BTreeMap<String, String> {
    serde_json::from_value(object["metadata"]["labels"].clone()).unwrap_or_default()
}

fn read(pod: &Value) -> PodTemplateSpec {
    serde_json::from_value(json!({"metadata": pod["metadata"], "spec": pod["spec"]})).unwrap()
}

/// What Pod Security admission judges of an object.
fn template_of<'v>(kind: &str, object: &'v Value) -> Option<&'v Value> {
    match kind {
        "Pod" => Some(object),
        "PodTemplate" => object.get("template"),
        "CronJob" => object.pointer("/spec/jobTemplate/spec/template"),
        "Deployment"
        | "ReplicaSet"
        | "StatefulSet"
        | "DaemonSet"
        | "Job"
        | "ReplicationController" => object.pointer("/spec/template"),
        _ => None,
    }
}

fn default_namespace(object: &mut Value, name: &str) {
    object["metadata"]["labels"]["kubernetes.io/metadata.name"] = name.into();
    if object["spec"]["finalizers"].is_null() {
        object["spec"]["finalizers"] = json!(["kubernetes"]);
    }
    if object["status"]["phase"].is_null() {
        object["status"]["phase"] = "Active".into();
    }
}

fn refused_labels(invalid: &InvalidNamespace) -> Answer {
    let causes: Vec<Value> = invalid
        .errors
        .iter()
        .map(|error| {
            let (field, message) = error.to_string().split_once(": ").map_or_else(
                || (String::new(), error.to_string()),
                |(field, message)| (field.to_owned(), message.to_owned()),
            );
            json!({"reason": "FieldValueInvalid", "message": message, "field": field})
        })
        .collect();
    Answer::json(
        422,
        &json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": invalid.to_string(), "reason": "Invalid", "code": 422,
            "details": {"name": invalid.name, "kind": "Namespace", "causes": causes},
        }),
    )
}
