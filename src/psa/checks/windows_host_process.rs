//! Baseline: no Windows container runs as a process of its node.
//!
//! Restricted fields: `spec.securityContext.windowsOptions.hostProcess` and the same of every
//! container, unset or false, whatever `spec.os` says.
//!
//! Upstream: `policy/check_windowsHostProcess.go` (v1.37).

use super::{Check, CheckResult, Revision};
use crate::level::Level;
use crate::objects::pod::{PodTemplateSpec, WindowsOptions};
use crate::psa::wording::Offenders;
use crate::version::Version;

pub(super) const CHECK: Check = Check {
    id: "windowsHostProcess",
    level: Level::Baseline,
    revisions: &[Revision { from: Version::v1(0), run: v1_0, overrides: &[] }],
};

/// The same at every version.
fn v1_0(pod: &PodTemplateSpec) -> CheckResult {
    let offenders = Offenders::setters(
        pod,
        |context| context.windows_options.as_ref(),
        |context| context.windows_options.as_ref(),
        |options: &WindowsOptions| options.host_process == Some(true),
    );
    if offenders.is_empty() {
        return CheckResult::Passed;
    }
    CheckResult::Failed {
        reason: "hostProcess",
        detail: format!("{offenders} must not set securityContext.windowsOptions.hostProcess=true"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::psa::testing::{assert_rows, with_context};

    #[test]
    fn answers() {
        let container = with_context(&json!({ "windowsOptions": { "hostProcess": true } }));
        let mut both = container.clone();
        both["securityContext"] = json!({ "windowsOptions": { "hostProcess": true } });
        assert_rows(
            &CHECK,
            [
                ("unset", 0, with_context(&json!({ "windowsOptions": {} })), None),
                (
                    "false",
                    0,
                    with_context(&json!({ "windowsOptions": { "hostProcess": false } })),
                    None,
                ),
                (
                    "container",
                    0,
                    container,
                    Some((
                        "hostProcess",
                        r#"container "a" must not set securityContext.windowsOptions.hostProcess=true"#,
                    )),
                ),
                (
                    "pod and container",
                    37,
                    both,
                    Some((
                        "hostProcess",
                        concat!(
                            r#"pod and container "a" must not set "#,
                            "securityContext.windowsOptions.hostProcess=true",
                        ),
                    )),
                ),
            ],
        );
    }
}
