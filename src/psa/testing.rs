//! Tables of pods for the tests of the checks.

use serde_json::{Value, json};

use super::checks::{Check, CheckResult};
use crate::objects::pod::PodTemplateSpec;
use crate::version::Version;

/// A row: what the pod shows, the minor version, the pod's `spec`, and the expected reason and
/// detail; `None` where the check passes.
pub(super) type Row = (&'static str, u32, Value, Option<(&'static str, &'static str)>);

/// A pod with this `spec`.
pub(super) fn pod(spec: &Value) -> PodTemplateSpec {
    annotated_pod(&json!({}), spec)
}

/// A pod with these annotations and this `spec`.
pub(super) fn annotated_pod(annotations: &Value, spec: &Value) -> PodTemplateSpec {
    let pod = json!({ "metadata": { "annotations": annotations }, "spec": spec });
    serde_json::from_value(pod).unwrap()
}

/// The `spec` of a pod with one container, `a`, with this security context.
pub(super) fn with_context(security_context: &Value) -> Value {
    json!({ "containers": [{ "name": "a", "securityContext": security_context }] })
}

/// Asks the check about every row.
pub(super) fn assert_rows(check: &Check, rows: impl IntoIterator<Item = Row>) {
    for (name, minor, spec, expected) in rows {
        assert_answer(check, name, minor, &pod(&spec), expected);
    }
}

/// Asks the check about one pod.
pub(super) fn assert_answer(
    check: &Check,
    name: &str,
    minor: u32,
    pod: &PodTemplateSpec,
    expected: Option<(&'static str, &'static str)>,
) {
    let revision = check.revision_at(Version::v1(minor)).expect(name);
    let expected = match expected {
        None => CheckResult::Passed,
        Some((reason, detail)) => CheckResult::Failed { reason, detail: detail.to_owned() },
    };
    assert_eq!((revision.run)(pod), expected, "{}: {name}", check.id);
}
