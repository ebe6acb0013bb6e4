//! Merges, differences and removals.

use serde_json::{Value as Json, json};

use super::Slice;
use crate::objects::path::FieldPath;
use crate::objects::pod::{PodTemplateSpec, SecurityContext};

fn pod(spec: impl Into<Json>) -> PodTemplateSpec {
    serde_json::from_value(json!({"spec": spec.into()})).unwrap()
}

#[track_caller]
fn assert_transplanted(base: Json, changed: Json, target: Json, expected: Json) {
    let [base, changed, target] = [base, changed, target].map(pod);
    let merged = Slice::transplanted("", Some(&base), Some(&changed), Some(&target));
    assert_eq!(merged, Some(pod(expected)));
}

#[test]
fn an_injected_container_keeps_its_place_and_its_fields() {
    let user = |name: &str, id: i64| json!({"name": name, "securityContext": {"runAsUser": id}});
    assert_transplanted(
        json!({"containers": [user("app", 1)]}),
        json!({"containers": [user("mesh", 2), user("app", 1)]}),
        json!({"containers": [user("app", 3), {"name": "new"}]}),
        json!({"containers": [user("mesh", 2), user("app", 3), {"name": "new"}]}),
    );
}

#[test]
fn a_value_that_only_the_base_had_is_not_invented_in_the_target() {
    assert_transplanted(
        json!({"securityContext": {"runAsNonRoot": true, "fsGroup": 1}}),
        json!({"securityContext": {"runAsNonRoot": true, "fsGroup": 7}}),
        json!({"securityContext": {}}),
        json!({"securityContext": {"fsGroup": 7}}),
    );
}

#[test]
fn what_the_base_had_too_does_not_come_with_a_parent_that_the_target_lacks() {
    let drop = |names: Json| json!({"containers": [{"name": "a", "securityContext": {"capabilities": {"drop": names}}}]});
    assert_transplanted(
        drop(json!(["ALL"])),
        drop(json!(["ALL", "X"])),
        json!({"containers": [{"name": "a"}]}),
        drop(json!(["X"])),
    );
}

#[test]
fn only_what_the_base_had_goes_with_a_parent_that_was_removed() {
    let base = json!({"securityContext": {"fsGroup": 1, "seLinuxOptions": {"type": "t"}}});
    let target = json!({"securityContext": {"fsGroup": 1, "runAsUser": 5}});
    let expected = json!({"securityContext": {"runAsUser": 5}});
    assert_transplanted(base.clone(), json!({}), target, expected);
    assert_transplanted(base.clone(), json!({}), base, json!({}));
}

#[test]
fn a_value_that_both_added_is_the_targets() {
    let [changed, target] =
        [true, false].map(|value| json!({"securityContext": {"runAsNonRoot": value}}));
    assert_transplanted(json!({}), changed, target.clone(), target);
}

#[test]
fn capabilities_are_sets() {
    let add = |names: Json| json!({"containers": [{"name": "a", "securityContext": {"capabilities": {"add": names}}}]});
    assert_transplanted(
        add(json!(["A", "B"])),
        add(json!(["B", "C"])),
        add(json!(["A", "D"])),
        add(json!(["D", "C"])),
    );
}

#[test]
fn a_volume_has_another_source() {
    let volume = |source: &str| json!({"volumes": [{"name": "v", source: {}}]});
    assert_transplanted(volume("emptyDir"), volume("nfs"), volume("emptyDir"), volume("nfs"));
    assert_transplanted(volume("emptyDir"), json!({}), volume("emptyDir"), json!({}));
}

#[test]
fn annotations_are_merged_by_key() {
    let annotated = |annotations: Json| -> PodTemplateSpec {
        serde_json::from_value(json!({"metadata": {"annotations": annotations}})).unwrap()
    };
    let key = |name: &str| format!("container.apparmor.security.beta.kubernetes.io/{name}");
    let base = annotated(json!({key("a"): "x", key("b"): "y"}));
    let changed = annotated(json!({key("a"): "z"}));
    let target = annotated(json!({key("a"): "x", key("b"): "y", key("c"): "c"}));
    let expected = annotated(json!({key("a"): "z", key("c"): "c"}));
    let merged = Slice::transplanted("", Some(&base), Some(&changed), Some(&target));
    assert_eq!(merged, Some(expected));
    assert_eq!(PodTemplateSpec::n_differences("", Some(&base), Some(&target)), 1);
}

#[test]
fn differences_are_counted_by_value() {
    let a = pod(json!({"containers": [
        {"name": "a", "securityContext": {"runAsUser": 1}},
        {"name": "b", "securityContext": {"runAsUser": 1, "runAsGroup": 2}}]}));
    let b = pod(json!({"containers": [
        {"name": "c"},
        {"name": "a", "securityContext": {"runAsUser": 2, "capabilities": {"drop": ["A", "B"]}}}]}));
    // runAsUser and both drops of a; name, runAsUser and runAsGroup of b; name of c.
    let n = |a, b| PodTemplateSpec::n_differences("", Some(a), Some(b));
    assert_eq!((n(&a, &b), n(&b, &a), n(&a, &a)), (7, 7, 0));
}

#[test]
fn removing_prunes_what_nobody_wrote() {
    let path = FieldPath::new("spec.containers")
        .named_index(0, "app")
        .child("securityContext.runAsNonRoot");
    let whole = pod(json!({"containers": [
        {"name": "mesh"}, {"name": "app", "securityContext": {"runAsNonRoot": true}}]}));
    let mut pruned = whole.clone();
    pruned.remove(path.segments(), Some(&pod(json!({}))));
    assert_eq!(pruned, pod(json!({"containers": [{"name": "mesh"}, {"name": "app"}]})));
    let mut kept = whole.clone();
    let author = pod(json!({"containers": [{"name": "app", "securityContext": {}}]}));
    kept.remove(path.segments(), Some(&author));
    let context = &kept.spec.containers[1].security_context;
    assert_eq!(context.as_deref(), Some(&SecurityContext::default()));
    kept.set(path.segments(), &json!(true));
    assert_eq!(kept, whole);
}

#[test]
fn an_element_is_removed_by_name() {
    let mut volumes = pod(json!({"volumes": [{"name": "a"}, {"name": "b"}]}));
    volumes.remove(FieldPath::new("spec.volumes").named_index(0, "b").segments(), None);
    assert_eq!(volumes, pod(json!({"volumes": [{"name": "a"}]})));
}
