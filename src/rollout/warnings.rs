//! Does the server warn of what was foreseen when a namespace is labelled?

use std::collections::BTreeSet;

/// How the line begins that only says that there will be others.
const HEADLINE: &str = "existing pods in namespace ";
/// How the line begins that says that only some pods were judged; so fewer reasons may come.
const CUT_SHORT: &str = "new PodSecurity enforce level only checked against the first ";

/// What the server warns of and was not foreseen, sorted: single reasons, and whole warnings that are
/// not of Pod Security admission.
///
/// Which pod comes first, and how many there are, changes all the time; a control that no foreseen pod
/// violates is news.
#[must_use]
pub fn unforeseen(foreseen: &[String], seen: &[String]) -> Vec<String> {
    let foreseen = reasons(foreseen);
    reasons(seen).difference(&foreseen).map(|&reason| reason.to_owned()).collect()
}

fn reasons(warnings: &[String]) -> BTreeSet<&str> {
    let is_reason =
        |warning: &&String| !warning.starts_with(HEADLINE) && !warning.starts_with(CUT_SHORT);
    warnings.iter().filter(is_reason).flat_map(|warning| of_line(warning)).collect()
}

/// The reasons of a line such as `web (and 1 other pod): privileged, host namespaces`; the whole line
/// where it does not speak of pods.
fn of_line(line: &str) -> Vec<&str> {
    let is_pod = |subject: &str| {
        let (name, others) = subject.split_once(' ').unwrap_or((subject, ""));
        let is_name = crate::objects::names::is_object_name(name);
        is_name && (others.is_empty() || others.starts_with("(and ") && others.ends_with(')'))
    };
    match line.split_once(": ") {
        Some((subject, reasons)) if is_pod(subject) => reasons.split(", ").collect(),
        _ => vec![line],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(foreseen: &[&str], seen: &[&str]) -> Vec<String> {
        let [foreseen, seen] = [foreseen, seen]
            .map(|lines| lines.iter().map(|&line| line.to_owned()).collect::<Vec<_>>());
        unforeseen(&foreseen, &seen)
    }

    #[test]
    fn names_counts_and_order_may_differ() {
        let headline = "existing pods in namespace \"a\" violate the new PodSecurity enforce level";
        let foreseen =
            [headline, "web (and 3 other pods): privileged, seccompProfile", "db: hostPort"];
        let seen = [headline, "db-2 (and 1 other pod): seccompProfile", "x: hostPort, privileged"];
        assert_eq!(compare(&foreseen, &seen), Vec::<String>::new());
        assert_eq!(compare(&foreseen, &[]), Vec::<String>::new());
    }

    #[test]
    fn other_reasons_are_news() {
        let foreseen = ["web: privileged"];
        assert_eq!(compare(&foreseen, &["web: privileged, hostPort"]), ["hostPort"]);
        let exempt = "namespace \"a\" is exempt from Pod Security, and the policy (enforce=baseline:v1.25) \
                      will be ignored";
        assert_eq!(compare(&foreseen, &[exempt]), [exempt]);
        assert_eq!(compare(&[], &["some: webhook says no"]), ["webhook says no"]);
    }
}
