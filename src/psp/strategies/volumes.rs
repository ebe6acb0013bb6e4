//! `spec.volumes`, `allowedFlexVolumes`, `allowedCSIDrivers`: which volumes may pods use?
//!
//! Upstream: `pkg/security/podsecuritypolicy/provider.go`, `validatePodVolumes` (v1.21).

use crate::objects::path::FieldPath;
use crate::objects::pod::PodSpec;
use crate::objects::psp::PodSecurityPolicySpec;
use crate::objects::volume::{DownwardApiItem, Projected, ProjectedSource, Volume, VolumeSource};
use crate::psp::error::{BadValue, FieldError};

use super::host_paths::HostPaths;

/// The volume rules of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::psp) struct VolumesStrategy {
    /// The types allowed; empty allows none.
    types: Vec<String>,
    host_paths: HostPaths,
    /// Empty allows any driver.
    flex_drivers: Vec<String>,
    /// Empty allows any driver.
    csi_drivers: Vec<String>,
}

impl VolumesStrategy {
    pub(in crate::psp) fn new(spec: &PodSecurityPolicySpec) -> Self {
        let flex_drivers = spec.allowed_flex_volumes.iter().map(|flex| flex.driver.clone());
        let csi_drivers = spec.allowed_csi_drivers.iter().map(|csi| csi.name.clone());
        Self {
            types: spec.volumes.clone(),
            host_paths: HostPaths(spec.allowed_host_paths.clone()),
            flex_drivers: flex_drivers.collect(),
            csi_drivers: csi_drivers.collect(),
        }
    }

    /// Finds errors in order of the volumes; those about mounts stand where the mounted volume
    /// stands.
    pub(in crate::psp) fn validate(&self, spec: &PodSpec, errors: &mut Vec<FieldError>) {
        for (index, volume) in spec.volumes.iter().enumerate() {
            let path = || FieldPath::new("spec.volumes").named_index(index, &volume.name);
            let Some(source) = effective_source(volume) else {
                // Defaulting leaves no volume without a source, so only a source that servers with
                // PSP do not know comes here. They would drop it; to refuse is the safe side.
                let value = BadValue::String(String::new());
                errors.push(FieldError::invalid(path(), value, "unknown volume type for volume"));
                continue;
            };
            if !self.allows_type(source) {
                let type_ = type_of(source);
                let detail = format!("{type_} volumes are not allowed to be used");
                errors.push(FieldError::invalid(
                    path(),
                    BadValue::String(type_.to_owned()),
                    detail,
                ));
                continue;
            }
            match source {
                VolumeSource::HostPath(host_path) => {
                    self.host_paths.validate(spec, &volume.name, host_path, path, errors);
                }
                VolumeSource::FlexVolume(flex) => {
                    let detail = "Flexvolume driver is not allowed to be used";
                    let path = || path().child("driver");
                    validate_driver(&self.flex_drivers, &flex.driver, path, detail, errors);
                }
                VolumeSource::Csi(csi) => {
                    let detail = "Inline CSI driver is not allowed to be used";
                    let path = || path().child("csi.driver");
                    validate_driver(&self.csi_drivers, &csi.driver, path, detail, errors);
                }
                _ => {}
            }
        }
    }

    /// `secret` allows the service account's projected token volume too, so that policies written
    /// before v1.21 go on working.
    fn allows_type(&self, source: &VolumeSource) -> bool {
        let names = |wanted: &str| self.types.iter().any(|allowed| allowed == wanted);
        names("*")
            || names(type_of(source))
            || matches!(source, VolumeSource::Projected(projected)
                if names("secret") && is_only_service_account_token(projected))
    }
}

fn validate_driver(
    allowed: &[String],
    driver: &String,
    path: impl FnOnce() -> FieldPath,
    detail: &str,
    errors: &mut Vec<FieldError>,
) {
    if !allowed.is_empty() && !allowed.contains(driver) {
        errors.push(FieldError::invalid(path(), BadValue::String(driver.clone()), detail));
    }
}

/// The name of a volume type in a policy: that of the volume's field, but for one.
///
/// Upstream: `staging/src/k8s.io/api/policy/v1beta1/types.go`, `FSType` (v1.21).
fn type_of(source: &VolumeSource) -> &'static str {
    match source {
        VolumeSource::Cephfs => "cephFS",
        _ => source.field(),
    }
}

/// The source by which PSP knows a volume that has several, which API validation refuses only
/// afterwards.
///
/// Upstream: `pkg/security/podsecuritypolicy/util/util.go`, `GetVolumeFSType` (v1.21).
fn effective_source(volume: &Volume) -> Option<&VolumeSource> {
    // PSP's order is that of the API's fields, except that these come after all others, like this.
    let rank = |source: &VolumeSource| match source {
        VolumeSource::StorageOs => 1,
        VolumeSource::Projected(_) => 2,
        VolumeSource::PortworxVolume => 3,
        VolumeSource::ScaleIo => 4,
        VolumeSource::Csi(_) => 5,
        VolumeSource::Ephemeral => 6,
        _ => 0,
    };
    let known = volume.sources.iter().filter(|source| !matches!(source, VolumeSource::Image));
    known.min_by_key(|source| rank(source))
}

/// Whether a projected volume holds only what the service account's token volume holds. One without
/// sources does.
///
/// Upstream: `pkg/security/podsecuritypolicy/util/util.go`, `IsOnlyServiceAccountTokenSources`
/// (v1.21).
fn is_only_service_account_token(projected: &Projected) -> bool {
    projected.sources.iter().all(|source| {
        let ProjectedSource { service_account_token: token, config_map, downward_api } = source;
        let has_any = token.is_some() || config_map.is_some() || downward_api.is_some();
        has_any
            && token.iter().all(|token| token.path == "token" && token.audience.is_empty())
            && config_map.iter().all(|config_map| config_map.name == "kube-root-ca.crt")
            && downward_api.iter().flat_map(|downward| &downward.items).all(is_namespace)
    })
}

fn is_namespace(item: &DownwardApiItem) -> bool {
    item.path == "namespace"
        && item.field_ref.as_ref().is_some_and(|field| {
            field.api_version == "v1" && field.field_path == "metadata.namespace"
        })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::psp::tests::{Outcome, outcome};

    fn pod(volume: &Value) -> Value {
        json!({"spec": {"volumes": [volume]}})
    }

    fn refused(kind: &str) -> Outcome {
        let text = format!("{kind} volumes are not allowed to be used");
        Outcome::errors(&[&format!("spec.volumes[0]: Invalid value: \"{kind}\": {text}")])
    }

    #[test]
    fn judges_types() {
        for (name, types, sources, expected) in [
            ("no types", json!(null), json!({"emptyDir": {}}), refused("emptyDir")),
            ("any type", json!(["*"]), json!({"nfs": {}}), Outcome::unchanged()),
            ("no source", json!(["emptyDir"]), json!({}), Outcome::unchanged()),
            ("PSP's spelling", json!(["cephFS"]), json!({"cephfs": {}}), Outcome::unchanged()),
            ("the field's spelling", json!(["cephfs"]), json!({"cephfs": {}}), refused("cephFS")),
            (
                "two sources",
                json!(["emptyDir"]),
                json!({"emptyDir": {}, "hostPath": {}}),
                refused("hostPath"),
            ),
            (
                "two sources, in PSP's order and not the API's",
                json!(["storageos"]),
                json!({"portworxVolume": {}, "storageos": {}}),
                Outcome::unchanged(),
            ),
            (
                "a source that comes late, before all that come later",
                json!(["storageos"]),
                json!({"projected": {}, "scaleIO": {}, "storageos": {}, "csi": {}, "ephemeral": {}}),
                Outcome::unchanged(),
            ),
            (
                "the last but one, before the last",
                json!(["csi"]),
                json!({"csi": {}, "ephemeral": {}}),
                Outcome::unchanged(),
            ),
            (
                "a source that PSP never knew",
                json!(["*"]),
                json!({"image": {}}),
                Outcome::errors(&[
                    "spec.volumes[0]: Invalid value: \"\": unknown volume type for volume",
                ]),
            ),
        ] {
            let found = outcome(&json!({"volumes": types}), &json!({}), &pod(&sources));
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn takes_the_token_volume_for_a_secret() {
        let token = json!({"serviceAccountToken": {"path": "token"}});
        let ca = json!({"configMap": {"name": "kube-root-ca.crt"}});
        let namespace = json!({"downwardAPI": {"items": [
            {"path": "namespace", "fieldRef": {"fieldPath": "metadata.namespace"}},
        ]}});
        let elsewhere = json!({"serviceAccountToken": {"path": "x"}});
        let for_somebody = json!({"serviceAccountToken": {"path": "token", "audience": "x"}});
        for (name, sources, expected) in [
            ("the token volume", json!([token, ca, namespace]), Outcome::unchanged()),
            ("no sources", json!([]), Outcome::unchanged()),
            ("token at another path", json!([elsewhere]), refused("projected")),
            ("token for somebody", json!([for_somebody]), refused("projected")),
            ("other config map", json!([{"configMap": {"name": "x"}}]), refused("projected")),
            ("a secret", json!([token, {"secret": {"name": "x"}}]), refused("projected")),
            (
                "another file",
                json!([{"downwardAPI": {"items": [{"path": "namespace"}]}}]),
                refused("projected"),
            ),
        ] {
            let pod = pod(&json!({"projected": {"sources": sources}}));
            assert_eq!(
                outcome(&json!({"volumes": ["secret"]}), &json!({}), &pod),
                expected,
                "{name}"
            );
        }
    }

    #[test]
    fn judges_drivers() {
        let flex = json!({"volumes": ["flexVolume"], "allowedFlexVolumes": [{"driver": "a"}]});
        let csi = json!({"volumes": ["csi"], "allowedCSIDrivers": [{"name": "a"}]});
        let csi_without_type = json!({"volumes": [], "allowedCSIDrivers": [{"name": "a"}]});
        for (name, policy, sources, expected) in [
            ("listed", &flex, json!({"flexVolume": {"driver": "a"}}), Outcome::unchanged()),
            (
                "not listed",
                &flex,
                json!({"flexVolume": {"driver": "b"}}),
                Outcome::errors(&[
                    "spec.volumes[0].driver: Invalid value: \"b\": Flexvolume driver is not allowed to be used",
                ]),
            ),
            ("listed", &csi, json!({"csi": {"driver": "a"}}), Outcome::unchanged()),
            (
                "not listed",
                &csi,
                json!({"csi": {"driver": "b"}}),
                Outcome::errors(&[
                    "spec.volumes[0].csi.driver: Invalid value: \"b\": Inline CSI driver is not allowed to be used",
                ]),
            ),
            (
                "a driver does not allow the type",
                &csi_without_type,
                json!({"csi": {"driver": "a"}}),
                refused("csi"),
            ),
        ] {
            assert_eq!(outcome(policy, &json!({}), &pod(&sources)), expected, "{name} {sources}");
        }
    }
}
