//! Which pods could not be made because an admission plugin refused them?
//!
//! Controllers say so in events, and some of them in a condition of their objects. Of both only the
//! plugin's answer is kept: what stands before it names a pod that was never made.

use super::meta::Name;
use super::slim::slim;
use super::time::{MaybeTime, Time};

/// The reason of events and conditions that say that a pod could not be made.
pub const FAILED_CREATE: &str = "FailedCreate";

/// How many characters of an answer are kept: enough for the level, the check and a container.
const MAX_CHARS: usize = 300;

/// An event that says that admission has refused a pod.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Event {
    /// `metadata.namespace`; empty where the object has none.
    pub namespace: Name,
    /// `metadata.name`.
    pub name: Box<str>,
    /// `metadata.resourceVersion`; empty where there is none.
    pub resource_version: Box<str>,
    /// The kind of the object that wanted the pod, such as `ReplicaSet`.
    pub kind: Name,
    /// The name of that object.
    pub object: Name,
    /// The plugin's answer; see [`refusal`].
    pub refusal: Name,
    /// When it happened last; `None` where the event does not say.
    pub last_seen: Option<Time>,
}

/// The answer of an admission plugin within a message, cut to a length for people; `None` where the
/// message is about something else.
///
/// Upstream: `staging/src/k8s.io/pod-security-admission/admission/admission.go`, `EvaluatePod`, and
/// `plugin/pkg/admission/security/podsecuritypolicy/admission.go`, `Validate` (v1.24).
#[must_use]
pub fn refusal(message: &str) -> Option<String> {
    let starts = ["violates PodSecurity", "PodSecurityPolicy: "];
    let start = starts.iter().filter_map(|start| message.find(start)).min()?;
    let answer = message[start..].trim_end();
    if answer.chars().count() <= MAX_CHARS {
        return Some(answer.to_owned());
    }
    Some(answer.chars().take(MAX_CHARS - 1).chain(['…']).collect())
}

slim! {
    /// The object that an event is about.
    pub struct Regarding as "an object reference" {
        /// `kind`.
        "kind" kind: String,
        /// `name`.
        "name" name: String,
    }
}

slim! {
    /// `series` of an event that is repeated.
    pub struct Series as "an event series" {
        /// `lastObservedTime`.
        "lastObservedTime" last_observed: MaybeTime,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_answer_of_admission_is_kept() {
        for (message, expected) in [
            (
                "Error creating: pods \"web-7\" is forbidden: violates PodSecurity \
                 \"baseline:v1.25\": host namespaces (hostNetwork=true)",
                Some("violates PodSecurity \"baseline:v1.25\": host namespaces (hostNetwork=true)"),
            ),
            (
                "pods \"a-\" is forbidden: PodSecurityPolicy: unable to admit pod: []",
                Some("PodSecurityPolicy: unable to admit pod: []"),
            ),
            ("pods \"a\" is forbidden: exceeded quota: compute", None),
            ("", None),
        ] {
            assert_eq!(refusal(message).as_deref(), expected, "{message}");
        }
    }

    #[test]
    fn long_answers_are_cut_once() {
        let long = format!("x violates PodSecurity {}", "é".repeat(1_000));
        let short = refusal(&long).unwrap();
        assert_eq!(short.chars().count(), MAX_CHARS);
        assert!(short.ends_with('…'));
        assert_eq!(refusal(&short), Some(short.clone()));
    }
}
