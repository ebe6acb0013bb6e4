//! Restricted: pods mount only volumes that reach storage through the API.
//!
//! Restricted fields: `spec.volumes[*]`, only the sources configMap, csi, downwardAPI, emptyDir,
//! ephemeral, image, persistentVolumeClaim, projected and secret; a volume without a source is of
//! an unknown type.
//!
//! Upstream: `policy/check_restrictedVolumes.go` (v1.37).

use std::collections::BTreeSet;

use super::{Check, CheckResult, Revision};
use crate::level::Level;
use crate::objects::pod::PodTemplateSpec;
use crate::objects::volume::VolumeSource;
use crate::psa::wording::{plural, quoted_list};
use crate::version::Version;

pub(super) const CHECK: Check = Check {
    id: "restrictedVolumes",
    level: Level::Restricted,
    revisions: &[Revision { from: Version::v1(0), run: v1_0, overrides: &["hostPathVolumes"] }],
};

/// The same at every version: even `image`, a later invention, is allowed at all of them.
fn v1_0(pod: &PodTemplateSpec) -> CheckResult {
    let mut names = Vec::new();
    let mut types = BTreeSet::new();
    for volume in &pod.spec.volumes {
        // One allowed source excuses the others. Without one, the first in upstream's order, which
        // is that of the variants, names the type.
        if !volume.sources.iter().any(is_allowed) {
            names.push(&volume.name);
            types.insert(volume.sources.first().map_or("unknown", VolumeSource::field));
        }
    }
    if names.is_empty() {
        return CheckResult::Passed;
    }
    let noun = plural(names.len(), "volume", "volumes");
    let verb = plural(names.len(), "uses", "use");
    let object = plural(types.len(), "restricted volume type", "restricted volume types");
    let (names, types) = (quoted_list(names), quoted_list(types));
    CheckResult::Failed {
        reason: "restricted volume types",
        detail: format!("{noun} {names} {verb} {object} {types}"),
    }
}

fn is_allowed(source: &VolumeSource) -> bool {
    matches!(
        source,
        VolumeSource::ConfigMap
            | VolumeSource::Csi(_)
            | VolumeSource::DownwardApi
            | VolumeSource::EmptyDir
            | VolumeSource::Ephemeral
            | VolumeSource::Image
            | VolumeSource::PersistentVolumeClaim
            | VolumeSource::Projected(_)
            | VolumeSource::Secret(_)
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::psa::testing::assert_rows;

    #[test]
    fn answers() {
        let allowed = json!({ "volumes": [
            { "name": "a", "configMap": {} },
            { "name": "b", "csi": {} },
            { "name": "c", "downwardAPI": {} },
            { "name": "d", "emptyDir": {} },
            { "name": "e", "ephemeral": {} },
            { "name": "f", "image": {} },
            { "name": "g", "persistentVolumeClaim": {} },
            { "name": "h", "projected": {} },
            { "name": "i", "secret": {} },
            { "name": "j", "hostPath": {}, "emptyDir": {} },
        ] });
        let two_of_a_type = json!({ "volumes": [
            { "name": "v", "nfs": {} },
            { "name": "e", "emptyDir": {} },
            { "name": "a", "nfs": {} },
        ] });
        let two_types = json!({ "volumes": [
            { "name": "v", "nfs": {} },
            { "name": "w", "scaleIO": {}, "hostPath": {} },
        ] });
        assert_rows(
            &CHECK,
            [
                ("allowed", 0, allowed, None),
                (
                    "no source",
                    0,
                    json!({ "volumes": [{ "name": "v" }] }),
                    Some((
                        "restricted volume types",
                        r#"volume "v" uses restricted volume type "unknown""#,
                    )),
                ),
                (
                    "two of a type",
                    0,
                    two_of_a_type,
                    Some((
                        "restricted volume types",
                        r#"volumes "v", "a" use restricted volume type "nfs""#,
                    )),
                ),
                (
                    "two types",
                    37,
                    two_types,
                    Some((
                        "restricted volume types",
                        r#"volumes "v", "w" use restricted volume types "hostPath", "nfs""#,
                    )),
                ),
            ],
        );
    }
}
