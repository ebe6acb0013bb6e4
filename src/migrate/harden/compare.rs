//! Do two pods mean the same to their containers, and where do they differ first?

use serde_json::{Map, Value as Json};

use crate::objects::pod::{
    ContainerKind, PodTemplateSpec, SECCOMP_CONTAINER_ANNOTATION_PREFIX, SECCOMP_POD_ANNOTATION,
};

/// What holds for the containers of a stored pod, wherever it is set: what they take from the pod
/// stands in each, lists are sorted, what only repeats a field is gone, and so are empty objects and
/// lists, which mean the same as none.
pub(super) fn comparable(pod: &PodTemplateSpec) -> PodTemplateSpec {
    let mut pod = pod.clone();
    if let Some(annotations) = &mut pod.annotations {
        annotations.retain(|key, _| {
            key != SECCOMP_POD_ANNOTATION && !key.starts_with(SECCOMP_CONTAINER_ANNOTATION_PREFIX)
        });
    }
    let mut of_pod = pod.spec.security_context.take().unwrap_or_default();
    without_empty(&mut of_pod.se_linux_options);
    without_empty(&mut of_pod.seccomp_profile);
    for kind in ContainerKind::ALL {
        for container in pod.spec.containers_of_mut(kind) {
            let mut own = container.security_context.take().unwrap_or_default();
            inherit(&mut own.run_as_group, of_pod.run_as_group.as_ref());
            inherit(&mut own.run_as_non_root, of_pod.run_as_non_root.as_ref());
            inherit(&mut own.run_as_user, of_pod.run_as_user.as_ref());
            inherit(&mut own.se_linux_options, of_pod.se_linux_options.as_ref());
            inherit(&mut own.seccomp_profile, of_pod.seccomp_profile.as_ref());
            for list in own.capabilities.iter_mut().flat_map(|it| [&mut it.add, &mut it.drop]) {
                list.sort();
                list.dedup();
            }
            without_empty(&mut own.capabilities);
            without_empty(&mut own.se_linux_options);
            without_empty(&mut own.seccomp_profile);
            container.security_context = Some(own);
            without_empty(&mut container.security_context);
        }
    }
    // SELinux options of the pod are those of its volumes too, so that they stay.
    of_pod.run_as_group = None;
    of_pod.run_as_non_root = None;
    of_pod.run_as_user = None;
    of_pod.seccomp_profile = None;
    without_empty(&mut of_pod.supplemental_groups);
    pod.spec.security_context = Some(of_pod);
    without_empty(&mut pod.spec.security_context);
    without_empty(&mut pod.annotations);
    pod
}

/// Takes the pod's value over where the container has none.
fn inherit<T: Clone>(own: &mut Option<T>, of_pod: Option<&T>) {
    if own.is_none() {
        *own = of_pod.cloned();
    }
}

fn without_empty<T: Default + PartialEq>(field: &mut Option<T>) {
    field.take_if(|value| *value == T::default());
}

/// The first difference, in words that follow "would leave".
pub(super) fn difference(path: &str, expected: &Json, found: &Json) -> Option<String> {
    let below = |key: &str| match path {
        "" => key.to_owned(),
        // Keys of annotations hold dots.
        path if key.contains('/') => format!("{path}[{key}]"),
        path => format!("{path}.{key}"),
    };
    let nothing = Json::Object(Map::new());
    match (expected, found) {
        _ if expected == found => None,
        (Json::Object(_), Json::Null) => difference(path, expected, &nothing),
        (Json::Null, Json::Object(_)) => difference(path, &nothing, found),
        (Json::Object(expected), Json::Object(found)) => {
            let new = found.keys().filter(|key| !expected.contains_key(*key));
            expected.keys().chain(new).find_map(|key| {
                let of =
                    |members: &Map<String, Json>| members.get(key).cloned().unwrap_or_default();
                difference(&below(key), &of(expected), &of(found))
            })
        }
        (Json::Array(expected), Json::Array(found))
            if expected.len() == found.len()
                && expected.iter().all(|item| item.get("name").is_some()) =>
        {
            expected.iter().zip(found).find_map(|(expected, found)| {
                let name = expected["name"].as_str().unwrap_or_default();
                difference(&format!("{path}[name={name}]"), expected, found)
            })
        }
        (expected, Json::Null) => Some(format!("{path} without {expected}")),
        (Json::Null, found) => Some(format!("{path} with {found}, not unset")),
        (expected, found) => Some(format!("{path} with {found}, not with {expected}")),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;
    use crate::migrate::tests::pod;

    #[test]
    fn what_means_the_same_is_equal() {
        let of_pod =
            |context: Json| json!({"securityContext": context, "containers": [{"name": "app"}]});
        let of_container =
            |context: Json| json!({"containers": [{"name": "app", "securityContext": context}]});
        let plain = json!({"containers": [{"name": "app"}]});
        for (one, other) in [
            (of_pod(json!({})), plain.clone()),
            (of_pod(json!({"supplementalGroups": []})), plain.clone()),
            (of_pod(json!({"seLinuxOptions": {}})), plain.clone()),
            (of_container(json!({})), plain.clone()),
            (of_container(json!({"capabilities": {"add": [], "drop": []}})), plain.clone()),
            (of_pod(json!({"runAsUser": 1})), of_container(json!({"runAsUser": 1}))),
            (of_pod(json!({"runAsGroup": 1})), of_container(json!({"runAsGroup": 1}))),
            (of_pod(json!({"runAsNonRoot": true})), of_container(json!({"runAsNonRoot": true}))),
            (
                of_pod(json!({"seccompProfile": {"type": "RuntimeDefault"}})),
                of_container(json!({"seccompProfile": {"type": "RuntimeDefault"}})),
            ),
            (
                of_container(json!({"capabilities": {"add": ["B", "A"], "drop": ["D", "C", "D"]}})),
                of_container(json!({"capabilities": {"add": ["A", "B"], "drop": ["C", "D"]}})),
            ),
        ] {
            assert_eq!(comparable(&pod(&one)), comparable(&pod(&other)), "{one} {other}");
        }
    }

    #[test]
    fn what_means_something_else_is_not() {
        const POD: &str = "/securityContext";
        const CONTAINER: &str = "/containers/0/securityContext";
        let with = |place: &str, context: &Json| {
            let app = json!({"name": "app", "securityContext": {}});
            let mut spec = json!({"securityContext": {}, "containers": [app]});
            *spec.pointer_mut(place).unwrap() = context.clone();
            comparable(&pod(&spec))
        };
        let plain = comparable(&pod(&json!({"containers": [{"name": "app"}]})));
        let options = json!({"seLinuxOptions": {"level": "s0"}});
        for (place, context) in [
            (POD, json!({"fsGroup": 1})),
            (POD, json!({"supplementalGroups": [1]})),
            (POD, json!({"runAsUser": 0})),
            (CONTAINER, json!({"runAsNonRoot": false})),
            (CONTAINER, options.clone()),
        ] {
            assert_ne!(with(place, &context), plain, "{place} {context}");
        }
        // A pod's are those of its volumes too.
        assert_ne!(with(POD, &options), with(CONTAINER, &options));
    }

    #[test]
    fn seccomp_annotations_repeat_fields() {
        let annotated = |key: &str| {
            let annotations = json!({key: "runtime/default"});
            PodTemplateSpec::deserialize(json!({"metadata": {"annotations": annotations}})).unwrap()
        };
        let without = PodTemplateSpec::default();
        for (key, repeats) in [
            ("seccomp.security.alpha.kubernetes.io/pod", true),
            ("container.seccomp.security.alpha.kubernetes.io/app", true),
            ("container.apparmor.security.beta.kubernetes.io/app", false),
        ] {
            assert_eq!(comparable(&annotated(key)) == without, repeats, "{key}");
        }
    }

    #[test]
    fn the_first_difference_is_told_in_words() {
        for (expected, found, words) in [
            (json!({"a": 1}), json!({"a": 1}), None),
            (json!({"a": 1}), json!({"a": 2}), Some("a with 2, not with 1")),
            (json!({"a": 1}), json!({}), Some("a without 1")),
            (json!({}), json!({"a": 1}), Some("a with 1, not unset")),
            (json!({"a": 1, "b": 1}), json!({"a": 1, "b": 2}), Some("b with 2, not with 1")),
            (json!({"a": {"b": 1}}), json!({}), Some("a.b without 1")),
            (json!({}), json!({"a": {"b": 1}}), Some("a.b with 1, not unset")),
            (
                json!({"annotations": {"example.com/a.b": "x"}}),
                json!({"annotations": {}}),
                Some(r#"annotations[example.com/a.b] without "x""#),
            ),
            (
                json!({"a": [{"name": "x"}, {"name": "y", "b": 1}]}),
                json!({"a": [{"name": "x"}, {"name": "y", "b": 2}]}),
                Some("a[name=y].b with 2, not with 1"),
            ),
            (
                json!({"a": [{"name": "x"}]}),
                json!({"a": [{"name": "x"}, {"name": "y"}]}),
                Some(r#"a with [{"name":"x"},{"name":"y"}], not with [{"name":"x"}]"#),
            ),
            (json!({"a": ["x"]}), json!({"a": ["y"]}), Some(r#"a with ["y"], not with ["x"]"#)),
        ] {
            assert_eq!(difference("", &expected, &found).as_deref(), words, "{expected} {found}");
        }
    }
}
