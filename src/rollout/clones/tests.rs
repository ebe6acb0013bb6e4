use super::*;
use crate::migrate::assemble;
use crate::migrate::tests::{options, snapshot};
use serde_json::{Value, json};

fn policy(name: &str, annotations: &Value, spec: &Value) -> Value {
    let mut whole = json!({
        "volumes": ["*"], "runAsUser": {"rule": "RunAsAny"}, "seLinux": {"rule": "RunAsAny"},
        "fsGroup": {"rule": "RunAsAny"}, "supplementalGroups": {"rule": "RunAsAny"},
    });
    for (key, value) in spec.as_object().unwrap() {
        whole[key] = value.clone();
    }
    json!({
        "apiVersion": "policy/v1beta1", "kind": "PodSecurityPolicy",
        "metadata": {"name": name, "annotations": annotations}, "spec": whole,
    })
}

fn role(name: &str, names: &Value) -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": {"name": name}, "rules": [{"apiGroups": ["policy"], "verbs": ["use"],
            "resources": ["podsecuritypolicies"], "resourceNames": names}],
    })
}

/// Binds a role to the controllers of every namespace.
fn bound(role: &str) -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": {"name": format!("{role}-bound")},
        "roleRef": {"kind": "ClusterRole", "name": role},
        "subjects": [{"kind": "Group", "name": "system:serviceaccounts"}],
    })
}

fn deployment(name: &str, pod_spec: &Value) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"namespace": "shop", "name": name},
        "spec": {"template": {"spec": pod_spec}},
    })
}

fn clones_of(objects: &[Value], only: Option<&str>) -> Clones {
    let snapshot = snapshot(objects);
    let options = options();
    let plan = assemble::plan(&snapshot, &options, &|_| true);
    let simulation = Simulation::new(&snapshot, options.cluster_version, None);
    clones(&plan, &snapshot, &simulation, &options, only)
}

#[test]
fn every_field_of_the_guide_is_left_out() {
    let annotations = json!({
        "seccomp.security.alpha.kubernetes.io/allowedProfileNames": "*",
        "seccomp.security.alpha.kubernetes.io/defaultProfileName": "runtime/default",
        "apparmor.security.beta.kubernetes.io/allowedProfileNames": "runtime/default",
        "apparmor.security.beta.kubernetes.io/defaultProfileName": "runtime/default",
    });
    let range = json!([{"min": 1, "max": 9}]);
    let spec = json!({
        "defaultAllowPrivilegeEscalation": false, "allowPrivilegeEscalation": true,
        "defaultAddCapabilities": ["CHOWN", "KILL"], "allowedCapabilities": ["KILL"],
        "requiredDropCapabilities": ["MKNOD"],
        "allowedHostPaths": [{"pathPrefix": "/var"}], "allowedFlexVolumes": [{"driver": "a"}],
        "allowedCSIDrivers": [{"name": "b"}], "forbiddenSysctls": ["kernel.*"],
        "runtimeClass": {"defaultRuntimeClassName": "x", "allowedRuntimeClassNames": ["*"]},
        "runAsGroup": {"rule": "MustRunAs", "ranges": &range},
        "fsGroup": {"rule": "MayRunAs", "ranges": &range},
        "runAsUser": {"rule": "MustRunAs", "ranges": &range},
    });
    let clones = clones_of(&[policy("all", &annotations, &spec)], None);
    let [clone] = clones.clones.as_slice() else { panic!("{clones:?}") };
    let fields = clone.simplifications.iter().map(|it| {
        let it = &it.simplification;
        (it.step, it.field.rsplit(['.', '/']).next().unwrap().trim_end_matches(']'), it.becomes)
    });
    assert_eq!(
        fields.collect::<Vec<_>>(),
        [
            ("2a", "defaultAllowPrivilegeEscalation", "removed"),
            ("2a", "defaultRuntimeClassName", "removed"),
            ("2a", "defaultProfileName", "removed"),
            ("2a", "defaultProfileName", "removed"),
            ("2a", "defaultAddCapabilities", "moved to spec.allowedCapabilities"),
            ("2b", "allowedHostPaths", "removed"),
            ("2b", "allowedFlexVolumes", "removed"),
            ("2b", "allowedCSIDrivers", "removed"),
            ("2b", "forbiddenSysctls", "removed"),
            ("2b", "runtimeClass", "removed"),
            ("2b", "runAsGroup", "RunAsAny"),
            ("2b", "fsGroup", "RunAsAny"),
        ]
    );
    let expected = policy(
        "0all",
        &json!({
            "seccomp.security.alpha.kubernetes.io/allowedProfileNames": "*",
            "apparmor.security.beta.kubernetes.io/allowedProfileNames": "runtime/default",
        }),
        &json!({
            "allowPrivilegeEscalation": true, "allowedCapabilities": ["KILL", "CHOWN"],
            "requiredDropCapabilities": ["MKNOD"], "runAsGroup": {"rule": "RunAsAny"},
            "runAsUser": {"rule": "MustRunAs", "ranges": &range},
        }),
    );
    assert_eq!(clone.policy, snapshot(&[expected]).policies["0all"]);
}

#[test]
fn grants_by_name_are_mirrored_and_others_are_named() {
    let objects = [
        policy("a", &json!({}), &json!({"forbiddenSysctls": ["x"]})),
        role("by-name", &json!(["b", "a"])),
        bound("by-name"),
        role("unbound", &json!(["a"])),
        role("another", &json!(["b"])),
        bound("another"),
        role("every", &json!([])),
        bound("every"),
    ];
    let clones = clones_of(&objects, None);
    let every: Vec<String> = clones.for_every_policy.iter().map(ToString::to_string).collect();
    assert_eq!(every, ["ClusterRole every"]);
    let [clone] = clones.clones.as_slice() else { panic!("{clones:?}") };
    let ([role], [binding]) = (clone.roles.as_slice(), clone.bindings.as_slice()) else {
        panic!("{clone:?}")
    };
    assert_eq!(&*role.name, "psp2psa:0a:by-name");
    assert_eq!(role.rules[0].resource_names, ["0a"]);
    assert_eq!(
        (&*binding.name, &*binding.role_ref.name),
        ("psp2psa:0a:by-name-bound", &*role.name)
    );
    assert_eq!(binding.subjects[0].name, "system:serviceaccounts");
}

#[test]
fn clones_that_were_applied_keep_their_names() {
    let annotations = json!({});
    let objects = [
        policy("a", &annotations, &json!({"forbiddenSysctls": ["x"]})),
        role("by-name", &json!(["a"])),
        bound("by-name"),
    ];
    let first = clones_of(&objects, None);
    let written = first.clones.iter().flat_map(|clone| {
        use crate::objects::{Object, encode};
        let policy = Object::PodSecurityPolicy(Box::new(clone.policy.clone()));
        let roles = clone.roles.iter().cloned().map(Object::Role);
        let bindings = clone.bindings.iter().cloned().map(Object::Binding);
        let objects: Vec<_> = [policy].into_iter().chain(roles).chain(bindings).collect();
        objects.iter().map(encode::value).collect::<Vec<_>>()
    });
    let applied: Vec<Value> = objects.iter().cloned().chain(written).collect();
    let again = clones_of(&applied, None);
    assert_eq!(again.clones, first.clones);
    assert_eq!(again.without, [("0a".into(), WithoutClone::Simple)]);
    // Where the name is another's, the clone takes the next.
    let mut taken = objects.to_vec();
    taken.push(policy("0a", &annotations, &json!({"privileged": true})));
    assert_eq!(&*clones_of(&taken, Some("a")).clones[0].policy.name, "00a");
}

#[test]
fn effects_say_what_changes_for_whom() {
    let must = json!({"rule": "MustRunAs", "ranges": [{"min": 7, "max": 9}]});
    let pod = |more: Value| {
        let mut spec = json!({"containers": [{"name": "c"}]});
        for (key, value) in more.as_object().unwrap() {
            spec[key] = value.clone();
        }
        spec
    };
    let sysctl = json!({"sysctls": [{"name": "kernel.shm_rmid_forced", "value": "0"}]});
    let objects = [
        policy("a", &json!({}), &json!({"fsGroup": must, "forbiddenSysctls": ["kernel.*"]})),
        role("by-name", &json!(["a"])),
        bound("by-name"),
        deployment("loses", &pod(json!({}))),
        deployment("same", &pod(json!({"securityContext": {"fsGroup": 8}}))),
        deployment("was-refused", &pod(json!({"securityContext": sysctl}))),
        policy(
            "b",
            &json!({
                "apparmor.security.beta.kubernetes.io/allowedProfileNames": "runtime/default",
                "apparmor.security.beta.kubernetes.io/defaultProfileName": "runtime/default",
            }),
            &json!({"hostPID": true, "forbiddenSysctls": ["kernel.*"]}),
        ),
        role("use-b", &json!(["b"])),
        bound("use-b"),
        deployment("by-b", &pod(json!({"hostPID": true}))),
    ];
    let clones = clones_of(&objects, None);
    assert!(clones.simulated);
    let [clone, clone_of_b] = clones.clones.as_slice() else { panic!("{clones:?}") };
    let left: Vec<_> = clone_of_b.left_to_original.iter().map(|it| it.name.as_str()).collect();
    assert_eq!((clone_of_b.effects.as_slice(), left), (&[][..], vec!["by-b"]));
    let [loses, same, refused] = clone.effects.as_slice() else { panic!("{clone:?}") };
    assert_eq!(loses.workload.name, "loses");
    let lost: Vec<_> = loses.lost.iter().map(|it| (it.path.as_str(), &it.value)).collect();
    assert_eq!(lost, [("spec.securityContext.fsGroup", &json!(7))]);
    assert!(loses.gained.is_empty());
    assert!(!same.is_change(), "{same:?}");
    assert!(refused.today.is_none() && refused.is_change(), "{refused:?}");
    let relied_on = clone.simplifications.iter().map(|it| {
        let names = it.relied_on_by.iter().map(|workload| workload.name.as_str());
        (it.simplification.field, names.collect::<Vec<_>>())
    });
    assert_eq!(
        relied_on.collect::<Vec<_>>(),
        [("spec.forbiddenSysctls", vec![]), ("spec.fsGroup", vec!["loses", "same"]),]
    );
}

#[test]
fn broken_and_first_policies_have_no_clone() {
    let objects = [
        policy("0", &json!({}), &json!({"forbiddenSysctls": ["x"]})),
        policy("broken", &json!({}), &json!({"fsGroup": {"rule": "Odd"}})),
    ];
    let without = clones_of(&objects, None).without;
    assert_eq!(
        without,
        [("0".into(), WithoutClone::NoName), ("broken".into(), WithoutClone::Broken),]
    );
}
