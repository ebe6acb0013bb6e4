//! Restricted: every container drops all capabilities and adds back at most one.
//!
//! Restricted fields: `securityContext.capabilities.drop` of every container, which must hold
//! `ALL`; `securityContext.capabilities.add`, only `NET_BIND_SERVICE`.
//!
//! Upstream: `policy/check_capabilities_restricted.go` (v1.37).

use super::capabilities_baseline::{added_except, must_not_include};
use super::{Check, CheckResult, Revision};
use crate::level::Level;
use crate::objects::pod::PodTemplateSpec;
use crate::psa::wording::Offenders;
use crate::version::Version;

pub(super) const CHECK: Check = Check {
    id: "capabilities_restricted",
    level: Level::Restricted,
    revisions: &[
        Revision { from: Version::v1(22), run: v1_22, overrides: &["capabilities_baseline"] },
        Revision { from: Version::v1(25), run: v1_25, overrides: &["capabilities_baseline"] },
    ],
};

/// Asks every container.
fn v1_22(pod: &PodTemplateSpec) -> CheckResult {
    let keepers = Offenders::containers(pod, |container| {
        let capabilities =
            container.security_context.as_ref().and_then(|it| it.capabilities.as_ref());
        !capabilities.is_some_and(|it| it.drop.iter().any(|name| name == "ALL"))
    });
    let (adders, added) = added_except(pod, &["NET_BIND_SERVICE"]);

    let mut findings = Vec::new();
    if !keepers.is_empty() {
        findings.push(format!(r#"{keepers} must set securityContext.capabilities.drop=["ALL"]"#));
    }
    if !adders.is_empty() {
        findings.push(must_not_include(&adders, &added));
    }
    if findings.is_empty() {
        return CheckResult::Passed;
    }
    CheckResult::Failed { reason: "unrestricted capabilities", detail: findings.join("; ") }
}

/// Leaves Windows pods alone: Windows has no capabilities.
fn v1_25(pod: &PodTemplateSpec) -> CheckResult {
    if pod.spec.is_windows() { CheckResult::Passed } else { v1_22(pod) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::psa::testing::{assert_rows, with_context};

    #[test]
    fn answers() {
        let windows = json!({ "os": { "name": "windows" }, "containers": [{ "name": "a" }] });
        let keeps = r#"container "a" must set securityContext.capabilities.drop=["ALL"]"#;
        assert_rows(
            &CHECK,
            [
                ("no containers", 22, json!({}), None),
                (
                    "drops all",
                    22,
                    with_context(&json!({ "capabilities": { "drop": ["X", "ALL"] } })),
                    None,
                ),
                (
                    "may bind low ports",
                    22,
                    with_context(
                        &json!({ "capabilities": { "drop": ["ALL"], "add": ["NET_BIND_SERVICE"] } }),
                    ),
                    None,
                ),
                (
                    "`all` is not `ALL`",
                    22,
                    with_context(&json!({ "capabilities": { "drop": ["all"] } })),
                    Some(("unrestricted capabilities", keeps)),
                ),
                (
                    "drops all and adds all",
                    37,
                    with_context(&json!({ "capabilities": { "drop": ["ALL"], "add": ["ALL"] } })),
                    Some((
                        "unrestricted capabilities",
                        r#"container "a" must not include "ALL" in securityContext.capabilities.add"#,
                    )),
                ),
                (
                    "one keeps, another adds",
                    22,
                    json!({ "containers": [
                        { "name": "a" },
                        { "name": "b", "securityContext": { "capabilities": { "drop": ["ALL"], "add": ["CHOWN"] } } },
                    ] }),
                    Some((
                        "unrestricted capabilities",
                        concat!(
                            r#"container "a" must set securityContext.capabilities.drop=["ALL"]; "#,
                            r#"container "b" must not include "CHOWN" in securityContext.capabilities.add"#,
                        ),
                    )),
                ),
                (
                    "windows, before",
                    24,
                    windows.clone(),
                    Some(("unrestricted capabilities", keeps)),
                ),
                ("windows", 25, windows, None),
            ],
        );
    }
}
