//! The AppArmor annotations of a policy: which profiles may be set, and which is the default?
//!
//! Upstream: `pkg/security/podsecuritypolicy/apparmor/strategy.go` (v1.21).

use std::collections::BTreeMap;

use crate::objects::change::Value;
use crate::objects::path::FieldPath;
use crate::objects::pod::{APPARMOR_CONTAINER_ANNOTATION_PREFIX, PodTemplateSpec};
use crate::objects::psp::PodSecurityPolicy;
use crate::psp::container::ContainerView;
use crate::psp::error::FieldError;
use crate::psp::log::ChangeLog;
use crate::quote::quoted;

const DEFAULT_FIELD: &str =
    "metadata.annotations[apparmor.security.beta.kubernetes.io/defaultProfileName]";

/// The AppArmor rule of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::psp) struct AppArmorStrategy {
    /// The profile to write; empty for none.
    default_profile: String,
    /// The profiles allowed, separated by commas; `None` allows any and none.
    allowed: Option<String>,
}

impl AppArmorStrategy {
    pub(in crate::psp) fn new(policy: &PodSecurityPolicy) -> Self {
        Self {
            default_profile: policy.default_app_armor_profile.clone().unwrap_or_default(),
            allowed: policy.allowed_app_armor_profiles.clone(),
        }
    }

    /// Writes the container's annotation where it is absent or empty.
    pub(in crate::psp) fn mutate(
        &self,
        annotations: &mut Option<BTreeMap<String, String>>,
        container: &str,
        log: &mut ChangeLog<'_>,
    ) {
        if self.default_profile.is_empty() {
            return;
        }
        let key = key(container);
        let before = annotations.as_ref().and_then(|annotations| annotations.get(&key));
        if before.is_some_and(|profile| !profile.is_empty()) {
            return;
        }
        let before = before.cloned().map(Value::String);
        let path = FieldPath::new("metadata.annotations").key(&key);
        log.record(path, before, Value::String(self.default_profile.clone()), Some(DEFAULT_FIELD));
        annotations.get_or_insert_default().insert(key, self.default_profile.clone());
    }

    /// Where there is a list, even an empty one, a profile must be set.
    pub(in crate::psp) fn validate(
        &self,
        pod: &PodTemplateSpec,
        container: ContainerView<'_>,
        errors: &mut Vec<FieldError>,
    ) {
        let Some(allowed) = &self.allowed else { return };
        let key = key(container.name());
        let path = || FieldPath::new("pod.metadata.annotations").key(&key);
        match pod.annotation(&key).unwrap_or_default() {
            "" => errors.push(FieldError::forbidden(path(), "AppArmor profile must be set")),
            profile if allowed.split(',').any(|allowed| allowed == profile) => {}
            profile => {
                let allowed = quoted(allowed);
                let detail =
                    format!("{profile} is not an allowed profile. Allowed values: {allowed}");
                errors.push(FieldError::forbidden(path(), detail));
            }
        }
    }
}

fn key(container: &str) -> String {
    format!("{APPARMOR_CONTAINER_ANNOTATION_PREFIX}{container}")
}
