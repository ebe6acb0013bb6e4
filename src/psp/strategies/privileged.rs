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
