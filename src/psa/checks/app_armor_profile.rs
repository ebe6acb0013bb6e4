//! Baseline: no pod switches AppArmor off or picks a profile that the node does not vouch for.
//!
//! Restricted fields: `spec.securityContext.appArmorProfile.type` and the same of every container,
//! if set `RuntimeDefault` or `Localhost`; annotations
//! `container.apparmor.security.beta.kubernetes.io/*`, if set `""`, `runtime/default` or
//! `localhost/…`, whether or not the container exists.
//!
//! Upstream: `policy/check_appArmorProfile.go` (v1.37).

use std::collections::BTreeSet;

use super::{Check, CheckResult, Revision};
use crate::level::Level;
use crate::objects::pod::{APPARMOR_CONTAINER_ANNOTATION_PREFIX, PodTemplateSpec, Profile};
use crate::psa::wording::{Offenders, plural, quoted_list};
use crate::quote::quoted;
use crate::version::Version;

pub(super) const CHECK: Check = Check {
    id: "appArmorProfile",
    level: Level::Baseline,
    revisions: &[Revision { from: Version::v1(0), run: v1_0, overrides: &[] }],
};

/// Reads fields and annotations, at every version.
fn v1_0(pod: &PodTemplateSpec) -> CheckResult {
    let mut types = BTreeSet::new();
    let offenders = Offenders::setters(
        pod,
        |context| context.app_armor_profile.as_deref(),
        |context| context.app_armor_profile.as_deref(),
        |profile: &Profile| {
            let is_bad = !matches!(profile.type_.as_str(), "RuntimeDefault" | "Localhost");
            if is_bad {
                types.insert(profile.type_.as_str());
            }
            is_bad
        },
    );
    let mut annotations: Vec<_> = pod
        .security_annotations()
        .filter(|(key, value)| {
            key.starts_with(APPARMOR_CONTAINER_ANNOTATION_PREFIX) && !is_allowed_annotation(value)
        })
        .map(|(key, value)| format!("{key}={}", quoted(value)))
        .collect();
    // Upstream sorts the whole strings: `app-2=` stands before `app1=` and `app=`.
    annotations.sort();

    let mut setters = Vec::new();
    if !offenders.is_empty() {
        setters.push(offenders.to_string());
    }
    if !annotations.is_empty() {
        setters.push(plural(annotations.len(), "annotation", "annotations").to_owned());
    }
    if setters.is_empty() {
        return CheckResult::Passed;
    }
    let values: Vec<_> = types.into_iter().chain(annotations.iter().map(String::as_str)).collect();
    CheckResult::Failed {
        reason: plural(values.len(), "forbidden AppArmor profile", "forbidden AppArmor profiles"),
        detail: format!(
            "{} must not set AppArmor profile type to {}",
            setters.join(" and "),
            quoted_list(values),
        ),
    }
}

fn is_allowed_annotation(value: &str) -> bool {
    matches!(value, "" | "runtime/default") || value.starts_with("localhost/")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::psa::testing::{annotated_pod, assert_answer, assert_rows, with_context};

    #[test]
    fn fields() {
        assert_rows(
            &CHECK,
            [
                ("unset", 0, json!({ "containers": [{ "name": "a" }] }), None),
                (
                    "default",
                    0,
                    with_context(&json!({ "appArmorProfile": { "type": "RuntimeDefault" } })),
                    None,
                ),
                (
                    "localhost",
                    0,
                    with_context(&json!({ "appArmorProfile": { "type": "Localhost" } })),
                    None,
                ),
                (
                    "an empty type is bad",
                    0,
                    with_context(&json!({ "appArmorProfile": { "type": "" } })),
                    Some((
                        "forbidden AppArmor profile",
                        r#"container "a" must not set AppArmor profile type to """#,
                    )),
                ),
                (
                    "pod and container",
                    0,
                    json!({
                        "securityContext": { "appArmorProfile": { "type": "Unconfined" } },
                        "containers": [
                            { "name": "a", "securityContext": { "appArmorProfile": { "type": "Odd" } } },
                        ],
                    }),
                    Some((
                        "forbidden AppArmor profiles",
                        r#"pod and container "a" must not set AppArmor profile type to "Odd", "Unconfined""#,
                    )),
                ),
            ],
        );
    }

    #[test]
    fn annotations() {
        let key = |name: &str| format!("{APPARMOR_CONTAINER_ANNOTATION_PREFIX}{name}");
        let bare = json!({ "containers": [{ "name": "app" }] });
        let allowed = json!({
            key("a"): "", key("b"): "runtime/default", key("c"): "localhost/", "other": "unconfined",
        });
        assert_answer(&CHECK, "allowed", 0, &annotated_pod(&allowed, &bare), None);

        let sorted = json!({ key("app"): "unconfined", key("app1"): "x\t", key("app-2"): "x" });
        assert_answer(
            &CHECK,
            "sorted as whole strings",
            0,
            &annotated_pod(&sorted, &bare),
            Some((
                "forbidden AppArmor profiles",
                concat!(
                    r"annotations must not set AppArmor profile type to ",
                    r#""container.apparmor.security.beta.kubernetes.io/app-2="x"", "#,
                    r#""container.apparmor.security.beta.kubernetes.io/app1="x\t"", "#,
                    r#""container.apparmor.security.beta.kubernetes.io/app="unconfined"""#,
                ),
            )),
        );

        let both = with_context(&json!({ "appArmorProfile": { "type": "Unconfined" } }));
        assert_answer(
            &CHECK,
            "field and annotation",
            0,
            &annotated_pod(&json!({ key("a"): "unconfined" }), &both),
            Some((
                "forbidden AppArmor profiles",
                concat!(
                    r#"container "a" and annotation must not set AppArmor profile type to "#,
                    r#""Unconfined", "container.apparmor.security.beta.kubernetes.io/a="unconfined"""#,
                ),
            )),
        );
    }
}
