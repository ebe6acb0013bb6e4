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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::psp::tests::{Outcome, outcome};

    #[test]
    fn judges_every_port() {
        let ranges = json!([{"min": 80, "max": 80}, {"min": 443, "max": 443},
                            {"min": 8000, "max": 8080}]);
        let refused = |port: i64, allowed: &str| {
            format!(
                "spec.containers[0].hostPort: Invalid value: {port}: Host port {port} is not allowed to be used. Allowed ports: [{allowed}]"
            )
        };
        for (name, ranges, host_network, ports, errors) in [
            ("no host port", json!([]), false, json!([{"containerPort": 1}]), vec![]),
            (
                "none allowed",
                json!([]),
                false,
                json!([{"containerPort": 1, "hostPort": 1}]),
                vec![refused(1, "")],
            ),
            (
                "ranges",
                ranges,
                false,
                json!([{"hostPort": 80}, {"hostPort": 81}, {"hostPort": 8000}, {"hostPort": 9000}]),
                vec![refused(81, "80,443,8000-8080"), refused(9000, "80,443,8000-8080")],
            ),
            (
                "every declared port of a pod on the node's network",
                json!([]),
                true,
                json!([{"containerPort": 53}]),
                vec![refused(53, "")],
            ),
        ] {
            let policy = json!({"hostPorts": ranges, "hostNetwork": true});
            let pod = json!({"spec": {"hostNetwork": host_network,
                                      "containers": [{"name": "app", "ports": ports}]}});
            let found = outcome(&policy, &json!({}), &pod);
            assert_eq!(found, Outcome { errors, ..Outcome::unchanged() }, "{name}");
        }
    }
}
