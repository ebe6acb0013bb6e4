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
            let path = || container.view().context_path("readOnlyRootFilesystem");
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::psp::tests::{Outcome, in_container, outcome};

    #[test]
    fn fills_and_judges() {
        const PATH: &str = "spec.containers[0].securityContext.readOnlyRootFilesystem";
        let refused =
            format!("{PATH}: Invalid value: false: ReadOnlyRootFilesystem must be set to true");
        for (demands, own, expected) in [
            (false, None, Outcome::unchanged()),
            (false, Some(false), Outcome::unchanged()),
            (true, None, Outcome::writes(json!({PATH: true}))),
            (true, Some(true), Outcome::unchanged()),
            (true, Some(false), Outcome::errors(&[&refused])),
        ] {
            let policy = json!({"readOnlyRootFilesystem": demands});
            let pod = in_container(&json!({"readOnlyRootFilesystem": own}));
            assert_eq!(outcome(&policy, &json!({}), &pod), expected, "{demands} {own:?}");
        }
    }
}
