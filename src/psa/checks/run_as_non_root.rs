//! Restricted: every container is made to run as a user other than root.
//!
//! Restricted fields: `spec.securityContext.runAsNonRoot` and the same of every container; true
//! for the pod or for all containers, and nowhere false. A pod in its own user namespace
//! (`spec.hostUsers: false`) is free from v1.35 on. Windows pods are not excused.
//!
//! Upstream: `policy/check_runAsNonRoot.go` (v1.37).

use super::{Check, CheckResult, Revision};
use crate::level::Level;
use crate::objects::pod::PodTemplateSpec;
use crate::psa::wording::Offenders;
use crate::version::Version;

pub(super) const CHECK: Check = Check {
    id: "runAsNonRoot",
    level: Level::Restricted,
    revisions: &[
        Revision { from: Version::v1(0), run: v1_0, overrides: &[] },
        Revision { from: Version::v1(35), run: v1_35, overrides: &[] },
    ],
};

const REASON: &str = "runAsNonRoot != true";

/// Asks the pod and every container.
fn v1_0(pod: &PodTemplateSpec) -> CheckResult {
    // An explicit false anywhere hides who has set nothing, and a container's true does not make
    // up for the pod's false.
    let refusers = Offenders::setters(
        pod,
        |context| context.run_as_non_root,
        |context| context.run_as_non_root,
        |run_as_non_root| !run_as_non_root,
    );
    if !refusers.is_empty() {
        return CheckResult::Failed {
            reason: REASON,
            detail: format!("{refusers} must not set securityContext.runAsNonRoot=false"),
        };
    }
    if pod.spec.security_context.as_ref().is_some_and(|it| it.run_as_non_root == Some(true)) {
        return CheckResult::Passed;
    }
    let silent = Offenders::containers(pod, |container| {
        container.security_context.as_ref().and_then(|it| it.run_as_non_root).is_none()
    });
    if silent.is_empty() {
        return CheckResult::Passed;
    }
    CheckResult::Failed {
        reason: REASON,
        detail: format!("pod or {silent} must set securityContext.runAsNonRoot=true"),
    }
}

/// Leaves pods in a user namespace alone.
fn v1_35(pod: &PodTemplateSpec) -> CheckResult {
    if pod.spec.host_users == Some(false) { CheckResult::Passed } else { v1_0(pod) }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::psa::testing::assert_rows;

    /// A pod with containers `a` and `b`.
    fn with(of_pod: &Value, of_a: &Value, of_b: &Value) -> Value {
        json!({
            "securityContext": { "runAsNonRoot": of_pod },
            "containers": [
                { "name": "a", "securityContext": { "runAsNonRoot": of_a } },
                { "name": "b", "securityContext": { "runAsNonRoot": of_b } },
            ],
        })
    }

    #[test]
    fn answers() {
        let (yes, no, unset) = (&json!(true), &json!(false), &json!(null));
        let mut in_user_namespace = with(no, no, no);
        in_user_namespace["hostUsers"] = json!(false);
        let refused = |who| Some((REASON, who));
        assert_rows(
            &CHECK,
            [
                ("no containers", 0, json!({}), None),
                ("pod", 0, with(yes, unset, unset), None),
                ("containers", 0, with(unset, yes, yes), None),
                (
                    "nobody",
                    0,
                    json!({ "containers": [{ "name": "a" }] }),
                    refused(r#"pod or container "a" must set securityContext.runAsNonRoot=true"#),
                ),
                (
                    "nobody, windows",
                    37,
                    json!({ "os": { "name": "windows" }, "containers": [{ "name": "a" }] }),
                    refused(r#"pod or container "a" must set securityContext.runAsNonRoot=true"#),
                ),
                (
                    "a false hides who is silent",
                    0,
                    with(unset, no, unset),
                    refused(r#"container "a" must not set securityContext.runAsNonRoot=false"#),
                ),
                (
                    "a false under the pod's true",
                    0,
                    with(yes, no, no),
                    refused(
                        r#"containers "a", "b" must not set securityContext.runAsNonRoot=false"#,
                    ),
                ),
                (
                    "the pod's false over the containers' true",
                    0,
                    with(no, yes, yes),
                    refused("pod must not set securityContext.runAsNonRoot=false"),
                ),
                (
                    "user namespace, before",
                    34,
                    in_user_namespace.clone(),
                    refused(
                        r#"pod and containers "a", "b" must not set securityContext.runAsNonRoot=false"#,
                    ),
                ),
                ("user namespace", 35, in_user_namespace, None),
            ],
        );
    }
}
