//! Which object is this, whose is it, and who would change it back?

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::de::Deserializer;
use serde::ser::Serializer;

use super::slim::{Length, Slim, read_strings, slim};
use super::time::MaybeTime;

/// A name that many objects share, such as a namespace's.
pub type Name = Arc<str>;

/// Prefix of the labels that configure Pod Security admission.
pub const POD_SECURITY_PREFIX: &str = "pod-security.kubernetes.io/";
/// The annotation in which `kubectl apply` keeps what it was given.
pub const LAST_APPLIED_ANNOTATION: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// The annotation with the number of a rollout: a ReplicaSet's own, and a Deployment's latest.
pub const ROLLOUT_REVISION_ANNOTATION: &str = "deployment.kubernetes.io/revision";
/// The DaemonSet annotation whose value its current pods carry as `pod-template-generation`.
pub const TEMPLATE_GENERATION_ANNOTATION: &str = "deprecated.daemonset.template.generation";
/// The annotation of RBAC objects that the API server puts back whenever it starts.
pub const AUTO_UPDATE_ANNOTATION: &str = "rbac.authorization.kubernetes.io/autoupdate";
/// The label of the RBAC objects that the API server makes itself.
const BOOTSTRAPPING_LABEL: &str = "kubernetes.io/bootstrapping";

slim! {
    /// `metadata`, as far as it is read.
    pub struct ObjectMeta as "object metadata" {
        /// `name`; empty where unset.
        "name" name: String,
        /// `generateName`; empty where unset.
        "generateName" generate_name: String,
        /// `namespace`; empty where unset.
        "namespace" namespace: String,
        /// `uid`; empty where unset.
        "uid" uid: String,
        /// `resourceVersion`; empty where unset.
        "resourceVersion" resource_version: String,
        /// `creationTimestamp`.
        "creationTimestamp" created: MaybeTime,
        /// `generation`.
        "generation" generation: Option<i64>,
        /// `labels`.
        "labels" labels: BTreeMap<String, String>,
        /// `annotations`, those that [`is_kept_annotation`] names; `None` where the object has no
        /// annotations at all.
        "annotations" annotations: Option<KeptAnnotations>,
        /// `ownerReferences`.
        "ownerReferences" owner_references: Vec<OwnerReference>,
    }
}

slim! {
    /// One of `ownerReferences`.
    pub struct OwnerReference as "an owner reference" {
        /// `apiVersion` of the owner.
        "apiVersion" api_version: String,
        /// `kind` of the owner.
        "kind" kind: String,
        /// `name` of the owner.
        "name" name: String,
        /// `uid` of the owner.
        "uid" uid: String,
        /// Whether the owner manages the object; at most one does.
        "controller" controller: bool,
    }
}

/// What says that somebody would put an object back after a change by hand.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Marks {
    /// The tool; see [`ObjectMeta::managed_by`].
    pub managed_by: Option<Name>,
    /// The object that owns it; the managing one of several, else the first.
    pub owner: Option<Box<OwnerReference>>,
    /// Whether the API server made it and puts it back when it starts.
    pub is_bootstrap: bool,
}

impl Marks {
    /// The marks in an object's metadata.
    #[must_use]
    pub fn of(metadata: &ObjectMeta) -> Self {
        let owner = metadata.controller().or_else(|| metadata.owner_references.first());
        Self {
            managed_by: metadata.managed_by().map(Name::from),
            owner: owner.cloned().map(Box::new),
            is_bootstrap: metadata.labels.contains_key(BOOTSTRAPPING_LABEL)
                || metadata.annotation(AUTO_UPDATE_ANNOTATION) == Some("true"),
        }
    }
}

/// Whether the program reads an annotation; every other is skipped, as it may hold secrets.
#[must_use]
pub fn is_kept_annotation(key: &str) -> bool {
    const KEPT: &[&str] = &[
        super::pod::PSP_ANNOTATION,
        LAST_APPLIED_ANNOTATION,
        TEMPLATE_GENERATION_ANNOTATION,
        ROLLOUT_REVISION_ANNOTATION,
        "meta.helm.sh/release-name",
        "argocd.argoproj.io/tracking-id",
        AUTO_UPDATE_ANNOTATION,
        "seccomp.security.alpha.kubernetes.io/allowedProfileNames",
        "seccomp.security.alpha.kubernetes.io/defaultProfileName",
        "apparmor.security.beta.kubernetes.io/allowedProfileNames",
        "apparmor.security.beta.kubernetes.io/defaultProfileName",
    ];
    KEPT.contains(&key) || super::pod::is_security_annotation(key)
}

/// Annotations for which [`is_kept_annotation`] holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeptAnnotations(pub BTreeMap<String, String>);

impl Slim for KeptAnnotations {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_strings(deserializer, is_kept_annotation, Length::Long).map(Self)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(&self.0)
    }

    fn is_absent(&self) -> bool {
        false
    }
}

impl Slim for BTreeMap<String, String> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_strings(deserializer, |_| true, Length::Short)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self)
    }

    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

impl ObjectMeta {
    /// The value of an annotation for which [`is_kept_annotation`] holds.
    #[must_use]
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.annotations.as_ref()?.0.get(key).map(String::as_str)
    }

    /// The owner that manages the object.
    #[must_use]
    pub fn controller(&self) -> Option<&OwnerReference> {
        self.owner_references.iter().find(|owner| owner.controller)
    }

    /// What would put the object back after a change by hand: the tool whose marks it carries,
    /// with the tool's own name for it where the mark says it; `None` without such marks.
    #[must_use]
    pub fn managed_by(&self) -> Option<String> {
        let named = |tool: &str, name: &str| match name {
            "" => tool.to_owned(),
            name => format!("{tool} {name}"),
        };
        let label = |key: &str| self.labels.get(key).map(String::as_str);
        let is_helm = || {
            let mark = label("app.kubernetes.io/managed-by").or_else(|| label("heritage"))?;
            matches!(mark, "Helm" | "Tiller").then(|| label("release").unwrap_or_default())
        };
        if let Some(release) = self.annotation("meta.helm.sh/release-name").or_else(is_helm) {
            return Some(named("Helm release", release));
        }
        if let Some(id) = self.annotation("argocd.argoproj.io/tracking-id") {
            return Some(named("Argo CD application", id.split(':').next().unwrap_or_default()));
        }
        [
            ("argocd.argoproj.io/instance", "Argo CD application"),
            ("kustomize.toolkit.fluxcd.io/name", "Flux Kustomization"),
            ("helm.toolkit.fluxcd.io/name", "Flux HelmRelease"),
            ("addonmanager.kubernetes.io/mode", "addon manager"),
            ("olm.owner", "Operator Lifecycle Manager"),
        ]
        .into_iter()
        .find_map(|(key, tool)| label(key).map(|name| named(tool, name)))
    }
}
