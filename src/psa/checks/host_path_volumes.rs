//! Baseline: no pod mounts directories of its node.
//!
//! Restricted fields: `spec.volumes[*].hostPath`, unset.
//!
//! Upstream: `policy/check_hostPathVolumes.go` (v1.37).

use super::{Check, CheckResult, Revision};
use crate::level::Level;
use crate::objects::pod::PodTemplateSpec;
use crate::objects::volume::{Volume, VolumeSource};
use crate::psa::wording::{plural, quoted_list};
use crate::version::Version;

pub(super) const CHECK: Check = Check {
    id: "hostPathVolumes",
    level: Level::Baseline,
    revisions: &[Revision { from: Version::v1(0), run: v1_0, overrides: &[] }],
};

/// The same at every version; restricted has its own rule for volumes.
fn v1_0(pod: &PodTemplateSpec) -> CheckResult {
    let is_bad = |volume: &&Volume| {
        volume.sources.iter().any(|source| matches!(source, VolumeSource::HostPath(_)))
    };
    let names: Vec<_> = pod.spec.volumes.iter().filter(is_bad).map(|volume| &volume.name).collect();
    if names.is_empty() {
        return CheckResult::Passed;
    }
    let noun = plural(names.len(), "volume", "volumes");
    CheckResult::Failed {
        reason: "hostPath volumes",
        detail: format!("{noun} {}", quoted_list(names)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::psa::testing::assert_rows;

    #[test]
    fn answers() {
        let one = json!({ "volumes": [{ "name": "v", "hostPath": { "path": "/" } }] });
        let several = json!({ "volumes": [
            { "name": "w", "hostPath": {} },
            { "name": "e", "emptyDir": {} },
            { "name": "v", "hostPath": { "path": "/" }, "emptyDir": {} },
        ] });
        assert_rows(
            &CHECK,
            [
                ("no volumes", 0, json!({}), None),
                ("no source", 0, json!({ "volumes": [{ "name": "v" }] }), None),
                ("unset", 0, json!({ "volumes": [{ "name": "v", "hostPath": null }] }), None),
                ("another source", 0, json!({ "volumes": [{ "name": "v", "nfs": {} }] }), None),
                ("one", 0, one, Some(("hostPath volumes", r#"volume "v""#))),
                (
                    "several, beside other sources",
                    37,
                    several,
                    Some(("hostPath volumes", r#"volumes "w", "v""#)),
                ),
            ],
        );
    }
}
