//! `spec.privileged`: may containers be privileged?
//!
//! Upstream: `pkg/security/podsecuritypolicy/provider.go`, `validateContainer` (v1.21).

use crate::psp::container::ContainerView;
use crate::psp::error::{BadValue, FieldError};

/// Whether a policy allows privileged containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::psp) struct Privileged(pub(in crate::psp) bool);

impl Privileged {
    pub(in crate::psp) fn validate(
        self,
        container: ContainerView<'_>,
        errors: &mut Vec<FieldError>,
    ) {
        if !self.0 && container.own(|own| own.privileged) == Some(true) {
            let path = container.context_path("privileged");
            let detail = "Privileged containers are not allowed";
            errors.push(FieldError::invalid(path, BadValue::Bool(true), detail));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::psp::tests::{Outcome, in_container, outcome};

    #[test]
    fn judges_privileged_containers() {
        let refused = Outcome::errors(&[
            "spec.containers[0].securityContext.privileged: Invalid value: true: Privileged containers are not allowed",
        ]);
        for (allows, own, expected) in [
            (true, Some(true), Outcome::unchanged()),
            (false, Some(true), refused),
            (false, Some(false), Outcome::unchanged()),
            (false, None, Outcome::unchanged()),
        ] {
            let pod = in_container(&json!({"privileged": own}));
            let found = outcome(&json!({"privileged": allows}), &json!({}), &pod);
            assert_eq!(found, expected, "{allows} {own:?}");
        }
    }
}
