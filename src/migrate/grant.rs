//! By whose right, and through what, may a policy be used?

use serde::Serialize;

use crate::objects::rbac::{PolicyRule, Subject};
use crate::psp::Via;
use crate::rbac::Grant;

/// The chain of objects that grants the use of a policy, in words for reports.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GrantPath {
    /// Who holds it: `serviceAccount` (the pod's), or `requester` (whoever makes the pod) where the
    /// pod's service account does not.
    pub to: &'static str,
    /// The subject of the binding: kind and name.
    pub subject: String,
    /// The binding: kind and name, with the namespace before the name of a RoleBinding.
    pub binding: String,
    /// The role: kind and name, with the namespace before the name of a Role.
    pub role: String,
    /// The rule of the role that allows the use.
    pub rule: String,
}

impl GrantPath {
    /// The path of a grant.
    #[must_use]
    pub fn of(via: Via, grant: &Grant<'_>) -> Self {
        let (binding, role) = (grant.binding, grant.role);
        Self {
            to: via.as_str(),
            subject: subject(grant.subject, binding.namespace.as_deref()),
            binding: named(binding.kind(), binding.namespace.as_deref(), &binding.name),
            role: named(role.kind(), role.namespace.as_deref(), &role.name),
            rule: rule(grant.rule),
        }
    }
}

/// Prints the chain from the subject to the rule, with arrows.
impl std::fmt::Display for GrantPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { subject, binding, role, rule, .. } = self;
        write!(f, "{subject} → {binding} → {role} → {rule}")
    }
}

fn subject(subject: &Subject, namespace: Option<&str>) -> String {
    let own = Some(subject.namespace.as_str()).filter(|namespace| !namespace.is_empty());
    let is_account = subject.kind == "ServiceAccount";
    named(&subject.kind, own.or(namespace).filter(|_| is_account), &subject.name)
}

fn named(kind: &str, namespace: Option<&str>, name: &str) -> String {
    match namespace {
        Some(namespace) => format!("{kind} {namespace}/{name}"),
        None => format!("{kind} {name}"),
    }
}

/// `use podsecuritypolicies: restricted`, in words where the rule names none.
#[must_use]
pub fn rule(rule: &PolicyRule) -> String {
    let names = if rule.resource_names.is_empty() {
        "every one".to_owned()
    } else {
        rule.resource_names.join(", ")
    };
    let all_or = |words: &[String], all: &str| {
        let has_all = words.iter().any(|word| word == "*");
        if has_all { all.to_owned() } else { words.join(", ") }
    };
    let verbs = all_or(&rule.verbs, "do anything with");
    let resources = all_or(&rule.resources, "every resource");
    format!("{verbs} {resources}: {names}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_told_in_words() {
        let rule_of = |verb: &str, resource: &str, name: Option<&str>| PolicyRule {
            verbs: vec![verb.to_owned()],
            resources: vec![resource.to_owned()],
            resource_names: name.into_iter().map(str::to_owned).collect(),
            ..Default::default()
        };
        assert_eq!(
            rule(&rule_of("use", "podsecuritypolicies", Some("restricted"))),
            "use podsecuritypolicies: restricted"
        );
        assert_eq!(rule(&rule_of("*", "*", None)), "do anything with every resource: every one");
    }
}
