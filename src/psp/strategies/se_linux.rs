//! `spec.seLinux`: which SELinux options must a pod and its containers have?
//!
//! Upstream: `pkg/security/podsecuritypolicy/selinux/mustrunas.go` (v1.21).

use crate::objects::change::Value;
use crate::objects::path::FieldPath;
use crate::objects::pod::{PodSpec, SeLinuxOptions};
use crate::objects::psp;
use crate::objects::shared::Shared;
use crate::psp::container::{ContainerMut, ContainerView};
use crate::psp::error::{BadValue, FieldError};
use crate::psp::log::ChangeLog;

use super::StrategyError;

const FIELD: &str = "spec.seLinux";
const RULE: &str = "spec.seLinux.rule";

/// The rule of `spec.seLinux`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::psp) enum SeLinuxStrategy {
    RunAsAny,
    MustRunAs(Shared<SeLinuxOptions>),
}

impl SeLinuxStrategy {
    pub(in crate::psp) fn new(strategy: &psp::SeLinuxStrategy) -> Result<Self, StrategyError> {
        match (strategy.rule.as_str(), &strategy.se_linux_options) {
            ("RunAsAny", _) => Ok(Self::RunAsAny),
            ("MustRunAs", Some(options)) => Ok(Self::MustRunAs(options.clone())),
            ("MustRunAs", None) => Err(StrategyError::NoSeLinuxOptions),
            (rule, _) => Err(StrategyError::UnknownRule { field: FIELD, rule: rule.to_owned() }),
        }
    }

    pub(in crate::psp) fn mutate_pod(&self, spec: &mut PodSpec, log: &mut ChangeLog<'_>) {
        let Self::MustRunAs(options) = self else { return };
        if spec.security_context.as_ref().is_none_or(|pod| pod.se_linux_options.is_none()) {
            spec.security_context.get_or_insert_default().se_linux_options = Some(options.clone());
            log.added(pod_path, Value::SeLinuxOptions(options.clone()), RULE);
        }
    }

    /// Writes only where the pod has no options either, which [`Self::mutate_pod`] leaves to no
    /// pod.
    pub(in crate::psp) fn mutate_container(
        &self,
        container: &mut ContainerMut<'_>,
        log: &mut ChangeLog<'_>,
    ) {
        let Self::MustRunAs(options) = self else { return };
        if container.view().se_linux_options().is_none() {
            container.context().se_linux_options = Some(options.clone());
            let path = || container.view().context_path("seLinuxOptions");
            log.added(path, Value::SeLinuxOptions(options.clone()), RULE);
        }
    }

    /// The pod's own options are judged too, even if every container has others.
    pub(in crate::psp) fn validate_pod(&self, spec: &PodSpec, errors: &mut Vec<FieldError>) {
        let options =
            spec.security_context.as_ref().and_then(|pod| pod.se_linux_options.as_deref());
        self.validate(pod_path, options, errors);
    }

    pub(in crate::psp) fn validate_container(
        &self,
        container: ContainerView<'_>,
        errors: &mut Vec<FieldError>,
    ) {
        let path = || container.context_path("seLinuxOptions");
        self.validate(path, container.se_linux_options(), errors);
    }

    fn validate(
        &self,
        path: impl Fn() -> FieldPath,
        options: Option<&SeLinuxOptions>,
        errors: &mut Vec<FieldError>,
    ) {
        let Self::MustRunAs(wanted) = self else { return };
        let Some(found) = options else {
            errors.push(FieldError::required(path(), ""));
            return;
        };
        if *found == **wanted {
            return;
        }
        for (field, found, wanted, is_equal) in [
            ("level", &found.level, &wanted.level, is_same_level(&wanted.level, &found.level)),
            ("role", &found.role, &wanted.role, wanted.role == found.role),
            ("type", &found.type_, &wanted.type_, wanted.type_ == found.type_),
            ("user", &found.user, &wanted.user, wanted.user == found.user),
        ] {
            if !is_equal {
                let value = BadValue::String(found.clone());
                let detail = format!("must be {wanted}");
                errors.push(FieldError::invalid(path().child(field), value, detail));
            }
        }
    }
}

fn pod_path() -> FieldPath {
    FieldPath::new("spec.securityContext.seLinuxOptions")
}

/// Whether two levels differ at most in the order of the comma-separated categories. Ranges such
/// as `c0.c3` are not expanded.
fn is_same_level(one: &str, other: &str) -> bool {
    if one == other {
        return true;
    }
    let (Some((sensitivity, categories)), Some((other_sensitivity, other_categories))) =
        (one.split_once(':'), other.split_once(':'))
    else {
        return false;
    };
    sensitivity == other_sensitivity && sorted(categories) == sorted(other_categories)
}

fn sorted(categories: &str) -> Vec<&str> {
    let mut categories: Vec<_> = categories.split(',').collect();
    categories.sort_unstable();
    categories
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::psp::tests::{Outcome, in_container, in_pod, outcome};

    #[test]
    fn fills_and_judges() {
        const POD: &str = "spec.securityContext.seLinuxOptions";
        const CONTAINER: &str = "spec.containers[0].securityContext.seLinuxOptions";
        let wanted = json!({"level": "s0:c1,c2", "role": "r", "type": "t", "user": "u"});
        let same = json!({"level": "s0:c2,c1", "role": "r", "type": "t", "user": "u"});
        for (name, pod, expected) in [
            ("default in the pod", in_pod(&json!({})), Outcome::writes(json!({POD: wanted}))),
            ("the same", in_pod(&json!({"seLinuxOptions": same})), Outcome::unchanged()),
            (
                "a container's options hide the pod's as a whole",
                in_container(&json!({"seLinuxOptions": {"type": "spc_t"}})),
                Outcome::both(
                    json!({POD: wanted}),
                    &[
                        &format!("{CONTAINER}.level: Invalid value: \"\": must be s0:c1,c2"),
                        &format!("{CONTAINER}.role: Invalid value: \"\": must be r"),
                        &format!("{CONTAINER}.type: Invalid value: \"spc_t\": must be t"),
                        &format!("{CONTAINER}.user: Invalid value: \"\": must be u"),
                    ],
                ),
            ),
            (
                "the pod's options count even where no container has them",
                json!({"spec": {
                    "securityContext": {
                        "seLinuxOptions": {"level": "s0:c1,c2", "role": "r", "type": "x", "user": "u"},
                    },
                    "containers": [{"name": "app", "securityContext": {"seLinuxOptions": same}}],
                }}),
                Outcome::errors(&[&format!("{POD}.type: Invalid value: \"x\": must be t")]),
            ),
        ] {
            let policy = json!({"seLinux": {"rule": "MustRunAs", "seLinuxOptions": wanted}});
            assert_eq!(outcome(&policy, &json!({}), &pod), expected, "{name}");
        }
    }

    #[test]
    fn compares_levels() {
        for (one, other, expected) in [
            ("s0", "s0", true),
            ("s0:c6,c0", "s0:c0,c6", true),
            ("s0:c0,c0", "s0:c0", false),
            ("s0:c0.c3", "s0:c0,c1,c2,c3", false),
            ("s0:c0", "s1:c0", false),
            ("s0", "s0:", false),
            ("s0:a:b,c", "s0:c,a:b", true),
            ("", "s0", false),
        ] {
            assert_eq!(is_same_level(one, other), expected, "{one} {other}");
        }
    }
}
