//! What does the server warn of when a namespace begins to enforce a level?

use std::collections::{BTreeMap, BTreeSet};

use crate::lookup::HashMap;
use crate::objects::pod::PodTemplateSpec;
use crate::psa::configuration::Configuration;
use crate::psa::evaluate;
use crate::psa::policy::LevelVersion;
use crate::quote::quoted;

/// A pod of the namespace.
#[derive(Debug, Clone, Copy)]
pub struct ExistingPod<'p> {
    /// The name.
    pub name: &'p str,
    /// The UID of the controller that owns it; empty where none does.
    pub controller: &'p str,
    /// The pod, as it is; finished ones count too.
    pub pod: &'p PodTemplateSpec,
}

/// The warnings about the pods of a namespace that violate a level which it is to enforce: a headline,
/// then a line for each set of violated controls, with the first pod by name and the number of the
/// others; empty where none violates it. Before them, how many pods were judged where not all were.
///
/// Pods of exempt runtime classes do not count. Where there is a limit, one pod of each controller comes
/// before the others; the server takes them in any order, here it is that of `pods`.
///
/// Upstream: `admission/admission.go`, `EvaluatePodsInNamespace` (v1.37).
#[must_use]
pub fn warnings_for_existing_pods<'p>(
    namespace: &str,
    enforce: LevelVersion,
    pods: impl IntoIterator<Item = ExistingPod<'p>>,
    configuration: &Configuration,
) -> Vec<String> {
    let pods = by_priority(pods, configuration);
    let n_judged = configuration.max_pods.unwrap_or(pods.len()).min(pods.len());
    let mut warnings = Vec::new();
    if n_judged < pods.len() {
        warnings.push(format!(
            "new PodSecurity enforce level only checked against the first {n_judged} of {} existing \
             pods",
            pods.len()
        ));
    }
    let version = configuration.judges_by(enforce.version);
    // By what they violate: the first pod's name, and how many there are.
    let mut violations: BTreeMap<String, (&str, usize)> = BTreeMap::new();
    // Pods of one controller are mostly one slice.
    let mut reasons: HashMap<*const PodTemplateSpec, String> = HashMap::default();
    for ExistingPod { name, pod, .. } in &pods[..n_judged] {
        let reason = reasons
            .entry(std::ptr::from_ref(*pod))
            .or_insert_with(|| evaluate(enforce.level, version, pod).reason());
        if reason.is_empty() {
            continue;
        }
        let (first, n_pods) = violations.entry(reason.clone()).or_insert((*name, 0));
        *first = (*name).min(*first);
        *n_pods += 1;
    }
    if violations.is_empty() {
        return warnings;
    }
    warnings.push(format!(
        "existing pods in namespace {} violate the new PodSecurity enforce level {}",
        quoted(namespace),
        quoted(&enforce.to_string())
    ));
    let mut lines: Vec<String> = violations
        .into_iter()
        .map(|(reason, (first, n_pods))| match n_pods {
            1 => format!("{first}: {reason}"),
            2 => format!("{first} (and 1 other pod): {reason}"),
            n => format!("{first} (and {} other pods): {reason}", n - 1),
        })
        .collect();
    lines.sort();
    warnings.extend(lines);
    warnings
}

/// The pods that are judged: those without a controller and the first of each controller, then the
/// rest.
///
/// Upstream: `admission/admission.go`, `prioritizePods` (v1.37).
fn by_priority<'p>(
    pods: impl IntoIterator<Item = ExistingPod<'p>>,
    configuration: &Configuration,
) -> Vec<ExistingPod<'p>> {
    let mut controllers = BTreeSet::new();
    let judged = |it: &ExistingPod<'_>| configuration.exemptions.runtime_class_of(it.pod).is_none();
    let (mut first, rest): (Vec<_>, Vec<_>) = pods
        .into_iter()
        .filter(judged)
        .partition(|it| it.controller.is_empty() || controllers.insert(it.controller));
    first.extend(rest);
    first
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level::Level;
    use crate::psa::policy::PolicyVersion;
    use crate::psa::testing::with_context;
    use serde_json::json;

    #[test]
    fn one_pod_of_each_controller_comes_before_the_limit() {
        let pod = crate::psa::testing::pod(&with_context(&json!({"privileged": true})));
        let pods = [("a-1", "a"), ("a-2", "a"), ("a-3", "a"), ("b-1", "b"), ("c", ""), ("d", "")];
        let pods = pods.map(|(name, controller)| ExistingPod { name, controller, pod: &pod });
        let enforce = LevelVersion { level: Level::Baseline, version: PolicyVersion::Latest };
        let limited = |max_pods| {
            let configuration = Configuration { max_pods, ..Configuration::default() };
            warnings_for_existing_pods("ns", enforce, pods, &configuration)
        };
        let headline = "existing pods in namespace \"ns\" violate the new PodSecurity enforce level \
             \"baseline:latest\"";
        let count = |n| {
            format!(
                "new PodSecurity enforce level only checked against the first {n} of 6 existing pods"
            )
        };
        assert_eq!(limited(None), [headline, "a-1 (and 5 other pods): privileged"]);
        assert_eq!(limited(Some(6)), limited(None));
        let two = limited(Some(2));
        assert_eq!(two, [&*count(2), headline, "a-1 (and 1 other pod): privileged"]);
        assert_eq!(limited(Some(5))[2], "a-1 (and 4 other pods): privileged");
        let order: Vec<&str> =
            by_priority(pods, &Configuration::default()).iter().map(|it| it.name).collect();
        assert_eq!(order, ["a-1", "b-1", "c", "d", "a-2", "a-3"]);
        // Nobody violates privileged, but not all were asked.
        let enforce = LevelVersion { level: Level::Privileged, ..enforce };
        let configuration = Configuration { max_pods: Some(1), ..Configuration::default() };
        assert_eq!(warnings_for_existing_pods("ns", enforce, pods, &configuration), [count(1)]);
    }
}
