//! Which service account does a pod run as, and is its token mounted?

use crate::objects::namespace::ServiceAccount;
use crate::objects::pod::{ContainerKind, PodTemplateSpec, VolumeMount};
use crate::objects::volume::{
    ConfigMapProjection, DownwardApiItem, DownwardApiProjection, FieldRef, Projected,
    ProjectedSource, SecretSource, TokenProjection, Volume, VolumeSource,
};
use crate::version::Version;

/// The first version that mounts the token as a projected volume by default.
pub const PROJECTED_TOKEN_SINCE: Version = Version::v1(21);

/// The name given here to the projected token volume, whose real name ends in five random
/// characters.
pub const TOKEN_VOLUME: &str = "kube-api-access";

const TOKEN_MOUNT_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Does to a pod what ServiceAccount admission does, which runs before PSP: names the `default`
/// account where none is named, and mounts the token unless the pod or else the account says not
/// to.
///
/// `account` is the object of the named account; `None` where the input does not hold it, and then
/// it is taken to allow the mount. Mirror pods must not come here.
///
/// Upstream: `plugin/pkg/admission/serviceaccount/admission.go`, `Admit` (v1.21).
pub fn admit(pod: &mut PodTemplateSpec, account: Option<&ServiceAccount>, server: Version) {
    let spec = &mut pod.spec;
    if spec.service_account().is_empty() {
        "default".clone_into(&mut spec.service_account_name);
        "default".clone_into(&mut spec.deprecated_service_account);
    }
    let is_mounted = spec
        .automount_service_account_token
        .or_else(|| account?.automount_service_account_token)
        .unwrap_or(true);
    if is_mounted {
        mount_token(pod, server);
    }
}

fn mount_token(pod: &mut PodTemplateSpec, server: Version) {
    let spec = &mut pod.spec;
    let account = spec.service_account().to_owned();
    let is_projected = server >= PROJECTED_TOKEN_SINCE;
    let existing = spec.volumes.iter().find(|volume| {
        if is_projected {
            volume
                .name
                .strip_prefix(TOKEN_VOLUME)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        } else {
            is_token_secret(volume, &account)
        }
    });
    let name = match existing {
        Some(volume) => volume.name.clone(),
        None if is_projected => TOKEN_VOLUME.to_owned(),
        None => format!("{account}-token"),
    };
    let has_volume = existing.is_some();
    let mut is_needed = false;
    for kind in [ContainerKind::Init, ContainerKind::Regular] {
        for container in spec.containers_of_mut(kind) {
            if container.volume_mounts.iter().all(|mount| mount.mount_path != TOKEN_MOUNT_PATH) {
                is_needed = true;
                container.volume_mounts.to_mut().push(VolumeMount {
                    name: name.clone(),
                    mount_path: TOKEN_MOUNT_PATH.to_owned(),
                    read_only: true,
                });
            }
        }
    }
    if is_needed && !has_volume {
        let source = if is_projected {
            VolumeSource::Projected(token_projection())
        } else {
            VolumeSource::Secret(SecretSource { secret_name: name.clone() })
        };
        spec.volumes.to_mut().push(Volume { name, sources: vec![source] });
    }
}

/// Takes out what [`admit`] mounts, whichever server has done it: pods outlive the upgrade to a server
/// that mounts the token in the other form.
pub fn unmount_token(pod: &mut PodTemplateSpec) {
    let spec = &mut pod.spec;
    let account = spec.service_account().to_owned();
    let is_token =
        |volume: &Volume| volume.name == TOKEN_VOLUME || is_token_secret(volume, &account);
    let tokens: Vec<String> =
        spec.volumes.iter().filter(|it| is_token(it)).map(|it| it.name.clone()).collect();
    if tokens.is_empty() {
        return;
    }
    spec.volumes.to_mut().retain(|volume| !is_token(volume));
    let is_mount =
        |mount: &VolumeMount| mount.mount_path == TOKEN_MOUNT_PATH && tokens.contains(&mount.name);
    for kind in ContainerKind::ALL {
        for container in spec.containers_of_mut(kind) {
            if container.volume_mounts.iter().any(is_mount) {
                container.volume_mounts.to_mut().retain(|mount| !is_mount(mount));
            }
        }
    }
}

fn is_token_secret(volume: &Volume, account: &str) -> bool {
    volume.sources.iter().any(|source| match source {
        VolumeSource::Secret(secret) => secret
            .secret_name
            .strip_prefix(account)
            .is_some_and(|rest| rest == "-token" || rest.starts_with("-token-")),
        _ => false,
    })
}

fn token_projection() -> Projected {
    let token = TokenProjection { audience: String::new(), path: "token".to_owned() };
    let ca = ConfigMapProjection { name: "kube-root-ca.crt".to_owned() };
    let namespace = DownwardApiItem {
        path: "namespace".to_owned(),
        field_ref: Some(FieldRef {
            api_version: "v1".to_owned(),
            field_path: "metadata.namespace".to_owned(),
        }),
    };
    Projected {
        sources: vec![
            ProjectedSource { service_account_token: Some(token), ..Default::default() },
            ProjectedSource { config_map: Some(ca), ..Default::default() },
            ProjectedSource {
                downward_api: Some(DownwardApiProjection { items: vec![namespace] }),
                ..Default::default()
            },
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::pod::Container;

    fn pod() -> PodTemplateSpec {
        let mut pod = PodTemplateSpec::default();
        let app = Container { name: "app".to_owned(), ..Default::default() };
        pod.spec.containers.push(app.into());
        pod
    }

    #[test]
    fn mounts_a_projected_token_from_1_21_and_a_secret_before() {
        let mut new = pod();
        admit(&mut new, None, Version::v1(21));
        assert_eq!(new.spec.service_account(), "default");
        assert_eq!(new.spec.volumes[0].sources[0].field(), "projected");
        let mut old = pod();
        admit(&mut old, None, Version::v1(20));
        assert_eq!(old.spec.volumes[0].sources[0].field(), "secret");
        assert_eq!(old.spec.containers[0].volume_mounts[0].name, old.spec.volumes[0].name);
    }

    #[test]
    fn the_pod_decides_before_the_account() {
        let refusing =
            ServiceAccount { automount_service_account_token: Some(false), ..Default::default() };
        let mut unset = pod();
        admit(&mut unset, Some(&refusing), Version::v1(24));
        assert!(unset.spec.volumes.is_empty());
        let mut asking = pod();
        asking.spec.automount_service_account_token = Some(true);
        admit(&mut asking, Some(&refusing), Version::v1(24));
        assert_eq!(asking.spec.volumes.len(), 1);
        let mut declining = pod();
        declining.spec.automount_service_account_token = Some(false);
        admit(&mut declining, None, Version::v1(24));
        assert!(declining.spec.volumes.is_empty());
    }

    #[test]
    fn what_was_mounted_can_be_taken_out() {
        for server in [Version::v1(20), Version::v1(24)] {
            let mut named = pod();
            admit(&mut named, None, server);
            let mut mounted = named.clone();
            unmount_token(&mut mounted);
            assert_eq!(mounted.spec.containers, pod().spec.containers);
            assert!(mounted.spec.volumes.is_empty());
        }
    }

    #[test]
    fn is_idempotent_and_leaves_own_mounts_alone() {
        let mut once = pod();
        admit(&mut once, None, Version::v1(24));
        let mut twice = once.clone();
        admit(&mut twice, None, Version::v1(24));
        assert_eq!(once, twice);
    }
}
