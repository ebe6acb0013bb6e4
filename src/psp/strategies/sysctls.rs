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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::pod::{PodSecurityContext, Sysctl};

    fn errors(allowed: &[&str], forbidden: &[&str], version: Version, name: &str) -> Vec<String> {
        let strings = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect();
        let rules = PodSecurityPolicySpec {
            allowed_unsafe_sysctls: strings(allowed),
            forbidden_sysctls: strings(forbidden),
            ..PodSecurityPolicySpec::default()
        };
        let context = PodSecurityContext {
            sysctls: vec![Sysctl { name: name.to_owned(), ..Sysctl::default() }],
            ..PodSecurityContext::default()
        };
        let spec = PodSpec { security_context: Some(context.into()), ..PodSpec::default() };
        let mut errors = Vec::new();
        SysctlsStrategy::new(&rules, version).validate(&spec, &mut errors);
        errors.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn judges_names() {
        let path = "pod.spec.securityContext.sysctls[0]: Forbidden";
        let refused = |name: &str| vec![format!("{path}: unsafe sysctl {name:?} is not allowed")];
        let forbidden = |name: &str| vec![format!("{path}: sysctl {name:?} is not allowed")];
        let (old, new) = (Version::v1(21), Version::v1(22));
        let port = "net.ipv4.ip_unprivileged_port_start";
        let syncookies = "net.ipv4.tcp_syncookies";
        for (allowed, denied, version, name, expected) in [
            (&[][..], &[][..], old, syncookies, vec![]),
            (&[], &[], old, "net.core.somaxconn", refused("net.core.somaxconn")),
            (&["net.*"], &[], old, "net.core.somaxconn", vec![]),
            (&["net.core.somaxconn"], &[], old, "net.core.somaxconn", vec![]),
            (&["net.*.somaxconn"], &[], old, "net.core.somaxconn", refused("net.core.somaxconn")),
            (&["*"], &[], old, "", vec![]),
            (&["*"], &["net.ipv4.*"], old, syncookies, forbidden(syncookies)),
            (&[], &["*"], old, syncookies, forbidden(syncookies)),
            (&[], &[], old, port, refused(port)),
            (&[], &[], new, port, vec![]),
            (&[], &[], new, "net/ipv4/tcp_syncookies", refused("net/ipv4/tcp_syncookies")),
        ] {
            assert_eq!(errors(allowed, denied, version, name), expected, "{name} {allowed:?}");
        }
    }
}
