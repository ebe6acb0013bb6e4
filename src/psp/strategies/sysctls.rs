//! `spec.allowedUnsafeSysctls`, `spec.forbiddenSysctls`: which kernel parameters may pods set?
//!
//! Upstream: `pkg/security/podsecuritypolicy/sysctl/mustmatchpatterns.go` (v1.21).

use crate::objects::path::FieldPath;
use crate::objects::pod::PodSpec;
use crate::objects::psp::PodSecurityPolicySpec;
use crate::psp::error::FieldError;
use crate::quote::quoted;
use crate::version::Version;

/// The sysctls that are safe, and since which version PSP says so.
const SAFE: &[(&str, Version)] = &[
    ("kernel.shm_rmid_forced", Version::v1(0)),
    ("net.ipv4.ip_local_port_range", Version::v1(0)),
    ("net.ipv4.tcp_syncookies", Version::v1(0)),
    ("net.ipv4.ping_group_range", Version::v1(0)),
    ("net.ipv4.ip_unprivileged_port_start", Version::v1(22)),
];

/// The sysctl rules of a policy, on a server of some version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::psp) struct SysctlsStrategy {
    forbidden: Vec<String>,
    allowed_unsafe: Vec<String>,
    version: Version,
}

impl SysctlsStrategy {
    pub(in crate::psp) fn new(spec: &PodSecurityPolicySpec, version: Version) -> Self {
        Self {
            forbidden: spec.forbidden_sysctls.clone(),
            allowed_unsafe: spec.allowed_unsafe_sysctls.clone(),
            version,
        }
    }

    /// Forbidden goes before safe, safe before allowed.
    pub(in crate::psp) fn validate(&self, spec: &PodSpec, errors: &mut Vec<FieldError>) {
        let sysctls = spec.security_context.iter().flat_map(|context| &context.sysctls);
        for (index, sysctl) in sysctls.enumerate() {
            let name = &sysctl.name;
            let detail = if matches_any(&self.forbidden, name) {
                format!("sysctl {} is not allowed", quoted(name))
            } else if self.is_safe(name) || matches_any(&self.allowed_unsafe, name) {
                continue;
            } else {
                format!("unsafe sysctl {} is not allowed", quoted(name))
            };
            let path = FieldPath::new("pod.spec.securityContext.sysctls").index(index);
            errors.push(FieldError::forbidden(path, detail));
        }
    }

    fn is_safe(&self, name: &str) -> bool {
        SAFE.iter().any(|(safe, since)| *safe == name && *since <= self.version)
    }
}

/// Whether a name equals a pattern, or starts with one that ends in `*`.
fn matches_any(patterns: &[String], name: &str) -> bool {
    patterns.iter().any(|pattern| match pattern.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => pattern == name,
    })
}
