//! Do the patches hold what they promise?
//!
//! They are applied here as kubectl does it, to the objects themselves, and the objects are planned
//! again.

#![expect(clippy::disallowed_methods, reason = "the vectors are a file")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{cluster, demos, deployment, options, snapshot};
use crate::migrate::harden::{Patch, When};
use crate::migrate::plan::{Plan, WorkloadPlan};
use crate::migrate::recommend::Passes;
use crate::migrate::{Options, assemble};
use crate::objects::path::FieldPath;
use crate::objects::pod::{ContainerKind, PodTemplateSpec};
use crate::version::Version;

/// A strategic merge, as far as a pod template needs it: containers go by name, other lists are
/// replaced.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (key, value) in patch {
        match (key.as_str(), value) {
            (_, Value::Null) => {
                target.as_object_mut().unwrap().remove(key);
            }
            ("containers" | "initContainers", Value::Array(items)) => {
                let list = target[key].as_array_mut().expect("only containers that are there");
                for item in items {
                    let mut same = list.iter_mut().filter(|it| it["name"] == item["name"]);
                    merge(same.next().expect("only containers that are there"), item);
                    assert!(same.next().is_none(), "two of a name: {item}");
                }
            }
            _ => merge(&mut target[key], value),
        }
    }
}

fn template_pointer(kind: &str) -> &'static str {
    match kind {
        "Pod" => "",
        "PodTemplate" => "/template",
        "CronJob" => "/spec/jobTemplate/spec/template",
        _ => "/spec/template",
    }
}

fn plan_of<'v>(objects: impl IntoIterator<Item = &'v Value>, options: &Options) -> Plan {
    assemble::plan(&snapshot(objects), options, &|_| true)
}

/// Namespace, kind and name.
type Key = (String, String, String);

fn workloads(plan: &Plan) -> BTreeMap<Key, &WorkloadPlan> {
    let namespaces = plan.namespaces.iter();
    let workloads = namespaces.flat_map(|namespace| {
        namespace.workloads.iter().map(|workload| {
            let key = (namespace.name.to_string(), workload.kind.to_owned(), workload.name.clone());
            (key, workload)
        })
    });
    workloads.collect()
}

/// The objects without live pods, each with the part of its patch that `part` takes.
fn patched(objects: &[Value], plan: &Plan, part: &dyn Fn(&Patch) -> Option<Value>) -> Vec<Value> {
    let workloads = workloads(plan);
    let mut objects: Vec<Value> =
        objects.iter().filter(|object| object["kind"] != "Pod").cloned().collect();
    for object in &mut objects {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let metadata = &object["metadata"];
        let key = (text(&metadata["namespace"]), text(&object["kind"]), text(&metadata["name"]));
        let patch = workloads.get(&key).and_then(|workload| workload.patch.as_ref());
        if let Some(overlay) = patch.and_then(part) {
            let pointer = template_pointer(&key.1);
            merge(object.pointer_mut(pointer).unwrap(), &overlay);
        }
    }
    objects
}

fn is_policy(object: &Value) -> bool {
    object["kind"] == "PodSecurityPolicy"
}

fn all_demos() -> [&'static [Value]; 2] {
    [&demos::DEMO_1, &demos::DEMO_2]
}

/// How a part of a patch is taken.
type Part = fn(&Patch) -> Value;

#[test]
fn a_patched_template_has_just_the_level_promised() {
    for demo in all_demos() {
        let plan = plan_of(demo, &options());
        let mut n_raised = 0;
        for (name, parts) in [
            ("keep", &[Patch::keep_overlay as Part][..]),
            ("whole", &[Patch::overlay as Part]),
            ("whole after keep", &[Patch::keep_overlay as Part, Patch::overlay]),
        ] {
            let mut after = demo.to_vec();
            for part in parts {
                after = patched(&after, &plan, &|patch| Some(part(patch)));
            }
            after.retain(|object| !is_policy(object));
            let after = plan_of(&after, &options());
            let after = workloads(&after);
            for (key, workload) in workloads(&plan) {
                // What webhooks add is not seen without the pods.
                if workload.injection == "seen" {
                    continue;
                }
                let levels = workload.levels;
                let promised = if name == "keep" { levels.kept } else { levels.raised };
                let found = if workload.kind == "Pod" {
                    let mut pod = json!(workload.states.authored);
                    for part in parts {
                        workload.patch.iter().for_each(|patch| merge(&mut pod, &part(patch)));
                    }
                    let pod: PodTemplateSpec = serde_json::from_value(pod).unwrap();
                    Some(Passes::of(&pod, options().pss_version).strictest())
                } else {
                    after[&key].levels.future
                };
                assert_eq!(found, promised, "{name} of {key:?}");
                let [future, kept, raised] = [levels.future, levels.kept, levels.raised];
                assert!(kept.is_none() || raised >= future && raised >= kept, "{key:?}");
                n_raised += usize::from(levels.raised > levels.future);
            }
        }
        assert!(n_raised > 10, "{n_raised}");
    }
}

#[test]
fn a_patched_template_needs_no_patch() {
    for demo in all_demos() {
        let plan = plan_of(demo, &options());
        let mut without_psp = patched(demo, &plan, &|patch| Some(patch.overlay()));
        without_psp.retain(|object| !is_policy(object));
        let is_now = |patch: &Patch| patch.when == Some(When::Now);
        let with_psp = patched(demo, &plan, &|patch| is_now(patch).then(|| patch.overlay()));
        let [without_psp, with_psp] =
            [without_psp, with_psp].map(|objects| plan_of(&objects, &options()));
        let (without_psp, with_psp) = (workloads(&without_psp), workloads(&with_psp));
        for (key, before) in workloads(&plan) {
            if key.1 == "Pod" || before.injection == "seen" {
                continue;
            }
            // What loosens has been left out, so that with PSP it is still there to be kept.
            let left = |workload: &WorkloadPlan| {
                let hardens = |patch: &Patch| patch.keep.iter().filter(|it| !it.loosens).count();
                workload.patch.as_ref().map_or(0, |it| hardens(it) + it.raise.len())
            };
            assert_eq!(left(without_psp[&key]), 0, "{key:?} {:?}", without_psp[&key].patch);
            if before.patch.as_ref().is_some_and(is_now) {
                assert_eq!(left(with_psp[&key]), 0, "{key:?} {:?}", with_psp[&key].patch);
            }
        }
    }
}

/// What hardens a pod, and what softens it: container by container, as it holds there.
fn hardness(pod: &PodTemplateSpec) -> [BTreeSet<String>; 2] {
    let (mut hard, mut soft) = (BTreeSet::new(), BTreeSet::new());
    let of_pod = pod.spec.security_context.clone().unwrap_or_default();
    hard.extend(of_pod.fs_group.map(|id| format!("fsGroup {id}")));
    hard.extend(of_pod.supplemental_groups.iter().flatten().map(|id| format!("group {id}")));
    hard.extend(pod.spec.runtime_class_name.iter().cloned());
    for (key, value) in pod.security_annotations().filter(|(key, _)| key.contains("apparmor")) {
        hard.insert(format!("{key} {value}"));
    }
    for kind in ContainerKind::ALL {
        for container in pod.spec.containers_of(kind) {
            let own = container.security_context.clone().unwrap_or_default();
            let capabilities = own.capabilities.clone().unwrap_or_default();
            let add = |set: &mut BTreeSet<String>, what: String| {
                set.insert(format!("{} {what}", container.name));
            };
            let user = own.run_as_user.or(of_pod.run_as_user);
            let group = own.run_as_group.or(of_pod.run_as_group);
            add(&mut hard, format!("user {user:?} group {group:?}"));
            let options = own.se_linux_options.clone().or(of_pod.se_linux_options.clone());
            add(&mut hard, format!("{options:?}"));
            let seccomp = own.seccomp_profile.clone().or(of_pod.seccomp_profile.clone());
            if let Some(profile) = seccomp {
                let is_soft = profile.type_ == "Unconfined";
                add(if is_soft { &mut soft } else { &mut hard }, format!("{profile:?}"));
            }
            let must_not_be_root = own.run_as_non_root.or(of_pod.run_as_non_root) == Some(true);
            if must_not_be_root {
                add(&mut hard, "non-root".to_owned());
            }
            if user == Some(0) {
                add(&mut soft, "root".to_owned());
                if must_not_be_root {
                    add(&mut soft, "does not start".to_owned());
                }
            }
            if own.allow_privilege_escalation == Some(false) {
                add(&mut hard, "no escalation".to_owned());
            }
            if own.read_only_root_filesystem == Some(true) {
                add(&mut hard, "read-only".to_owned());
            }
            capabilities.drop.iter().for_each(|name| add(&mut hard, format!("drops {name}")));
            capabilities.add.iter().for_each(|name| add(&mut soft, format!("adds {name}")));
            if own.privileged == Some(true) {
                add(&mut soft, "privileged".to_owned());
            }
        }
    }
    [hard, soft]
}

/// Checks each workload whose patch may be applied now; how many there were.
fn assert_now_is_safe(objects: &[Value], options: &Options, what: &str) -> usize {
    let plan = plan_of(objects, options);
    let mut n_now = 0;
    for keeps_only in [true, false] {
        let now = |patch: &Patch| {
            let when = if keeps_only { patch.keep_when } else { patch.when };
            let overlay = || if keeps_only { patch.keep_overlay() } else { patch.overlay() };
            (when == Some(When::Now)).then(overlay)
        };
        let after = plan_of(&patched(objects, &plan, &now), options);
        let after = workloads(&after);
        for (key, before) in workloads(&plan) {
            if before.injection == "seen" || before.patch.as_ref().and_then(now).is_none() {
                continue;
            }
            n_now += 1;
            let after = after[&key];
            assert!(after.refusal.is_empty(), "{what}: {key:?} is refused: {:?}", after.refusal);
            let Some(today) = before.states.admitted.first() else { continue };
            let [hard, soft] = hardness(today);
            let [still_hard, now_soft] = hardness(&after.states.admitted[0]);
            let lost: Vec<_> = hard.difference(&still_hard).collect();
            assert!(lost.is_empty(), "{what}: {key:?} loses {lost:?}: {:?}", before.patch);
            let softened: Vec<_> = now_soft.difference(&soft).collect();
            assert!(softened.is_empty(), "{what}: {key:?} gets {softened:?}: {:?}", before.patch);
        }
    }
    n_now
}

#[test]
fn what_is_applied_now_loses_nothing_in_the_demos() {
    for demo in all_demos() {
        assert!(assert_now_is_safe(demo, &options(), "demo") > 5);
    }
}

#[test]
fn a_container_repeats_nothing_that_is_raised_for_the_pod() {
    let policy = json!({"apiVersion": "policy/v1beta1", "kind": "PodSecurityPolicy",
        "metadata": {"name": "p"},
        "spec": {"seLinux": {"rule": "RunAsAny"}, "fsGroup": {"rule": "RunAsAny"},
            "supplementalGroups": {"rule": "RunAsAny"}, "volumes": ["*"],
            "runAsUser": {"rule": "MustRunAsNonRoot"}}});
    // PSP writes runAsNonRoot into the container without a user alone, so that it is not kept for the
    // pod; restricted asks both containers for it.
    let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {"template": {"spec": {"containers": [
        {"name": "app"},
        {"name": "other", "securityContext": {"runAsUser": 7}},
    ]}}}});
    let [role, binding] = to_all();
    let plan = plan_of(&[policy, deployment, role, binding], &options());
    let patch = plan.namespaces[0].workloads[0].patch.as_ref().unwrap();
    let non_root = |overlay: &Value, container: usize| {
        overlay["spec"]["containers"][container]["securityContext"]["runAsNonRoot"].clone()
    };
    assert_eq!(non_root(&patch.keep_overlay(), 0), true);
    let whole = patch.overlay();
    assert_eq!(whole["spec"]["securityContext"]["runAsNonRoot"], true);
    assert_eq!([non_root(&whole, 0), non_root(&whole, 1)], [Value::Null, Value::Null]);
    // What is the container's alone is still said of it.
    let drop = &whole["spec"]["containers"][0]["securityContext"]["capabilities"]["drop"];
    assert_eq!(*drop, json!(["ALL"]));
}

#[test]
fn hosts_of_probes_are_named_from_the_version_that_forbids_them() {
    let on = |host: &str| json!({"httpGet": {"port": 80, "host": host}});
    let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {"template": {"spec": {"containers": [{
        "name": "app",
        "livenessProbe": on("a"),
        "readinessProbe": {"tcpSocket": {"port": 80, "host": "b"}},
        "startupProbe": on(""),
        "lifecycle": {"preStop": on("c")},
    }]}}}});
    for (minor, expected) in [
        (33, vec![]),
        (
            34,
            vec![
                ("livenessProbe.httpGet.host", "a"),
                ("readinessProbe.tcpSocket.host", "b"),
                ("lifecycle.preStop.httpGet.host", "c"),
            ],
        ),
    ] {
        let options = Options { pss_version: Version::v1(minor), ..options() };
        let plan = plan_of([&deployment], &options);
        let patch = plan.namespaces[0].workloads[0].patch.as_ref().unwrap();
        let named: BTreeSet<_> =
            patch.needs_change.iter().map(|it| json!(it)).map(|it| it.to_string()).collect();
        let expected = expected.into_iter().map(|(path, host)| json!({
            "level": "baseline", "check": "hostProbesAndHostLifecycle", "value": host, "injected": false,
            "path": format!("spec.containers[name=app].{path}"),
        }).to_string());
        assert_eq!(named, expected.collect(), "v1.{minor}");
    }
}

#[test]
fn the_whole_patch_takes_back_what_was_kept_though_it_loosens() {
    let adds = json!(["CHOWN", "SETUID", "NET_BIND_SERVICE"]);
    let any = json!({"rule": "RunAsAny"});
    let policy = json!({"apiVersion": "policy/v1beta1", "kind": "PodSecurityPolicy",
        "metadata": {"name": "p"},
        "spec": {"seLinux": any, "fsGroup": any, "supplementalGroups": any, "runAsUser": any,
            "volumes": ["*"], "defaultAddCapabilities": adds}});
    let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {"template": {"spec": {"containers": [
        {"name": "app", "securityContext": {"capabilities": {"add": ["CHOWN"]}}},
        {"name": "other"},
    ]}}}});
    let [role, binding] = to_all();
    let plan = plan_of(&[policy, deployment, role, binding], &options());
    let patch = plan.namespaces[0].workloads[0].patch.as_ref().unwrap();
    let added = |overlay: Value| {
        let containers = overlay["spec"]["containers"].as_array().unwrap().iter();
        let added = |it: &Value| it["securityContext"]["capabilities"]["add"].clone();
        containers.map(added).collect::<Vec<_>>()
    };
    let all = json!(["CHOWN", "NET_BIND_SERVICE", "SETUID"]);
    assert_eq!(added(patch.keep_overlay()), [all.clone(), all]);
    // What the author adds stays, and so does what every level allows.
    let expected = [json!(["CHOWN", "NET_BIND_SERVICE"]), json!(["NET_BIND_SERVICE"])];
    assert_eq!(added(patch.overlay()), expected);
}

/// Lets everybody use every policy.
fn to_all() -> [Value; 2] {
    [
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": {"name": "all"},
            "rules": [{"apiGroups": ["policy"], "resources": ["podsecuritypolicies"], "verbs": ["use"]}]}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": {"name": "all"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "all"},
            "subjects": [{"kind": "Group", "name": "system:authenticated"}]}),
    ]
}

/// As much of a recorded admission as makes a workload with policies.
#[derive(Deserialize)]
struct Vector {
    id: String,
    policies: Vec<Value>,
    rbac: Vec<Value>,
    namespace: String,
    user: VectorUser,
    pod: Value,
}

#[derive(Deserialize)]
struct VectorUser {
    name: String,
}

#[test]
fn what_is_applied_now_loses_nothing_under_recorded_policies() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/vectors/psp-open.jsonl.gz");
    let lines = BufReader::new(flate2::read::GzDecoder::new(File::open(path).unwrap())).lines();
    let mut n_now = 0;
    // A part of them, as each is planned many times; all have been through here.
    for line in lines.step_by(10) {
        let vector: Vector = serde_json::from_str(&line.unwrap()).unwrap();
        let mut template = json!({"metadata": {}, "spec": vector.pod["spec"]});
        template["metadata"]["annotations"] = vector.pod["metadata"]["annotations"].clone();
        let deployment = json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web", "namespace": vector.namespace},
            "spec": {"template": template},
        });
        let options = Options { controllers_user: Some(vector.user.name), ..options() };
        for grants in [&vector.rbac[..], &to_all()] {
            let objects: Vec<Value> =
                vector.policies.iter().chain(grants).chain([&deployment]).cloned().collect();
            n_now += assert_now_is_safe(&objects, &options, &vector.id);
        }
    }
    assert!(n_now > 100, "{n_now}");
}

#[test]
fn a_patch_waits_for_a_server_that_takes_it() {
    let any = json!({"annotations": {
        "seccomp.security.alpha.kubernetes.io/allowedProfileNames": "*"}});
    let non_root = json!({"spec": {"runAsUser": {"rule": "MustRunAsNonRoot"}}});
    let mut groups = non_root.clone();
    groups["spec"]["fsGroup"] = json!({"rule": "MustRunAs", "ranges": [{"min": 1, "max": 1}]});
    let linux = json!({"spec": {"containers": [{"name": "app"}]}});
    let (mut unsaid, mut windows) = (linux.clone(), linux.clone());
    unsaid["spec"]["nodeSelector"] = json!({"kubernetes.io/os": "windows"});
    windows["spec"]["os"] = json!({"name": "windows"});
    // With `os` no server would take it.
    let mut own_group = unsaid.clone();
    own_group["spec"]["securityContext"] = json!({"runAsNonRoot": true, "fsGroup": 5});
    for (minor, policy, pod, not_now) in [
        (
            18,
            &any,
            &linux,
            Some((
                When::AfterPsp,
                "a server of v1.18 drops spec.securityContext.seccompProfile, which it does not know",
            )),
        ),
        (19, &any, &linux, None),
        (
            23,
            &any,
            &unsaid,
            Some((When::AfterPsp, "a server of v1.23 drops spec.os.name, which it does not know")),
        ),
        (24, &any, &unsaid, None),
        // That server drops `os`, and does not mind what PSP writes beside it.
        (23, &groups, &windows, None),
        (
            24,
            &groups,
            &windows,
            Some((When::AfterBypass, "a server of v1.24 refuses fsGroup in pods of Windows")),
        ),
        (24, &non_root, &windows, None),
        (24, &non_root, &own_group, None),
    ] {
        let options = Options { cluster_version: Version::v1(minor), ..options() };
        let mut objects = cluster(policy);
        objects.push(deployment(pod));
        let plan = plan_of(&objects, &options);
        let patch = plan.namespaces[0].workloads[0].patch.as_ref().unwrap();
        let has_patch = !patch.keep.is_empty() || !patch.raise.is_empty();
        let when = not_now.map_or(When::Now, |(when, _)| when);
        assert_eq!(patch.when, has_patch.then_some(when), "v1.{minor}: {pod}");
        let why = not_now.map(|(_, why)| why);
        assert_eq!(patch.why_not_now.as_deref(), why, "v1.{minor}: {pod}");
        let says_os =
            patch.raise.iter().any(|raised| raised.path == FieldPath::new("spec.os.name"));
        assert_eq!(says_os, pod == &unsaid, "v1.{minor}: {pod}");
    }
}
