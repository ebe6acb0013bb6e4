//! `spec.allowedProcMountTypes`: how may `/proc` be mounted?
//!
//! Differs: an API server without the ProcMountType gate empties the policy's list when the policy
//! is stored; here the list counts as it stands.
//!
//! Upstream: `pkg/security/podsecuritypolicy/provider.go`, `validateContainer` (v1.21).

use crate::psp::container::ContainerView;
use crate::psp::error::{BadValue, FieldError};

const DEFAULT: &str = "Default";

/// The mount types that a policy allows; empty allows `Default` only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::psp) struct ProcMount(pub(in crate::psp) Vec<String>);

impl ProcMount {
    /// A list that leaves out `Default` refuses containers that set nothing.
    pub(in crate::psp) fn validate(
        &self,
        container: ContainerView<'_>,
        errors: &mut Vec<FieldError>,
    ) {
        let found = container.own(|own| own.proc_mount.as_deref()).unwrap_or(DEFAULT);
        let is_allowed = match self.0.as_slice() {
            [] => found == DEFAULT,
            allowed => allowed.iter().any(|allowed| allowed == found),
        };
        if !is_allowed {
            let value = BadValue::String(found.to_owned());
            let path = container.context_path("procMount");
            errors.push(FieldError::invalid(path, value, "ProcMountType is not allowed"));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::psp::tests::{Outcome, in_container, outcome};

    #[test]
    fn judges_mount_types() {
        let refused = |found: &str| {
            Outcome::errors(&[&format!(
                "spec.containers[0].securityContext.procMount: Invalid value: \"{found}\": ProcMountType is not allowed"
            )])
        };
        for (allowed, own, expected) in [
            (json!([]), None, Outcome::unchanged()),
            (json!([]), Some("Default"), Outcome::unchanged()),
            (json!([]), Some("Unmasked"), refused("Unmasked")),
            (json!(["Unmasked"]), Some("Unmasked"), Outcome::unchanged()),
            (json!(["Unmasked"]), None, refused("Default")),
        ] {
            let pod = in_container(&json!({"procMount": own}));
            let found = outcome(&json!({"allowedProcMountTypes": allowed}), &json!({}), &pod);
            assert_eq!(found, expected, "{allowed} {own:?}");
        }
    }
}
