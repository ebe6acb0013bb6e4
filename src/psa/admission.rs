//! What does Pod Security admission answer to a change of a namespace, or of what is in it?
//!
//! Of a namespace, labels are checked, and where a namespace begins to enforce more, the pods that are there are
//! judged for the warnings that `kubectl label` shows. Nothing but bad labels refuses a namespace. Pods are
//! refused, warned of and audited by the namespace's labels; controllers are never refused.

mod existing_pods;
mod pods;
#[cfg(test)]
mod recorded;
#[cfg(test)]
mod vectors;
mod warning_filter;

use std::collections::BTreeMap;
use std::fmt;

use super::configuration::Configuration;
use super::policy::{LabelError, LevelVersion, Mode};
use crate::level::Level;
use crate::quote::quoted;

pub use existing_pods::{ExistingPod, warnings_for_existing_pods};
pub use pods::{PodAnswer, PodRequest, Target, pod_answer};
pub use warning_filter::arriving;

/// A namespace that is made or changed.
#[derive(Debug, Clone, Copy)]
pub struct NamespaceChange<'a> {
    /// The name.
    pub name: &'a str,
    /// The labels that it is to have.
    pub labels: &'a BTreeMap<String, String>,
    /// The labels that it has; `None` for a new one.
    pub old_labels: Option<&'a BTreeMap<String, String>>,
}

/// What the server answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NamespaceAnswer {
    /// It takes the change, with warnings in their order.
    Allowed(Vec<String>),
    /// It refuses the change.
    Invalid(InvalidNamespace),
}

/// Labels for which the server refuses a namespace. Prints the message of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidNamespace {
    /// The namespace.
    pub name: String,
    /// What is wrong, in the order enforce, enforce-version, audit, and so on; never empty.
    pub errors: Vec<LabelError>,
}

/// Upstream: `staging/src/k8s.io/apimachinery/pkg/api/errors/errors.go`, `NewInvalid`.
impl fmt::Display for InvalidNamespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Namespace {} is invalid: {}", quoted(&self.name), aggregated(&self.errors))
    }
}

/// Several errors as one text.
///
/// Upstream: `staging/src/k8s.io/apimachinery/pkg/util/errors/errors.go`, `aggregate.Error`.
fn aggregated(errors: &[LabelError]) -> String {
    let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
    match texts.as_slice() {
        [text] => text.clone(),
        texts => format!("[{}]", texts.join(", ")),
    }
}

/// Answers a change of a namespace; requests for its subresources are always allowed.
///
/// `pods` are those that are in the namespace; they are asked for only where they are judged.
///
/// Upstream: `admission/admission.go`, `ValidateNamespace` (v1.37).
pub fn namespace_answer<'p, P: IntoIterator<Item = ExistingPod<'p>>>(
    change: &NamespaceChange<'_>,
    configuration: &Configuration,
    pods: impl FnOnce() -> P,
) -> NamespaceAnswer {
    let (policy, errors) = configuration.policy_of(change.labels);
    let old = change.old_labels.map(|labels| configuration.policy_of(labels));
    let has_same_errors = old.as_ref().is_some_and(|(_, old_errors)| *old_errors == errors);
    if !errors.is_empty() && !has_same_errors {
        return NamespaceAnswer::Invalid(InvalidNamespace { name: change.name.to_owned(), errors });
    }
    let is_exempt = configuration.exemptions.namespaces.contains(change.name);
    let ignored = || ignored_policy(change.name, change.labels, configuration);
    NamespaceAnswer::Allowed(match old {
        None if is_exempt => ignored().into_iter().collect(),
        None => Vec::new(),
        Some((old, _)) if !judges_existing_pods(old.enforce, policy.enforce) => Vec::new(),
        Some(_) if is_exempt => ignored().into_iter().collect(),
        Some(_) => warnings_for_existing_pods(change.name, policy.enforce, pods(), configuration),
    })
}

/// Whether the server judges the pods of a namespace whose enforced level changes: not where it is
/// privileged now, nor where only the level was relaxed. Another version is a reason, whatever the
/// level.
#[must_use]
pub fn judges_existing_pods(old: LevelVersion, new: LevelVersion) -> bool {
    let is_relaxed = new.version == old.version && new.level <= old.level;
    new.level != Level::Privileged && !is_relaxed
}

/// The warning that an exempt namespace asks for a policy; `None` where it asks for none, and from
/// servers that do not warn of it.
///
/// Upstream: `admission/admission.go`, `exemptNamespaceWarning` (v1.37).
#[must_use]
pub fn ignored_policy(
    namespace: &str,
    labels: &BTreeMap<String, String>,
    configuration: &Configuration,
) -> Option<String> {
    if !configuration.warns_of_exempt_namespaces() {
        return None;
    }
    let (policy, _) = configuration.policy_of(labels);
    let is_privileged = |mode: &Mode| policy.of(*mode).level == Level::Privileged;
    let is_default = |mode: &Mode| {
        let (own, default) = (policy.of(*mode), configuration.defaults.of(*mode));
        own.level == default.level && (is_privileged(mode) || own.version == default.version)
    };
    if Mode::ALL.iter().all(is_privileged) || Mode::ALL.iter().all(is_default) {
        return None;
    }
    let is_labelled = |mode: &Mode| {
        [mode.level_label(), mode.version_label()].iter().any(|it| labels.contains_key(*it))
    };
    let modes = Mode::ALL.iter().filter(|mode| is_labelled(mode) && !is_privileged(mode));
    let modes: Vec<String> = modes.map(|mode| format!("{mode}={}", policy.of(*mode))).collect();
    Some(format!(
        "namespace {} is exempt from Pod Security, and the policy ({}) will be ignored",
        quoted(namespace),
        modes.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::Version;

    /// What an exempt namespace with these labels is told by a server whose default is baseline v1.30.
    fn ignored(server: Option<Version>, labels: &[(&str, &str)]) -> Option<String> {
        let label = |(key, value): &(&str, &str)| {
            (format!("pod-security.kubernetes.io/{key}"), (*value).to_owned())
        };
        let defaults: BTreeMap<String, String> = Mode::ALL
            .iter()
            .flat_map(|mode| [(mode.level_label(), "baseline"), (mode.version_label(), "v1.30")])
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        let defaults = Configuration::default().policy_of(&defaults).0;
        let configuration = Configuration { defaults, server, ..Configuration::default() };
        ignored_policy("ci", &labels.iter().map(label).collect(), &configuration)
    }

    #[test]
    fn exempt_namespaces_are_warned_of_what_is_not_the_default() {
        let restricted = [("enforce", "restricted"), ("enforce-version", "latest")];
        let told = ignored(None, &restricted).unwrap();
        assert!(told.contains("the policy (enforce=restricted:latest) will be ignored"), "{told}");
        assert!(ignored(None, &[("audit-version", "v1.29")]).is_some(), "only the version differs");
        let privileged = ["enforce", "audit", "warn"].map(|mode| (mode, "privileged"));
        for (name, labels) in [
            ("no labels", &[][..]),
            ("the default", &[("enforce", "baseline"), ("enforce-version", "v1.30")]),
            ("privileged throughout", &privileged),
        ] {
            assert_eq!(ignored(None, labels), None, "{name}");
        }
        assert!(ignored(Some(Version::v1(25)), &restricted).is_some());
        assert_eq!(ignored(Some(Version::v1(24)), &restricted), None, "it does not warn of that");
    }
}
