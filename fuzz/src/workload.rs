//! Which pods and policies do a fuzzer's bytes make?

use serde_json::{Value, json};

use super::bytes::Bytes;

/// Names of policies.
pub const POLICIES: &[&str] = &["a", "b", "c"];

const PROFILES: &[&str] =
    &["runtime/default", "docker/default", "unconfined", "localhost/a", "*", ""];
const SECCOMP_OF_POD: &str = "seccomp.security.alpha.kubernetes.io/pod";
const CAPABILITIES: &[&str] = &["ALL", "NET_ADMIN", "CHOWN", "*", "KILL"];
const SYSCTLS: &[&str] = &["kernel.shm_rmid_forced", "net.core.somaxconn", "kernel.*", "*", "a/b"];
const PATHS: &[&str] = &["/", "/var", "/var/log", "/var/log/../x", "//var", "var", ""];
const CONTAINERS: &[&str] = &["app", "side", "app"];
const RULES: &[&str] = &["RunAsAny", "MustRunAs", "MustRunAsNonRoot", "MayRunAs", ""];

/// A pod.
pub fn pod(bytes: &mut Bytes<'_>) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": bytes.text(&["web-0", ""]),
            "namespace": bytes.text(&["shop"]),
            "annotations": bytes.maybe(annotations),
        },
        "spec": spec(bytes),
    })
}

fn annotations(bytes: &mut Bytes<'_>) -> Value {
    let mut annotations = json!({});
    if bytes.flag() {
        annotations[SECCOMP_OF_POD] = json!(bytes.text(PROFILES));
    }
    for (prefix, known) in [
        ("container.apparmor.security.beta.kubernetes.io/", PROFILES),
        ("container.seccomp.security.alpha.kubernetes.io/", PROFILES),
    ] {
        if bytes.flag() {
            let key = format!("{prefix}{}", bytes.text(CONTAINERS));
            annotations[key] = json!(bytes.text(known));
        }
    }
    annotations
}

/// A pod's spec.
pub fn spec(bytes: &mut Bytes<'_>) -> Value {
    let mut spec = bytes.object(&[
        ("hostNetwork", |it| json!(it.flag())),
        ("hostPID", |it| json!(it.flag())),
        ("hostIPC", |it| json!(it.flag())),
        ("runtimeClassName", |it| json!(it.text(&["gvisor", ""]))),
        ("serviceAccountName", |it| json!(it.text(&["robot"]))),
        ("os", |it| json!({"name": it.text(&["linux", "windows"])})),
        ("securityContext", pod_context),
        ("volumes", |it| json!(it.list(3, volume))),
        ("initContainers", |it| json!(it.list(2, container))),
        ("ephemeralContainers", |it| json!(it.list(1, container))),
    ]);
    spec["containers"] = json!(bytes.list(3, container));
    spec
}

fn se_linux_options(bytes: &mut Bytes<'_>) -> Value {
    bytes.object(&[
        ("user", |it| json!(it.text(&["u"]))),
        ("role", |it| json!(it.text(&["r"]))),
        ("type", |it| json!(it.text(&["t"]))),
        ("level", |it| json!(it.text(&["s0", "s0:c1,c2", "s0:c2,c1"]))),
    ])
}

fn seccomp_profile(bytes: &mut Bytes<'_>) -> Value {
    json!({
        "type": bytes.text(&["RuntimeDefault", "Unconfined", "Localhost"]),
        "localhostProfile": bytes.maybe(|it| it.text(&["a"])),
    })
}

fn pod_context(bytes: &mut Bytes<'_>) -> Value {
    bytes.object(&[
        ("runAsUser", |it| json!(it.number())),
        ("runAsGroup", |it| json!(it.number())),
        ("runAsNonRoot", |it| json!(it.flag())),
        ("fsGroup", |it| json!(it.number())),
        ("supplementalGroups", |it| json!(it.list(3, Bytes::number))),
        ("seLinuxOptions", se_linux_options),
        ("seccompProfile", seccomp_profile),
        ("sysctls", |it| json!(it.list(2, |it| json!({"name": it.text(SYSCTLS), "value": "1"})))),
    ])
}

fn container(bytes: &mut Bytes<'_>) -> Value {
    json!({
        "name": bytes.text(CONTAINERS),
        "securityContext": bytes.maybe(container_context),
        "ports": bytes.list(2, |it| json!({"containerPort": it.number(), "hostPort": it.number()})),
        "volumeMounts": bytes.list(2, |it| {
            json!({"name": it.text(&["data"]), "mountPath": "/m", "readOnly": it.flag()})
        }),
    })
}

fn container_context(bytes: &mut Bytes<'_>) -> Value {
    bytes.object(&[
        ("privileged", |it| json!(it.flag())),
        ("allowPrivilegeEscalation", |it| json!(it.flag())),
        ("readOnlyRootFilesystem", |it| json!(it.flag())),
        ("runAsUser", |it| json!(it.number())),
        ("runAsGroup", |it| json!(it.number())),
        ("runAsNonRoot", |it| json!(it.flag())),
        ("procMount", |it| json!(it.text(&["Default", "Unmasked", ""]))),
        ("seLinuxOptions", se_linux_options),
        ("seccompProfile", seccomp_profile),
        (
            "capabilities",
            |it| json!({"add": it.texts(CAPABILITIES), "drop": it.texts(CAPABILITIES)}),
        ),
    ])
}

fn volume(bytes: &mut Bytes<'_>) -> Value {
    let mut volume = bytes.object(&[
        ("emptyDir", |_| json!({})),
        ("hostPath", |it| json!({"path": it.text(PATHS)})),
        ("flexVolume", |it| json!({"driver": it.text(&["d"])})),
        ("csi", |it| json!({"driver": it.text(&["d"])})),
        ("secret", |_| json!({"secretName": "s"})),
        ("projected", |it| {
            json!({"sources": it.list(2, |it| it.object(&[
                ("serviceAccountToken", |_| json!({"path": "token"})),
                ("configMap", |_| json!({"name": "kube-root-ca.crt"})),
                ("secret", |_| json!({"name": "s"})),
            ]))})
        }),
    ]);
    volume["name"] = json!(bytes.text(&["data"]));
    volume
}

/// A policy.
pub fn policy(bytes: &mut Bytes<'_>) -> Value {
    let mut annotations = json!({});
    for (key, known) in [
        ("seccomp.security.alpha.kubernetes.io/allowedProfileNames", PROFILES),
        ("seccomp.security.alpha.kubernetes.io/defaultProfileName", PROFILES),
        ("apparmor.security.beta.kubernetes.io/allowedProfileNames", PROFILES),
        ("apparmor.security.beta.kubernetes.io/defaultProfileName", PROFILES),
    ] {
        if bytes.flag() {
            annotations[key] = json!(bytes.list(2, |it| it.text(known)).join(","));
        }
    }
    let mut spec = bytes.object(&[
        ("privileged", |it| json!(it.flag())),
        ("hostNetwork", |it| json!(it.flag())),
        ("hostPID", |it| json!(it.flag())),
        ("hostIPC", |it| json!(it.flag())),
        ("readOnlyRootFilesystem", |it| json!(it.flag())),
        ("allowPrivilegeEscalation", |it| json!(it.flag())),
        ("defaultAllowPrivilegeEscalation", |it| json!(it.flag())),
        ("defaultAddCapabilities", |it| it.texts(CAPABILITIES)),
        ("requiredDropCapabilities", |it| it.texts(CAPABILITIES)),
        ("allowedCapabilities", |it| it.texts(CAPABILITIES)),
        ("allowedUnsafeSysctls", |it| it.texts(SYSCTLS)),
        ("forbiddenSysctls", |it| it.texts(SYSCTLS)),
        ("volumes", |it| it.texts(&["*", "hostPath", "secret", "emptyDir", "projected", "none"])),
        ("allowedProcMountTypes", |it| it.texts(&["Default", "Unmasked"])),
        ("allowedFlexVolumes", |it| json!(it.list(2, |it| json!({"driver": it.text(&["d"])})))),
        ("allowedCSIDrivers", |it| json!(it.list(2, |it| json!({"name": it.text(&["d"])})))),
        ("allowedHostPaths", |it| {
            json!(it.list(2, |it| json!({"pathPrefix": it.text(PATHS), "readOnly": it.flag()})))
        }),
        ("hostPorts", |it| json!(it.list(2, range))),
        ("runtimeClass", |it| {
            json!({"allowedRuntimeClassNames": it.texts(&["gvisor", "*"]),
                   "defaultRuntimeClassName": it.maybe(|it| it.text(&["gvisor"]))})
        }),
        ("runAsGroup", ids),
    ]);
    for field in ["runAsUser", "fsGroup", "supplementalGroups"] {
        spec[field] = ids(bytes);
    }
    spec["seLinux"] = json!({"rule": bytes.text(RULES),
                             "seLinuxOptions": bytes.maybe(se_linux_options)});
    let metadata = json!({"name": bytes.text(POLICIES), "annotations": annotations});
    json!({"apiVersion": "policy/v1beta1", "kind": "PodSecurityPolicy", "metadata": metadata,
           "spec": spec})
}

fn range(bytes: &mut Bytes<'_>) -> Value {
    json!({"min": bytes.number(), "max": bytes.number()})
}

fn ids(bytes: &mut Bytes<'_>) -> Value {
    json!({"rule": bytes.text(RULES), "ranges": bytes.maybe(|it| it.list(2, range))})
}
