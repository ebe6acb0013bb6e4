//! Baseline: no container is privileged, which would switch off most of what contains it.
//!
//! Restricted fields: `securityContext.privileged` of every container, unset or false.
//!
//! Upstream: `policy/check_privileged.go` (v1.37).

use super::{Check, CheckResult, Revision};
use crate::level::Level;
use crate::objects::pod::PodTemplateSpec;
use crate::psa::wording::Offenders;
use crate::version::Version;

pub(super) const CHECK: Check = Check {
    id: "privileged",
    level: Level::Baseline,
    revisions: &[Revision { from: Version::v1(0), run: v1_0, overrides: &[] }],
};

/// The same at every version.
fn v1_0(pod: &PodTemplateSpec) -> CheckResult {
    let offenders = Offenders::containers(pod, |container| {
        container.security_context.as_ref().is_some_and(|context| context.privileged == Some(true))
    });
    if offenders.is_empty() {
        return CheckResult::Passed;
    }
    CheckResult::Failed {
        reason: "privileged",
        detail: format!("{offenders} must not set securityContext.privileged=true"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::psa::testing::{assert_rows, with_context};

    #[test]
    fn answers() {
        let several = json!({
            "ephemeralContainers": [{ "name": "e", "securityContext": { "privileged": true } }],
            "containers": [{ "name": "a" }],
            "initContainers": [{ "name": "i", "securityContext": { "privileged": true } }],
        });
        assert_rows(
            &CHECK,
            [
                ("unset", 0, with_context(&json!({})), None),
                ("false", 0, with_context(&json!({ "privileged": false })), None),
                (
                    "true",
                    0,
                    with_context(&json!({ "privileged": true })),
                    Some((
                        "privileged",
                        r#"container "a" must not set securityContext.privileged=true"#,
                    )),
                ),
                (
                    "every kind of container",
                    37,
                    several,
                    Some((
                        "privileged",
                        r#"containers "i", "e" must not set securityContext.privileged=true"#,
                    )),
                ),
            ],
        );
    }
}
