//! Restricted: nobody asks for root by its number.
//!
//! Restricted fields: `spec.securityContext.runAsUser` and the same of every container, unset or
//! not 0. A pod in its own user namespace (`spec.hostUsers: false`) is free from v1.35 on.
//!
//! Upstream: `policy/check_runAsUser.go` (v1.37).

use super::{Check, CheckResult, Revision};
use crate::level::Level;
use crate::objects::pod::PodTemplateSpec;
use crate::psa::wording::Offenders;
use crate::version::Version;

pub(super) const CHECK: Check = Check {
    id: "runAsUser",
    level: Level::Restricted,
    revisions: &[
        Revision { from: Version::v1(23), run: v1_23, overrides: &[] },
        Revision { from: Version::v1(35), run: v1_35, overrides: &[] },
    ],
};

/// Asks the pod and every container.
fn v1_23(pod: &PodTemplateSpec) -> CheckResult {
    let offenders = Offenders::setters(
        pod,
        |context| context.run_as_user,
        |context| context.run_as_user,
        |user| user == 0,
    );
    if offenders.is_empty() {
        return CheckResult::Passed;
    }
    CheckResult::Failed {
        reason: "runAsUser=0",
        // Unlike its siblings, upstream's text does not say `securityContext.`.
        detail: format!("{offenders} must not set runAsUser=0"),
    }
}

/// Leaves pods in a user namespace alone.
fn v1_35(pod: &PodTemplateSpec) -> CheckResult {
    if pod.spec.host_users == Some(false) { CheckResult::Passed } else { v1_23(pod) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::psa::testing::{assert_rows, with_context};

    #[test]
    fn answers() {
        let mut root = with_context(&json!({ "runAsUser": 0 }));
        root["securityContext"] = json!({ "runAsUser": 0 });
        let mut in_user_namespace = root.clone();
        in_user_namespace["hostUsers"] = json!(false);
        let refused = Some(("runAsUser=0", r#"pod and container "a" must not set runAsUser=0"#));
        assert_rows(
            &CHECK,
            [
                ("unset", 23, with_context(&json!({})), None),
                ("another user", 23, with_context(&json!({ "runAsUser": 1 })), None),
                ("root", 23, root.clone(), refused),
                ("root, later", 37, root, refused),
                ("user namespace, before", 34, in_user_namespace.clone(), refused),
                ("user namespace", 35, in_user_namespace, None),
            ],
        );
    }
}
