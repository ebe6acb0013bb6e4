//! Baseline: no container takes a port of its node.
//!
//! Restricted fields: `ports[*].hostPort` of every container, unset or 0.
//!
//! Upstream: `policy/check_hostPorts.go` (v1.37).

use std::collections::BTreeSet;

use super::{Check, CheckResult, Revision};
use crate::level::Level;
use crate::objects::pod::PodTemplateSpec;
use crate::psa::wording::{Offenders, plural};
use crate::version::Version;

pub(super) const CHECK: Check = Check {
    id: "hostPorts",
    level: Level::Baseline,
    revisions: &[Revision { from: Version::v1(0), run: v1_0, overrides: &[] }],
};

/// The same at every version.
fn v1_0(pod: &PodTemplateSpec) -> CheckResult {
    // Upstream sorts the ports as texts: 10250 stands before 80.
    let mut ports = BTreeSet::new();
    let offenders = Offenders::containers(pod, |container| {
        let mut is_bad = false;
        for port in container.ports.iter().filter(|port| port.host_port != 0) {
            is_bad = true;
            ports.insert(port.host_port.to_string());
        }
        is_bad
    });
    if offenders.is_empty() {
        return CheckResult::Passed;
    }
    let verb = plural(offenders.containers.len(), "uses", "use");
    let noun = plural(ports.len(), "hostPort", "hostPorts");
    let ports = Vec::from_iter(ports).join(", ");
    CheckResult::Failed { reason: "hostPort", detail: format!("{offenders} {verb} {noun} {ports}") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::psa::testing::assert_rows;

    #[test]
    fn answers() {
        let free = json!({ "containers": [
            { "name": "a", "ports": [{ "containerPort": 80 }, { "containerPort": 81, "hostPort": 0 }] },
        ] });
        let one = json!({ "containers": [
            { "name": "a", "ports": [{ "hostPort": 80 }, { "hostPort": 80 }] },
        ] });
        let shared = json!({
            "initContainers": [{ "name": "i", "ports": [{ "hostPort": 80 }] }],
            "containers": [{ "name": "a", "ports": [{ "hostPort": 80 }] }],
        });
        let several = json!({ "containers": [
            { "name": "a", "ports": [{ "hostPort": 9 }, { "hostPort": 80 }, { "hostPort": 10250 }] },
        ] });
        assert_rows(
            &CHECK,
            [
                ("no host ports", 0, free, None),
                ("one", 0, one, Some(("hostPort", r#"container "a" uses hostPort 80"#))),
                (
                    "two containers, one port",
                    0,
                    shared,
                    Some(("hostPort", r#"containers "i", "a" use hostPort 80"#)),
                ),
                (
                    "sorted as texts",
                    37,
                    several,
                    Some(("hostPort", r#"container "a" uses hostPorts 10250, 80, 9"#)),
                ),
            ],
        );
    }
}
