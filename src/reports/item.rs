//! Which object of the input does an item of `check` or `simulate` speak of?

use std::sync::Arc;

use serde::Serialize;

use crate::objects::Object;
use crate::objects::meta::Name;
use crate::objects::pod::PodTemplateSpec;
use crate::objects::source::{ObjectError, Source};

/// A pod, or the pod template of a workload, as an item of a report.
#[derive(Debug, Clone)]
pub struct Subject {
    /// `apiVersion` of the object.
    pub api_version: Name,
    /// `kind` of the object.
    pub kind: Name,
    /// The namespace, filled in where the object names none.
    pub namespace: String,
    /// `metadata.name`; empty where there is none.
    pub name: String,
    /// `metadata.generateName`; empty where there is none.
    pub generate_name: String,
    /// The pod or the template.
    pub template: Arc<PodTemplateSpec>,
}

impl Subject {
    /// The item that an object makes; `None` for objects without a pod template.
    #[must_use]
    pub fn of(
        object: &Object,
        api_version: Name,
        kind: Name,
        default_namespace: &str,
    ) -> Option<Self> {
        let (namespace, name, generate_name, template) = match object {
            Object::Pod(pod) => {
                (&pod.namespace, pod.name.to_string(), pod.generate_name.to_string(), &pod.template)
            }
            Object::Workload(workload) => (
                &workload.namespace,
                workload.name.to_string(),
                workload.generate_name.to_string(),
                workload.template.as_ref()?,
            ),
            _ => return None,
        };
        let namespace = if namespace.is_empty() { default_namespace } else { namespace }.to_owned();
        Some(Self {
            api_version,
            kind,
            namespace,
            name,
            generate_name,
            template: Arc::clone(template),
        })
    }

    /// What messages call a pod of this item: its own name, else its `generateName`, or for a
    /// template the `generateName` that its controller would give.
    #[must_use]
    pub fn pod_name(&self) -> String {
        match (self.name.as_str(), &*self.kind) {
            ("", _) => self.generate_name.clone(),
            (name, "Pod") => name.to_owned(),
            (name, _) => format!("{name}-"),
        }
    }
}

/// What identifies an item in a structured report.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ItemHead {
    /// The ordinal of the object in the whole input, from 0.
    pub index: usize,
    /// Where the object stands.
    pub source: ItemSource,
    /// `apiVersion`; empty where it is not known.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub api_version: Name,
    /// `kind`; empty where it is not known.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub kind: Name,
    /// The namespace; empty where it is not known.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// `metadata.name`; empty where there is none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// `metadata.generateName`, where there is no name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub generate_name: String,
}

/// Where an item stands in the input.
#[derive(Debug, Clone, Serialize)]
pub struct ItemSource {
    /// The file as given, or `stdin`.
    pub file: Name,
    /// The ordinal of the object in the file, from 0.
    pub index: usize,
}

impl ItemHead {
    /// The head of an item that could be read.
    #[must_use]
    pub fn of(index: usize, source: Source, subject: &Subject) -> Self {
        let has_name = !subject.name.is_empty();
        Self {
            index,
            source: ItemSource { file: source.file, index: source.index },
            api_version: subject.api_version.clone(),
            kind: subject.kind.clone(),
            namespace: subject.namespace.clone(),
            name: subject.name.clone(),
            generate_name: if has_name { String::new() } else { subject.generate_name.clone() },
        }
    }

    /// The head of an item that could not be read.
    #[must_use]
    pub fn unreadable(index: usize, source: Source, error: &ObjectError) -> Self {
        Self {
            index,
            source: ItemSource { file: source.file, index: source.index },
            api_version: error.api_version.as_str().into(),
            kind: error.kind.as_str().into(),
            namespace: error.namespace.clone(),
            name: error.name.clone(),
            generate_name: String::new(),
        }
    }

    /// The name, else the `generateName`.
    #[must_use]
    pub fn shown_name(&self) -> &str {
        if self.name.is_empty() { &self.generate_name } else { &self.name }
    }
}
