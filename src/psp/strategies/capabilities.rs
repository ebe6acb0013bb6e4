//! `spec.defaultAddCapabilities`, `requiredDropCapabilities`, `allowedCapabilities`: which
//! capabilities do containers get, lose, and ask for?
//!
//! Names are compared as written: `CAP_CHOWN` is not `CHOWN`, and `ALL` is no wildcard.
//!
//! Upstream: `pkg/security/podsecuritypolicy/capabilities/capabilities.go` (v1.21).

use std::collections::BTreeSet;

use crate::objects::change::Value;
use crate::objects::path::FieldPath;
use crate::objects::pod::Capabilities;
use crate::objects::psp::PodSecurityPolicySpec;
use crate::psp::container::{ContainerMut, ContainerView};
use crate::psp::error::{BadValue, FieldError};
use crate::psp::log::ChangeLog;

const DEFAULT_ADD: &str = "spec.defaultAddCapabilities";
const REQUIRED_DROP: &str = "spec.requiredDropCapabilities";

/// The capability rules of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::psp) struct CapabilitiesStrategy {
    default_add: Vec<String>,
    required_drop: Vec<String>,
    allowed: Vec<String>,
}

impl CapabilitiesStrategy {
    pub(in crate::psp) fn new(spec: &PodSecurityPolicySpec) -> Self {
        Self {
            default_add: spec.default_add_capabilities.clone(),
            required_drop: spec.required_drop_capabilities.clone(),
            allowed: spec.allowed_capabilities.clone(),
        }
    }

    /// Adds the default ones, except those that the container drops by that very name, and drops
    /// the required ones. If anything is new, both lists come out sorted and without duplicates;
    /// else they stay as they are.
    pub(in crate::psp) fn mutate(&self, container: &mut ContainerMut<'_>, log: &mut ChangeLog<'_>) {
        let own = container.view().own(|own| own.capabilities.as_ref());
        let (own_add, own_drop) = own.map_or((&[][..], &[][..]), |own| (&own.add, &own.drop));
        let (added, dropped) = (Names::of(own_add), Names::of(own_drop));
        let is_added = |name: &&String| !dropped.contain(name);
        let adds = self.default_add.iter().filter(is_added).any(|name| !added.contain(name));
        let drops = self.required_drop.iter().any(|name| !dropped.contain(name));
        if !adds && !drops {
            return;
        }
        let add: BTreeSet<&String> =
            own_add.iter().chain(self.default_add.iter().filter(is_added)).collect();
        let drop: BTreeSet<&String> = own_drop.iter().chain(&self.required_drop).collect();
        let after = Capabilities {
            add: add.into_iter().cloned().collect(),
            drop: drop.into_iter().cloned().collect(),
        };
        let before = own.cloned().unwrap_or_default();
        let path = |list| container.view().context_path("capabilities").child(list);
        // A list that is merely sorted is the work of the field that made the other one longer.
        let add_field = if adds { DEFAULT_ADD } else { REQUIRED_DROP };
        let drop_field = if drops { REQUIRED_DROP } else { DEFAULT_ADD };
        record(|| path("add"), &before.add, &after.add, add_field, log);
        record(|| path("drop"), &before.drop, &after.drop, drop_field, log);
        container.context().capabilities = Some(after);
    }

    /// `*` in `allowedCapabilities` switches every check off.
    pub(in crate::psp) fn validate(
        &self,
        container: ContainerView<'_>,
        errors: &mut Vec<FieldError>,
    ) {
        let path = || container.context_path("capabilities");
        let Some(found) = container.own(|own| own.capabilities.as_ref()) else {
            if !self.default_add.is_empty() || !self.required_drop.is_empty() {
                let detail = "required capabilities are not set on the securityContext";
                errors.push(FieldError::invalid(path(), BadValue::Null, detail));
            }
            return;
        };
        if self.allowed.iter().any(|allowed| allowed == "*") {
            return;
        }
        let (allowed, default) = (Names::of(&self.allowed), Names::of(&self.default_add));
        let is_allowed = |name: &str| allowed.contain(name) || default.contain(name);
        for name in found.add.iter().filter(|name| !is_allowed(name)) {
            let value = BadValue::String(name.clone());
            let detail = "capability may not be added";
            errors.push(FieldError::invalid(path().child("add"), value, detail));
        }
        let dropped = Names::of(&found.drop);
        for name in self.required_drop.iter().filter(|name| !dropped.contain(name)) {
            let value = BadValue::Capabilities(found.drop.clone());
            let detail = format!("{name} is required to be dropped but was not found");
            errors.push(FieldError::invalid(path().child("drop"), value, detail));
        }
    }
}

/// How many names are looked through one by one.
const FEW: usize = 64;

/// A list in which names are looked for.
enum Names<'a> {
    /// As it is.
    Few(&'a [String]),
    /// Linux knows some forty: only hostile lists are as long that this pays.
    Many(BTreeSet<&'a str>),
}

impl<'a> Names<'a> {
    fn of(names: &'a [String]) -> Self {
        if names.len() <= FEW {
            return Self::Few(names);
        }
        Self::Many(names.iter().map(String::as_str).collect())
    }

    fn contain(&self, name: &str) -> bool {
        match self {
            Self::Few(names) => names.iter().any(|it| it == name),
            Self::Many(names) => names.contains(name),
        }
    }
}

fn record(
    path: impl FnOnce() -> FieldPath,
    before: &[String],
    after: &[String],
    policy_field: &'static str,
    log: &mut ChangeLog<'_>,
) {
    if before != after {
        let value = |names: &[String]| Value::Strings(names.to_vec());
        let before = (!before.is_empty()).then(|| value(before));
        log.record(path, before, value(after), Some(policy_field));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::psp::tests::{Outcome, in_container, outcome};

    const ADD: &str = "spec.containers[0].securityContext.capabilities.add";
    const DROP: &str = "spec.containers[0].securityContext.capabilities.drop";

    #[test]
    fn adds_and_drops() {
        let policy = json!({"defaultAddCapabilities": ["B", "A"],
                            "requiredDropCapabilities": ["Z", "Y"]});
        for (name, own, expected) in [
            ("nothing set", json!(null), json!({ADD: ["A", "B"], DROP: ["Y", "Z"]})),
            (
                "what the container drops is not added",
                json!({"drop": ["A"]}),
                json!({ADD: ["B"], DROP: ["A", "Y", "Z"]}),
            ),
            (
                "dropping ALL drops no name",
                json!({"drop": ["ALL"]}),
                json!({ADD: ["A", "B"], DROP: ["ALL", "Y", "Z"]}),
            ),
            (
                "one new name sorts both lists",
                json!({"add": ["C", "B", "A", "C"], "drop": ["Z"]}),
                json!({ADD: ["A", "B", "C"], DROP: ["Y", "Z"]}),
            ),
            (
                "nothing new leaves both lists",
                json!({"add": ["B", "A", "B"], "drop": ["Z", "Y"]}),
                json!({}),
            ),
        ] {
            let pod = in_container(&json!({"capabilities": own}));
            let found = outcome(&policy, &json!({}), &pod);
            assert_eq!(found, Outcome::writes(expected), "{name}");
        }
    }

    #[test]
    fn judges_what_is_added() {
        let refused =
            |name: &str| format!("{ADD}: Invalid value: \"{name}\": capability may not be added");
        for (name, allowed, add, errors) in [
            ("listed", json!(["A"]), json!(["A"]), vec![]),
            ("not listed", json!(["A"]), json!(["B", "A", "C"]), vec![refused("B"), refused("C")]),
            ("no list", json!(null), json!(["A"]), vec![refused("A")]),
            ("default ones are allowed", json!(null), json!(["D"]), vec![]),
            (
                "no prefixes, no folding",
                json!(["A"]),
                json!(["CAP_A", "a"]),
                vec![refused("CAP_A"), refused("a")],
            ),
            ("ALL is literal", json!(["ALL"]), json!(["ALL", "A"]), vec![refused("A")]),
            ("* is a wildcard", json!(["*"]), json!(["A", "ALL"]), vec![]),
            ("* in the pod is literal", json!(["A"]), json!(["*"]), vec![refused("*")]),
        ] {
            let policy = json!({"allowedCapabilities": allowed, "defaultAddCapabilities": ["D"]});
            let pod = in_container(&json!({"capabilities": {"add": add, "drop": ["D"]}}));
            assert_eq!(outcome(&policy, &json!({}), &pod).errors, errors, "{name}");
        }
    }
}
