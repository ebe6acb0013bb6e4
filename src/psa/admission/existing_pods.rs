//! What does the server warn of when a namespace begins to enforce a level?

use std::collections::{BTreeMap, BTreeSet};

use crate::objects::pod::PodTemplateSpec;
use crate::psa::evaluate;
use crate::psa::policy::LevelVersion;
use crate::quote::quoted;

/// A pod of the namespace.
#[derive(Debug, Clone, Copy)]
pub struct ExistingPod<'p> {
    /// The name.
    pub name: &'p str,
    /// The pod, as it is; finished ones count too.
    pub pod: &'p PodTemplateSpec,
}

/// The warnings about the pods of a namespace that violate a level which it is to enforce: a headline,
/// then a line for each set of violated controls, with the first pod by name and the number of the
/// others; empty where none violates it.
///
/// Pods of exempt runtime classes do not count. The server stops after 3,000 pods or a second, and
/// says so; here all are judged.
///
/// Upstream: `admission/admission.go`, `EvaluatePodsInNamespace` (v1.37).
#[must_use]
pub fn warnings_for_existing_pods<'p>(
    namespace: &str,
    enforce: LevelVersion,
    pods: impl IntoIterator<Item = ExistingPod<'p>>,
    exempt_runtime_classes: &BTreeSet<String>,
) -> Vec<String> {
    // By what they violate: the first pod's name, and how many there are.
    let mut violations: BTreeMap<String, (&str, usize)> = BTreeMap::new();
    for ExistingPod { name, pod } in pods {
        let runtime_class = pod.spec.runtime_class_name.as_ref();
        if runtime_class.is_some_and(|class| exempt_runtime_classes.contains(class)) {
            continue;
        }
        let evaluation = evaluate(enforce.level, enforce.version.resolved(), pod);
        if evaluation.is_allowed() {
            continue;
        }
        let (first, n_pods) = violations.entry(evaluation.reason()).or_insert((name, 0));
        *first = name.min(*first);
        *n_pods += 1;
    }
    if violations.is_empty() {
        return Vec::new();
    }
    let mut lines: Vec<String> = violations
        .into_iter()
        .map(|(reason, (first, n_pods))| match n_pods {
            1 => format!("{first}: {reason}"),
            2 => format!("{first} (and 1 other pod): {reason}"),
            n => format!("{first} (and {} other pods): {reason}", n - 1),
        })
        .collect();
    lines.sort();
    let headline = format!(
        "existing pods in namespace {} violate the new PodSecurity enforce level {}",
        quoted(namespace),
        quoted(&enforce.to_string())
    );
    lines.insert(0, headline);
    lines
}
