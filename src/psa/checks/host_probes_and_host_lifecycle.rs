//! Baseline: no probe or lifecycle handler makes the kubelet connect to a host of the pod's choice.
//!
//! Restricted fields: `host` of `httpGet` and `tcpSocket`, in `livenessProbe`, `readinessProbe`,
//! `startupProbe`, `lifecycle.postStart` and `lifecycle.preStop` of every container; unset or
//! empty.
//!
//! Upstream: `policy/check_hostProbesAndhostLifecycle.go` (v1.37).

use std::collections::BTreeSet;

use super::{Check, CheckResult, Revision};
use crate::level::Level;
use crate::objects::pod::{Container, PodTemplateSpec};
use crate::psa::wording::{Offenders, plural, quoted_list};
use crate::version::Version;

pub(super) const CHECK: Check = Check {
    id: "hostProbesAndHostLifecycle",
    level: Level::Baseline,
    revisions: &[Revision { from: Version::v1(34), run: v1_34, overrides: &[] }],
};

/// The first form of the check.
fn v1_34(pod: &PodTemplateSpec) -> CheckResult {
    let mut found = BTreeSet::new();
    let mut offenders = Offenders::containers(pod, |container| {
        let mut has_host = false;
        for host in hosts(container) {
            has_host = true;
            found.insert(host);
        }
        has_host
    });
    if offenders.is_empty() {
        return CheckResult::Passed;
    }
    // The one check whose containers upstream collects in a sorted set.
    offenders.containers.sort_unstable();
    offenders.containers.dedup();
    let verb = plural(offenders.containers.len(), "uses", "use");
    let noun = plural(found.len(), "host", "hosts");
    let found = quoted_list(found);
    CheckResult::Failed {
        reason: "probe or lifecycle host",
        detail: format!("{offenders} {verb} probe or lifecycle {noun} {found}"),
    }
}

/// Every host that the handlers of a container name.
fn hosts(container: &Container) -> impl Iterator<Item = &str> {
    let probes = [&container.liveness_probe, &container.readiness_probe];
    let lifecycle = container.lifecycle.iter().flat_map(|it| [&it.post_start, &it.pre_stop]);
    probes
        .into_iter()
        .flatten()
        .chain(container.startup_probe.as_deref())
        .chain(lifecycle.flatten())
        .flat_map(|handler| [&handler.http_get, &handler.tcp_socket])
        .flatten()
        .map(|target| target.host.as_str())
        .filter(|host| !host.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::psa::testing::assert_rows;

    #[test]
    fn answers() {
        let own = json!({ "containers": [
            { "name": "a", "livenessProbe": { "httpGet": { "host": "", "port": 80 } } },
            { "name": "b", "lifecycle": { "preStop": { "exec": {} } } },
        ] });
        let one = json!({ "containers": [
            { "name": "a", "startupProbe": { "tcpSocket": { "host": "10.0.0.1" } } },
        ] });
        let several = json!({
            "initContainers": [
                { "name": "z", "readinessProbe": { "httpGet": { "host": "b" } } },
                { "name": "z", "livenessProbe": { "tcpSocket": { "host": "b" } } },
            ],
            "containers": [{ "name": "a", "lifecycle": {
                "postStart": { "httpGet": { "host": "c" } },
                "preStop": { "tcpSocket": { "host": "a" } },
            } }],
        });
        assert_rows(
            &CHECK,
            [
                ("no host", 34, own, None),
                (
                    "one",
                    34,
                    one,
                    Some((
                        "probe or lifecycle host",
                        r#"container "a" uses probe or lifecycle host "10.0.0.1""#,
                    )),
                ),
                (
                    "container names are a sorted set",
                    37,
                    several,
                    Some((
                        "probe or lifecycle host",
                        r#"containers "a", "z" use probe or lifecycle hosts "a", "b", "c""#,
                    )),
                ),
            ],
        );
    }
}
