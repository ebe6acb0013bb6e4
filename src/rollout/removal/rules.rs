//! What becomes of one rule of a role when PodSecurityPolicy goes?

use crate::objects::rbac::PolicyRule;

const RESOURCE: &str = "podsecuritypolicies";

/// What becomes of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is not about policies.
    Kept,
    /// It is about nothing else.
    Dropped,
    /// It names policies among other things; this is what is left of it.
    Narrowed(PolicyRule),
    /// It allows the use of policies together with things that cannot be told apart from them.
    Inseparable,
}

/// What becomes of a rule.
pub(super) fn fate(rule: &PolicyRule) -> Fate {
    let of_others: Vec<String> =
        rule.api_groups.iter().filter(|group| is_foreign(group)).cloned().collect();
    if of_others.len() == rule.api_groups.len() {
        return Fate::Kept;
    }
    if rule.resources.iter().any(|resource| resource == "*") {
        return if allows_use(rule) { Fate::Inseparable } else { Fate::Kept };
    }
    let others: Vec<String> =
        rule.resources.iter().filter(|resource| !is_policies(resource)).cloned().collect();
    let narrowed = match (of_others.is_empty(), others.is_empty()) {
        _ if others.len() == rule.resources.len() => return Fate::Kept,
        (true, true) => return Fate::Dropped,
        (true, false) => PolicyRule { resources: others, ..rule.clone() },
        (false, true) => PolicyRule { api_groups: of_others, ..rule.clone() },
        // It would take two rules to leave out one resource of one group.
        (false, false) => return Fate::Inseparable,
    };
    Fate::Narrowed(narrowed)
}

/// Whether a resource of a rule is the policies, or a part of them.
fn is_policies(resource: &str) -> bool {
    resource.split('/').next() == Some(RESOURCE)
}

/// Whether a group may have resources of the same name that are no policies of ours: every group but
/// Kubernetes' own, which have no dot or end in `k8s.io`.
fn is_foreign(group: &str) -> bool {
    group.contains('.') && !group.ends_with(".k8s.io")
}

fn allows_use(rule: &PolicyRule) -> bool {
    let allows = |patterns: &[String], values: &[&str]| {
        patterns.iter().any(|pattern| pattern == "*" || values.contains(&pattern.as_str()))
    };
    allows(&rule.verbs, &["use"]) && allows(&rule.api_groups, &["policy", "extensions"])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(groups: &[&str], resources: &[&str], verbs: &[&str]) -> PolicyRule {
        let strings = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect();
        PolicyRule {
            api_groups: strings(groups),
            resources: strings(resources),
            verbs: strings(verbs),
            resource_names: vec!["restricted".to_owned()],
        }
    }

    #[test]
    fn rules_are_dropped_narrowed_or_left() {
        let (psps, pdbs) = (RESOURCE, "poddisruptionbudgets");
        let use_it = |groups: &[&str], resources: &[&str]| rule(groups, resources, &["use"]);
        let narrowed =
            |groups: &[&str], resources: &[&str]| Fate::Narrowed(rule(groups, resources, &["use"]));
        for (rule, expected) in [
            (use_it(&["policy"], &[psps]), Fate::Dropped),
            (use_it(&["policy", "extensions"], &[psps]), Fate::Dropped),
            (use_it(&["", "apps", "policy", "rbac.authorization.k8s.io"], &[psps]), Fate::Dropped),
            (use_it(&["*"], &[psps]), Fate::Dropped),
            (rule(&["policy"], &[psps], &["get", "list"]), Fate::Dropped),
            (use_it(&["policy"], &["podsecuritypolicies/status"]), Fate::Dropped),
            (
                use_it(&["policy", "extensions"], &[psps, pdbs]),
                narrowed(&["policy", "extensions"], &[pdbs]),
            ),
            (use_it(&["*"], &[psps, "pods"]), narrowed(&["*"], &["pods"])),
            (use_it(&["policy", "x.example.com"], &[psps]), narrowed(&["x.example.com"], &[psps])),
            (use_it(&["policy", "x.example.com"], &[psps, pdbs]), Fate::Inseparable),
            (use_it(&["x.example.com"], &[psps]), Fate::Kept),
            (use_it(&["policy"], &[pdbs]), Fate::Kept),
            (use_it(&["policy"], &["*"]), Fate::Inseparable),
            (rule(&["*"], &["*"], &["*"]), Fate::Inseparable),
            (rule(&["*"], &["*"], &["get"]), Fate::Kept),
            (rule(&["apps"], &["*"], &["*"]), Fate::Kept),
            (rule(&[], &[], &["get"]), Fate::Kept),
        ] {
            assert_eq!(fate(&rule), expected, "{rule:?}");
        }
    }
}
