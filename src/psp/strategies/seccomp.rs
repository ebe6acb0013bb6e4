//! The seccomp annotations of a policy: which profiles may be set, and which is the default?
//!
//! Upstream: `pkg/security/podsecuritypolicy/seccomp/strategy.go` (v1.21).

use crate::objects::change::Value;
use crate::objects::path::FieldPath;
use crate::objects::pod::{
    PodTemplateSpec, Profile, SECCOMP_CONTAINER_ANNOTATION_PREFIX, SECCOMP_POD_ANNOTATION,
};
use crate::objects::psp::PodSecurityPolicy;
use crate::psp::container::ContainerView;
use crate::psp::error::FieldError;
use crate::psp::log::ChangeLog;

const RUNTIME_DEFAULT: &str = "runtime/default";
/// The older name of [`RUNTIME_DEFAULT`].
const DOCKER_DEFAULT: &str = "docker/default";
const DEFAULT_FIELD: &str =
    "metadata.annotations[seccomp.security.alpha.kubernetes.io/defaultProfileName]";

/// The seccomp rule of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::psp) struct SeccompStrategy {
    /// The profile to write; empty for none.
    default_profile: String,
    allows_any: bool,
    /// The profiles allowed by name, in either spelling of the runtime's default.
    allowed: Vec<String>,
    /// The annotation as written, for messages.
    allowed_text: String,
}

impl SeccompStrategy {
    pub(in crate::psp) fn new(policy: &PodSecurityPolicy) -> Self {
        let mut allows_any = false;
        let mut allowed = Vec::new();
        for profile in policy.allowed_seccomp_profiles.iter().flat_map(|list| list.split(',')) {
            match profile {
                "*" => allows_any = true,
                RUNTIME_DEFAULT | DOCKER_DEFAULT => {
                    allowed.extend([RUNTIME_DEFAULT.to_owned(), DOCKER_DEFAULT.to_owned()]);
                }
                _ => allowed.push(profile.to_owned()),
            }
        }
        Self {
            default_profile: policy.default_seccomp_profile.clone().unwrap_or_default(),
            allows_any,
            allowed,
            allowed_text: policy.allowed_seccomp_profiles.clone().unwrap_or_default(),
        }
    }

    /// Writes the pod's annotation where it is absent or empty: from the pod's field where there is
    /// one, whatever the policy says, else the policy's default.
    pub(in crate::psp) fn mutate(&self, pod: &mut PodTemplateSpec, log: &mut ChangeLog<'_>) {
        let before = pod.annotation(SECCOMP_POD_ANNOTATION);
        if before.is_some_and(|profile| !profile.is_empty()) {
            return;
        }
        let (profile, policy_field) = match pod_field(pod) {
            Some(field) => (annotation_for(field), None),
            None => (self.default_profile.clone(), Some(DEFAULT_FIELD)),
        };
        if profile.is_empty() {
            return;
        }
        let path = || FieldPath::new("metadata.annotations").key(SECCOMP_POD_ANNOTATION);
        let before = before.map(|profile| Value::String(profile.to_owned()));
        log.record(path, before, Value::String(profile.clone()), policy_field);
        pod.annotations_mut().insert(SECCOMP_POD_ANNOTATION.to_owned(), profile);
    }

    /// At the pod the annotation goes before the field.
    pub(in crate::psp) fn validate_pod(&self, pod: &PodTemplateSpec, errors: &mut Vec<FieldError>) {
        let annotation = pod.annotation(SECCOMP_POD_ANNOTATION).unwrap_or_default();
        let profile = match pod_field(pod) {
            Some(field) if annotation.is_empty() => annotation_for(field),
            _ => annotation.to_owned(),
        };
        self.validate(&profile, || SECCOMP_POD_ANNOTATION.to_owned(), errors);
    }

    /// At a container its field goes before its annotation, then the pod's field, then the pod's
    /// annotation.
    pub(in crate::psp) fn validate_container(
        &self,
        pod: &PodTemplateSpec,
        container: ContainerView<'_>,
        errors: &mut Vec<FieldError>,
    ) {
        let key = || format!("{SECCOMP_CONTAINER_ANNOTATION_PREFIX}{}", container.name());
        let annotation = || pod.annotation(&key()).map(str::to_owned);
        let pods_annotation = || pod.annotation(SECCOMP_POD_ANNOTATION).map(str::to_owned);
        let profile = container
            .own(|own| own.seccomp_profile.as_ref().map(annotation_for))
            .or_else(annotation)
            .or_else(|| pod_field(pod).map(annotation_for))
            .or_else(pods_annotation)
            .unwrap_or_default();
        self.validate(&profile, key, errors);
    }

    fn validate(&self, profile: &str, key: impl Fn() -> String, errors: &mut Vec<FieldError>) {
        // A policy without a list, as against an empty one, lets no profile be set.
        let has_list = !self.allowed.is_empty();
        let is_allowed = self.allows_any
            || (!has_list && profile.is_empty())
            || self.allowed.iter().any(|allowed| allowed == profile);
        if is_allowed {
            return;
        }
        let path = FieldPath::new("pod.metadata.annotations").key(&key());
        errors.push(if has_list {
            let allowed = &self.allowed_text;
            let detail =
                format!("{profile} is not an allowed seccomp profile. Valid values are {allowed}");
            FieldError::forbidden(path, detail)
        } else {
            FieldError::forbidden(path, "seccomp may not be set")
        });
    }
}

fn pod_field(pod: &PodTemplateSpec) -> Option<&Profile> {
    pod.spec.security_context.as_ref()?.seccomp_profile.as_ref()
}

/// The annotation's spelling of a profile; empty where the field makes no sense.
///
/// Upstream: `pkg/api/pod/util.go`, `SeccompAnnotationForField` (v1.21).
fn annotation_for(profile: &Profile) -> String {
    match (profile.type_.as_str(), &profile.localhost_profile) {
        ("Unconfined", _) => "unconfined".to_owned(),
        ("RuntimeDefault", _) => RUNTIME_DEFAULT.to_owned(),
        ("Localhost", Some(name)) => format!("localhost/{name}"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::*;
    use crate::psp::tests::{Outcome, outcome};

    const POD: &str = "metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]";
    const CONTAINER: &str =
        "metadata.annotations[container.seccomp.security.alpha.kubernetes.io/app]";

    /// A pod with these two annotations and these two fields.
    fn pod(annotations: [Option<&str>; 2], fields: [Option<&str>; 2]) -> Value {
        let context = |field: Option<&str>| match field {
            Some(type_) => json!({"seccompProfile": {"type": type_, "localhostProfile": "a.json"}}),
            None => Value::Null,
        };
        let keys = [
            SECCOMP_POD_ANNOTATION.to_owned(),
            format!("{SECCOMP_CONTAINER_ANNOTATION_PREFIX}app"),
        ];
        let annotations: BTreeMap<_, _> = keys
            .into_iter()
            .zip(annotations)
            .filter_map(|(key, profile)| Some((key, profile?)))
            .collect();
        json!({
            "metadata": {"annotations": annotations},
            "spec": {
                "securityContext": context(fields[0]),
                "containers": [{"name": "app", "securityContext": context(fields[1])}],
            },
        })
    }

    fn policy(allowed: Option<&str>, default: Option<&str>) -> Value {
        json!({
            "seccomp.security.alpha.kubernetes.io/allowedProfileNames": allowed,
            "seccomp.security.alpha.kubernetes.io/defaultProfileName": default,
        })
    }

    #[test]
    fn fills_in_the_pods_annotation() {
        let default = || policy(Some("*"), Some("docker/default"));
        for (name, policy, pod, written) in [
            ("default", default(), pod([None; 2], [None; 2]), Some("docker/default")),
            (
                "empty annotation",
                default(),
                pod([Some(""), None], [None; 2]),
                Some("docker/default"),
            ),
            ("annotation", default(), pod([Some("x"), None], [Some("Unconfined"), None]), None),
            (
                "field",
                default(),
                pod([None; 2], [Some("RuntimeDefault"), None]),
                Some("runtime/default"),
            ),
            (
                "field, no default",
                policy(Some("*"), None),
                pod([None; 2], [Some("Localhost"), None]),
                Some("localhost/a.json"),
            ),
            ("senseless field", default(), pod([None; 2], [Some("x"), None]), None),
            (
                "container's field",
                policy(Some("*"), None),
                pod([None; 2], [None, Some("Unconfined")]),
                None,
            ),
        ] {
            let expected = match written {
                Some(profile) => Outcome::writes(json!({POD: profile})),
                None => Outcome::unchanged(),
            };
            assert_eq!(outcome(&json!({}), &policy, &pod), expected, "{name}");
        }
    }

    #[test]
    fn judges_profiles() {
        let none = || policy(None, None);
        let runtime = || policy(Some("localhost/a.json,docker/default"), None);
        let unset = |path: &str| format!("pod.{path}: Forbidden: seccomp may not be set");
        let other = |path: &str, profile: &str, allowed: &str| {
            format!(
                "pod.{path}: Forbidden: {profile} is not an allowed seccomp profile. Valid values are {allowed}"
            )
        };
        let of_runtime = |path, profile| other(path, profile, "localhost/a.json,docker/default");
        for (name, policy, pod, errors) in [
            ("no list, no profile", none(), pod([None; 2], [None; 2]), vec![]),
            (
                "no list, a profile",
                none(),
                pod([Some("runtime/default"), None], [None; 2]),
                vec![unset(POD), unset(CONTAINER)],
            ),
            (
                "no list, a container's field",
                none(),
                pod([None; 2], [None, Some("RuntimeDefault")]),
                vec![unset(CONTAINER)],
            ),
            ("empty list, no profile", policy(Some(""), None), pod([None; 2], [None; 2]), vec![]),
            (
                "empty list, a profile",
                policy(Some(""), None),
                pod([None, Some("x")], [None; 2]),
                vec![other(CONTAINER, "x", "")],
            ),
            (
                "list, no profile",
                runtime(),
                pod([None; 2], [None; 2]),
                vec![of_runtime(POD, ""), of_runtime(CONTAINER, "")],
            ),
            (
                "the other spelling",
                runtime(),
                pod([Some("runtime/default"), None], [None; 2]),
                vec![],
            ),
            (
                "wildcard among others",
                policy(Some("x,*"), None),
                pod([Some("y"), None], [None; 2]),
                vec![],
            ),
            (
                "pod: annotation before field",
                runtime(),
                pod([Some("x"), None], [Some("RuntimeDefault"), None]),
                vec![of_runtime(POD, "x")],
            ),
            (
                "container: field before annotation",
                runtime(),
                pod([Some("runtime/default"), Some("x")], [None, Some("Localhost")]),
                vec![],
            ),
            (
                "container: annotation before the pod's field",
                runtime(),
                pod([Some("runtime/default"), Some("x")], [Some("RuntimeDefault"), None]),
                vec![of_runtime(CONTAINER, "x")],
            ),
            (
                "container: the pod's field before its annotation",
                runtime(),
                pod([Some("runtime/default"), None], [Some("Unconfined"), None]),
                vec![of_runtime(CONTAINER, "unconfined")],
            ),
            (
                "empty annotation of a container",
                runtime(),
                pod([Some("runtime/default"), Some("")], [None; 2]),
                vec![of_runtime(CONTAINER, "")],
            ),
        ] {
            assert_eq!(outcome(&json!({}), &policy, &pod).errors, errors, "{name}");
        }
    }
}
