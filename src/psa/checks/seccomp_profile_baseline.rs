//! Baseline: no pod switches seccomp off.
//!
//! Restricted fields: from v1.19 on `spec.securityContext.seccompProfile.type` and the same of
//! every container, if set `RuntimeDefault` or `Localhost`. Before, the annotations
//! `seccomp.security.alpha.kubernetes.io/pod` and
//! `container.seccomp.security.alpha.kubernetes.io/<container>`, if set `runtime/default`,
//! `docker/default` or `localhost/…`.
//!
//! Upstream: `policy/check_seccompProfile_baseline.go` (v1.37).

use std::collections::BTreeSet;

use super::{Check, CheckResult, Revision};
use crate::level::Level;
use crate::objects::pod::{
    PodTemplateSpec, Profile, SECCOMP_CONTAINER_ANNOTATION_PREFIX, SECCOMP_POD_ANNOTATION,
};
use crate::psa::wording::{Offenders, plural, quoted_list};
use crate::quote::quoted;
use crate::version::Version;

pub(super) const CHECK: Check = Check {
    id: "seccompProfile_baseline",
    level: Level::Baseline,
    revisions: &[
        Revision { from: Version::v1(0), run: v1_0, overrides: &[] },
        Revision { from: Version::v1(19), run: v1_19, overrides: &[] },
    ],
};

pub(super) const REASON: &str = "seccompProfile";

/// Reads annotations alone, and a container's only where the container exists.
fn v1_0(pod: &PodTemplateSpec) -> CheckResult {
    if pod.security_annotations().next().is_none() {
        return CheckResult::Passed;
    }
    // A set: containers may share a name.
    let mut forbidden = BTreeSet::new();
    let mut judge = |key: &str| {
        if let Some(value) = pod.annotation(key)
            && !is_allowed_annotation(value)
        {
            forbidden.insert(format!("{key}={}", quoted(value)));
        }
    };
    judge(SECCOMP_POD_ANNOTATION);
    for container in pod.spec.all_containers() {
        judge(&format!("{SECCOMP_CONTAINER_ANNOTATION_PREFIX}{}", container.name));
    }
    if forbidden.is_empty() {
        return CheckResult::Passed;
    }
    let noun = plural(forbidden.len(), "annotation", "annotations");
    let forbidden = Vec::from_iter(forbidden).join(", ");
    CheckResult::Failed { reason: REASON, detail: format!("forbidden {noun} {forbidden}") }
}

/// Reads the fields, which came with v1.19, and no annotations any more.
pub(super) fn v1_19(pod: &PodTemplateSpec) -> CheckResult {
    let mut types = BTreeSet::new();
    let offenders = Offenders::setters(
        pod,
        |context| context.seccomp_profile.as_ref(),
        |context| context.seccomp_profile.as_ref(),
        |profile| {
            if !is_allowed(profile) {
                types.insert(profile.type_.as_str());
            }
            !is_allowed(profile)
        },
    );
    if offenders.is_empty() {
        return CheckResult::Passed;
    }
    let types = quoted_list(types);
    CheckResult::Failed {
        reason: REASON,
        detail: format!("{offenders} must not set securityContext.seccompProfile.type to {types}"),
    }
}

/// Whether a profile confines the container; an empty type does not.
pub(super) fn is_allowed(profile: &Profile) -> bool {
    matches!(profile.type_.as_str(), "RuntimeDefault" | "Localhost")
}

/// Unlike AppArmor's, an empty annotation is bad.
fn is_allowed_annotation(value: &str) -> bool {
    matches!(value, "runtime/default" | "docker/default") || value.starts_with("localhost/")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::psa::testing::{annotated_pod, assert_answer, assert_rows, with_context};

    #[test]
    fn annotations() {
        let key = |name: &str| format!("{SECCOMP_CONTAINER_ANNOTATION_PREFIX}{name}");
        let spec = json!({ "containers": [{ "name": "a" }, { "name": "b" }, { "name": "a" }] });
        let allowed = json!({
            SECCOMP_POD_ANNOTATION: "docker/default",
            key("a"): "runtime/default",
            key("b"): "localhost/x",
            key("missing"): "unconfined",
        });
        assert_answer(&CHECK, "allowed", 0, &annotated_pod(&allowed, &spec), None);

        let forbidden = json!({ SECCOMP_POD_ANNOTATION: "", key("a"): "unconfined" });
        let forbidden = annotated_pod(&forbidden, &spec);
        let detail = concat!(
            r#"forbidden annotations container.seccomp.security.alpha.kubernetes.io/a="unconfined", "#,
            r#"seccomp.security.alpha.kubernetes.io/pod="""#,
        );
        assert_answer(&CHECK, "forbidden", 18, &forbidden, Some((REASON, detail)));
        assert_answer(&CHECK, "not read any more", 19, &forbidden, None);
    }

    #[test]
    fn fields() {
        let unconfined = with_context(&json!({ "seccompProfile": { "type": "Unconfined" } }));
        let mut with_bad_pod = with_context(&json!({ "seccompProfile": { "type": "Localhost" } }));
        with_bad_pod["securityContext"] = json!({ "seccompProfile": { "type": "" } });
        let refused = |detail| Some((REASON, detail));
        assert_rows(
            &CHECK,
            [
                ("unset", 19, with_context(&json!({})), None),
                ("not read yet", 18, unconfined.clone(), None),
                (
                    "unconfined",
                    19,
                    unconfined,
                    refused(concat!(
                        r#"container "a" must not set securityContext.seccompProfile.type to "#,
                        r#""Unconfined""#,
                    )),
                ),
                (
                    "a good container does not make up for the pod",
                    37,
                    with_bad_pod,
                    refused(r#"pod must not set securityContext.seccompProfile.type to """#),
                ),
            ],
        );
    }
}
