//! Restricted: no process gains more privileges than its parent has.
//!
//! Restricted fields: `securityContext.allowPrivilegeEscalation` of every container, set to false.
//!
//! Upstream: `policy/check_allowPrivilegeEscalation.go` (v1.37).

use super::{Check, CheckResult, Revision};
use crate::level::Level;
use crate::objects::pod::PodTemplateSpec;
use crate::psa::wording::Offenders;
use crate::version::Version;

pub(super) const CHECK: Check = Check {
    id: "allowPrivilegeEscalation",
    level: Level::Restricted,
    revisions: &[
        Revision { from: Version::v1(8), run: v1_8, overrides: &[] },
        Revision { from: Version::v1(25), run: v1_25, overrides: &[] },
    ],
};

/// Asks every container; the field came with v1.8.
fn v1_8(pod: &PodTemplateSpec) -> CheckResult {
    let offenders = Offenders::containers(pod, |container| {
        let context = container.security_context.as_ref();
        context.and_then(|it| it.allow_privilege_escalation) != Some(false)
    });
    if offenders.is_empty() {
        return CheckResult::Passed;
    }
    CheckResult::Failed {
        reason: "allowPrivilegeEscalation != false",
        detail: format!("{offenders} must set securityContext.allowPrivilegeEscalation=false"),
    }
}

/// Leaves Windows pods alone, where the field means nothing.
fn v1_25(pod: &PodTemplateSpec) -> CheckResult {
    if pod.spec.is_windows() { CheckResult::Passed } else { v1_8(pod) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::psa::testing::{assert_rows, with_context};

    #[test]
    fn answers() {
        let on = |os: &str| json!({ "os": { "name": os }, "containers": [{ "name": "a" }] });
        let several = json!({
            "initContainers": [{ "name": "i", "securityContext": { "allowPrivilegeEscalation": true } }],
            "containers": [{ "name": "a" }],
        });
        let reason = "allowPrivilegeEscalation != false";
        let detail = r#"container "a" must set securityContext.allowPrivilegeEscalation=false"#;
        assert_rows(
            &CHECK,
            [
                ("no containers", 8, json!({}), None),
                ("false", 8, with_context(&json!({ "allowPrivilegeEscalation": false })), None),
                ("unset", 8, with_context(&json!({})), Some((reason, detail))),
                (
                    "several",
                    37,
                    several,
                    Some((
                        reason,
                        r#"containers "i", "a" must set securityContext.allowPrivilegeEscalation=false"#,
                    )),
                ),
                ("windows, before", 24, on("windows"), Some((reason, detail))),
                ("windows", 25, on("windows"), None),
                ("Windows is not windows", 25, on("Windows"), Some((reason, detail))),
            ],
        );
    }
}
