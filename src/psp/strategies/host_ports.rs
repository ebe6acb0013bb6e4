//! `spec.hostPorts`: which ports of the node may containers listen on?
//!
//! Upstream: `pkg/security/podsecuritypolicy/provider.go`, `hasInvalidHostPort` (v1.21).

use crate::objects::psp::Range;
use crate::psp::container::ContainerView;
use crate::psp::error::{BadValue, FieldError};

/// The host ports that a policy allows; empty allows none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::psp) struct HostPorts(pub(in crate::psp) Vec<Range>);

impl HostPorts {
    /// The path names the container, not the port.
    pub(in crate::psp) fn validate(
        &self,
        container: ContainerView<'_>,
        errors: &mut Vec<FieldError>,
    ) {
        for port in container.container.ports.iter().map(|port| port.host_port) {
            if port > 0 && !self.0.iter().any(|range| range.contains(port)) {
                let allowed = self.0.iter().map(printed).collect::<Vec<_>>().join(",");
                let detail = format!(
                    "Host port {port} is not allowed to be used. Allowed ports: [{allowed}]"
                );
                let path = container.path().child("hostPort");
                errors.push(FieldError::invalid(path, BadValue::Integer(port), detail));
            }
        }
    }
}

fn printed(Range { min, max }: &Range) -> String {
    if min == max { min.to_string() } else { format!("{min}-{max}") }
}
