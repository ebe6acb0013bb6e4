//! What is kept of each kind.

use super::{pod, read_text, workload};
use crate::objects::pod::Phase;
use crate::objects::volume::VolumeSource;
use crate::objects::workload::{CurrentRevision, WorkloadKind};

fn live(status: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: a, uid: x}}\nspec: {{}}\nstatus: {status}\n"
    )
}

#[test]
fn readiness() {
    let ready = "{phase: Running, conditions: [{type: Ready, status: 'True'}], containerStatuses: [{ready: true}]}";
    assert!(pod(&live(ready)).status.is_ready);
    assert!(!pod(&live(&ready.replace("ready: true", "ready: false"))).status.is_ready);
    assert!(!pod(&live(&ready.replace("'True'", "'False'"))).status.is_ready);
    assert!(!pod(&live(&ready.replace("Running", "Pending"))).status.is_ready);
    assert_eq!(pod(&live("{phase: Failed}")).status.phase, Phase::Failed);
    assert_eq!(pod(&live("null")).status.phase, Phase::Unknown);
}

#[test]
fn token_volumes_are_alike() {
    let projected = |name: &str| {
        pod(&format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec:\n  containers:\n  - name: c\n    volumeMounts: [{{name: {name}, mountPath: /t}}]\n  volumes:\n  - name: {name}\n    projected: {{sources: [{{serviceAccountToken: {{path: token}}}}]}}\n"
        ))
    };
    let alike = projected("kube-api-access-x7k2p");
    assert_eq!(alike.template, projected("kube-api-access-zz2zx").template);
    assert_eq!(alike.template.spec.volumes[0].name, "kube-api-access");
    assert_eq!(alike.template.spec.containers[0].volume_mounts[0].name, "kube-api-access");
    assert_eq!(projected("my-token-x7k2p").template.spec.volumes[0].name, "my-token-x7k2p");

    let secret = |name: &str, secret: &str| {
        pod(&format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec:\n  serviceAccountName: web\n  volumes: [{{name: {name}, secret: {{secretName: {secret}}}}}]\n"
        ))
    };
    let alike = secret("web-token-x7k2p", "web-token-x7k2p");
    assert_eq!(alike.template, secret("web-token-abcde", "web-token-abcde").template);
    assert_eq!(alike.template.spec.volumes[0].name, "web-token");
    let other = secret("other-token-x7k2p", "other-token-x7k2p");
    assert_eq!(other.template.spec.volumes[0].name, "other-token-x7k2p");
    assert!(matches!(other.template.spec.volumes[0].sources[0], VolumeSource::Secret(_)));
}

#[test]
fn what_the_author_wrote_is_kept_of_bare_pods() {
    let text = |owners: &str| {
        format!(
            r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"a","ownerReferences":[{owners}],
            "annotations":{{"kubernetes.io/psp":"p","kubectl.kubernetes.io/last-applied-configuration":
            "{{\"kind\":\"Pod\",\"metadata\":{{\"annotations\":{{}}}},\"spec\":{{\"hostPID\":true}}}}\n"}}}}}}"#
        )
    };
    let bare = pod(&text(""));
    assert!(bare.last_applied.unwrap().spec.host_pid);
    assert_eq!(bare.psp.as_deref(), Some("p"));
    assert!(bare.template.annotations.as_ref().is_some_and(std::collections::BTreeMap::is_empty));
    let owned = pod(&text(r#"{"kind":"ReplicaSet","name":"r","controller":true}"#));
    assert_eq!(owned.last_applied, None);
    assert_eq!(owned.controller.unwrap().name, "r");
    assert_eq!(pod(&live("{}")).template.annotations, None);
}

#[test]
fn a_pod_without_containers_is_a_pod() {
    assert!(pod("apiVersion: v1\nkind: Pod\n").template.spec.containers.is_empty());
    let pod =
        pod("apiVersion: v1\nkind: Pod\nmetadata: {generateName: x-}\nspec: {containers: null}\n");
    assert_eq!((&*pod.name, &*pod.generate_name, &*pod.namespace), ("", "x-", ""));
}

#[test]
fn workloads_of_every_kind_and_age() {
    for (api_version, kind) in [
        ("apps/v1", "Deployment"),
        ("apps/v1beta1", "Deployment"),
        ("extensions/v1beta1", "Deployment"),
        ("apps/v1beta2", "StatefulSet"),
        ("extensions/v1beta1", "DaemonSet"),
        ("extensions/v1beta1", "ReplicaSet"),
        ("v1", "ReplicationController"),
        ("batch/v1", "Job"),
    ] {
        let workload = workload(&format!(
            "apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: a, generation: 3}}\nspec: {{template: {{spec: {{hostPID: true}}}}}}\n"
        ));
        assert_eq!((workload.kind.as_str(), &*workload.api_version), (kind, api_version));
        assert!(workload.template.unwrap().spec.host_pid, "{kind}");
    }
    let cron = workload(
        "apiVersion: batch/v1beta1\nkind: CronJob\nmetadata: {name: a}\nspec: {suspend: true, jobTemplate: {spec: {template: {spec: {hostPID: true}}}}}\n",
    );
    assert!(cron.template.unwrap().spec.host_pid && cron.is_suspended);
    assert_eq!((cron.replicas, cron.current_revision), (None, CurrentRevision::All));
    let template = workload(
        "apiVersion: v1\nkind: PodTemplate\nmetadata: {name: a}\ntemplate: {spec: {hostPID: true}}\n",
    );
    assert!(template.template.unwrap().spec.host_pid);
    assert_eq!(template.kind, WorkloadKind::PodTemplate);
    let controller = workload("apiVersion: v1\nkind: ReplicationController\nspec: {replicas: 0}\n");
    assert_eq!((controller.template, controller.replicas), (None, Some(0)));
}

#[test]
fn revisions_and_ends() {
    let set = |status: &str| {
        workload(&format!("apiVersion: apps/v1\nkind: StatefulSet\nstatus: {status}\n"))
            .current_revision
    };
    assert_eq!(set("{updateRevision: web-1}"), CurrentRevision::Hash("web-1".into()));
    assert_eq!(set("{}"), CurrentRevision::Unknown);
    let daemon = |metadata: &str| {
        workload(&format!("apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {metadata}\n"))
            .current_revision
    };
    assert_eq!(
        daemon("{generation: 7, annotations: {deprecated.daemonset.template.generation: '3'}}"),
        CurrentRevision::TemplateGeneration("3".into())
    );
    assert_eq!(daemon("{generation: 7}"), CurrentRevision::TemplateGeneration("7".into()));
    assert_eq!(daemon("{}"), CurrentRevision::Unknown);
    let job = |condition: &str| {
        workload(&format!(
            "apiVersion: batch/v1\nkind: Job\nspec: {{parallelism: 4}}\nstatus: {{conditions: [{{type: {condition}, status: 'True'}}]}}\n"
        ))
    };
    assert!(job("Complete").is_finished && job("Failed").is_finished);
    assert!(!job("Suspended").is_finished);
    assert_eq!(job("Complete").replicas, Some(4));
}

#[test]
fn rbac_of_every_age() {
    let text = "apiVersion: rbac.authorization.k8s.io/v1alpha1\nkind: ClusterRoleBinding\nmetadata: {name: b}\nroleRef: {kind: ClusterRole, name: r}\nsubjects: [{kind: User, name: '*'}, {kind: User, name: jane}]\n---\napiVersion: rbac.authorization.k8s.io/v1beta1\nkind: Role\nmetadata: {name: r, namespace: web}\nrules: [{verbs: [use]}]\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: r}\n";
    assert_eq!(read_text(text), ["ClusterRoleBinding /b", "Role web/r", "RoleBinding /r"]);
    let item = super::items(text).remove(0).unwrap();
    let Ok(crate::sources::Content::Object { object, .. }) = item.content else { panic!() };
    let crate::objects::Object::Binding(binding) = object else { panic!() };
    let subjects: Vec<_> =
        binding.subjects.iter().map(|subject| (&*subject.kind, &*subject.name)).collect();
    assert_eq!(subjects, [("Group", "system:authenticated"), ("User", "jane")]);
}
