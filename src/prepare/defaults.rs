//! Which values does the API server fill in while it decodes a pod?

use crate::objects::pod::{Container, PodTemplateSpec};
use crate::objects::shared::Shared;
use crate::objects::volume::{Projected, Volume, VolumeSource};

/// Fills in the API's defaults, as far as PodSecurityPolicy and Pod Security admission see them.
///
/// They count as the author's: PSP's preference for policies that change nothing compares with
/// them in place. A patch of the object as given must be made from the object before this.
///
/// Upstream: `pkg/apis/core/v1/defaults.go` and `conversion.go` (v1.21).
pub fn apply_defaults(pod: &mut PodTemplateSpec) {
    let spec = &mut pod.spec;
    // Either name of the field stands for both; the newer one wins.
    if spec.service_account_name.is_empty() {
        spec.service_account_name.clone_from(&spec.deprecated_service_account);
    } else if spec.deprecated_service_account != spec.service_account_name {
        spec.deprecated_service_account.clone_from(&spec.service_account_name);
    }
    spec.security_context.get_or_insert_default();
    if spec.host_network {
        let containers = spec.containers.iter_mut().chain(&mut spec.init_containers);
        containers.for_each(default_host_ports);
    }
    if !spec.volumes.iter().all(is_defaulted) {
        spec.volumes.to_mut().iter_mut().for_each(default_volume);
    }
}

/// On the node's network every declared port is a port of the node.
fn default_host_ports(container: &mut Shared<Container>) {
    if container.ports.iter().all(|port| port.host_port != 0) {
        return;
    }
    for port in container.ports.iter_mut().filter(|port| port.host_port == 0) {
        port.host_port = port.container_port;
    }
}

fn is_defaulted(volume: &Volume) -> bool {
    !volume.sources.is_empty()
        && volume.sources.iter().all(|source| match source {
            VolumeSource::Projected(projected) => {
                let downward = projected.sources.iter().filter_map(|it| it.downward_api.as_ref());
                let mut fields =
                    downward.flat_map(|it| &it.items).filter_map(|it| it.field_ref.as_ref());
                fields.all(|field| !field.api_version.is_empty())
            }
            _ => true,
        })
}

fn default_volume(volume: &mut Volume) {
    if volume.sources.is_empty() {
        volume.sources.push(VolumeSource::EmptyDir);
    }
    for source in &mut volume.sources {
        if let VolumeSource::Projected(projected) = source {
            default_field_versions(projected);
        }
    }
}

fn default_field_versions(projected: &mut Projected) {
    let downward = projected.sources.iter_mut().filter_map(|it| it.downward_api.as_mut());
    for field in downward.flat_map(|it| &mut it.items).filter_map(|it| it.field_ref.as_mut()) {
        if field.api_version.is_empty() {
            "v1".clone_into(&mut field.api_version);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn defaulted(spec: &Value) -> Value {
        let mut pod: PodTemplateSpec = serde_json::from_value(json!({"spec": spec})).unwrap();
        apply_defaults(&mut pod);
        let mut spec = json!(pod.spec);
        assert_eq!(spec.as_object_mut().unwrap().remove("securityContext"), Some(json!({})));
        spec
    }

    #[test]
    fn fills_in_what_the_api_server_does() {
        let ports = |port: Value| json!([{"name": "a", "ports": [port]}]);
        let plain = json!({"containerPort": 80});
        let both = json!({"containerPort": 80, "hostPort": 80});
        let other = json!({"containerPort": 80, "hostPort": 8080});
        let field_ref = |field: Value| {
            json!({"volumes": [{"name": "v", "projected": {"sources": [
                {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": field}]}},
            ]}}]})
        };
        for (name, given, expected) in [
            (
                "host ports",
                json!({"hostNetwork": true, "containers": ports(plain.clone()),
                       "initContainers": ports(other.clone())}),
                json!({"hostNetwork": true, "initContainers": ports(other),
                       "containers": ports(both)}),
            ),
            (
                "no host ports off the node's network",
                json!({"containers": ports(plain.clone())}),
                json!({"containers": ports(plain)}),
            ),
            (
                "volume without a source",
                json!({"volumes": [{"name": "v"}]}),
                json!({"volumes": [{"name": "v", "emptyDir": {}}]}),
            ),
            (
                "version of a field reference",
                field_ref(json!({"fieldPath": "x"})),
                field_ref(json!({"apiVersion": "v1", "fieldPath": "x"})),
            ),
            (
                "other version of a field reference",
                field_ref(json!({"apiVersion": "v2", "fieldPath": "x"})),
                field_ref(json!({"apiVersion": "v2", "fieldPath": "x"})),
            ),
            (
                "deprecated name of the service account",
                json!({"serviceAccount": "a"}),
                json!({"serviceAccountName": "a", "serviceAccount": "a"}),
            ),
            (
                "both names of the service account",
                json!({"serviceAccountName": "b", "serviceAccount": "a"}),
                json!({"serviceAccountName": "b", "serviceAccount": "b"}),
            ),
        ] {
            assert_eq!(defaulted(&given), expected, "{name}");
        }
    }
}
