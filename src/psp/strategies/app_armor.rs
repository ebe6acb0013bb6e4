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
        let path = || FieldPath::new("metadata.annotations").key(&key);
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::psp::tests::{Outcome, outcome};

    #[test]
    fn fills_and_judges() {
        let policy = |allowed: Option<&str>, default: Option<&str>| {
            json!({
                "apparmor.security.beta.kubernetes.io/allowedProfileNames": allowed,
                "apparmor.security.beta.kubernetes.io/defaultProfileName": default,
            })
        };
        let path = |container| format!("metadata.annotations[{}]", key(container));
        let must_be_set =
            |container| format!("pod.{}: Forbidden: AppArmor profile must be set", path(container));
        let default = policy(Some("a,b"), Some("a"));
        for (name, policy, app, init, expected) in [
            ("no list", policy(None, None), Some("x"), None, Outcome::unchanged()),
            (
                "default, init containers too",
                default.clone(),
                None,
                Some(""),
                Outcome::writes(json!({(path("init")): "a", (path("app")): "a"})),
            ),
            ("set", default, Some("b"), Some("a"), Outcome::unchanged()),
            (
                "list without default",
                policy(Some("a,b"), None),
                None,
                Some("c"),
                Outcome::errors(&[
                    &format!(
                        "pod.{}: Forbidden: c is not an allowed profile. Allowed values: \"a,b\"",
                        path("init")
                    ),
                    &must_be_set("app"),
                ]),
            ),
            (
                "an empty list wants a profile too",
                policy(Some(""), None),
                None,
                None,
                Outcome::errors(&[&must_be_set("init"), &must_be_set("app")]),
            ),
            ("no wildcards", policy(Some("*"), None), Some("*"), Some("*"), Outcome::unchanged()),
        ] {
            let pod = json!({
                "metadata": {"annotations": {(key("app")): app, (key("init")): init}},
                "spec": {"initContainers": [{"name": "init"}], "containers": [{"name": "app"}]},
            });
            // A null value is read as an empty one.
            assert_eq!(outcome(&json!({}), &policy, &pod), expected, "{name}");
        }
    }
}
