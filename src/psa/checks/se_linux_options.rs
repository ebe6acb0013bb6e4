//! Baseline: no pod picks an SELinux user or role, or a type that confines less.
//!
//! Restricted fields: `spec.securityContext.seLinuxOptions` and the same of every container:
//! `type` unset, empty or one of those for containers; `user` and `role` unset or empty.
//!
//! Upstream: `policy/check_seLinuxOptions.go` (v1.37).

use std::collections::BTreeSet;

use super::{Check, CheckResult, Revision};
use crate::level::Level;
use crate::objects::pod::{PodTemplateSpec, SeLinuxOptions};
use crate::psa::wording::{Offenders, plural, quoted_list};
use crate::version::Version;

pub(super) const CHECK: Check = Check {
    id: "seLinuxOptions",
    level: Level::Baseline,
    revisions: &[
        Revision { from: Version::v1(0), run: v1_0, overrides: &[] },
        Revision { from: Version::v1(31), run: v1_31, overrides: &[] },
    ],
};

const TYPES_V1_0: &[&str] = &["", "container_t", "container_init_t", "container_kvm_t"];
const TYPES_ADDED_V1_31: &[&str] = &["container_engine_t"];

/// The first form of the check.
fn v1_0(pod: &PodTemplateSpec) -> CheckResult {
    only_types(pod, &[TYPES_V1_0])
}

/// Allows `container_engine_t` as well.
fn v1_31(pod: &PodTemplateSpec) -> CheckResult {
    only_types(pod, &[TYPES_V1_0, TYPES_ADDED_V1_31])
}

fn only_types(pod: &PodTemplateSpec, allowed: &[&[&str]]) -> CheckResult {
    let mut types = BTreeSet::new();
    let (mut sets_user, mut sets_role) = (false, false);
    let offenders = Offenders::setters(
        pod,
        |context| context.se_linux_options.as_deref(),
        |context| context.se_linux_options.as_deref(),
        |options: &SeLinuxOptions| {
            let has_bad_type = !allowed.iter().any(|types| types.contains(&options.type_.as_str()));
            if has_bad_type {
                types.insert(options.type_.as_str());
            }
            sets_user |= !options.user.is_empty();
            sets_role |= !options.role.is_empty();
            has_bad_type || !options.user.is_empty() || !options.role.is_empty()
        },
    );
    if offenders.is_empty() {
        return CheckResult::Passed;
    }

    let mut findings = Vec::new();
    if !types.is_empty() {
        let noun = plural(types.len(), "type", "types");
        findings.push(format!("{noun} {}", quoted_list(types)));
    }
    if sets_user {
        findings.push("user may not be set".to_owned());
    }
    if sets_role {
        findings.push("role may not be set".to_owned());
    }
    let findings = findings.join("; ");
    CheckResult::Failed {
        reason: "seLinuxOptions",
        detail: format!("{offenders} set forbidden securityContext.seLinuxOptions: {findings}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::psa::testing::{assert_rows, with_context};

    fn with(options: &Value) -> Value {
        with_context(&json!({ "seLinuxOptions": options }))
    }

    #[test]
    fn answers() {
        let every_fault = json!({
            "securityContext": { "seLinuxOptions": { "type": "spc_t", "user": "u" } },
            "initContainers": [
                { "name": "i", "securityContext": { "seLinuxOptions": { "type": "a_t" } } },
            ],
            "containers": [
                { "name": "a", "securityContext": { "seLinuxOptions": { "role": "r" } } },
                { "name": "b", "securityContext": { "seLinuxOptions": { "level": "s0" } } },
            ],
        });
        let refused = |detail| Some(("seLinuxOptions", detail));
        assert_rows(
            &CHECK,
            [
                ("unset", 0, with(&json!(null)), None),
                ("level only", 0, with(&json!({ "level": "s0:c1", "type": "", "user": "" })), None),
                ("container_kvm_t", 0, with(&json!({ "type": "container_kvm_t" })), None),
                (
                    "every fault",
                    37,
                    every_fault,
                    refused(concat!(
                        r#"pod and containers "i", "a" set forbidden securityContext.seLinuxOptions: "#,
                        r#"types "a_t", "spc_t"; user may not be set; role may not be set"#,
                    )),
                ),
                (
                    "user",
                    0,
                    with(&json!({ "user": "u" })),
                    refused(concat!(
                        r#"container "a" set forbidden securityContext.seLinuxOptions: "#,
                        "user may not be set",
                    )),
                ),
                (
                    "container_engine_t, before",
                    30,
                    with(&json!({ "type": "container_engine_t" })),
                    refused(concat!(
                        r#"container "a" set forbidden securityContext.seLinuxOptions: "#,
                        r#"type "container_engine_t""#,
                    )),
                ),
                ("container_engine_t", 31, with(&json!({ "type": "container_engine_t" })), None),
            ],
        );
    }
}
