//! Who may change the labels of namespaces, and so switch Pod Security admission off?
//!
//! The first step of the migration guide: a level is worth what the right to change it is worth.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde::Serialize;

use super::object_ref::ObjectRef;
use crate::migrate::grant;
use crate::objects::meta::Name;
use crate::objects::rbac::{Binding, PolicyRule, Role, Subject};
use crate::objects::snapshot::Snapshot;
use crate::rbac::{self, Attributes};

/// Who may change the labels of namespaces, as far as RBAC says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LabelAccess {
    /// Everybody who may, with the way they come to it, sorted: what Kubernetes itself comes with last.
    /// Members of the group `system:masters` may too, whatever RBAC says.
    pub holders: Vec<LabelHolder>,
    /// The roles `admin` and `edit` where they allow it, which Kubernetes' own do not.
    pub widened_roles: Vec<Name>,
    /// What Rancher adds; `None` where nothing shows Rancher.
    pub rancher: Option<Rancher>,
}

/// A subject that may change labels of namespaces.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LabelHolder {
    /// Whether the role is one that Kubernetes comes with.
    pub built_in: bool,
    /// How far it reaches.
    pub reach: Reach,
    /// The subject's kind: `User`, `Group` or `ServiceAccount`.
    pub kind: String,
    /// The subject's name; `namespace:name` for a service account.
    pub name: String,
    /// What it may do, of `create`, `patch` and `update`, sorted.
    pub verbs: BTreeSet<&'static str>,
    /// The part of a Namespace through which it may: `None` for the object itself, else `status` or
    /// `finalize`, which take labels too and are not looked at by Pod Security admission.
    pub through: Option<&'static str>,
    /// The binding.
    pub binding: ObjectRef,
    /// The role.
    pub role: ObjectRef,
    /// The rule, in words.
    pub rule: String,
    /// Whether this is a group that everybody is in.
    pub everybody: bool,
}

/// Which namespaces a right reaches.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Reach {
    /// Every namespace.
    All,
    /// These, as the rule names them, or as the binding stands in one.
    Only(BTreeSet<Name>),
}

/// What Rancher's webhook asks of those who change pod-security labels.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rancher {
    /// Who holds the verb `updatepsa` on projects, with the way they come to it, sorted.
    pub updatepsa: Vec<String>,
}

/// Who may change the labels of the namespaces of a snapshot's cluster.
#[must_use]
pub fn label_access(snapshot: &Snapshot) -> LabelAccess {
    let mut holders = Vec::new();
    for (binding, role, rule) in granted_rules(snapshot) {
        for through in [None, Some("status"), Some("finalize")] {
            let Some((verbs, reach)) = allowed(rule, binding, through) else { continue };
            for subject in &binding.subjects {
                holders.push(LabelHolder {
                    built_in: role.marks.is_bootstrap && binding.marks.is_bootstrap,
                    reach: reach.clone(),
                    kind: subject.kind.clone(),
                    name: full_name(subject, binding),
                    verbs: verbs.clone(),
                    through,
                    binding: binding.into(),
                    role: role.into(),
                    rule: grant::rule(rule),
                    everybody: is_everybody(subject),
                });
            }
        }
    }
    holders.sort();
    holders.dedup();
    // Who may write the object need not go through its parts.
    let whole: Vec<LabelHolder> =
        holders.iter().filter(|holder| holder.through.is_none()).cloned().collect();
    holders.retain(|holder| {
        let covers = |other: &LabelHolder| {
            (&other.kind, &other.name) == (&holder.kind, &holder.name)
                && (other.reach == Reach::All || other.reach == holder.reach)
        };
        holder.through.is_none() || !whole.iter().any(covers)
    });
    LabelAccess { holders, widened_roles: widened_roles(snapshot), rancher: rancher(snapshot) }
}

/// Every rule that a binding grants, in the order of the bindings.
fn granted_rules(snapshot: &Snapshot) -> impl Iterator<Item = (&Binding, &Role, &PolicyRule)> {
    snapshot.bindings.values().flat_map(|binding| {
        let role = ObjectRef::role_of(binding)
            .and_then(|role| snapshot.roles.get(&(role.namespace, role.name)));
        role.into_iter()
            .flat_map(move |role| role.rules.iter().map(move |rule| (binding, role, rule)))
    })
}

/// What a rule allows to do to the labels of which namespaces, as it is bound; `None` for nothing.
///
/// A request for a Namespace is authorised in that namespace, so that a RoleBinding reaches its own;
/// but one that creates a Namespace names neither a namespace nor, in the eyes of RBAC, an object.
///
/// Upstream: `staging/src/k8s.io/apiserver/pkg/endpoints/request/requestinfo.go`, `NewRequestInfo`;
/// `pkg/registry/core/namespace/strategy.go`, whose strategies for `status` and `finalize` keep the
/// old spec or status, but not the old labels; `finalize` takes no patches (v1.36).
fn allowed(
    rule: &PolicyRule,
    binding: &Binding,
    through: Option<&'static str>,
) -> Option<(BTreeSet<&'static str>, Reach)> {
    let reach = match &binding.namespace {
        None if rule.resource_names.is_empty() => Reach::All,
        None => {
            Reach::Only(rule.resource_names.iter().map(|name| Name::from(name.as_str())).collect())
        }
        Some(namespace) => Reach::Only([namespace.clone()].into()),
    };
    let verbs = ["create", "patch", "update"].into_iter().filter(|verb| {
        let is_create = *verb == "create";
        if is_create && (through.is_some() || reach != Reach::All)
            || *verb == "patch" && through == Some("finalize")
        {
            return false;
        }
        let name = match &binding.namespace {
            Some(namespace) => namespace,
            None => rule.resource_names.first().map_or("", String::as_str),
        };
        let request = Attributes {
            verb,
            api_group: "",
            resource: "namespaces",
            subresource: through,
            name,
            namespace: "",
        };
        rbac::allows(rule, &request)
    });
    let verbs: BTreeSet<_> = verbs.collect();
    (!verbs.is_empty()).then_some((verbs, reach))
}

fn full_name(subject: &Subject, binding: &Binding) -> String {
    if subject.kind != "ServiceAccount" {
        return subject.name.clone();
    }
    let namespace = match subject.namespace.as_str() {
        "" => binding.namespace.as_deref().unwrap_or_default(),
        namespace => namespace,
    };
    format!("{namespace}:{}", subject.name)
}

fn is_everybody(subject: &Subject) -> bool {
    subject.kind == "Group"
        && [rbac::AUTHENTICATED, rbac::ALL_SERVICE_ACCOUNTS, "system:unauthenticated"]
            .contains(&subject.name.as_str())
}

fn widened_roles(snapshot: &Snapshot) -> Vec<Name> {
    let everywhere = Binding::default();
    ["admin", "edit"]
        .into_iter()
        .map(Name::from)
        .filter(|name| {
            let role = snapshot.roles.get(&(None, name.clone()));
            role.is_some_and(|role| {
                role.rules.iter().any(|rule| allowed(rule, &everywhere, None).is_some())
            })
        })
        .collect()
}

/// Rancher is there where a role speaks of its groups, or its own namespace is.
fn rancher(snapshot: &Snapshot) -> Option<Rancher> {
    const GROUP: &str = "management.cattle.io";
    let is_of_rancher = |role: &Role| {
        role.rules.iter().any(|rule| rule.api_groups.iter().any(|group| group == GROUP))
    };
    if !snapshot.namespaces.contains_key("cattle-system")
        && !snapshot.roles.values().any(is_of_rancher)
    {
        return None;
    }
    let mut updatepsa = BTreeSet::new();
    for (binding, role, rule) in granted_rules(snapshot) {
        let request = Attributes {
            verb: "updatepsa",
            api_group: GROUP,
            resource: "projects",
            subresource: None,
            name: rule.resource_names.first().map_or("", String::as_str),
            namespace: "",
        };
        if !rbac::allows(rule, &request) {
            continue;
        }
        for subject in &binding.subjects {
            let (binding_ref, role_ref) = (ObjectRef::from(binding), ObjectRef::from(role));
            let name = full_name(subject, binding);
            updatepsa.insert(format!(
                "{} {name} → {binding_ref} → {role_ref} → {}",
                subject.kind,
                grant::rule(rule)
            ));
        }
    }
    Some(Rancher { updatepsa: updatepsa.into_iter().collect() })
}
