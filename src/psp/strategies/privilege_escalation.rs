//! `spec.allowPrivilegeEscalation`, `spec.defaultAllowPrivilegeEscalation`: may a process gain more
//! privileges than its parent?
//!
//! Upstream: `pkg/security/podsecuritypolicy/provider.go`, `mutateContainer` (v1.21).

use crate::objects::change::Value;
use crate::objects::psp::PodSecurityPolicySpec;
use crate::psp::container::{ContainerMut, ContainerView};
use crate::psp::error::{BadValue, FieldError};
use crate::psp::log::ChangeLog;

/// The privilege escalation rule of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::psp) struct PrivilegeEscalationStrategy {
    /// `defaultAllowPrivilegeEscalation`.
    default: Option<bool>,
    /// `allowPrivilegeEscalation`, true where unset.
    allows: bool,
}

impl PrivilegeEscalationStrategy {
    pub(in crate::psp) fn new(spec: &PodSecurityPolicySpec) -> Self {
        Self {
            default: spec.default_allow_privilege_escalation,
            allows: spec.allow_privilege_escalation.unwrap_or(true),
        }
    }

    /// The default goes first, even where the policy then refuses it.
    pub(in crate::psp) fn mutate(&self, container: &mut ContainerMut<'_>, log: &mut ChangeLog<'_>) {
        if container.view().own(|own| own.allow_privilege_escalation).is_some() {
            return;
        }
        let (value, policy_field) = match self.default {
            Some(value) => (value, "spec.defaultAllowPrivilegeEscalation"),
            None if !self.allows => (false, "spec.allowPrivilegeEscalation"),
            None => return,
        };
        container.context().allow_privilege_escalation = Some(value);
        let path = || container.view().context_path("allowPrivilegeEscalation");
        log.added(path, Value::Bool(value), policy_field);
    }

    pub(in crate::psp) fn validate(
        &self,
        container: ContainerView<'_>,
        errors: &mut Vec<FieldError>,
    ) {
        let found = container.own(|own| own.allow_privilege_escalation);
        if !self.allows && found != Some(false) {
            let value = found.map_or(BadValue::Null, BadValue::Bool);
            let path = container.context_path("allowPrivilegeEscalation");
            let detail = "Allowing privilege escalation for containers is not allowed";
            errors.push(FieldError::invalid(path, value, detail));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::psp::tests::{Outcome, in_container, outcome};

    #[test]
    fn fills_and_judges() {
        const PATH: &str = "spec.containers[0].securityContext.allowPrivilegeEscalation";
        let refused = format!(
            "{PATH}: Invalid value: true: Allowing privilege escalation for containers is not allowed"
        );
        for (default, allows, own, expected) in [
            (None, None, None, Outcome::unchanged()),
            (None, None, Some(true), Outcome::unchanged()),
            (Some(false), None, None, Outcome::writes(json!({PATH: false}))),
            (Some(false), None, Some(true), Outcome::unchanged()),
            (None, Some(false), None, Outcome::writes(json!({PATH: false}))),
            (None, Some(false), Some(true), Outcome::errors(&[&refused])),
            (Some(true), Some(false), None, Outcome::both(json!({PATH: true}), &[&refused])),
            (Some(true), Some(true), None, Outcome::writes(json!({PATH: true}))),
        ] {
            let policy = json!({"defaultAllowPrivilegeEscalation": default,
                                "allowPrivilegeEscalation": allows});
            let pod = in_container(&json!({"allowPrivilegeEscalation": own}));
            let found = outcome(&policy, &json!({}), &pod);
            assert_eq!(found, expected, "default {default:?}, allows {allows:?}, own {own:?}");
        }
    }
}
