//! Baseline: no container adds capabilities beyond those that container runtimes give anyway.
//!
//! Restricted fields: `securityContext.capabilities.add` of every container, only
//! [`ALLOWED`], written exactly so.
//!
//! Upstream: `policy/check_capabilities_baseline.go` (v1.37).

use std::collections::BTreeSet;

use super::{Check, CheckResult, Revision};
use crate::level::Level;
use crate::objects::pod::PodTemplateSpec;
use crate::psa::wording::{Offenders, quoted_list};
use crate::version::Version;

pub(super) const CHECK: Check = Check {
    id: "capabilities_baseline",
    level: Level::Baseline,
    revisions: &[Revision { from: Version::v1(0), run: v1_0, overrides: &[] }],
};

const ALLOWED: &[&str] = &[
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// The same at every version; restricted has its own rule from v1.22 on.
fn v1_0(pod: &PodTemplateSpec) -> CheckResult {
    let (offenders, added) = added_except(pod, ALLOWED);
    if offenders.is_empty() {
        return CheckResult::Passed;
    }
    CheckResult::Failed {
        reason: "non-default capabilities",
        detail: must_not_include(&offenders, &added),
    }
}

/// The containers that add a capability that is not `allowed`, and those capabilities.
pub(super) fn added_except<'a>(
    pod: &'a PodTemplateSpec,
    allowed: &[&str],
) -> (Offenders<'a>, BTreeSet<&'a str>) {
    let mut added = BTreeSet::new();
    let offenders = Offenders::containers(pod, |container| {
        let capabilities =
            container.security_context.as_ref().and_then(|it| it.capabilities.as_ref());
        let mut is_bad = false;
        for capability in capabilities.iter().flat_map(|it| &it.add) {
            if !allowed.contains(&capability.as_str()) {
                is_bad = true;
                added.insert(capability.as_str());
            }
        }
        is_bad
    });
    (offenders, added)
}

/// The detail of what [`added_except`] found.
pub(super) fn must_not_include(offenders: &Offenders, added: &BTreeSet<&str>) -> String {
    let added = quoted_list(added);
    format!("{offenders} must not include {added} in securityContext.capabilities.add")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::psa::testing::{assert_rows, with_context};

    #[test]
    fn answers() {
        assert_rows(
            &CHECK,
            [
                (
                    "none added",
                    0,
                    with_context(&json!({ "capabilities": { "drop": ["ALL"] } })),
                    None,
                ),
                (
                    "all that are allowed",
                    0,
                    with_context(&json!({ "capabilities": { "add": ALLOWED } })),
                    None,
                ),
                (
                    "names are literal",
                    0,
                    with_context(
                        &json!({ "capabilities": { "add": ["chown", "CAP_CHOWN", "CHOWN"] } }),
                    ),
                    Some((
                        "non-default capabilities",
                        r#"container "a" must not include "CAP_CHOWN", "chown" in securityContext.capabilities.add"#,
                    )),
                ),
                (
                    "in every kind of container",
                    37,
                    json!({
                        "ephemeralContainers": [
                            { "name": "c", "securityContext": { "capabilities": { "add": ["SYS_PTRACE"] } } },
                        ],
                        "containers": [
                            { "name": "b", "securityContext": { "capabilities": { "add": ["NET_ADMIN"] } } },
                        ],
                        "initContainers": [
                            { "name": "a", "securityContext": { "capabilities": { "add": ["NET_ADMIN"] } } },
                        ],
                    }),
                    Some((
                        "non-default capabilities",
                        r#"containers "a", "b", "c" must not include "NET_ADMIN", "SYS_PTRACE" in securityContext.capabilities.add"#,
                    )),
                ),
            ],
        );
    }
}
