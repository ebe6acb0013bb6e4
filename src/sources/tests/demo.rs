//! The dumps of real clusters.

use std::path::Path;

use crate::objects::snapshot::{SeenIn, Snapshot, SnapshotBuilder};
use crate::sources::{Input, read_into};

/// The cluster of these files, whichever of them shows it.
pub(super) fn snapshot(files: &[&str]) -> Snapshot {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/clusters");
    let inputs: Vec<_> = files.iter().map(|file| Input::new(&root.join(file), false)).collect();
    let mut builder = SnapshotBuilder::default();
    let errors = read_into(&mut builder, &inputs);
    assert!(errors.is_empty(), "{errors:?}");
    let mut snapshot = builder.finish();
    snapshot.inputs.clear();
    snapshot.pods.iter_mut().for_each(|pod| pod.seen_in = SeenIn::default());
    snapshot.workloads.values_mut().for_each(|workload| workload.seen_in = SeenIn::default());
    snapshot
}

#[test]
fn yaml_and_json_of_a_cluster_say_the_same() {
    for (yaml, json, n_objects, n_pods, n_policies) in [
        ("demo-1.21.yaml", "demo-1.21.json.gz", 397, 62, 16),
        ("demo2-1.21.yaml.gz", "demo2-1.21.json.gz", 610, 107, 22),
    ] {
        let from_yaml = snapshot(&[yaml]);
        let from_json = snapshot(&[json]);
        assert_eq!(from_yaml.reading.conflicts, []);
        assert_eq!(from_yaml.reading.unreadable, []);
        assert_eq!(from_yaml, from_json);
        let read: usize = from_yaml.reading.read.values().sum();
        let skipped: usize = from_yaml.reading.skipped.values().sum();
        assert_eq!(read + skipped, n_objects);
        assert_eq!(from_yaml.pods.len(), n_pods);
        assert_eq!(from_yaml.policies.len(), n_policies);
    }
}

#[test]
fn a_cluster_given_twice_is_the_same_cluster() {
    let once = snapshot(&["demo-1.21.yaml"]);
    let twice = snapshot(&["demo-1.21.json.gz", "demo-1.21.yaml"]);
    assert_eq!(twice.reading.conflicts, []);
    assert_eq!(once.pods, twice.pods);
    assert_eq!(once.workloads, twice.workloads);
}
