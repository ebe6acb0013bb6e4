//! `spec.hostNetwork`, `spec.hostPID`, `spec.hostIPC`: may pods share the node's namespaces?
//!
//! Upstream: `pkg/security/podsecuritypolicy/provider.go`, `ValidatePod` (v1.21).

use crate::objects::path::FieldPath;
use crate::objects::pod::PodSpec;
use crate::objects::psp::PodSecurityPolicySpec;
use crate::psp::error::{BadValue, FieldError};

/// Which of the node's namespaces a policy lets pods share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::psp) struct HostNamespaces {
    network: bool,
    pid: bool,
    ipc: bool,
}

impl HostNamespaces {
    pub(in crate::psp) fn new(spec: &PodSecurityPolicySpec) -> Self {
        Self { network: spec.host_network, pid: spec.host_pid, ipc: spec.host_ipc }
    }

    /// The API server's internal pod keeps the three in its `securityContext`, and its paths say
    /// so.
    pub(in crate::psp) fn validate(self, spec: &PodSpec, errors: &mut Vec<FieldError>) {
        for (is_refused, field, detail) in [
            (
                spec.host_network && !self.network,
                "spec.securityContext.hostNetwork",
                "Host network is not allowed to be used",
            ),
            (
                spec.host_pid && !self.pid,
                "spec.securityContext.hostPID",
                "Host PID is not allowed to be used",
            ),
            (
                spec.host_ipc && !self.ipc,
                "spec.securityContext.hostIPC",
                "Host IPC is not allowed to be used",
            ),
        ] {
            if is_refused {
                let value = BadValue::Bool(true);
                errors.push(FieldError::invalid(FieldPath::new(field), value, detail));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::psp::tests::{Outcome, outcome};

    #[test]
    fn judges_each_namespace() {
        let pod = json!({"spec": {"hostNetwork": true, "hostPID": true, "hostIPC": true}});
        let all = json!({"hostNetwork": true, "hostPID": true, "hostIPC": true});
        let refused = Outcome::errors(&[
            "spec.securityContext.hostNetwork: Invalid value: true: Host network is not allowed to be used",
            "spec.securityContext.hostPID: Invalid value: true: Host PID is not allowed to be used",
            "spec.securityContext.hostIPC: Invalid value: true: Host IPC is not allowed to be used",
        ]);
        assert_eq!(outcome(&all, &json!({}), &pod), Outcome::unchanged());
        assert_eq!(outcome(&json!({}), &json!({}), &pod), refused);
        assert_eq!(outcome(&json!({}), &json!({}), &json!({})), Outcome::unchanged());
    }
}
