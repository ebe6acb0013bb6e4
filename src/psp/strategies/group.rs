//! `spec.fsGroup`, `spec.supplementalGroups`, `spec.runAsGroup`: which groups may a pod be in?
//!
//! Upstream: `pkg/security/podsecuritypolicy/group` (v1.21).

use crate::objects::change::Value;
use crate::objects::path::FieldPath;
use crate::objects::pod::PodSpec;
use crate::objects::psp::IdStrategy;
use crate::psp::container::{ContainerMut, ContainerView};
use crate::psp::error::{BadValue, FieldError};
use crate::psp::log::ChangeLog;

use super::StrategyError;
use super::ranges::Ranges;

/// A rule over groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::psp) enum GroupStrategy {
    RunAsAny,
    /// A group must be set, and lie in the ranges.
    MustRunAs(Ranges),
    /// What is set must lie in the ranges; nothing is ever written.
    MayRunAs(Ranges),
}

impl GroupStrategy {
    /// The rule of a policy's field, such as `spec.fsGroup`.
    pub(in crate::psp) fn new(
        strategy: &IdStrategy,
        field: &'static str,
    ) -> Result<Self, StrategyError> {
        match strategy.rule.as_str() {
            "RunAsAny" => Ok(Self::RunAsAny),
            "MustRunAs" => Ranges::of(strategy, field).map(Self::MustRunAs),
            "MayRunAs" => Ranges::of(strategy, field).map(Self::MayRunAs),
            rule => Err(StrategyError::UnknownRule { field, rule: rule.to_owned() }),
        }
    }

    /// The group to write where none is set.
    fn default_group(&self) -> Option<i64> {
        match self {
            Self::MustRunAs(ranges) => Some(ranges.default_id()),
            Self::RunAsAny | Self::MayRunAs(_) => None,
        }
    }

    /// `None` as groups means that the field is absent.
    fn validate(
        &self,
        path: impl Fn() -> FieldPath,
        groups: Option<&[i64]>,
        errors: &mut Vec<FieldError>,
    ) {
        let (ranges, is_needed) = match self {
            Self::RunAsAny => return,
            Self::MustRunAs(ranges) => (ranges, true),
            Self::MayRunAs(ranges) => (ranges, false),
        };
        let value = || BadValue::Integers(groups.map(<[i64]>::to_vec));
        let ids = groups.unwrap_or_default();
        if is_needed && ids.is_empty() {
            let detail = "unable to validate empty groups against required ranges";
            errors.push(FieldError::invalid(path(), value(), detail));
        }
        for id in ids.iter().filter(|id| !ranges.contains(**id)) {
            let detail = format!("group {id} must be in the ranges: {ranges}");
            errors.push(FieldError::invalid(path(), value(), detail));
        }
    }
}

/// `spec.fsGroup` of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::psp) struct FsGroup(pub(in crate::psp) GroupStrategy);

impl FsGroup {
    pub(in crate::psp) fn mutate(&self, spec: &mut PodSpec, log: &mut ChangeLog<'_>) {
        let is_unset = spec.security_context.as_ref().is_none_or(|pod| pod.fs_group.is_none());
        if let Some(group) = self.0.default_group().filter(|_| is_unset) {
            spec.security_context.get_or_insert_default().fs_group = Some(group);
            log.added(fs_group_path, Value::Integer(group), "spec.fsGroup.rule");
        }
    }

    pub(in crate::psp) fn validate(&self, spec: &PodSpec, errors: &mut Vec<FieldError>) {
        let group = spec.security_context.as_ref().and_then(|pod| pod.fs_group);
        self.0.validate(fs_group_path, group.as_ref().map(std::slice::from_ref), errors);
    }
}

fn fs_group_path() -> FieldPath {
    FieldPath::new("spec.securityContext.fsGroup")
}

/// `spec.supplementalGroups` of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::psp) struct SupplementalGroups(pub(in crate::psp) GroupStrategy);

impl SupplementalGroups {
    /// An empty list is not absent: it stays as it is, and is then refused.
    pub(in crate::psp) fn mutate(&self, spec: &mut PodSpec, log: &mut ChangeLog<'_>) {
        let is_unset =
            spec.security_context.as_ref().is_none_or(|pod| pod.supplemental_groups.is_none());
        if let Some(group) = self.0.default_group().filter(|_| is_unset) {
            spec.security_context.get_or_insert_default().supplemental_groups = Some(vec![group]);
            let path = supplemental_groups_path;
            log.added(path, Value::Integers(vec![group]), "spec.supplementalGroups.rule");
        }
    }

    pub(in crate::psp) fn validate(&self, spec: &PodSpec, errors: &mut Vec<FieldError>) {
        let groups =
            spec.security_context.as_ref().and_then(|pod| pod.supplemental_groups.as_deref());
        self.0.validate(supplemental_groups_path, groups, errors);
    }
}

fn supplemental_groups_path() -> FieldPath {
    FieldPath::new("spec.securityContext.supplementalGroups")
}

/// `spec.runAsGroup` of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::psp) struct RunAsGroup(pub(in crate::psp) GroupStrategy);

impl RunAsGroup {
    pub(in crate::psp) fn mutate(&self, container: &mut ContainerMut<'_>, log: &mut ChangeLog<'_>) {
        let is_unset = container.view().run_as_group().is_none();
        if let Some(group) = self.0.default_group().filter(|_| is_unset) {
            container.context().run_as_group = Some(group);
            let path = || container.view().context_path("runAsGroup");
            log.added(path, Value::Integer(group), "spec.runAsGroup.rule");
        }
    }

    /// The API server gives `securityContext` itself as the place, without the field.
    pub(in crate::psp) fn validate(
        &self,
        container: ContainerView<'_>,
        errors: &mut Vec<FieldError>,
    ) {
        let group = container.run_as_group();
        let path = || container.path().child("securityContext");
        self.0.validate(path, group.as_ref().map(std::slice::from_ref), errors);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::psp::tests::{Outcome, in_container, in_pod, outcome};

    #[test]
    fn fills_and_judges_the_pods_groups() {
        const FS: &str = "spec.securityContext.fsGroup";
        const SUPPLEMENTAL: &str = "spec.securityContext.supplementalGroups";
        let must = json!({"rule": "MustRunAs",
                          "ranges": [{"min": 5, "max": 9}, {"min": 20, "max": 20}]});
        let may = json!({"rule": "MayRunAs", "ranges": [{"min": 5, "max": 9}]});
        let fs = |rule| json!({"fsGroup": rule});
        let supplemental = |rule| json!({"supplementalGroups": rule});
        for (name, policy, pod, expected) in [
            ("default", fs(&must), in_pod(&json!({})), Outcome::writes(json!({FS: 5}))),
            ("second range", fs(&must), in_pod(&json!({"fsGroup": 20})), Outcome::unchanged()),
            (
                "out of range",
                fs(&must),
                in_pod(&json!({"fsGroup": 0})),
                Outcome::errors(&[&format!(
                    "{FS}: Invalid value: []int64{{0}}: group 0 must be in the ranges: [{{5 9}} {{20 20}}]"
                )]),
            ),
            ("may be absent", fs(&may), in_pod(&json!({})), Outcome::unchanged()),
            (
                "may not be another",
                fs(&may),
                in_pod(&json!({"fsGroup": 1})),
                Outcome::errors(&[&format!(
                    "{FS}: Invalid value: []int64{{1}}: group 1 must be in the ranges: [{{5 9}}]"
                )]),
            ),
            (
                "default list",
                supplemental(&must),
                in_pod(&json!({})),
                Outcome::writes(json!({SUPPLEMENTAL: [5]})),
            ),
            (
                "an empty list is not absent",
                supplemental(&must),
                in_pod(&json!({"supplementalGroups": []})),
                Outcome::errors(&[&format!(
                    "{SUPPLEMENTAL}: Invalid value: []int64{{}}: unable to validate empty groups against required ranges"
                )]),
            ),
            (
                "an empty list that may be",
                supplemental(&may),
                in_pod(&json!({"supplementalGroups": []})),
                Outcome::unchanged(),
            ),
            (
                "an error for each bad group, with the whole list",
                supplemental(&may),
                in_pod(&json!({"supplementalGroups": [1, 6, 2]})),
                Outcome::errors(&[
                    &format!(
                        "{SUPPLEMENTAL}: Invalid value: []int64{{1, 6, 2}}: group 1 must be in the ranges: [{{5 9}}]"
                    ),
                    &format!(
                        "{SUPPLEMENTAL}: Invalid value: []int64{{1, 6, 2}}: group 2 must be in the ranges: [{{5 9}}]"
                    ),
                ]),
            ),
        ] {
            assert_eq!(outcome(&policy, &json!({}), &pod), expected, "{name}");
        }
    }

    #[test]
    fn fills_and_judges_the_containers_group() {
        const CONTEXT: &str = "spec.containers[0].securityContext";
        let must = json!({"rule": "MustRunAs", "ranges": [{"min": 5, "max": 9}]});
        let may = json!({"rule": "MayRunAs", "ranges": [{"min": 5, "max": 9}]});
        let refusal = format!(
            "{CONTEXT}: Invalid value: []int64{{10}}: group 10 must be in the ranges: [{{5 9}}]"
        );
        for (name, rule, pod, expected) in [
            ("no rule", None, in_container(&json!({"runAsGroup": 0})), Outcome::unchanged()),
            (
                "default",
                Some(&must),
                in_container(&json!({})),
                Outcome::writes(json!({"spec.containers[0].securityContext.runAsGroup": 5})),
            ),
            ("the pod's", Some(&must), in_pod(&json!({"runAsGroup": 9})), Outcome::unchanged()),
            (
                "out of range",
                Some(&must),
                in_pod(&json!({"runAsGroup": 10})),
                Outcome::errors(&[&refusal]),
            ),
            ("may be absent", Some(&may), in_container(&json!({})), Outcome::unchanged()),
            (
                "may not be another",
                Some(&may),
                in_container(&json!({"runAsGroup": 10})),
                Outcome::errors(&[&refusal]),
            ),
        ] {
            assert_eq!(outcome(&json!({"runAsGroup": rule}), &json!({}), &pod), expected, "{name}");
        }
    }
}
