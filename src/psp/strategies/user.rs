//! `spec.runAsUser`: may containers run as root, and as whom do they run?
//!
//! Upstream: `pkg/security/podsecuritypolicy/user` (v1.21).

use crate::objects::change::Value;
use crate::objects::psp::IdStrategy;
use crate::psp::container::{ContainerMut, ContainerView};
use crate::psp::error::{BadValue, FieldError};
use crate::psp::log::ChangeLog;

use super::StrategyError;
use super::ranges::Ranges;

const FIELD: &str = "spec.runAsUser";
const RULE: &str = "spec.runAsUser.rule";

/// The rule of `spec.runAsUser`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::psp) enum UserStrategy {
    RunAsAny,
    MustRunAsNonRoot,
    MustRunAs(Ranges),
}

impl UserStrategy {
    pub(in crate::psp) fn new(strategy: &IdStrategy) -> Result<Self, StrategyError> {
        match strategy.rule.as_str() {
            "RunAsAny" => Ok(Self::RunAsAny),
            "MustRunAsNonRoot" => Ok(Self::MustRunAsNonRoot),
            "MustRunAs" => Ranges::of(strategy, FIELD).map(Self::MustRunAs),
            rule => Err(StrategyError::UnknownRule { field: FIELD, rule: rule.to_owned() }),
        }
    }

    /// `MustRunAs` writes the first id where neither container nor pod sets one, but never
    /// `runAsNonRoot`. `MustRunAsNonRoot` writes `runAsNonRoot` where neither sets that or an id.
    pub(in crate::psp) fn mutate(&self, container: &mut ContainerMut<'_>, log: &mut ChangeLog<'_>) {
        if container.view().run_as_user().is_some() {
            return;
        }
        match self {
            Self::RunAsAny => {}
            Self::MustRunAs(ranges) => {
                let id = ranges.default_id();
                container.context().run_as_user = Some(id);
                let path = || container.view().context_path("runAsUser");
                log.added(path, Value::Integer(id), RULE);
            }
            Self::MustRunAsNonRoot => {
                if container.view().run_as_non_root().is_none() {
                    container.context().run_as_non_root = Some(true);
                    let path = || container.view().context_path("runAsNonRoot");
                    log.added(path, Value::Bool(true), RULE);
                }
            }
        }
    }

    /// Finds at most one error per container.
    pub(in crate::psp) fn validate(
        &self,
        container: ContainerView<'_>,
        errors: &mut Vec<FieldError>,
    ) {
        let user = container.run_as_user();
        let error = match self {
            Self::RunAsAny => None,
            Self::MustRunAs(ranges) => match user {
                None => Some(FieldError::required(container.context_path("runAsUser"), "")),
                Some(id) => (!ranges.contains(id)).then(|| {
                    let detail = format!("must be in the ranges: {ranges}");
                    let path = container.context_path("runAsUser");
                    FieldError::invalid(path, BadValue::Integer(id), detail)
                }),
            },
            Self::MustRunAsNonRoot => {
                let path = || container.context_path("runAsNonRoot");
                match (container.run_as_non_root(), user) {
                    (None, None) => Some(FieldError::required(path(), "must be true")),
                    (Some(false), _) => {
                        Some(FieldError::invalid(path(), BadValue::Bool(false), "must be true"))
                    }
                    (_, Some(0)) => Some(FieldError::invalid(
                        container.context_path("runAsUser"),
                        BadValue::Integer(0),
                        "running with the root UID is forbidden",
                    )),
                    _ => None,
                }
            }
        };
        errors.extend(error);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::psp::tests::{Outcome, in_container, in_pod, outcome};

    #[test]
    fn fills_and_judges() {
        const USER: &str = "spec.containers[0].securityContext.runAsUser";
        const NON_ROOT: &str = "spec.containers[0].securityContext.runAsNonRoot";
        let out_of_range = |id: i64| {
            format!(
                "{USER}: Invalid value: {id}: must be in the ranges: [{{1000 1999}} {{3000 3000}}]"
            )
        };
        let root = format!("{USER}: Invalid value: 0: running with the root UID is forbidden");
        let explicit_root = format!("{NON_ROOT}: Invalid value: false: must be true");
        let any = json!({"rule": "RunAsAny"});
        let non_root = json!({"rule": "MustRunAsNonRoot"});
        let ranges = json!({"rule": "MustRunAs",
                            "ranges": [{"min": 1000, "max": 1999}, {"min": 3000, "max": 3000}]});
        for (name, rule, pod, expected) in [
            ("any", &any, in_container(&json!({"runAsUser": 0})), Outcome::unchanged()),
            ("default", &ranges, in_container(&json!({})), Outcome::writes(json!({USER: 1000}))),
            ("the pod's id", &ranges, in_pod(&json!({"runAsUser": 3000})), Outcome::unchanged()),
            (
                "the container's id hides the pod's",
                &ranges,
                json!({"spec": {"securityContext": {"runAsUser": 1000}, "containers": [
                    {"name": "app", "securityContext": {"runAsUser": 2000}},
                ]}}),
                Outcome::errors(&[&out_of_range(2000)]),
            ),
            (
                "negative id",
                &ranges,
                in_container(&json!({"runAsUser": -1})),
                Outcome::errors(&[&out_of_range(-1)]),
            ),
            (
                "ranges never write runAsNonRoot",
                &ranges,
                in_container(&json!({"runAsNonRoot": false})),
                Outcome::writes(json!({USER: 1000})),
            ),
            (
                "nothing set",
                &non_root,
                in_pod(&json!({})),
                Outcome::writes(json!({NON_ROOT: true})),
            ),
            ("an id", &non_root, in_pod(&json!({"runAsUser": 1})), Outcome::unchanged()),
            ("root", &non_root, in_container(&json!({"runAsUser": 0})), Outcome::errors(&[&root])),
            (
                "root in the pod, runAsNonRoot in the container",
                &non_root,
                json!({"spec": {"securityContext": {"runAsUser": 0}, "containers": [
                    {"name": "app", "securityContext": {"runAsNonRoot": true}},
                ]}}),
                Outcome::errors(&[&root]),
            ),
            (
                "an explicit false, even with an id, and only one error",
                &non_root,
                in_container(&json!({"runAsNonRoot": false, "runAsUser": 0})),
                Outcome::errors(&[&explicit_root]),
            ),
            ("true", &non_root, in_pod(&json!({"runAsNonRoot": true})), Outcome::unchanged()),
        ] {
            let found = outcome(&json!({"runAsUser": rule}), &json!({}), &pod);
            assert_eq!(found, expected, "{name}");
        }
    }
}
