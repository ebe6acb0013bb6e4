//! What do we keep of policies, RBAC objects, Namespaces and ServiceAccounts?

use std::collections::BTreeMap;

use serde::de::MapAccess;

use super::kinds::{Shape, TypeMeta};
use crate::objects::Object;
use crate::objects::collection::Collection;
use crate::objects::meta::{Marks, Name, ObjectMeta};
use crate::objects::namespace::{Namespace, ServiceAccount};
use crate::objects::psp::{PodSecurityPolicy, PodSecurityPolicySpec};
use crate::objects::rbac::{AggregationRule, Binding, PolicyRule, Role, RoleRef, Subject};
use crate::objects::slim::{Length, Nullable};

/// How many capabilities a list of a policy may have: Linux knows 41, with and without prefix. Each is
/// written into every container of a pod, which would make a gigabyte of two objects.
const MAX_POLICY_CAPABILITIES: usize = 100;

/// # Errors
/// Where a policy lists too many capabilities.
fn check_capabilities<E: serde::de::Error>(policy: &PodSecurityPolicySpec) -> Result<(), E> {
    let lists = [
        &policy.default_add_capabilities,
        &policy.required_drop_capabilities,
        &policy.allowed_capabilities,
    ];
    let longest = lists.map(Vec::len).into_iter().max().unwrap_or(0);
    if longest > MAX_POLICY_CAPABILITIES {
        return Err(E::invalid_length(longest, &"at most 100 capabilities in a list"));
    }
    Ok(())
}

/// The fields of these kinds besides their metadata; few objects, so one struct for all.
#[derive(Default)]
pub(super) struct ClusterBody {
    policy: PodSecurityPolicySpec,
    automount_service_account_token: Option<bool>,
    rules: Vec<PolicyRule>,
    aggregation_rule: Option<AggregationRule>,
    role_ref: RoleRef,
    subjects: Vec<Subject>,
    collection: Collection,
}

impl ClusterBody {
    pub(super) fn read<'de, A: MapAccess<'de>>(
        &mut self,
        shape: Shape,
        key: &str,
        map: &mut A,
    ) -> Result<bool, A::Error> {
        match (shape, key) {
            (Shape::PodSecurityPolicy, "spec") => {
                self.policy = map.next_value_seed(Nullable::seed())?;
                check_capabilities(&self.policy)?;
            }
            (Shape::ServiceAccount, "automountServiceAccountToken") => {
                self.automount_service_account_token = map.next_value_seed(Nullable::seed())?;
            }
            (Shape::Role | Shape::ClusterRole, "rules") => {
                self.rules = map.next_value_seed(Nullable::of(Length::Long))?;
            }
            (Shape::ClusterRole, "aggregationRule") => {
                self.aggregation_rule = map.next_value_seed(Nullable::seed())?;
            }
            (Shape::RoleBinding | Shape::ClusterRoleBinding, "roleRef") => {
                self.role_ref = map.next_value_seed(Nullable::seed())?;
            }
            (Shape::RoleBinding | Shape::ClusterRoleBinding, "subjects") => {
                self.subjects = map.next_value_seed(Nullable::of(Length::Long))?;
            }
            (Shape::Collection, "reading") => {
                self.collection = map.next_value_seed(Nullable::seed())?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    pub(super) fn finish(
        self,
        shape: Shape,
        type_meta: &TypeMeta,
        metadata: ObjectMeta,
    ) -> Option<Object> {
        let marks = Marks::of(&metadata);
        let annotation = |key: &str| metadata.annotation(key).map(str::to_owned);
        let name = Name::from(metadata.name.as_str());
        let namespace = Name::from(metadata.namespace.as_str());
        let resource_version = metadata.resource_version.as_str().into();
        Some(match shape {
            Shape::Collection => Object::Collection(Box::new(self.collection)),
            Shape::PodSecurityPolicy => Object::PodSecurityPolicy(Box::new(PodSecurityPolicy {
                name,
                resource_version,
                created: metadata.created.0,
                managed_by: marks.managed_by,
                owner: marks.owner,
                allowed_seccomp_profiles: annotation(
                    "seccomp.security.alpha.kubernetes.io/allowedProfileNames",
                ),
                default_seccomp_profile: annotation(
                    "seccomp.security.alpha.kubernetes.io/defaultProfileName",
                ),
                allowed_app_armor_profiles: annotation(
                    "apparmor.security.beta.kubernetes.io/allowedProfileNames",
                ),
                default_app_armor_profile: annotation(
                    "apparmor.security.beta.kubernetes.io/defaultProfileName",
                ),
                spec: self.policy,
            })),
            Shape::Namespace => Object::Namespace(Namespace {
                name,
                resource_version,
                labels: metadata.labels,
                managed_by: marks.managed_by,
            }),
            Shape::ServiceAccount => Object::ServiceAccount(ServiceAccount {
                namespace,
                name,
                resource_version,
                automount_service_account_token: self.automount_service_account_token,
            }),
            Shape::Role | Shape::ClusterRole => Object::Role(Role {
                namespace: (shape == Shape::Role).then_some(namespace),
                name,
                resource_version,
                marks,
                labels: if shape == Shape::ClusterRole { metadata.labels } else { BTreeMap::new() },
                aggregation_rule: self.aggregation_rule,
                rules: self.rules,
            }),
            Shape::RoleBinding | Shape::ClusterRoleBinding => Object::Binding(Binding {
                namespace: (shape == Shape::RoleBinding).then_some(namespace),
                name,
                resource_version,
                marks,
                role_ref: self.role_ref,
                subjects: if type_meta.api_version.ends_with("/v1alpha1") {
                    self.subjects.into_iter().map(converted_from_v1alpha1).collect()
                } else {
                    self.subjects
                },
            }),
            Shape::Pod | Shape::Workload(_) | Shape::Event | Shape::Other => return None,
        })
    }
}

/// In v1alpha1 the user `*` stands for every authenticated user.
///
/// Upstream: `pkg/apis/rbac/v1alpha1/conversion.go`, `Convert_v1alpha1_Subject_To_rbac_Subject`.
fn converted_from_v1alpha1(mut subject: Subject) -> Subject {
    if subject.kind == "User" && subject.name == "*" {
        "Group".clone_into(&mut subject.kind);
        "system:authenticated".clone_into(&mut subject.name);
    }
    subject
}
