//! What of an object is not the user's to change, and what do controllers make of it?

use serde_json::{Map, Value, json};

/// Takes a field from the old object, as an update cannot change it.
pub(crate) fn restore(new: &mut Value, old: &Value, field: &str) {
    let Some(fields) = new.as_object_mut() else { return };
    match old.get(field) {
        Some(value) => fields.insert(field.to_owned(), value.clone()),
        None => fields.remove(field),
    };
}

/// Leaves out what an API server leaves out where it is empty.
pub(crate) fn tidy(metadata: &mut Value) {
    let fields = metadata.as_object_mut().unwrap();
    fields.retain(|name, value| {
        let is_empty = match value {
            Value::Null => true,
            Value::Object(fields) => fields.is_empty(),
            _ => false,
        };
        !(is_empty && (value.is_null() || ["labels", "annotations"].contains(&name.as_str())))
    });
    for field in ["labels", "annotations"] {
        if let Some(Value::Object(values)) = fields.get_mut(field) {
            values.retain(|_, value| !value.is_null());
        }
    }
}

/// Leaves out what an API server stores only with a feature gate on that is off by default; what is
/// stored already stays.
///
/// Upstream: pkg/api/podsecuritypolicy/util.go, DropDisabledFields (v1.24).
pub(crate) fn drop_disabled(kind: &str, old: Option<&Value>, new: &mut Value) {
    const FIELD: &str = "allowedProcMountTypes";
    let is_used = old.is_some_and(|old| !old["spec"][FIELD].is_null());
    if kind == "PodSecurityPolicy"
        && !is_used
        && let Some(spec) = new["spec"].as_object_mut()
    {
        spec.remove(FIELD);
    }
}

/// A field that was changed and cannot be.
pub(crate) fn immutable(kind: &str, old: &Value, new: &Value) -> Option<&'static str> {
    let differs = |pointer: &str| old.pointer(pointer) != new.pointer(pointer);
    match kind {
        "RoleBinding" | "ClusterRoleBinding" => differs("/roleRef").then_some("roleRef"),
        "Job" => differs("/spec/template").then_some("spec.template"),
        "Deployment" | "ReplicaSet" | "DaemonSet" | "StatefulSet" => {
            differs("/spec/selector").then_some("spec.selector")
        }
        "Pod" => {
            let bare = |pod: &Value| {
                let mut spec = pod["spec"].as_object().cloned().unwrap_or_else(Map::new);
                for field in ["tolerations", "activeDeadlineSeconds"] {
                    spec.remove(field);
                }
                for list in ["containers", "initContainers"] {
                    for container in
                        spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten()
                    {
                        container["image"] = Value::Null;
                    }
                }
                spec
            };
            (bare(old) != bare(new)).then_some("spec")
        }
        _ => None,
    }
}

/// Does at once what a controller does in the end.
pub(crate) fn stand_in(kind: &str, object: &mut Value) {
    if !["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "ReplicationController", "CronJob"]
        .contains(&kind)
    {
        return;
    }
    let generation = object["metadata"]["generation"].as_u64().unwrap_or(0) + 1;
    object["metadata"]["generation"] = generation.into();
    if kind == "CronJob" {
        return;
    }
    let n_replicas = object["spec"]["replicas"].as_u64().unwrap_or(1);
    let status = &mut object["status"];
    status["observedGeneration"] = generation.into();
    if kind == "DaemonSet" {
        let n_pods = status["desiredNumberScheduled"].as_u64().unwrap_or(1);
        let counts = ["currentNumberScheduled", "desiredNumberScheduled", "numberReady"];
        for field in counts.into_iter().chain(["updatedNumberScheduled", "numberAvailable"]) {
            status[field] = n_pods.into();
        }
        status["numberMisscheduled"] = 0.into();
        return;
    }
    for field in ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas"] {
        status[field] = n_replicas.into();
    }
    status.as_object_mut().unwrap().remove("unavailableReplicas");
    match kind {
        "StatefulSet" => {
            let revision = format!("revision-{generation}");
            status["currentReplicas"] = n_replicas.into();
            status["currentRevision"] = revision.as_str().into();
            status["updateRevision"] = revision.into();
        }
        "Deployment" => {
            status["conditions"] = json!([
                {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable"},
                {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"},
            ]);
        }
        _ => {}
    }
}
