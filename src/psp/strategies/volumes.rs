//! `spec.volumes`, `allowedHostPaths`, `allowedFlexVolumes`, `allowedCSIDrivers`: which volumes may
//! pods use?
//!
//! Upstream: `pkg/security/podsecuritypolicy/provider.go`, `validatePodVolumes` (v1.21).

use crate::objects::path::FieldPath;
use crate::objects::pod::PodSpec;
use crate::objects::psp::{AllowedHostPath, PodSecurityPolicySpec};
use crate::objects::volume::{
    DownwardApiItem, HostPath, Projected, ProjectedSource, Volume, VolumeSource,
};
use crate::psp::container::ContainerView;
use crate::psp::error::{BadValue, FieldError};

/// The volume rules of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::psp) struct VolumesStrategy {
    /// The types allowed; empty allows none.
    types: Vec<String>,
    /// Empty allows any path.
    host_paths: Vec<AllowedHostPath>,
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
            host_paths: spec.allowed_host_paths.clone(),
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
                    self.validate_host_path(spec, &volume.name, host_path, path, errors);
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

    /// Read-only is demanded of the mounts, not of the volume: a volume that is not mounted passes.
    fn validate_host_path(
        &self,
        spec: &PodSpec,
        volume: &str,
        host_path: &HostPath,
        path: impl Fn() -> FieldPath,
        errors: &mut Vec<FieldError>,
    ) {
        match self.host_path_access(&host_path.path) {
            Access::Writable => {}
            Access::ReadOnly => {
                for container in ContainerView::all(spec) {
                    for (index, mount) in container.container.volume_mounts.iter().enumerate() {
                        if mount.name == volume && !mount.read_only {
                            let path = container
                                .path()
                                .child("volumeMounts")
                                .index(index)
                                .child("readOnly");
                            let value = BadValue::Bool(false);
                            errors.push(FieldError::invalid(path, value, "must be read-only"));
                        }
                    }
                }
            }
            Access::None => {
                let path = path().child("hostPath.pathPrefix");
                let value = BadValue::String(host_path.path.clone());
                errors.push(FieldError::invalid(path, value, "is not allowed to be used"));
            }
        }
    }

    /// A prefix that allows writing beats every read-only one, in whatever order they stand.
    fn host_path_access(&self, path: &str) -> Access {
        if self.host_paths.is_empty() {
            return Access::Writable;
        }
        let mut access = Access::None;
        for allowed in self.host_paths.iter().filter(|it| has_path_prefix(path, &it.path_prefix)) {
            if !allowed.read_only {
                return Access::Writable;
            }
            access = Access::ReadOnly;
        }
        access
    }
}

/// What a policy allows of a path on the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    None,
    ReadOnly,
    Writable,
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

/// Whether a path is a prefix or lies below it. One slash is cut off the end of both; nothing else
/// is cleaned, so `//foo` does not lie below `/foo`, nor `/foo/../bar` outside.
///
/// Upstream: `pkg/security/podsecuritypolicy/util/util.go`, `hasPathPrefix` (v1.21).
fn has_path_prefix(path: &str, prefix: &str) -> bool {
    fn trimmed(text: &str) -> &str {
        text.strip_suffix('/').unwrap_or(text)
    }
    trimmed(path)
        .strip_prefix(trimmed(prefix))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
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
    use super::*;

    #[test]
    fn compares_path_prefixes() {
        for (path, prefix, expected) in [
            ("/foo", "/foo", true),
            ("/foo/", "/foo", true),
            ("/foo/bar", "/foo", true),
            ("/foo/bar", "/foo/", true),
            ("/foobar", "/foo", false),
            ("//foo", "/foo", false),
            ("/foo//", "/foo", true),
            ("/foo", "/foo//", false),
            ("/", "/", true),
            ("/etc", "/", true),
            ("etc", "/", false),
            ("/etc", "", true),
            ("", "", true),
            ("/foo/../etc", "/foo", true),
        ] {
            assert_eq!(has_path_prefix(path, prefix), expected, "{path} {prefix}");
        }
    }
}
