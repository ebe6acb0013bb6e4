//! What do roles allow, and whom are they bound to?

use std::collections::BTreeMap;

use super::meta::{Marks, Name};
use super::slim::slim;

slim! {
    /// One of a role's `rules`.
    pub struct PolicyRule as "a policy rule" with long parts {
        /// `apiGroups`.
        "apiGroups" api_groups: Vec<String>,
        /// `resources`.
        "resources" resources: Vec<String>,
        /// `resourceNames`; empty means every name.
        "resourceNames" resource_names: Vec<String>,
        /// `verbs`.
        "verbs" verbs: Vec<String>,
    }
}

/// A Role or a ClusterRole.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Role {
    /// `metadata.namespace` of a Role; `None` for a ClusterRole.
    pub namespace: Option<Name>,
    /// `metadata.name`.
    pub name: Name,
    /// `metadata.resourceVersion`; empty where there is none.
    pub resource_version: Box<str>,
    /// Who would put it back.
    pub marks: Marks,
    /// `metadata.labels` of a ClusterRole, by which others aggregate it; a Role's are not kept.
    pub labels: BTreeMap<String, String>,
    /// `aggregationRule` of a ClusterRole whose rules the controller fills in.
    pub aggregation_rule: Option<AggregationRule>,
    /// `rules`; those of an aggregated ClusterRole as the controller has filled them in.
    pub rules: Vec<PolicyRule>,
}

/// A RoleBinding or a ClusterRoleBinding.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Binding {
    /// `metadata.namespace` of a RoleBinding; `None` for a ClusterRoleBinding.
    pub namespace: Option<Name>,
    /// `metadata.name`.
    pub name: Name,
    /// `metadata.resourceVersion`; empty where there is none.
    pub resource_version: Box<str>,
    /// Who would put it back.
    pub marks: Marks,
    /// `roleRef`.
    pub role_ref: RoleRef,
    /// `subjects`.
    pub subjects: Vec<Subject>,
}

impl Role {
    /// `Role` or `ClusterRole`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        if self.namespace.is_some() { "Role" } else { "ClusterRole" }
    }
}

slim! {
    /// `aggregationRule` of a ClusterRole.
    pub struct AggregationRule as "an aggregation rule" with long parts {
        /// `clusterRoleSelectors`; the rules of every ClusterRole that one of them selects count.
        "clusterRoleSelectors" cluster_role_selectors: Vec<LabelSelector>,
    }
}

slim! {
    /// A label selector; it selects what satisfies all that it says.
    pub struct LabelSelector as "a label selector" with long parts {
        /// `matchLabels`.
        "matchLabels" match_labels: BTreeMap<String, String>,
        /// `matchExpressions`.
        "matchExpressions" match_expressions: Vec<LabelExpression>,
    }
}

slim! {
    /// One of `matchExpressions`.
    pub struct LabelExpression as "a label expression" with long parts {
        /// `key`.
        "key" key: String,
        /// `operator`: `In`, `NotIn`, `Exists` or `DoesNotExist`.
        "operator" operator: String,
        /// `values` of `In` and `NotIn`.
        "values" values: Vec<String>,
    }
}

impl AggregationRule {
    /// Whether a ClusterRole with these labels is one of the sources.
    #[must_use]
    pub fn selects(&self, labels: &BTreeMap<String, String>) -> bool {
        self.cluster_role_selectors.iter().any(|selector| selector.selects(labels))
    }
}

impl LabelSelector {
    /// Whether labels satisfy the selector; one with an operator that does not exist selects nothing.
    #[must_use]
    pub fn selects(&self, labels: &BTreeMap<String, String>) -> bool {
        let has = |(key, value): (&String, &String)| labels.get(key) == Some(value);
        self.match_labels.iter().all(has)
            && self.match_expressions.iter().all(|LabelExpression { key, operator, values }| {
                let value = labels.get(key);
                match operator.as_str() {
                    "In" => value.is_some_and(|value| values.contains(value)),
                    "NotIn" => value.is_none_or(|value| !values.contains(value)),
                    "Exists" => value.is_some(),
                    "DoesNotExist" => value.is_none(),
                    _ => false,
                }
            })
    }
}

impl Binding {
    /// `RoleBinding` or `ClusterRoleBinding`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        if self.namespace.is_some() { "RoleBinding" } else { "ClusterRoleBinding" }
    }
}

slim! {
    /// `roleRef` of a binding.
    pub struct RoleRef as "a role reference" {
        /// `Role` or `ClusterRole`.
        "kind" kind: String,
        /// `name`.
        "name" name: String,
    }
}

slim! {
    /// One of a binding's `subjects`.
    pub struct Subject as "a subject" {
        /// `User`, `Group` or `ServiceAccount`.
        "kind" kind: String,
        /// `apiGroup`; empty where unset.
        "apiGroup" api_group: String,
        /// `name`.
        "name" name: String,
        /// `namespace` of a ServiceAccount; empty means the binding's.
        "namespace" namespace: String,
    }
}
