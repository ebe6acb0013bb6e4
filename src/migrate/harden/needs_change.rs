//! What has an author, or a webhook, set that a level forbids?
//!
//! There is no list here of what a level allows: a setting that may be at fault is taken out, and
//! the checks are asked again. What ends a violation was its cause.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::{NeedsChange, Remaining};
use crate::level::Level;
use crate::migrate::injection::stored;
use crate::migrate::places::Places;
use crate::objects::path::FieldPath;
use crate::objects::pod::{
    Container, ContainerKind, Handler, PodTemplateSpec, Profile, SecurityContext, WindowsOptions,
};
use crate::objects::slice::Slice;
use crate::psa;
use crate::version::Version;

/// How many settings of a pod are taken out one by one. Only hostile pods have more: each costs an
/// evaluation of the whole pod. What those beyond violate is listed all the same, as what remains.
const MAX_SUSPECTS: usize = 1_000;

/// The settings at fault in pods that have their patch, and all that they still violate.
pub(super) fn of(
    pods: &[Arc<PodTemplateSpec>],
    template: &PodTemplateSpec,
    version: Version,
) -> (Vec<NeedsChange>, Vec<Remaining>) {
    let (mut needs_change, mut remaining) = (Vec::new(), Vec::new());
    // The server copies a seccomp annotation into the field.
    let stored = stored(template);
    let mut places = None;
    for pod in pods {
        let mut suspects = None;
        let evaluation = psa::evaluate_levels(version, pod);
        for level in [Level::Baseline, Level::Restricted] {
            if evaluation.allows(level) {
                continue;
            }
            let suspects: &mut Vec<Suspect> = suspects.get_or_insert_with(|| suspects_of(pod));
            suspects.retain(|suspect| {
                let without = suspect.removed_from(pod);
                let has_ended = |it: &&psa::Violation| !psa::has_violation(it, version, &without);
                let ended = evaluation.at(level).find(has_ended);
                if let Some(violation) = ended {
                    let places = places.get_or_insert_with(|| Places::of(template));
                    let needed = NeedsChange {
                        level,
                        check: violation.check,
                        path: places.settle(suspect.path.clone()),
                        value: suspect.value.to_string(),
                        injected: !stands_in(template, suspect) && !stands_in(&stored, suspect),
                    };
                    if !needs_change.contains(&needed) {
                        needs_change.push(needed);
                    }
                }
                ended.is_none()
            });
            for violation in evaluation.at(level) {
                let psa::Violation { check, reason, detail } = violation.clone();
                let violation = Remaining { level, check, reason, detail };
                if !remaining.contains(&violation) {
                    remaining.push(violation);
                }
            }
        }
    }
    needs_change.sort();
    (needs_change, remaining)
}

/// A setting that a level may forbid.
struct Suspect {
    path: FieldPath,
    /// The setting, or of volumes, sysctls and lists of names the name.
    value: Json,
    /// Whether `value` is one name of the list at `path`.
    is_item: bool,
}

impl Suspect {
    fn removed_from(&self, pod: &PodTemplateSpec) -> PodTemplateSpec {
        let mut pod = pod.clone();
        let path = self.path.segments();
        if !self.is_item {
            pod.remove(path, None);
        } else if let Some(Json::Array(mut items)) = pod.get(path) {
            items.retain(|item| *item != self.value);
            pod.set(path, &Json::Array(items));
        }
        pod
    }
}

/// Whether a setting stands in a template; what the API server fills in does not count.
fn stands_in(template: &PodTemplateSpec, suspect: &Suspect) -> bool {
    let Some(there) = template.get(suspect.path.segments()) else { return false };
    !suspect.is_item || there.as_array().is_some_and(|items| items.contains(&suspect.value))
}

/// The settings of a pod that soften it.
fn suspects_of(pod: &PodTemplateSpec) -> Vec<Suspect> {
    let mut suspects = Suspects(Vec::new());
    let spec = FieldPath::new("spec");
    for (field, is_set) in [
        ("hostNetwork", pod.spec.host_network),
        ("hostPID", pod.spec.host_pid),
        ("hostIPC", pod.spec.host_ipc),
    ] {
        suspects.add(|| spec.child(field), is_set.then_some(true));
    }
    for (index, volume) in pod.spec.volumes.iter().enumerate() {
        suspects.add(|| spec.child("volumes").named_index(index, &volume.name), Some(&volume.name));
    }
    if let Some(context) = &pod.spec.security_context {
        let path = spec.child("securityContext");
        for (index, sysctl) in context.sysctls.iter().enumerate() {
            let path = || path.child("sysctls").named_index(index, &sysctl.name);
            suspects.add(path, Some(&sysctl.name));
        }
        suspects.add(|| path.child("runAsNonRoot"), context.run_as_non_root.filter(|set| !set));
        suspects.add(|| path.child("runAsUser"), context.run_as_user.filter(|id| *id == 0));
        suspects.add(|| path.child("seLinuxOptions"), context.se_linux_options.as_deref());
        suspects.profile(|| path.child("seccompProfile"), context.seccomp_profile.as_ref());
        suspects.profile(|| path.child("appArmorProfile"), context.app_armor_profile.as_deref());
        suspects.windows(&path, context.windows_options.as_ref());
    }
    for (key, value) in pod.security_annotations() {
        suspects.add(|| FieldPath::new("metadata.annotations").key(key), Some(value));
    }
    for kind in ContainerKind::ALL {
        for (index, container) in pod.spec.containers_of(kind).iter().enumerate() {
            let path = spec.child(kind.field()).named_index(index, &container.name);
            suspects.container(&path, container, pod.spec.host_network);
        }
    }
    suspects.0.truncate(MAX_SUSPECTS);
    suspects.0
}

struct Suspects(Vec<Suspect>);

impl Suspects {
    /// Adds a setting where there is one: the path is asked for only then, as most are not set.
    fn add(&mut self, path: impl FnOnce() -> FieldPath, value: Option<impl serde::Serialize>) {
        let suspect = |value| Suspect { path: path(), value: json!(value), is_item: false };
        self.0.extend(value.map(suspect));
    }

    fn profile(&mut self, path: impl FnOnce() -> FieldPath, profile: Option<&Profile>) {
        let is_hard = |it: &&Profile| !matches!(it.type_.as_str(), "RuntimeDefault" | "Localhost");
        self.add(path, profile.filter(is_hard));
    }

    fn windows(&mut self, path: &FieldPath, options: Option<&WindowsOptions>) {
        let host_process = options.and_then(|options| options.host_process).filter(|set| *set);
        self.add(|| path.child("windowsOptions.hostProcess"), host_process);
    }

    fn container(&mut self, path: &FieldPath, container: &Container, is_on_host: bool) {
        for (index, port) in container.ports.iter().enumerate() {
            // In the host's network every port is one of the host; hostNetwork is to be changed.
            let is_filled_in = is_on_host && port.host_port == port.container_port;
            let set = Some(port.host_port).filter(|port| *port != 0 && !is_filled_in);
            self.add(|| path.child("ports").index(index).child("hostPort"), set);
        }
        let lifecycle = container.lifecycle.as_deref();
        for (field, handler) in [
            ("livenessProbe", container.liveness_probe.as_ref()),
            ("readinessProbe", container.readiness_probe.as_ref()),
            ("startupProbe", container.startup_probe.as_deref()),
            ("lifecycle.postStart", lifecycle.and_then(|it| it.post_start.as_ref())),
            ("lifecycle.preStop", lifecycle.and_then(|it| it.pre_stop.as_ref())),
        ] {
            if let Some(handler) = handler {
                self.handler(&path.child(field), handler);
            }
        }
        if let Some(context) = &container.security_context {
            self.context(&path.child("securityContext"), context);
        }
    }

    fn handler(&mut self, path: &FieldPath, handler: &Handler) {
        for (field, target) in
            [("httpGet.host", &handler.http_get), ("tcpSocket.host", &handler.tcp_socket)]
        {
            let host = target.as_ref().map(|target| &target.host).filter(|host| !host.is_empty());
            self.add(|| path.child(field), host);
        }
    }

    fn context(&mut self, path: &FieldPath, context: &SecurityContext) {
        let escalation = context.allow_privilege_escalation;
        self.add(|| path.child("privileged"), context.privileged.filter(|set| *set));
        self.add(|| path.child("allowPrivilegeEscalation"), escalation.filter(|set| *set));
        self.add(|| path.child("runAsNonRoot"), context.run_as_non_root.filter(|set| !set));
        self.add(|| path.child("runAsUser"), context.run_as_user.filter(|id| *id == 0));
        for name in context.capabilities.iter().flat_map(|it| &it.add) {
            let path = path.child("capabilities.add");
            self.0.push(Suspect { path, value: json!(name), is_item: true });
        }
        let proc_mount = context.proc_mount.as_ref().filter(|it| *it != "Default");
        self.add(|| path.child("procMount"), proc_mount);
        self.add(|| path.child("seLinuxOptions"), context.se_linux_options.as_deref());
        self.profile(|| path.child("seccompProfile"), context.seccomp_profile.as_ref());
        self.profile(|| path.child("appArmorProfile"), context.app_armor_profile.as_deref());
        self.windows(path, context.windows_options.as_ref());
    }
}
