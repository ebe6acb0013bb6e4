//! Does a rule allow a request?

use crate::objects::rbac::PolicyRule;

/// What a request for a resource would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Attributes<'a> {
    /// The verb, such as `use`.
    pub verb: &'a str,
    /// The API group of the resource; empty for the core group.
    pub api_group: &'a str,
    /// The resource, in the plural.
    pub resource: &'a str,
    /// The subresource, such as `status`.
    pub subresource: Option<&'a str>,
    /// The name of the object; empty where the request names none.
    pub name: &'a str,
    /// The namespace of the request; empty for cluster-wide requests, which no RoleBinding grants.
    pub namespace: &'a str,
}

/// Whether a rule allows a request, wherever its role is bound.
///
/// `*` stands for every verb, group or resource, but a resource name `*` is literal. A rule without
/// resource names allows every name.
///
/// Upstream: `plugin/pkg/auth/authorizer/rbac/rbac.go`, `RuleAllows` (v1.21).
#[must_use]
pub fn allows(rule: &PolicyRule, request: &Attributes<'_>) -> bool {
    allows_kind(rule, request)
        && (rule.resource_names.is_empty() || contains(&rule.resource_names, request.name))
}

/// Whether a rule allows a request if the name is left out of account.
pub(super) fn allows_kind(rule: &PolicyRule, request: &Attributes<'_>) -> bool {
    matches(&rule.verbs, request.verb)
        && matches(&rule.api_groups, request.api_group)
        && rule.resources.iter().any(|resource| allows_resource(resource, request))
}

fn allows_resource(rule_resource: &str, request: &Attributes<'_>) -> bool {
    if rule_resource == "*" {
        return true;
    }
    match request.subresource {
        None | Some("") => rule_resource == request.resource,
        Some(subresource) => rule_resource.split_once('/').is_some_and(|(resource, rest)| {
            rest == subresource && (resource == request.resource || resource == "*")
        }),
    }
}

fn matches(patterns: &[String], value: &str) -> bool {
    patterns.iter().any(|pattern| pattern == "*" || pattern == value)
}

fn contains(values: &[String], wanted: &str) -> bool {
    values.iter().any(|value| value == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(list: &[&str]) -> Vec<String> {
        list.iter().map(|&text| text.to_owned()).collect()
    }

    fn rule(groups: &[&str], resources: &[&str], names: &[&str], verbs: &[&str]) -> PolicyRule {
        PolicyRule {
            api_groups: strings(groups),
            resources: strings(resources),
            resource_names: strings(names),
            verbs: strings(verbs),
        }
    }

    #[test]
    fn matches_as_the_api_server_does() {
        let use_policy = Attributes {
            verb: "use",
            api_group: "policy",
            resource: "podsecuritypolicies",
            subresource: None,
            name: "restricted",
            namespace: "shop",
        };
        let psps = "podsecuritypolicies";
        for (name, rule, expected) in [
            ("exact", rule(&["policy"], &[psps], &["restricted"], &["use"]), true),
            ("every name", rule(&["policy"], &[psps], &[], &["use"]), true),
            ("wildcards", rule(&["*"], &["*"], &[], &["*"]), true),
            ("literal name *", rule(&["policy"], &[psps], &["*"], &["use"]), false),
            ("other name", rule(&["policy"], &[psps], &["baseline"], &["use"]), false),
            ("other group", rule(&["extensions"], &[psps], &[], &["use"]), false),
            ("core group", rule(&[""], &[psps], &[], &["use"]), false),
            ("other verb", rule(&["policy"], &[psps], &[], &["get", "list"]), false),
            ("verb in capitals", rule(&["policy"], &[psps], &[], &["USE"]), false),
            (
                "subresource",
                rule(&["policy"], &["podsecuritypolicies/status"], &[], &["use"]),
                false,
            ),
            (
                "all subresources",
                rule(&["policy"], &["podsecuritypolicies/*"], &[], &["use"]),
                false,
            ),
            ("nothing", rule(&[], &[], &[], &[]), false),
        ] {
            assert_eq!(allows(&rule, &use_policy), expected, "{name}");
        }
    }

    #[test]
    fn matches_subresources() {
        let request = Attributes {
            verb: "update",
            api_group: "",
            resource: "pods",
            subresource: Some("ephemeralcontainers"),
            name: "web",
            namespace: "shop",
        };
        for (resource, expected) in [
            ("pods/ephemeralcontainers", true),
            ("*/ephemeralcontainers", true),
            ("*", true),
            ("pods", false),
            ("pods/*", false),
            ("*/*", false),
        ] {
            assert_eq!(
                allows(&rule(&[""], &[resource], &[], &["*"]), &request),
                expected,
                "{resource}"
            );
        }
    }
}
