//! What do Namespaces and ServiceAccounts say about their pods?

use std::collections::BTreeMap;

use super::meta::{Name, POD_SECURITY_PREFIX};

/// A Namespace.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Namespace {
    /// `metadata.name`.
    pub name: Name,
    /// `metadata.resourceVersion`; empty where there is none.
    pub resource_version: Box<str>,
    /// `metadata.labels`.
    pub labels: BTreeMap<String, String>,
    /// The tool that would put the object back; see [`super::meta::ObjectMeta::managed_by`].
    pub managed_by: Option<Name>,
}

impl Namespace {
    /// The labels that configure Pod Security admission, whole keys.
    pub fn pod_security_labels(&self) -> impl Iterator<Item = (&str, &str)> {
        self.labels
            .iter()
            .filter(|(key, _)| key.starts_with(POD_SECURITY_PREFIX))
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

/// A ServiceAccount.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServiceAccount {
    /// `metadata.namespace`; empty where the object has none.
    pub namespace: Name,
    /// `metadata.name`.
    pub name: Name,
    /// `metadata.resourceVersion`; empty where there is none.
    pub resource_version: Box<str>,
    /// `automountServiceAccountToken`; `None` means true.
    pub automount_service_account_token: Option<bool>,
}
