//! What does a PodSecurityPolicy become in terms of the Pod Security Standards?
//!
//! A policy maps to a level if every pod that it admits satisfies the level. This is decided field
//! by field, by what PSP's code does; docs/policy-fields.md explains each field. Pods that need more
//! than the policies' fields can say (Windows `hostProcess`, probe hosts) are left out of account:
//! PSP does not look at them at all.
//!
//! Differs: `MustRunAsNonRoot` counts as restricted, as in Kubernetes' own mapping, although it admits
//! pods that set a user and leave `runAsNonRoot` unset; no policy can ask for more.

use serde::Serialize;

use super::recommend::Passes;
use crate::level::Level;
use crate::objects::pod::{
    APPARMOR_CONTAINER_ANNOTATION_PREFIX, Capabilities, Container, ContainerPort, PodTemplateSpec,
    SECCOMP_POD_ANNOTATION, SecurityContext, Sysctl,
};
use crate::objects::psp::{PodSecurityPolicy, PodSecurityPolicySpec};
use crate::objects::volume::Volume;
use crate::prepare::profiles;
use crate::version::Version;

/// The level that a field of a policy allows, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FieldLevel {
    /// The field of the policy.
    pub field: &'static str,
    /// The strictest level that every pod this field admits satisfies, as far as this field goes.
    pub level: Level,
    /// Why it is no stricter; empty at `restricted`.
    pub reason: String,
}

/// What a policy becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Translation {
    /// The level of each field that holds the policy below `restricted`.
    pub fields: Vec<FieldLevel>,
    /// The fields that write into pods.
    pub mutates: Vec<&'static str>,
    /// The fields that demand what no level of the standards can.
    pub not_expressible: Vec<&'static str>,
}

/// The fields that [`Translation::level_ignoring`] leaves out by default: nearly every real policy
/// leaves SELinux and AppArmor open, which by the letter makes it privileged.
pub const USUALLY_OPEN_FIELDS: &[&str] = &["seLinux", "appArmor"];

impl Translation {
    /// The strictest level that every pod which the policy admits satisfies.
    #[must_use]
    pub fn level(&self) -> Level {
        self.level_ignoring(&[])
    }

    /// As [`Translation::level`], leaving some fields out of account.
    #[must_use]
    pub fn level_ignoring(&self, ignored: &[&str]) -> Level {
        let counted = self.fields.iter().filter(|field| !ignored.contains(&field.field));
        counted.map(|field| field.level).min().unwrap_or(Level::Restricted)
    }
}

/// Translates a policy into the terms of the standards of one version.
#[must_use]
pub fn translate(policy: &PodSecurityPolicy, version: Version) -> Translation {
    Translation {
        fields: field_levels(policy, version),
        mutates: mutating_fields(policy),
        not_expressible: not_expressible_fields(&policy.spec),
    }
}

/// Judges, for each field, a pod that satisfies `restricted` but for what the field lets through, so
/// that the checks themselves decide.
fn field_levels(policy: &PodSecurityPolicy, version: Version) -> Vec<FieldLevel> {
    let mut fields = Fields { version, levels: Vec::new() };
    judge_host_access(&policy.spec, &mut fields);
    judge_containers(&policy.spec, &mut fields);
    judge_seccomp(policy, &mut fields);
    judge_app_armor(policy, &mut fields);
    fields.levels
}

fn judge_host_access(spec: &PodSecurityPolicySpec, fields: &mut Fields) {
    for (field, is_set, set) in [
        ("privileged", spec.privileged, (|pod| context(pod).privileged = Some(true)) as fn(&mut _)),
        ("hostNetwork", spec.host_network, |pod| pod.spec.host_network = true),
        ("hostPID", spec.host_pid, |pod| pod.spec.host_pid = true),
        ("hostIPC", spec.host_ipc, |pod| pod.spec.host_ipc = true),
    ] {
        if is_set {
            fields.judge(field, || "is true".to_owned(), set);
        }
    }
    for range in &spec.host_ports {
        let port = ContainerPort { host_port: range.max, ..Default::default() };
        fields.judge(
            "hostPorts",
            || "allows host ports".to_owned(),
            |pod| {
                pod.spec.containers[0].ports.push(port);
            },
        );
    }
}

fn judge_containers(spec: &PodSecurityPolicySpec, fields: &mut Fields) {
    for (field, capabilities) in [
        ("allowedCapabilities", &spec.allowed_capabilities),
        ("defaultAddCapabilities", &spec.default_add_capabilities),
    ] {
        for name in capabilities {
            fields.judge(
                field,
                || format!("allows {}", shown(name)),
                |pod| {
                    context(pod).capabilities.get_or_insert_default().add.push(name.clone());
                },
            );
        }
    }
    fields.judge(
        "requiredDropCapabilities",
        || "does not hold ALL".to_owned(),
        |pod| {
            let capabilities = context(pod).capabilities.get_or_insert_default();
            capabilities.drop.clone_from(&spec.required_drop_capabilities);
        },
    );
    // `none` is a type that no volume has.
    for name in spec.volumes.iter().filter(|name| *name != "none") {
        let source = if name == "*" { "hostPath" } else { name };
        fields.judge(
            "volumes",
            || format!("allows {}", shown(name)),
            |pod| {
                pod.spec.volumes.to_mut().push(Volume::with_source(source));
            },
        );
    }
    match (spec.se_linux.rule.as_str(), &spec.se_linux.se_linux_options) {
        ("MustRunAs", options) => {
            fields.judge(
                "seLinux",
                || "sets options that are not allowed".to_owned(),
                |pod| {
                    context(pod).se_linux_options.clone_from(options);
                },
            );
        }
        (rule, _) => fields.judge(
            "seLinux",
            || format!("rule is {}, not MustRunAs", shown(rule)),
            |pod| {
                "spc_t"
                    .clone_into(&mut context(pod).se_linux_options.get_or_insert_default().type_);
            },
        ),
    }
    let rule = &spec.run_as_user.rule;
    if rule != "MustRunAsNonRoot" {
        fields.judge(
            "runAsUser",
            || format!("rule is {}, not MustRunAsNonRoot", shown(rule)),
            |pod| {
                context(pod).run_as_non_root = None;
            },
        );
    }
    if spec.allow_privilege_escalation != Some(false) {
        fields.judge(
            "allowPrivilegeEscalation",
            || "is not false".to_owned(),
            |pod| {
                context(pod).allow_privilege_escalation = Some(true);
            },
        );
    }
    for name in &spec.allowed_proc_mount_types {
        fields.judge(
            "allowedProcMountTypes",
            || format!("allows {}", shown(name)),
            |pod| {
                context(pod).proc_mount = Some(name.clone());
            },
        );
    }
    for name in &spec.allowed_unsafe_sysctls {
        fields.judge(
            "allowedUnsafeSysctls",
            || format!("allows {}", shown(name)),
            |pod| {
                let sysctl = Sysctl { name: name.clone(), value: String::new() };
                pod.spec.security_context.get_or_insert_default().sysctls.push(sysctl);
            },
        );
    }
}

fn judge_seccomp(policy: &PodSecurityPolicy, fields: &mut Fields) {
    let mut judge = |reason: String, profile: Option<&str>| {
        fields.judge(
            "seccomp",
            || reason.clone(),
            |pod| {
                context(pod).seccomp_profile = profile.and_then(profiles::field_for_annotation);
                let annotation =
                    profile.map(|profile| (SECCOMP_POD_ANNOTATION.to_owned(), profile.to_owned()));
                pod.annotations_mut().extend(annotation);
            },
        );
    };
    let Some(allowed) = &policy.allowed_seccomp_profiles else {
        return judge("forbids to set a profile".to_owned(), None);
    };
    for name in allowed.split(',') {
        match name {
            "*" => judge("allows every profile".to_owned(), Some("unconfined")),
            "" if policy.default_seccomp_profile.is_some() => {}
            "" => judge("admits pods without a profile".to_owned(), None),
            name => judge(format!("allows {name}"), Some(name)),
        }
    }
}

fn judge_app_armor(policy: &PodSecurityPolicy, fields: &mut Fields) {
    let mut judge = |reason: String, profile: &str| {
        fields.judge(
            "appArmor",
            || reason.clone(),
            |pod| {
                let key = format!(
                    "{APPARMOR_CONTAINER_ANNOTATION_PREFIX}{}",
                    pod.spec.containers[0].name
                );
                pod.annotations_mut().insert(key, profile.to_owned());
            },
        );
    };
    let Some(allowed) = &policy.allowed_app_armor_profiles else {
        return judge("allows every profile".to_owned(), "unconfined");
    };
    for name in allowed.split(',').filter(|name| !name.is_empty()) {
        judge(format!("allows {name}"), name);
    }
}

/// A value of a policy for a sentence: an empty one in quotes.
fn shown(value: &str) -> &str {
    if value.is_empty() { "\"\"" } else { value }
}

/// The levels found so far.
struct Fields {
    version: Version,
    levels: Vec<FieldLevel>,
}

impl Fields {
    /// Notes the level that a field lets through, unless that is `restricted` or the field has let
    /// through as much already.
    fn judge(
        &mut self,
        field: &'static str,
        reason: impl Fn() -> String,
        change: impl FnOnce(&mut PodTemplateSpec),
    ) {
        let mut pod = hardened_pod();
        change(&mut pod);
        let level = Passes::of(&pod, self.version).strictest();
        if level == Level::Restricted {
            return;
        }
        match self.levels.iter_mut().find(|known| known.field == field) {
            Some(known) if known.level <= level => {}
            Some(known) => *known = FieldLevel { field, level, reason: reason() },
            None => self.levels.push(FieldLevel { field, level, reason: reason() }),
        }
    }
}

/// A pod with one container that satisfies every level at every version.
pub(super) fn hardened_pod() -> PodTemplateSpec {
    let mut pod = PodTemplateSpec::default();
    let app = Container { name: "app".to_owned(), ..Default::default() };
    pod.spec.containers.push(app.into());
    *context(&mut pod) = SecurityContext {
        allow_privilege_escalation: Some(false),
        run_as_non_root: Some(true),
        capabilities: Some(Capabilities { add: Vec::new(), drop: vec!["ALL".to_owned()] }),
        seccomp_profile: profiles::field_for_annotation("runtime/default"),
        ..Default::default()
    };
    pod
}

/// The security context of the only container of a [`hardened_pod`].
fn context(pod: &mut PodTemplateSpec) -> &mut SecurityContext {
    pod.spec.containers[0].security_context.get_or_insert_default()
}

/// The fields of a policy that write into pods, as paths of the policy.
fn mutating_fields(policy: &PodSecurityPolicy) -> Vec<&'static str> {
    let spec = &policy.spec;
    let must_run_as = |rule: &str| rule == "MustRunAs";
    let candidates = [
        (
            policy.default_app_armor_profile.is_some(),
            "metadata.annotations[apparmor.security.beta.kubernetes.io/defaultProfileName]",
        ),
        (
            policy.default_seccomp_profile.is_some(),
            "metadata.annotations[seccomp.security.alpha.kubernetes.io/defaultProfileName]",
        ),
        (spec.allow_privilege_escalation == Some(false), "spec.allowPrivilegeEscalation"),
        (
            spec.default_add_capabilities.iter().any(|name| !name.is_empty()),
            "spec.defaultAddCapabilities",
        ),
        (spec.default_allow_privilege_escalation.is_some(), "spec.defaultAllowPrivilegeEscalation"),
        (must_run_as(&spec.fs_group.rule), "spec.fsGroup.rule"),
        (spec.read_only_root_filesystem, "spec.readOnlyRootFilesystem"),
        (!spec.required_drop_capabilities.is_empty(), "spec.requiredDropCapabilities"),
        (
            spec.run_as_group.as_ref().is_some_and(|group| must_run_as(&group.rule)),
            "spec.runAsGroup.rule",
        ),
        (
            matches!(spec.run_as_user.rule.as_str(), "MustRunAs" | "MustRunAsNonRoot"),
            "spec.runAsUser.rule",
        ),
        (
            spec.runtime_class
                .as_ref()
                .is_some_and(|class| class.default_runtime_class_name.is_some()),
            "spec.runtimeClass.defaultRuntimeClassName",
        ),
        (must_run_as(&spec.se_linux.rule), "spec.seLinux.rule"),
        (must_run_as(&spec.supplemental_groups.rule), "spec.supplementalGroups.rule"),
    ];
    candidates.into_iter().filter(|(is_set, _)| *is_set).map(|(_, field)| field).collect()
}

/// The fields of a policy that demand what no level can.
fn not_expressible_fields(spec: &PodSecurityPolicySpec) -> Vec<&'static str> {
    let is_ruled = |rule: &str| rule != "RunAsAny";
    let candidates = [
        (!spec.allowed_csi_drivers.is_empty(), "spec.allowedCSIDrivers"),
        (!spec.allowed_flex_volumes.is_empty(), "spec.allowedFlexVolumes"),
        (!spec.allowed_host_paths.is_empty(), "spec.allowedHostPaths"),
        (!spec.forbidden_sysctls.is_empty(), "spec.forbiddenSysctls"),
        (is_ruled(&spec.fs_group.rule), "spec.fsGroup"),
        (spec.host_ports.iter().any(|range| range.max > 0), "spec.hostPorts"),
        (spec.read_only_root_filesystem, "spec.readOnlyRootFilesystem"),
        (spec.run_as_group.as_ref().is_some_and(|group| is_ruled(&group.rule)), "spec.runAsGroup"),
        (spec.run_as_user.rule == "MustRunAs", "spec.runAsUser.ranges"),
        (spec.runtime_class.is_some(), "spec.runtimeClass"),
        (is_ruled(&spec.supplemental_groups.rule), "spec.supplementalGroups"),
    ];
    candidates.into_iter().filter(|(is_set, _)| *is_set).map(|(_, field)| field).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::psp::{IdStrategy, Range, SeLinuxStrategy};

    fn restricted() -> PodSecurityPolicy {
        PodSecurityPolicy {
            spec: PodSecurityPolicySpec {
                allow_privilege_escalation: Some(false),
                required_drop_capabilities: vec!["ALL".to_owned()],
                volumes: vec!["configMap".to_owned(), "projected".to_owned()],
                run_as_user: IdStrategy { rule: "MustRunAsNonRoot".to_owned(), ranges: vec![] },
                se_linux: SeLinuxStrategy {
                    rule: "MustRunAs".to_owned(),
                    se_linux_options: Some(crate::objects::pod::SeLinuxOptions::default().into()),
                },
                ..Default::default()
            },
            allowed_seccomp_profiles: Some("runtime/default".to_owned()),
            allowed_app_armor_profiles: Some("runtime/default".to_owned()),
            ..Default::default()
        }
    }

    #[test]
    fn the_hardened_pod_satisfies_every_version() {
        for minor in 0..=Version::LATEST.minor() {
            assert_eq!(Passes::of(&hardened_pod(), Version::v1(minor)), Passes::EVERYTHING);
        }
    }

    #[test]
    fn each_field_is_judged_by_what_it_lets_through() {
        type Case = (&'static str, fn(&mut PodSecurityPolicy), Level);
        let cases: &[Case] = &[
            ("privileged", |policy| policy.spec.privileged = true, Level::Privileged),
            ("hostPID", |policy| policy.spec.host_pid = true, Level::Privileged),
            (
                "allowedCapabilities",
                |policy| policy.spec.allowed_capabilities = vec!["CHOWN".to_owned()],
                Level::Baseline,
            ),
            (
                "allowedCapabilities",
                |policy| {
                    policy.spec.allowed_capabilities = vec!["CHOWN".to_owned(), "*".to_owned()];
                },
                Level::Privileged,
            ),
            ("volumes", |policy| policy.spec.volumes.push("*".to_owned()), Level::Privileged),
            ("volumes", |policy| policy.spec.volumes.push("nfs".to_owned()), Level::Baseline),
            (
                "seLinux",
                |policy| policy.spec.se_linux.rule = "RunAsAny".to_owned(),
                Level::Privileged,
            ),
            (
                "runAsUser",
                |policy| policy.spec.run_as_user.rule = "MustRunAs".to_owned(),
                Level::Baseline,
            ),
            ("seccomp", |policy| policy.allowed_seccomp_profiles = None, Level::Baseline),
            (
                "seccomp",
                |policy| policy.allowed_seccomp_profiles = Some("runtime/default,*".to_owned()),
                Level::Privileged,
            ),
            (
                "seccomp",
                |policy| policy.allowed_seccomp_profiles = Some(",runtime/default".to_owned()),
                Level::Baseline,
            ),
            ("appArmor", |policy| policy.allowed_app_armor_profiles = None, Level::Privileged),
            (
                "appArmor",
                |policy| {
                    let profiles = "runtime/default,unconfined".to_owned();
                    policy.allowed_app_armor_profiles = Some(profiles);
                },
                Level::Privileged,
            ),
        ];
        for (field, change, level) in cases {
            let mut policy = restricted();
            change(&mut policy);
            let translation = translate(&policy, Version::v1(25));
            let found: Vec<_> =
                translation.fields.iter().map(|found| (found.field, found.level)).collect();
            assert_eq!(found, [(*field, *level)], "{policy:?}");
        }
    }

    #[test]
    fn what_lets_nothing_through_is_left_out() {
        let unchanged: &[fn(&mut PodSecurityPolicy)] = &[
            |_| {},
            |policy| policy.spec.volumes = vec!["none".to_owned()],
            |policy| policy.allowed_app_armor_profiles = Some(",runtime/default".to_owned()),
            // Nothing is left without a profile that may be so.
            |policy| {
                policy.allowed_seccomp_profiles = Some(",runtime/default".to_owned());
                policy.default_seccomp_profile = Some("runtime/default".to_owned());
            },
        ];
        for change in unchanged {
            let mut policy = restricted();
            change(&mut policy);
            assert_eq!(translate(&policy, Version::v1(25)).fields, [], "{policy:?}");
        }
    }

    #[test]
    fn host_ports_are_a_demand_where_one_is_allowed() {
        for (max, is_demand) in [(0, false), (1, true)] {
            let mut policy = restricted();
            policy.spec.host_ports = vec![Range { min: 0, max }];
            let fields = translate(&policy, Version::v1(25)).not_expressible;
            assert_eq!(fields.contains(&"spec.hostPorts"), is_demand, "{max}");
        }
    }

    #[test]
    fn a_seccomp_list_does_not_matter_before_the_standards_ask_for_a_profile() {
        let mut policy = restricted();
        policy.allowed_seccomp_profiles = None;
        assert_eq!(translate(&policy, Version::v1(18)).level(), Level::Restricted);
        assert_eq!(translate(&policy, Version::v1(19)).level(), Level::Baseline);
    }
}
