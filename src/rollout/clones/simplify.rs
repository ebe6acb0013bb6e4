//! What is a policy without the fields that only write into pods, and those that no level knows?

use serde::Serialize;

use crate::objects::psp::{IdStrategy, PodSecurityPolicy};

/// A field that a clone leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Simplification {
    /// The step of the migration guide: `2a` for fields that only write, `2b` for those that no level
    /// knows.
    pub step: &'static str,
    /// The field.
    pub field: &'static str,
    /// What becomes of it.
    pub becomes: &'static str,
    /// What may go wrong without it; empty where nothing should.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub caution: &'static str,
}

/// The policy without them, under its own name and without the marks of whoever keeps it, and what was
/// left out.
pub(super) fn simplified(original: &PodSecurityPolicy) -> (PodSecurityPolicy, Vec<Simplification>) {
    let mut policy = PodSecurityPolicy {
        resource_version: Box::default(),
        created: None,
        managed_by: None,
        owner: None,
        ..original.clone()
    };
    let mut found = Vec::new();
    without_writing_fields(&mut policy, &mut found);
    without_unknown_fields(&mut policy, &mut found);
    (policy, found)
}

/// Whether one policy is the other but for names and marks.
pub(super) fn is_same(one: &PodSecurityPolicy, other: &PodSecurityPolicy) -> bool {
    let (spec, annotations) = (&one.spec, annotations(one));
    *spec == other.spec && annotations == self::annotations(other)
}

fn annotations(policy: &PodSecurityPolicy) -> [Option<&String>; 4] {
    [
        &policy.allowed_seccomp_profiles,
        &policy.default_seccomp_profile,
        &policy.allowed_app_armor_profiles,
        &policy.default_app_armor_profile,
    ]
    .map(Option::as_ref)
}

const REFUSES_UNSET: &str = "the clone still lists profiles to allow, so it refuses pods that set \
                             none, and the original goes on making them";

/// Step 2a.
fn without_writing_fields(policy: &mut PodSecurityPolicy, found: &mut Vec<Simplification>) {
    let mut note = |field, becomes, caution| {
        found.push(Simplification { step: "2a", field, becomes, caution });
    };
    let spec = &mut policy.spec;
    if spec.default_allow_privilege_escalation.take().is_some() {
        note("spec.defaultAllowPrivilegeEscalation", "removed", "");
    }
    if let Some(runtime_class) = &mut spec.runtime_class
        && runtime_class.default_runtime_class_name.take().is_some()
    {
        let caution = "pods that name no runtime class run by the node's default";
        note("spec.runtimeClass.defaultRuntimeClassName", "removed", caution);
    }
    // A list of profiles demands one of them, unless it says that none will do.
    let may_be_unset = |list: &Option<String>| {
        let mut profiles = list.iter().flat_map(|list| list.split(','));
        list.is_none() || profiles.any(|profile| matches!(profile, "" | "*"))
    };
    if policy.default_seccomp_profile.take().is_some() {
        let caution = if may_be_unset(&policy.allowed_seccomp_profiles) {
            "pods that set no profile run without one, unless the kubelet gives them its default"
        } else {
            REFUSES_UNSET
        };
        note(
            "metadata.annotations[seccomp.security.alpha.kubernetes.io/defaultProfileName]",
            "removed",
            caution,
        );
    }
    if policy.default_app_armor_profile.take().is_some() {
        // Of AppArmor, any list demands a profile.
        let caution = if policy.allowed_app_armor_profiles.is_none() {
            "pods that set no profile run by the container runtime's default"
        } else {
            REFUSES_UNSET
        };
        note(
            "metadata.annotations[apparmor.security.beta.kubernetes.io/defaultProfileName]",
            "removed",
            caution,
        );
    }
    if !spec.default_add_capabilities.is_empty() {
        for capability in std::mem::take(&mut spec.default_add_capabilities) {
            let is_allowed = |allowed: &String| *allowed == capability || allowed == "*";
            if !spec.allowed_capabilities.iter().any(is_allowed) {
                spec.allowed_capabilities.push(capability);
            }
        }
        note(
            "spec.defaultAddCapabilities",
            "moved to spec.allowedCapabilities",
            "pods that do not ask for these capabilities start without them",
        );
    }
}

/// Step 2b.
fn without_unknown_fields(policy: &mut PodSecurityPolicy, found: &mut Vec<Simplification>) {
    let spec = &mut policy.spec;
    let mut note = |field, becomes, caution| {
        found.push(Simplification { step: "2b", field, becomes, caution });
    };
    let removed = [
        (
            take(&mut spec.allowed_host_paths),
            "spec.allowedHostPaths",
            "where hostPath volumes are allowed, any path is",
        ),
        (
            take(&mut spec.allowed_flex_volumes),
            "spec.allowedFlexVolumes",
            "where FlexVolumes are allowed, any driver is",
        ),
        (
            take(&mut spec.allowed_csi_drivers),
            "spec.allowedCSIDrivers",
            "where inline CSI volumes are allowed, any driver is",
        ),
        (
            take(&mut spec.forbidden_sysctls),
            "spec.forbiddenSysctls",
            "every sysctl that counts as safe may be set",
        ),
        (
            spec.runtime_class.take().is_some(),
            "spec.runtimeClass",
            "any runtime class may be named",
        ),
    ];
    for (_, field, caution) in removed.into_iter().filter(|(was_set, ..)| *was_set) {
        note(field, "removed", caution);
    }
    let groups = [
        (spec.run_as_group.as_mut(), "spec.runAsGroup"),
        (Some(&mut spec.supplemental_groups), "spec.supplementalGroups"),
        (Some(&mut spec.fs_group), "spec.fsGroup"),
    ];
    for (strategy, field) in groups {
        let Some(strategy) = strategy.filter(|strategy| strategy.rule != "RunAsAny") else {
            continue;
        };
        let caution = if strategy.rule == "MustRunAs" {
            "pods that set no group get one from this rule today, and may need it to reach their \
             volumes: write it into their templates first"
        } else {
            "pods may name any group"
        };
        note(field, "RunAsAny", caution);
        *strategy = IdStrategy { rule: "RunAsAny".to_owned(), ranges: Vec::new() };
    }
}

/// Empties a list; whether there was anything in it.
fn take<T>(list: &mut Vec<T>) -> bool {
    !std::mem::take(list).is_empty()
}
