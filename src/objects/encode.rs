//! How are our slices of objects written, so that reading them gives the same slices again?
//!
//! In the API's own form, which kubectl and a reader's eyes know, and which holds nothing that the
//! slices do not: no environment, no arguments, no annotation but those that are read. What the
//! slices keep of a mark, a condition or an annotation is written as the mark, condition or
//! annotation from which it would be read.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::Object;
use super::collection::{self, Collection};
use super::event::{Event, FAILED_CREATE};
use super::meta::{
    AUTO_UPDATE_ANNOTATION, LAST_APPLIED_ANNOTATION, Marks, ObjectMeta, OwnerReference,
    ROLLOUT_REVISION_ANNOTATION, TEMPLATE_GENERATION_ANNOTATION,
};
use super::namespace::{Namespace, ServiceAccount};
use super::pod::{PSP_ANNOTATION, Phase, Pod, PodTemplateSpec};
use super::psp::PodSecurityPolicy;
use super::rbac::{Binding, Role};
use super::snapshot::Snapshot;
use super::time::{MaybeTime, Time};
use super::workload::{CurrentRevision, Workload, WorkloadKind};

const RBAC: &str = "rbac.authorization.k8s.io/v1";

/// The snapshot as objects in the API's form, each with its kind's name: first what the snapshot
/// says of itself, then kind by kind, sorted as the snapshot is.
pub fn values(snapshot: &Snapshot) -> impl Iterator<Item = (&'static str, Value)> {
    let of = |kind, value| (kind, value);
    std::iter::once((collection::KIND, account(snapshot)))
        .chain(snapshot.policies.values().map(move |p| of("PodSecurityPolicy", policy(p))))
        .chain(snapshot.namespaces.values().map(move |n| of("Namespace", namespace(n))))
        .chain(snapshot.service_accounts.values().map(move |a| of("ServiceAccount", account_of(a))))
        .chain(snapshot.roles.values().map(move |r| of(r.kind(), role(r))))
        .chain(snapshot.bindings.values().map(move |b| of(b.kind(), binding(b))))
        .chain(snapshot.workloads.values().map(move |w| of(w.kind.as_str(), workload(w))))
        .chain(snapshot.pods.iter().map(move |p| of("Pod", pod(p))))
        .chain(snapshot.events.iter().map(move |e| of("Event", event(e))))
}

/// One object in the API's form.
#[must_use]
pub fn value(object: &Object) -> Value {
    match object {
        Object::Collection(collection) => of_collection(collection),
        Object::PodSecurityPolicy(object) => policy(object),
        Object::Namespace(object) => namespace(object),
        Object::ServiceAccount(object) => account_of(object),
        Object::Pod(object) => pod(object),
        Object::Workload(object) => workload(object),
        Object::Role(object) => role(object),
        Object::Binding(object) => binding(object),
        Object::Event(object) => event(object),
    }
}

fn account(snapshot: &Snapshot) -> Value {
    let reading = &snapshot.reading;
    of_collection(&Collection {
        taken_at: MaybeTime(snapshot.taken_at),
        server: snapshot.server.as_ref().map(Into::into),
        kinds: reading.listed.iter().map(ToString::to_string).collect(),
        unlisted: reading.unlisted.iter().map(Into::into).collect(),
        unreadable: reading.unreadable.iter().map(Into::into).collect(),
        unreadable_inputs: reading.unreadable_inputs.clone(),
        conflicts: reading.conflicts.iter().map(Into::into).collect(),
    })
}

fn of_collection(collection: &Collection) -> Value {
    json!({
        "apiVersion": collection::API_VERSION,
        "kind": collection::KIND,
        "reading": plain(collection),
    })
}

/// A slim value, which has string keys only and so a JSON form.
fn plain(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// `metadata`, as it is put together.
#[derive(Default)]
struct Metadata {
    fields: Map<String, Value>,
    labels: Map<String, Value>,
    /// `None` for an object without annotations, which differs from one without any that is kept.
    annotations: Option<Map<String, Value>>,
}

impl Metadata {
    fn set(mut self, key: &str, value: &str) -> Self {
        if !value.is_empty() {
            self.fields.insert(key.to_owned(), value.into());
        }
        self
    }

    fn created(self, time: Option<Time>) -> Self {
        let text = time.map(|time| time.to_string()).unwrap_or_default();
        self.set("creationTimestamp", &text)
    }

    fn label(mut self, key: &str, value: Option<&str>) -> Self {
        if let Some(value) = value {
            self.labels.insert(key.to_owned(), value.into());
        }
        self
    }

    fn annotate(mut self, key: &str, value: Option<&str>) -> Self {
        if let Some(value) = value {
            self.annotations.get_or_insert_default().insert(key.to_owned(), value.into());
        }
        self
    }

    fn owned_by(mut self, owner: Option<&OwnerReference>) -> Self {
        if let Some(owner) = owner {
            self.fields.insert("ownerReferences".to_owned(), json!([plain(owner)]));
        }
        self
    }

    /// The labels from which the tool's mark is read; see `ObjectMeta::managed_by`.
    fn marked(self, tool: Option<&str>) -> Self {
        let Some(tool) = tool else { return self };
        if let Some(release) = tool.strip_prefix("Helm release") {
            let release = release.strip_prefix(' ');
            return self
                .label("app.kubernetes.io/managed-by", Some("Helm"))
                .label("release", release);
        }
        let marks = [
            ("Argo CD application", "argocd.argoproj.io/instance"),
            ("Flux Kustomization", "kustomize.toolkit.fluxcd.io/name"),
            ("Flux HelmRelease", "helm.toolkit.fluxcd.io/name"),
            ("addon manager", "addonmanager.kubernetes.io/mode"),
            ("Operator Lifecycle Manager", "olm.owner"),
        ];
        let mark = marks.iter().find_map(|(prefix, key)| {
            let name = tool.strip_prefix(prefix)?;
            Some((*key, name.strip_prefix(' ').unwrap_or_default()))
        });
        match mark {
            Some((key, name)) => self.label(key, Some(name)),
            None => self,
        }
    }

    /// All labels, and what annotation gives the tool's mark where they do not.
    fn labelled(mut self, labels: &BTreeMap<String, String>, tool: Option<&str>) -> Self {
        self.labels =
            labels.iter().map(|(key, value)| (key.clone(), value.clone().into())).collect();
        let from_labels = ObjectMeta { labels: labels.clone(), ..ObjectMeta::default() };
        let Some(tool) = tool.filter(|tool| from_labels.managed_by().as_deref() != Some(*tool))
        else {
            return self;
        };
        let after = |prefix: &str| {
            tool.strip_prefix(prefix).map(|name| name.strip_prefix(' ').unwrap_or_default())
        };
        self.annotate("meta.helm.sh/release-name", after("Helm release"))
            .annotate("argocd.argoproj.io/tracking-id", after("Argo CD application"))
    }

    /// The owner, and whether the API server puts the object back.
    fn kept_by(self, marks: &Marks) -> Self {
        self.owned_by(marks.owner.as_deref())
            .annotate(AUTO_UPDATE_ANNOTATION, marks.is_bootstrap.then_some("true"))
    }

    fn finish(mut self) -> Value {
        if !self.labels.is_empty() {
            self.fields.insert("labels".to_owned(), self.labels.into());
        }
        if let Some(annotations) = self.annotations {
            self.fields.insert("annotations".to_owned(), annotations.into());
        }
        self.fields.into()
    }
}

fn named(namespace: &str, name: &str, resource_version: &str) -> Metadata {
    Metadata::default()
        .set("namespace", namespace)
        .set("name", name)
        .set("resourceVersion", resource_version)
}

fn policy(policy: &PodSecurityPolicy) -> Value {
    let metadata = named("", &policy.name, &policy.resource_version)
        .created(policy.created)
        .marked(policy.managed_by.as_deref())
        .owned_by(policy.owner.as_deref())
        .annotate(
            "seccomp.security.alpha.kubernetes.io/allowedProfileNames",
            policy.allowed_seccomp_profiles.as_deref(),
        )
        .annotate(
            "seccomp.security.alpha.kubernetes.io/defaultProfileName",
            policy.default_seccomp_profile.as_deref(),
        )
        .annotate(
            "apparmor.security.beta.kubernetes.io/allowedProfileNames",
            policy.allowed_app_armor_profiles.as_deref(),
        )
        .annotate(
            "apparmor.security.beta.kubernetes.io/defaultProfileName",
            policy.default_app_armor_profile.as_deref(),
        );
    json!({
        "apiVersion": "policy/v1beta1",
        "kind": "PodSecurityPolicy",
        "metadata": metadata.finish(),
        "spec": plain(&policy.spec),
    })
}

fn namespace(namespace: &Namespace) -> Value {
    let metadata = named("", &namespace.name, &namespace.resource_version)
        .labelled(&namespace.labels, namespace.managed_by.as_deref());
    json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": metadata.finish() })
}

fn account_of(account: &ServiceAccount) -> Value {
    let metadata = named(&account.namespace, &account.name, &account.resource_version);
    let mut value =
        json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata.finish() });
    if let Some(mounts) = account.automount_service_account_token {
        value["automountServiceAccountToken"] = mounts.into();
    }
    value
}

fn role(role: &Role) -> Value {
    let namespace = role.namespace.as_deref().unwrap_or_default();
    let tool = role.marks.managed_by.as_deref();
    let metadata = named(namespace, &role.name, &role.resource_version).kept_by(&role.marks);
    let metadata = match &role.namespace {
        None => metadata.labelled(&role.labels, tool),
        Some(_) => metadata.marked(tool),
    };
    let mut value = json!({
        "apiVersion": RBAC,
        "kind": role.kind(),
        "metadata": metadata.finish(),
        "rules": plain(&role.rules),
    });
    if let Some(rule) = &role.aggregation_rule {
        value["aggregationRule"] = plain(rule);
    }
    value
}

fn binding(binding: &Binding) -> Value {
    let namespace = binding.namespace.as_deref().unwrap_or_default();
    let metadata = named(namespace, &binding.name, &binding.resource_version)
        .kept_by(&binding.marks)
        .marked(binding.marks.managed_by.as_deref());
    json!({
        "apiVersion": RBAC,
        "kind": binding.kind(),
        "metadata": metadata.finish(),
        "roleRef": plain(&binding.role_ref),
        "subjects": plain(&binding.subjects),
    })
}

/// `metadata` and `spec` of a pod or template, without the object's own metadata.
fn template(template: &PodTemplateSpec) -> Value {
    plain(template)
}

fn workload(workload: &Workload) -> Value {
    use WorkloadKind as K;
    let mut metadata = named(&workload.namespace, &workload.name, &workload.resource_version)
        .set("generateName", &workload.generate_name)
        .set("uid", &workload.uid)
        .owned_by(workload.controller.as_deref())
        .marked(workload.managed_by.as_deref())
        .annotate(ROLLOUT_REVISION_ANNOTATION, workload.rollout_revision.as_deref());
    let mut spec = Map::new();
    let mut status = Map::new();
    match &workload.current_revision {
        CurrentRevision::Hash(hash) => {
            status.insert("updateRevision".to_owned(), (**hash).into());
        }
        CurrentRevision::TemplateGeneration(generation) => {
            metadata = metadata.annotate(TEMPLATE_GENERATION_ANNOTATION, Some(generation));
        }
        CurrentRevision::All | CurrentRevision::Unknown => {}
    }
    if let Some(replicas) = workload.replicas {
        let key = if workload.kind == K::Job { "parallelism" } else { "replicas" };
        spec.insert(key.to_owned(), replicas.into());
    }
    if workload.is_suspended {
        let key = if workload.kind == K::Deployment { "paused" } else { "suspend" };
        spec.insert(key.to_owned(), true.into());
    }
    counts(workload, &mut spec, &mut status);
    let mut value = json!({
        "apiVersion": &*workload.api_version,
        "kind": workload.kind.as_str(),
        "metadata": metadata.finish(),
    });
    if !workload.claims.is_empty() {
        let claims = workload.claims.iter().map(|name| json!({ "metadata": { "name": **name } }));
        spec.insert("volumeClaimTemplates".to_owned(), claims.collect());
    }
    if let Some(pod) = &workload.template {
        match workload.kind {
            K::PodTemplate => value["template"] = template(pod),
            K::CronJob => {
                spec.insert(
                    "jobTemplate".to_owned(),
                    json!({ "spec": { "template": template(pod) } }),
                );
            }
            _ => {
                spec.insert("template".to_owned(), template(pod));
            }
        }
    }
    if !spec.is_empty() {
        value["spec"] = spec.into();
    }
    if !status.is_empty() {
        value["status"] = status.into();
    }
    value
}

/// What the controller says of the pods, by the fields from which it is read.
fn counts(workload: &Workload, spec: &mut Map<String, Value>, status: &mut Map<String, Value>) {
    use WorkloadKind as K;
    let of = &workload.status;
    if workload.is_finished {
        let type_ = if of.is_failed { "Failed" } else { "Complete" };
        status.insert("conditions".to_owned(), json!([{ "type": type_, "status": "True" }]));
    }
    if let Some(refusal) = &of.refusal {
        let condition = json!([{ "type": "ReplicaFailure", "status": "True",
            "reason": FAILED_CREATE, "message": &**refusal }]);
        status.insert("conditions".to_owned(), condition);
    }
    let Some(made) = of.made else { return };
    // There is no generation for it to be behind.
    status.insert("observedGeneration".to_owned(), 1.into());
    let (made_key, ready_key) = match workload.kind {
        K::DaemonSet => ("currentNumberScheduled", "numberReady"),
        K::Job => ("active", ""),
        _ => ("replicas", "readyReplicas"),
    };
    status.insert(made_key.to_owned(), made.into());
    if let Some(ready) = of.ready {
        status.insert(ready_key.to_owned(), ready.into());
    }
    match (workload.kind, of.wanted) {
        (K::DaemonSet, Some(wanted)) => {
            status.insert("desiredNumberScheduled".to_owned(), wanted.into());
        }
        // As none has succeeded by then, it is what is left to do.
        (K::Job, Some(wanted)) => {
            spec.insert("completions".to_owned(), wanted.into());
        }
        _ => {}
    }
}

fn event(event: &Event) -> Value {
    let metadata = named(&event.namespace, &event.name, &event.resource_version);
    let mut value = json!({
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": metadata.finish(),
        "reason": FAILED_CREATE,
        "message": &*event.refusal,
        "involvedObject": {
            "kind": &*event.kind,
            "namespace": &*event.namespace,
            "name": &*event.object,
        },
    });
    if let Some(time) = event.last_seen {
        value["lastTimestamp"] = time.to_string().into();
    }
    value
}

fn pod(pod: &Pod) -> Value {
    let mut metadata = named(&pod.namespace, &pod.name, &pod.resource_version)
        .created(pod.created)
        .set("generateName", &pod.generate_name)
        .owned_by(pod.controller.as_deref())
        .label("controller-revision-hash", pod.revision.controller_revision_hash.as_deref())
        .label("pod-template-generation", pod.revision.template_generation.as_deref())
        .marked(pod.managed_by.as_deref());
    metadata.annotations = pod.template.annotations.as_ref().map(|annotations| {
        annotations.iter().map(|(key, value)| (key.clone(), value.clone().into())).collect()
    });
    // The author's text, reduced to the slice that is read of it.
    let last_applied = pod.last_applied.as_ref().map(|authored| template(authored).to_string());
    let metadata = metadata
        .annotate(PSP_ANNOTATION, pod.psp.as_deref())
        .annotate(LAST_APPLIED_ANNOTATION, last_applied.as_deref());
    let mut status = Map::new();
    let phase = match pod.status.phase {
        Phase::Unknown => None,
        Phase::Pending => Some("Pending"),
        Phase::Running => Some("Running"),
        Phase::Succeeded => Some("Succeeded"),
        Phase::Failed => Some("Failed"),
    };
    if let Some(phase) = phase {
        status.insert("phase".to_owned(), phase.into());
    }
    if pod.status.is_ready {
        status.insert("conditions".to_owned(), json!([{ "type": "Ready", "status": "True" }]));
    }
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata.finish(),
        "spec": plain(&pod.template.spec),
        "status": status,
    })
}
