//! `spec.readOnlyRootFilesystem`: may containers write to their own root file system?
//!
//! Upstream: `pkg/security/podsecuritypolicy/provider.go`, `mutateContainer` (v1.21).

use crate::objects::change::Value;
use crate::psp::container::{ContainerMut, ContainerView};
use crate::psp::error::{BadValue, FieldError};
use crate::psp::log::ChangeLog;

/// Whether the policy demands a read-only root file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::psp) struct ReadOnlyRootFilesystem(pub(in crate::psp) bool);

impl ReadOnlyRootFilesystem {
    pub(in crate::psp) fn mutate(self, container: &mut ContainerMut<'_>, log: &mut ChangeLog<'_>) {
        if self.0 && container.view().own(|own| own.read_only_root_filesystem).is_none() {
            container.context().read_only_root_filesystem = Some(true);
            let path = container.view().context_path("readOnlyRootFilesystem");
            log.added(path, Value::Bool(true), "spec.readOnlyRootFilesystem");
        }
    }

    pub(in crate::psp) fn validate(
        self,
        container: ContainerView<'_>,
        errors: &mut Vec<FieldError>,
    ) {
        let (value, detail) = match container.own(|own| own.read_only_root_filesystem) {
            _ if !self.0 => return,
            Some(true) => return,
            Some(false) => (BadValue::Bool(false), "ReadOnlyRootFilesystem must be set to true"),
            None => {
                (BadValue::Null, "ReadOnlyRootFilesystem may not be nil and must be set to true")
            }
        };
        let path = container.context_path("readOnlyRootFilesystem");
        errors.push(FieldError::invalid(path, value, detail));
    }
}
