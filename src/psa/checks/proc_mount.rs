//! Baseline: no container sees more of `/proc` than the runtime shows by default.
//!
//! Restricted fields: `securityContext.procMount` of every container, unset or `Default`. A pod in
//! its own user namespace (`spec.hostUsers: false`) may set it from v1.35 on.
//!
//! Upstream: `policy/check_procMount.go` (v1.37).

use std::collections::BTreeSet;

use super::{Check, CheckResult, Revision};
use crate::level::Level;
use crate::objects::pod::PodTemplateSpec;
use crate::psa::wording::{Offenders, quoted_list};
use crate::version::Version;

pub(super) const CHECK: Check = Check {
    id: "procMount",
    level: Level::Baseline,
    revisions: &[
        Revision { from: Version::v1(0), run: v1_0, overrides: &[] },
        Revision { from: Version::v1(35), run: v1_35, overrides: &[] },
    ],
};

/// Asks every container.
pub(super) fn v1_0(pod: &PodTemplateSpec) -> CheckResult {
    let mut values = BTreeSet::new();
    let offenders = Offenders::containers(pod, |container| {
        let value = container.security_context.as_ref().and_then(|it| it.proc_mount.as_deref());
        let bad = value.filter(|value| *value != "Default");
        values.extend(bad);
        bad.is_some()
    });
    if offenders.is_empty() {
        return CheckResult::Passed;
    }
    let values = quoted_list(values);
    CheckResult::Failed {
        reason: "procMount",
        detail: format!("{offenders} must not set securityContext.procMount to {values}"),
    }
}

/// Leaves pods in a user namespace alone.
fn v1_35(pod: &PodTemplateSpec) -> CheckResult {
    if pod.spec.host_users == Some(false) { CheckResult::Passed } else { v1_0(pod) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::psa::testing::{assert_rows, with_context};

    #[test]
    fn answers() {
        let unmasked = |host_users| {
            let mut spec = with_context(&json!({ "procMount": "Unmasked" }));
            spec["hostUsers"] = host_users;
            spec
        };
        let detail = r#"container "a" must not set securityContext.procMount to "Unmasked""#;
        let failed = Some(("procMount", detail));
        assert_rows(
            &CHECK,
            [
                ("unset", 0, with_context(&json!({})), None),
                ("default", 0, with_context(&json!({ "procMount": "Default" })), None),
                ("unmasked", 0, unmasked(json!(null)), failed),
                (
                    "empty is bad",
                    37,
                    with_context(&json!({ "procMount": "" })),
                    Some((
                        "procMount",
                        r#"container "a" must not set securityContext.procMount to """#,
                    )),
                ),
                ("user namespace, before", 34, unmasked(json!(false)), failed),
                ("user namespace", 35, unmasked(json!(false)), None),
                ("the node's users", 35, unmasked(json!(true)), failed),
                ("user namespace unset", 35, unmasked(json!(null)), failed),
            ],
        );
    }
}
