//! `spec.allowedHostPaths`: which paths of the node may pods mount, and may they write to them?
//!
//! Upstream: `pkg/security/podsecuritypolicy/util/util.go`, `AllowsHostVolumePath` (v1.21).

use crate::objects::path::FieldPath;
use crate::objects::pod::PodSpec;
use crate::objects::psp::AllowedHostPath;
use crate::objects::volume::HostPath;
use crate::psp::container::ContainerView;
use crate::psp::error::{BadValue, FieldError};

/// The paths that a policy allows; empty allows any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HostPaths(pub(super) Vec<AllowedHostPath>);

impl HostPaths {
    /// Read-only is demanded of the mounts, not of the volume: a volume that is not mounted passes.
    pub(super) fn validate(
        &self,
        spec: &PodSpec,
        volume: &str,
        host_path: &HostPath,
        path: impl Fn() -> FieldPath,
        errors: &mut Vec<FieldError>,
    ) {
        match self.access(&host_path.path) {
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
    fn access(&self, path: &str) -> Access {
        if self.0.is_empty() {
            return Access::Writable;
        }
        let mut access = Access::None;
        for allowed in self.0.iter().filter(|it| has_path_prefix(path, &it.path_prefix)) {
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::psp::tests::{Outcome, outcome};

    #[test]
    fn judges_host_paths() {
        let read_only = |path: &str| json!({"pathPrefix": path, "readOnly": true});
        let writable = |path: &str| json!({"pathPrefix": path});
        let must_be_read_only = || {
            Outcome::errors(&[
                "spec.initContainers[0].volumeMounts[0].readOnly: Invalid value: false: must be read-only",
                "spec.containers[0].volumeMounts[1].readOnly: Invalid value: false: must be read-only",
            ])
        };
        for (name, allowed, volume, expected) in [
            ("no list", vec![], "v", Outcome::unchanged()),
            ("writable", vec![writable("/var/log")], "v", Outcome::unchanged()),
            ("read-only", vec![read_only("/var/log")], "v", must_be_read_only()),
            ("read-only, not mounted", vec![read_only("/var/log")], "other", Outcome::unchanged()),
            (
                "writable after read-only",
                vec![read_only("/var/log"), writable("/var")],
                "v",
                Outcome::unchanged(),
            ),
            (
                "writable before read-only",
                vec![writable("/var"), read_only("/var/log")],
                "v",
                Outcome::unchanged(),
            ),
            (
                "elsewhere",
                vec![writable("/var/lo")],
                "v",
                Outcome::errors(&[
                    "spec.volumes[0].hostPath.pathPrefix: Invalid value: \"/var/log\": is not allowed to be used",
                ]),
            ),
        ] {
            let mount = |read_only| json!({"name": "v", "mountPath": "/v", "readOnly": read_only});
            let pod = json!({"spec": {
                "volumes": [{"name": volume, "hostPath": {"path": "/var/log"}}],
                "initContainers": [{"name": "init", "volumeMounts": [mount(false)]}],
                "containers": [{"name": "app", "volumeMounts": [mount(true), mount(false)]}],
            }});
            let policy = json!({"allowedHostPaths": allowed});
            assert_eq!(outcome(&policy, &json!({}), &pod), expected, "{name}");
        }
    }

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
