//! Restricted: every container runs under a seccomp profile.
//!
//! Restricted fields: `spec.securityContext.seccompProfile.type` and the same of every container;
//! `RuntimeDefault` or `Localhost`, set for the pod or for all containers.
//!
//! Upstream: `policy/check_seccompProfile_restricted.go` (v1.37).

use super::seccomp_profile_baseline::{self as baseline, REASON, is_allowed};
use super::{Check, CheckResult, Revision};
use crate::level::Level;
use crate::objects::pod::PodTemplateSpec;
use crate::psa::wording::Offenders;
use crate::version::Version;

pub(super) const CHECK: Check = Check {
    id: "seccompProfile_restricted",
    level: Level::Restricted,
    revisions: &[
        Revision { from: Version::v1(19), run: v1_19, overrides: &["seccompProfile_baseline"] },
        Revision { from: Version::v1(25), run: v1_25, overrides: &["seccompProfile_baseline"] },
    ],
};

/// Asks the pod and every container.
fn v1_19(pod: &PodTemplateSpec) -> CheckResult {
    // A bad value anywhere hides who has set nothing.
    let bad = baseline::v1_19(pod);
    if bad != CheckResult::Passed {
        return bad;
    }
    let of_pod = pod.spec.security_context.as_ref().and_then(|it| it.seccomp_profile.as_ref());
    if of_pod.is_some_and(is_allowed) {
        return CheckResult::Passed;
    }
    let silent = Offenders::containers(pod, |container| {
        container.security_context.as_ref().and_then(|it| it.seccomp_profile.as_ref()).is_none()
    });
    if silent.is_empty() {
        return CheckResult::Passed;
    }
    CheckResult::Failed {
        reason: REASON,
        detail: format!(
            "pod or {silent} must set securityContext.seccompProfile.type to \
             \"RuntimeDefault\" or \"Localhost\""
        ),
    }
}

/// Leaves Windows pods alone: Windows has no seccomp.
fn v1_25(pod: &PodTemplateSpec) -> CheckResult {
    if pod.spec.is_windows() { CheckResult::Passed } else { v1_19(pod) }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::psa::testing::assert_rows;

    /// A pod with containers `a` and `b`.
    fn with(of_pod: &Value, of_a: &Value, of_b: &Value) -> Value {
        json!({
            "securityContext": { "seccompProfile": of_pod },
            "containers": [
                { "name": "a", "securityContext": { "seccompProfile": of_a } },
                { "name": "b", "securityContext": { "seccompProfile": of_b } },
            ],
        })
    }

    #[test]
    fn answers() {
        let (good, unset) = (&json!({ "type": "RuntimeDefault" }), &json!(null));
        let bad = &json!({ "type": "Unconfined" });
        let mut windows = with(unset, unset, unset);
        windows["os"] = json!({ "name": "windows" });
        let nobody = concat!(
            r#"pod or containers "a", "b" must set securityContext.seccompProfile.type to "#,
            r#""RuntimeDefault" or "Localhost""#,
        );
        assert_rows(
            &CHECK,
            [
                ("no containers", 19, json!({}), None),
                ("pod", 19, with(good, unset, unset), None),
                ("containers", 19, with(unset, good, good), None),
                ("nobody", 19, with(unset, unset, unset), Some((REASON, nobody))),
                (
                    "a bad value hides who is silent",
                    19,
                    with(unset, unset, bad),
                    Some((
                        REASON,
                        concat!(
                            r#"container "b" must not set securityContext.seccompProfile.type to "#,
                            r#""Unconfined""#,
                        ),
                    )),
                ),
                (
                    "the pod's bad value under good ones",
                    37,
                    with(bad, good, good),
                    Some((
                        REASON,
                        r#"pod must not set securityContext.seccompProfile.type to "Unconfined""#,
                    )),
                ),
                ("windows, before", 24, windows.clone(), Some((REASON, nobody))),
                ("windows", 25, windows, None),
            ],
        );
    }
}
