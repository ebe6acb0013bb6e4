//! Baseline: pods set only sysctls that are namespaced and harm no neighbour.
//!
//! Restricted fields: `spec.securityContext.sysctls[*].name`, only those listed here for the
//! version, spelled with dots.
//!
//! Upstream: `policy/check_sysctls.go` (v1.37).

use super::{Check, CheckResult, Revision};
use crate::level::Level;
use crate::objects::pod::PodTemplateSpec;
use crate::version::Version;

pub(super) const CHECK: Check = Check {
    id: "sysctls",
    level: Level::Baseline,
    revisions: &[
        Revision { from: Version::v1(0), run: v1_0, overrides: &[] },
        Revision { from: Version::v1(27), run: v1_27, overrides: &[] },
        Revision { from: Version::v1(29), run: v1_29, overrides: &[] },
        Revision { from: Version::v1(32), run: v1_32, overrides: &[] },
        Revision { from: Version::v1(37), run: v1_37, overrides: &[] },
    ],
};

/// The sysctls that became allowed, by the minor version at which they did.
const ALLOWED: &[(u32, &[&str])] = &[
    (
        0,
        &[
            "kernel.shm_rmid_forced",
            "net.ipv4.ip_local_port_range",
            "net.ipv4.tcp_syncookies",
            "net.ipv4.ping_group_range",
            "net.ipv4.ip_unprivileged_port_start",
        ],
    ),
    (27, &["net.ipv4.ip_local_reserved_ports"]),
    (
        29,
        &[
            "net.ipv4.tcp_keepalive_time",
            "net.ipv4.tcp_fin_timeout",
            "net.ipv4.tcp_keepalive_intvl",
            "net.ipv4.tcp_keepalive_probes",
        ],
    ),
    (32, &["net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"]),
    (37, &["net.ipv4.tcp_slow_start_after_idle", "net.ipv4.tcp_notsent_lowat"]),
];

/// The first form of the check.
fn v1_0(pod: &PodTemplateSpec) -> CheckResult {
    only_allowed(pod, 0)
}

/// Allows reserved ports as well.
fn v1_27(pod: &PodTemplateSpec) -> CheckResult {
    only_allowed(pod, 27)
}

/// Allows TCP's keepalive and FIN timeout as well.
fn v1_29(pod: &PodTemplateSpec) -> CheckResult {
    only_allowed(pod, 29)
}

/// Allows TCP's buffers as well.
fn v1_32(pod: &PodTemplateSpec) -> CheckResult {
    only_allowed(pod, 32)
}

/// Allows TCP's slow start and unsent low-water mark as well.
fn v1_37(pod: &PodTemplateSpec) -> CheckResult {
    only_allowed(pod, 37)
}

fn only_allowed(pod: &PodTemplateSpec, minor: u32) -> CheckResult {
    let is_allowed =
        |name| ALLOWED.iter().any(|(since, names)| *since <= minor && names.contains(&name));
    // Neither sorted nor deduplicated, and plural even if single.
    let sysctls = pod.spec.security_context.iter().flat_map(|context| &context.sysctls);
    let forbidden: Vec<_> =
        sysctls.map(|sysctl| sysctl.name.as_str()).filter(|name| !is_allowed(name)).collect();
    if forbidden.is_empty() {
        return CheckResult::Passed;
    }
    CheckResult::Failed { reason: "forbidden sysctls", detail: forbidden.join(", ") }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::psa::testing::assert_rows;

    fn with(names: &[&str]) -> Value {
        let sysctls: Vec<_> =
            names.iter().map(|name| json!({ "name": name, "value": "1" })).collect();
        json!({ "securityContext": { "sysctls": sysctls } })
    }

    #[test]
    fn answers() {
        assert_rows(
            &CHECK,
            [
                ("none", 0, with(&[]), None),
                (
                    "in the pod's order, with duplicates",
                    37,
                    with(&["net.core.somaxconn", "kernel.msgmax", "net.core.somaxconn"]),
                    Some((
                        "forbidden sysctls",
                        "net.core.somaxconn, kernel.msgmax, net.core.somaxconn",
                    )),
                ),
                (
                    "slashes are not dots",
                    37,
                    with(&["net/ipv4/tcp_syncookies"]),
                    Some(("forbidden sysctls", "net/ipv4/tcp_syncookies")),
                ),
            ],
        );
    }

    #[test]
    fn each_list_counts_from_its_version_on() {
        for (since, names) in ALLOWED {
            for name in *names {
                assert_rows(&CHECK, [("allowed", *since, with(&[name]), None)]);
                if let Some(before) = since.checked_sub(1) {
                    let refused = Some(("forbidden sysctls", *name));
                    assert_rows(&CHECK, [("before", before, with(&[name]), refused)]);
                }
            }
        }
    }
}
