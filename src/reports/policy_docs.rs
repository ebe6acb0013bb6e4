//! Where does docs/policy-fields.md tell of a field of a policy?

/// The place, as `docs/policy-fields.md#section`. Fields are given as paths (`spec.runAsUser.rule`) or as
/// the reasons of a policy's level name them (`seccomp`).
pub(super) fn section(field: &str) -> String {
    let name = field.strip_prefix("spec.").unwrap_or(field);
    let anchor = match name.split(['.', '[']).next().unwrap_or(name) {
        "metadata" => annotation(name),
        "seccomp" => annotation("seccomp.security.alpha.kubernetes.io/allowedProfileNames"),
        "appArmor" => annotation("apparmor.security.beta.kubernetes.io/allowedProfileNames"),
        "supplementalGroups" | "fsGroup" => "supplementalgroups-fsgroup".to_owned(),
        "hostNetwork" | "hostPID" | "hostIPC" => "hostnetwork-hostpid-hostipc".to_owned(),
        "allowedFlexVolumes" | "allowedCSIDrivers" => {
            "allowedflexvolumes-allowedcsidrivers".to_owned()
        }
        "forbiddenSysctls" | "allowedUnsafeSysctls" => {
            "forbiddensysctls-allowedunsafesysctls".to_owned()
        }
        "runtimeClass" if name.ends_with(".defaultRuntimeClassName") => {
            "runtimeclassdefaultruntimeclassname".to_owned()
        }
        "runtimeClass" => "runtimeclassallowedruntimeclassnames".to_owned(),
        name => name.to_lowercase(),
    };
    format!("docs/policy-fields.md#{anchor}")
}

/// The anchor of an annotation's section; of `metadata.annotations[KEY]`, or the key alone.
fn annotation(field: &str) -> String {
    let key = field.trim_start_matches("metadata.annotations[").trim_end_matches(']');
    let letters: String = key.chars().filter(|c| c.is_alphanumeric()).collect();
    format!("annotation-{}", letters.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What GitHub makes of a heading.
    fn anchor(heading: &str) -> String {
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || *c == ' ');
        kept.collect::<String>().to_lowercase().replace(' ', "-")
    }

    #[test]
    fn every_field_has_its_section() {
        let text = include_str!("../../docs/policy-fields.md");
        let anchors: Vec<String> =
            text.lines().filter_map(|line| line.strip_prefix("### ")).map(anchor).collect();
        for field in [
            "metadata.annotations[apparmor.security.beta.kubernetes.io/defaultProfileName]",
            "metadata.annotations[seccomp.security.alpha.kubernetes.io/defaultProfileName]",
            "allowedCapabilities",
            "allowedProcMountTypes",
            "allowedUnsafeSysctls",
            "appArmor",
            "hostIPC",
            "hostNetwork",
            "hostPID",
            "privileged",
            "seccomp",
            "volumes",
            "spec.allowPrivilegeEscalation",
            "spec.allowedCSIDrivers",
            "spec.allowedFlexVolumes",
            "spec.allowedHostPaths",
            "spec.defaultAddCapabilities",
            "spec.defaultAllowPrivilegeEscalation",
            "spec.forbiddenSysctls",
            "spec.fsGroup.rule",
            "spec.hostPorts",
            "spec.readOnlyRootFilesystem",
            "spec.requiredDropCapabilities",
            "spec.runAsGroup.rule",
            "spec.runAsUser.ranges",
            "spec.runAsUser.rule",
            "spec.runtimeClass",
            "spec.runtimeClass.defaultRuntimeClassName",
            "spec.seLinux.rule",
            "spec.supplementalGroups.rule",
        ] {
            let found = section(field);
            let (_, anchor) = found.split_once('#').unwrap();
            assert!(anchors.iter().any(|known| known == anchor), "{field}: {found}");
        }
    }
}
