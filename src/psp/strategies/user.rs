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
                let path = container.view().context_path("runAsUser");
                log.added(path, Value::Integer(id), RULE);
            }
            Self::MustRunAsNonRoot => {
                if container.view().run_as_non_root().is_none() {
                    container.context().run_as_non_root = Some(true);
                    let path = container.view().context_path("runAsNonRoot");
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
