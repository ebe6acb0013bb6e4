//! `spec.runtimeClass`: which runtime classes may pods ask for, and which is the default?
//!
//! Upstream: `pkg/security/podsecuritypolicy/provider.go`, `validateRuntimeClassName` (v1.21).

use crate::objects::change::Value;
use crate::objects::path::FieldPath;
use crate::objects::pod::PodSpec;
use crate::objects::psp;
use crate::psp::error::{BadValue, FieldError};
use crate::psp::log::ChangeLog;

/// The runtime class rule of a policy; `None` allows any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::psp) struct RuntimeClassStrategy(
    pub(in crate::psp) Option<psp::RuntimeClassStrategy>,
);

impl RuntimeClassStrategy {
    pub(in crate::psp) fn mutate(&self, spec: &mut PodSpec, log: &mut ChangeLog<'_>) {
        let default = self.0.as_ref().and_then(|rule| rule.default_runtime_class_name.as_ref());
        if let Some(name) = default.filter(|_| spec.runtime_class_name.is_none()) {
            spec.runtime_class_name = Some(name.clone());
            let value = Value::String(name.clone());
            log.added(path, value, "spec.runtimeClass.defaultRuntimeClassName");
        }
    }

    /// A pod without a runtime class always passes.
    pub(in crate::psp) fn validate(&self, spec: &PodSpec, errors: &mut Vec<FieldError>) {
        if let (Some(rule), Some(name)) = (&self.0, &spec.runtime_class_name)
            && !rule
                .allowed_runtime_class_names
                .iter()
                .any(|allowed| allowed == "*" || allowed == name)
        {
            errors.push(FieldError::invalid(path(), BadValue::String(name.clone()), ""));
        }
    }
}

fn path() -> FieldPath {
    FieldPath::new("spec.runtimeClassName")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::psp::tests::{Outcome, outcome};

    #[test]
    fn fills_and_judges() {
        const PATH: &str = "spec.runtimeClassName";
        let refused =
            |name: &str| Outcome::errors(&[&format!("{PATH}: Invalid value: \"{name}\"")]);
        let only = json!({"allowedRuntimeClassNames": ["a"]});
        let default = json!({"allowedRuntimeClassNames": [], "defaultRuntimeClassName": "a"});
        for (name, rule, own, expected) in [
            ("no rule", json!(null), Some("x"), Outcome::unchanged()),
            ("listed", only.clone(), Some("a"), Outcome::unchanged()),
            ("not listed", only.clone(), Some("x"), refused("x")),
            ("none", only, None, Outcome::unchanged()),
            ("empty list", json!({}), Some("x"), refused("x")),
            ("any", json!({"allowedRuntimeClassNames": ["*"]}), Some("x"), Outcome::unchanged()),
            (
                "a default that is not allowed",
                default,
                None,
                Outcome::both(json!({PATH: "a"}), &["spec.runtimeClassName: Invalid value: \"a\""]),
            ),
        ] {
            let pod = json!({"spec": {"runtimeClassName": own}});
            assert_eq!(
                outcome(&json!({"runtimeClass": rule}), &json!({}), &pod),
                expected,
                "{name}"
            );
        }
    }
}
