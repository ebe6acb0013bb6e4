//! Which object stands when there are several, and does order matter?

use super::*;
use crate::objects::Object;
use crate::objects::pod::Pod;

fn namespace(name: &str, version: &str, label: &str) -> Object {
    Object::Namespace(Namespace {
        name: name.into(),
        resource_version: version.into(),
        labels: [("level".to_owned(), label.to_owned())].into(),
        managed_by: None,
    })
}

fn source(index: usize) -> Source {
    Source { file: "f".into(), index, line: None }
}

/// The label that stands, and the sources that were dropped in a conflict; in every order.
fn resolve(objects: &[(&str, &str)]) -> (String, Vec<usize>) {
    let in_order = |indexes: &[usize]| {
        let mut builder = SnapshotBuilder::default();
        for &index in indexes {
            let (version, label) = objects[index];
            builder.add(namespace("web", version, label), &source(index));
        }
        let snapshot = builder.finish();
        let conflicts = &snapshot.reading.conflicts;
        assert_eq!(snapshot.reading.read["Namespace"], objects.len());
        let dropped = conflicts.iter().flat_map(|conflict| &conflict.dropped);
        let dropped: Vec<_> = dropped.map(|source| source.index).collect();
        (snapshot.namespaces["web"].labels["level"].clone(), dropped)
    };
    let forward: Vec<_> = (0..objects.len()).collect();
    let backward: Vec<_> = forward.iter().rev().copied().collect();
    assert_eq!(in_order(&forward), in_order(&backward));
    in_order(&forward)
}

#[test]
fn the_newest_stands() {
    assert_eq!(resolve(&[("9", "a"), ("10", "b")]), ("b".into(), vec![]));
    assert_eq!(resolve(&[("10", "b"), ("9", "a"), ("8", "c")]), ("b".into(), vec![]));
}

#[test]
fn equal_objects_are_no_conflict() {
    assert_eq!(resolve(&[("", "a"), ("", "a")]), ("a".into(), vec![]));
    assert_eq!(resolve(&[("", "a"), ("7", "a")]), ("a".into(), vec![]));
}

#[test]
fn without_a_newest_there_is_a_conflict() {
    assert_eq!(resolve(&[("7", "a"), ("7", "b")]), ("a".into(), vec![1]));
    // A manifest beside a cluster's object: the cluster's stands.
    assert_eq!(resolve(&[("", "a"), ("7", "b")]), ("b".into(), vec![0]));
    assert_eq!(resolve(&[("", "b"), ("opaque", "a"), ("3", "c")]), ("c".into(), vec![0, 1]));
}

#[test]
fn objects_without_a_name_are_all_kept() {
    let mut builder = SnapshotBuilder::new("here");
    // One is called what another would be called.
    for name in ["", "run-", ""] {
        builder.add(Object::Pod(Pod { generate_name: "a-".into(), ..Pod::default() }), &source(0));
        let job = crate::objects::workload::Workload {
            kind: WorkloadKind::Job,
            api_version: "batch/v1".into(),
            namespace: "".into(),
            name: name.into(),
            generate_name: "run-".into(),
            uid: "".into(),
            resource_version: "".into(),
            controller: None,
            managed_by: None,
            replicas: Some(1),
            is_suspended: false,
            is_finished: false,
            status: crate::objects::workload::WorkloadStatus::default(),
            rollout_revision: None,
            current_revision: super::super::workload::CurrentRevision::All,
            claims: Vec::new(),
            template: None,
            seen_in: super::SeenIn::default(),
        };
        builder.add(Object::Workload(job), &source(0));
    }
    let snapshot = builder.finish();
    assert_eq!(snapshot.reading.conflicts, []);
    assert_eq!(snapshot.pods.len(), 3);
    assert_eq!(&*snapshot.pods[0].namespace, "here");
    let workloads = snapshot.workloads.iter();
    let names: Vec<_> =
        workloads.map(|((_, _, key), workload)| (&**key, &*workload.name)).collect();
    assert_eq!(names, [("run-", "run-"), ("run-#2", ""), ("run-#3", "")]);
}

#[test]
fn equal_parts_are_kept_once() {
    let mut builder = SnapshotBuilder::default();
    for name in ["a", "b"] {
        let pod = Pod { namespace: "web".into(), name: name.into(), ..Pod::default() };
        builder.add(Object::Pod(pod), &source(0));
    }
    let snapshot = builder.finish();
    let [a, b] = snapshot.pods.as_slice() else { panic!() };
    assert!(std::sync::Arc::ptr_eq(&a.template, &b.template));
    assert!(std::sync::Arc::ptr_eq(&a.namespace, &b.namespace));
    assert!(size_of::<Pod>() <= 256);
}

#[test]
fn what_is_missing_concerns_whom_it_may() {
    let error = |kind: &str, namespace: &str| ObjectError {
        at: source(0),
        line: None,
        api_version: String::new(),
        kind: kind.into(),
        namespace: namespace.into(),
        name: "x".into(),
        field: String::new(),
        reason: String::new(),
    };
    let reading = |error| Reading { unreadable: vec![error], ..Reading::default() };
    assert!(Reading::default().is_complete());
    assert!(reading(error("Pod", "web")).may_lack_objects_of("web"));
    assert!(!reading(error("Pod", "web")).may_lack_objects_of("shop"));
    assert!(reading(error("ClusterRole", "")).may_lack_objects_of("shop"));
    assert!(!reading(error("Namespace", "")).may_lack_objects_of("shop"));
}
