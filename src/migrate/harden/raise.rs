//! What does the next level still need, and what may break by it?
//!
//! Baseline forbids and never asks for anything, so that only restricted can be reached by adding.
//! A pod that its author keeps below baseline gets nothing: its next level needs changes first.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::settings::{Settings, addressable_containers, is_windows, linux_field};
use super::{Kept, Raised};
use crate::level::Level;
use crate::objects::path::FieldPath;
use crate::objects::pod::{
    Capabilities, Container, PodSecurityContext, PodTemplateSpec, Profile,
    SECCOMP_CONTAINER_ANNOTATION_PREFIX, SECCOMP_POD_ANNOTATION, SecurityContext,
};
use crate::prepare::profiles;
use crate::psa;
use crate::version::Version;

/// The first version of the standards that leaves Linux fields out for Windows pods.
const WINDOWS_SINCE: Version = Version::v1(25);

/// What is missing for restricted in a template that says what PSP writes.
///
/// `pods_with` tells the pods that will be made with some settings, injected containers included.
pub(super) fn of(
    authored: &PodTemplateSpec,
    keep: &[Kept],
    pods_with: &dyn Fn(&Settings) -> Vec<Arc<PodTemplateSpec>>,
    version: Version,
) -> Vec<Raised> {
    let hardening = keep.iter().filter(|kept| !kept.loosens);
    let hardening = Settings::of(hardening.map(|kept| (&kept.path, &kept.value)));
    let template = hardening.applied_to(authored);
    let pods = pods_with(&hardening);
    let mut values = missing(&template, &pods, version);
    values.sort_by(|a, b| a.path.cmp(&b.path));
    values
}

/// What a template and its pods lack for restricted; nothing where the template is below baseline.
fn missing(
    template: &PodTemplateSpec,
    pods: &[Arc<PodTemplateSpec>],
    version: Version,
) -> Vec<Raised> {
    let is_restricted = |pod: &PodTemplateSpec| psa::allows(Level::Restricted, version, pod);
    if pods.iter().all(|pod| is_restricted(pod)) && is_restricted(template)
        || !psa::allows(Level::Baseline, version, template)
    {
        return Vec::new();
    }
    let mut raise = Raise { checks: BTreeMap::new(), values: Vec::new() };
    for pod in pods.iter().map(|pod| &**pod).chain([template]) {
        let violations = psa::evaluate(Level::Restricted, version, pod).violations;
        raise.checks.extend(violations.iter().map(|it| (it.check, it.reason)));
    }
    raise.non_root(template, pods);
    if is_windows(template) {
        raise.windows(template, pods, version);
    } else {
        raise.seccomp(template);
        raise.privilege_escalation(template);
        raise.capabilities(template);
    }
    raise.values
}

struct Raise {
    /// The checks that fail, with the API server's reason.
    checks: BTreeMap<&'static str, &'static str>,
    values: Vec<Raised>,
}

impl Raise {
    fn fails(&self, check: &str) -> bool {
        self.checks.contains_key(check)
    }

    fn add(
        &mut self,
        check: &'static str,
        path: FieldPath,
        value: Json,
        may_break: Option<String>,
    ) {
        let reason = self.checks.get(check).copied().unwrap_or_default().to_owned();
        self.values.push(Raised { path, value, check, reason, may_break });
    }

    /// For the pod, unless a container asks for root by number: the kubelet would not start it.
    fn non_root(&mut self, template: &PodTemplateSpec, pods: &[Arc<PodTemplateSpec>]) {
        const CHECK: &str = "runAsNonRoot";
        let pod = pod_context(template);
        if !self.fails(CHECK) || pod.run_as_non_root.is_some() {
            return;
        }
        let user = |container: &Container| context(container).run_as_user.or(pod.run_as_user);
        let is_silent_root = |container: &Container| {
            user(container) == Some(0) && context(container).run_as_non_root.is_none()
        };
        let may_break = |users: &[Option<i64>]| {
            users.iter().any(Option::is_none).then(|| {
                "the image may run as root: without a user other than root, in the image or as \
                 runAsUser, the container does not start"
                    .to_owned()
            })
        };
        let has_root = pods.iter().any(|pod| pod.spec.all_containers().any(is_silent_root))
            || template.spec.all_containers().any(is_silent_root);
        if !has_root {
            let silent = |it: &&Container| context(it).run_as_non_root.is_none();
            let of_template = template.spec.all_containers().filter(silent).map(user);
            let of_pods = pods.iter().flat_map(|pod| pod.spec.all_containers().filter(silent));
            let users: Vec<_> = of_template.chain(of_pods.map(user)).collect();
            let path = FieldPath::new("spec.securityContext.runAsNonRoot");
            self.add(CHECK, path, json!(true), may_break(&users));
            return;
        }
        for (path, container) in addressable_containers(template) {
            if context(container).run_as_non_root.is_none() && user(container) != Some(0) {
                let path = path.child("securityContext.runAsNonRoot");
                self.add(CHECK, path, json!(true), may_break(&[user(container)]));
            }
        }
    }

    /// The runtime's profile for the pod, or what annotations say, which must not differ.
    fn seccomp(&mut self, template: &PodTemplateSpec) {
        const CHECK: &str = "seccompProfile_restricted";
        if !self.fails(CHECK) {
            return;
        }
        let annotated = |key: &str| template.annotation(key).filter(|value| !value.is_empty());
        if pod_context(template).seccomp_profile.is_none() {
            let path = FieldPath::new("spec.securityContext.seccompProfile");
            match annotated(SECCOMP_POD_ANNOTATION) {
                None => {
                    let may_break =
                        "system calls that the container runtime's default profile forbids fail";
                    let value = json!({"type": "RuntimeDefault"});
                    self.add(CHECK, path, value, Some(may_break.to_owned()));
                }
                Some(value) => self.seccomp_as_annotated(path, value),
            }
        }
        for (path, container) in addressable_containers(template) {
            let key = format!("{SECCOMP_CONTAINER_ANNOTATION_PREFIX}{}", container.name);
            if let (None, Some(value)) = (&context(container).seccomp_profile, annotated(&key)) {
                self.seccomp_as_annotated(path.child("securityContext.seccompProfile"), value);
            }
        }
    }

    /// The field for an annotation, which servers ignore from v1.27 on.
    fn seccomp_as_annotated(&mut self, path: FieldPath, annotation: &str) {
        let profile = profiles::field_for_annotation(annotation);
        let is_allowed = |profile: &Profile| profile.type_ != "Unconfined";
        if let Some(profile) = profile.filter(is_allowed) {
            self.add("seccompProfile_restricted", path, json!(profile), None);
            if let Some(last) = self.values.last_mut() {
                "the annotation that sets the profile stops working in v1.27"
                    .clone_into(&mut last.reason);
            }
        }
    }

    /// For every container: those that the API server would refuse with it are below baseline.
    fn privilege_escalation(&mut self, template: &PodTemplateSpec) {
        const CHECK: &str = "allowPrivilegeEscalation";
        if !self.fails(CHECK) {
            return;
        }
        for (path, container) in addressable_containers(template) {
            // True is its author's, unless PSP wrote it, and then it is not in this template.
            if context(container).allow_privilege_escalation.is_none() {
                let path = path.child("securityContext.allowPrivilegeEscalation");
                let may_break = "setuid programs such as sudo gain no privileges".to_owned();
                self.add(CHECK, path, json!(false), Some(may_break));
            }
        }
    }

    fn capabilities(&mut self, template: &PodTemplateSpec) {
        const CHECK: &str = "capabilities_restricted";
        if !self.fails(CHECK) {
            return;
        }
        for (path, container) in addressable_containers(template) {
            let own = context(container);
            let Capabilities { add, mut drop } = own.capabilities.clone().unwrap_or_default();
            if drop.iter().any(|name| name == "ALL") {
                continue;
            }
            drop.push("ALL".to_owned());
            let mut may_break = "the container loses the runtime's default capabilities, such as \
                                 CHOWN, SETUID and NET_BIND_SERVICE"
                .to_owned();
            if !add.is_empty() {
                may_break.push_str("; of those it keeps what it adds: ");
                may_break.push_str(&add.join(", "));
            }
            let path = path.child("securityContext.capabilities.drop");
            self.add(CHECK, path, json!(drop), Some(may_break));
        }
    }

    /// That the pod is for Windows, where it has nothing that such pods may not have: the API server
    /// would refuse it.
    fn windows(
        &mut self,
        template: &PodTemplateSpec,
        pods: &[Arc<PodTemplateSpec>],
        version: Version,
    ) {
        let asks_for_linux = ["allowPrivilegeEscalation", "capabilities_restricted"]
            .into_iter()
            .find(|check| self.fails(check));
        let Some(check) = asks_for_linux.filter(|_| version >= WINDOWS_SINCE) else { return };
        let mut all = pods.iter().map(|pod| &**pod).chain([template]);
        if template.spec.os.is_none() && all.all(|pod| linux_field(pod).is_none()) {
            self.values.push(Raised {
                path: FieldPath::new("spec.os.name"),
                value: json!("windows"),
                check,
                reason: "restricted asks nothing of Linux of pods that say they are for Windows"
                    .to_owned(),
                may_break: None,
            });
        }
    }
}

fn pod_context(pod: &PodTemplateSpec) -> PodSecurityContext {
    pod.spec.security_context.as_deref().cloned().unwrap_or_default()
}

fn context(container: &Container) -> SecurityContext {
    container.security_context.as_deref().cloned().unwrap_or_default()
}
