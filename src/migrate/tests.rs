//! Does the plan say what must be said?

mod admission_config;
pub(crate) mod demos;
mod explain;
mod findings;
mod fixtures;
mod harden;
mod hostile;
mod policies;

use std::collections::BTreeSet;

use serde::Deserialize;
use serde::de::DeserializeSeed;
use serde_json::{Value, json};

use super::{Options, assemble};
use crate::objects::decode::{Expected, ObjectSeed, TypeMeta};
use crate::objects::pod::PodTemplateSpec;
use crate::objects::snapshot::{Snapshot, SnapshotBuilder};
use crate::objects::source::Source;
use crate::psa::configuration::Configuration;
use crate::version::Version;

/// The objects as one run would know them.
pub(crate) fn snapshot<'v>(objects: impl IntoIterator<Item = &'v Value>) -> Snapshot {
    let mut builder = SnapshotBuilder::default();
    for (index, object) in objects.into_iter().enumerate() {
        let text = |key: &str| object[key].as_str().unwrap().into();
        let type_meta = TypeMeta { api_version: text("apiVersion"), kind: text("kind") };
        let seed = ObjectSeed { expected: &Expected::Certain(type_meta), detour: &mut None };
        if let Ok(object) = seed.deserialize(object).unwrap().body {
            builder.add(object, &Source { file: "test".into(), index, line: None });
        }
    }
    builder.finish()
}

/// What the command line asks for where nothing is said, but for a server of v1.21.
pub(crate) fn options() -> Options {
    Options {
        pss_version: Version::v1(25),
        configuration: Configuration::default(),
        is_configured: false,
        cluster_version: Version::v1(21),
        controllers_user: None,
        system_namespaces: BTreeSet::new(),
        warn: None,
        audit: None,
        empty_namespaces: None,
        n_threads: 2,
    }
}

/// The plan as scripts see it.
fn plan<'v>(objects: impl IntoIterator<Item = &'v Value>) -> Value {
    json!(assemble::plan(&snapshot(objects), &options(), &|_| true))
}

/// A policy that fills in what it asks for, granted to every service account, and a namespace.
fn cluster(policy: &Value) -> Vec<Value> {
    let mut spec = json!({
        "volumes": ["*"], "runAsUser": {"rule": "RunAsAny"}, "seLinux": {"rule": "RunAsAny"},
        "supplementalGroups": {"rule": "RunAsAny"}, "fsGroup": {"rule": "RunAsAny"},
    });
    for (field, value) in policy["spec"].as_object().into_iter().flatten() {
        spec[field] = value.clone();
    }
    let metadata = json!({"name": "filling", "annotations": policy["annotations"]});
    vec![
        json!({"apiVersion": "policy/v1beta1", "kind": "PodSecurityPolicy", "metadata": metadata,
            "spec": spec}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": {"name": "psp"}, "rules": [{"apiGroups": ["policy"],
            "resources": ["podsecuritypolicies"], "verbs": ["use"]}]}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": {"name": "psp"}, "roleRef": {"kind": "ClusterRole", "name": "psp"},
            "subjects": [{"kind": "Group", "name": "system:serviceaccounts"}]}),
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}),
    ]
}

/// The Deployment `web` in `shop`.
fn deployment(pod: &Value) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop"}, "spec": {"template": pod}})
}

/// A template that says nothing but that there is a container `app`.
fn app() -> Value {
    json!({"spec": {"containers": [{"name": "app"}]}})
}

/// A pod with this spec.
pub(crate) fn pod(spec: &Value) -> PodTemplateSpec {
    PodTemplateSpec::deserialize(json!({"spec": spec})).unwrap()
}
