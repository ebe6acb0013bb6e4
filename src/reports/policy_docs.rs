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
    use std::collections::BTreeSet;

    use super::*;

    /// What GitHub makes of a heading.
    fn anchor(heading: &str) -> String {
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || *c == ' ');
        kept.collect::<String>().to_lowercase().replace(' ', "-")
    }

    /// The fields of a policy as the reader declares them.
    fn fields() -> Vec<&'static str> {
        let text = include_str!("../objects/psp.rs");
        let (_, spec) = text.split_once("struct PodSecurityPolicySpec").unwrap();
        let (spec, _) = spec.split_once("\n    }\n").unwrap();
        let declared = spec.lines().filter_map(|line| line.trim().strip_prefix('"'));
        declared.map(|rest| rest.split_once('"').unwrap().0).collect()
    }

    #[test]
    fn every_field_has_its_section_and_every_section_its_field() {
        let text = include_str!("../../docs/policy-fields.md");
        let anchors: BTreeSet<String> =
            text.lines().filter_map(|line| line.strip_prefix("### ")).map(anchor).collect();
        let fields = fields();
        assert!(fields.contains(&"privileged") && fields.contains(&"runtimeClass"), "{fields:?}");
        let of_spec = fields.iter().flat_map(|it| [(*it).to_owned(), format!("spec.{it}.rule")]);
        let others = [
            "metadata.annotations[apparmor.security.beta.kubernetes.io/defaultProfileName]",
            "metadata.annotations[seccomp.security.alpha.kubernetes.io/defaultProfileName]",
            "appArmor",
            "seccomp",
            "spec.runtimeClass.defaultRuntimeClassName",
        ];
        let sections = of_spec.chain(others.map(str::to_owned)).map(|field| {
            let section = section(&field);
            section.split_once('#').unwrap().1.to_owned()
        });
        assert_eq!(sections.collect::<BTreeSet<_>>(), anchors);
    }
}
