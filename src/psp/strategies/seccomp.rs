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
        let path = FieldPath::new("metadata.annotations").key(SECCOMP_POD_ANNOTATION);
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
