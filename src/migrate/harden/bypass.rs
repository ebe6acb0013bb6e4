//! Which policy lets every pod pass as it is, ahead of all others?
//!
//! While it may be used, the others write nothing into a namespace's pods: the state after PSP,
//! with PSP still on. Whether a patch can be applied then is asked by [`super::When`].

use crate::objects::psp::{IdStrategy, PodSecurityPolicy, PodSecurityPolicySpec, Range};

/// The name of the policy. It sorts before others, as the first by name wins.
pub const POLICY: &str = "0000-psp2psa-bypass";

/// The policy: it allows everything, all seccomp profiles too, and writes nothing of its own.
#[must_use]
pub fn policy() -> PodSecurityPolicy {
    let everything = || vec!["*".to_owned()];
    let any = || IdStrategy { rule: "RunAsAny".to_owned(), ranges: Vec::new() };
    let mut spec = PodSecurityPolicySpec {
        privileged: true,
        allowed_capabilities: everything(),
        volumes: everything(),
        host_network: true,
        // No port is 0, which stands for none.
        host_ports: vec![Range { min: 1, max: 65_535 }],
        host_pid: true,
        host_ipc: true,
        run_as_user: any(),
        supplemental_groups: any(),
        fs_group: any(),
        allowed_unsafe_sysctls: everything(),
        allowed_proc_mount_types: ["Default", "Unmasked"].map(str::to_owned).to_vec(),
        ..PodSecurityPolicySpec::default()
    };
    "RunAsAny".clone_into(&mut spec.se_linux.rule);
    PodSecurityPolicy {
        name: POLICY.into(),
        allowed_seccomp_profiles: Some("*".to_owned()),
        spec,
        ..PodSecurityPolicy::default()
    }
}
