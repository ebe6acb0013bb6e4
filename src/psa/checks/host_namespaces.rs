//! Baseline: no pod shares the network, the processes or the IPC of its node.
//!
//! Restricted fields: `spec.hostNetwork`, `spec.hostPID`, `spec.hostIPC`, unset or false.
//!
//! Upstream: `policy/check_hostNamespaces.go` (v1.37).

use super::{Check, CheckResult, Revision};
use crate::level::Level;
use crate::objects::pod::PodTemplateSpec;
use crate::version::Version;

pub(super) const CHECK: Check = Check {
    id: "hostNamespaces",
    level: Level::Baseline,
    revisions: &[Revision { from: Version::v1(0), run: v1_0, overrides: &[] }],
};

/// The same at every version.
fn v1_0(pod: &PodTemplateSpec) -> CheckResult {
    let mut shared = Vec::new();
    if pod.spec.host_network {
        shared.push("hostNetwork=true");
    }
    if pod.spec.host_pid {
        shared.push("hostPID=true");
    }
    if pod.spec.host_ipc {
        shared.push("hostIPC=true");
    }
    if shared.is_empty() {
        return CheckResult::Passed;
    }
    CheckResult::Failed { reason: "host namespaces", detail: shared.join(", ") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::psa::testing::assert_rows;

    #[test]
    fn answers() {
        let all = json!({ "hostIPC": true, "hostPID": true, "hostNetwork": true });
        assert_rows(
            &CHECK,
            [
                ("unset", 0, json!({}), None),
                (
                    "false",
                    0,
                    json!({ "hostIPC": false, "hostPID": false, "hostNetwork": false }),
                    None,
                ),
                ("one", 0, json!({ "hostPID": true }), Some(("host namespaces", "hostPID=true"))),
                (
                    "all, in upstream's order",
                    37,
                    all,
                    Some(("host namespaces", "hostNetwork=true, hostPID=true, hostIPC=true")),
                ),
            ],
        );
    }
}
