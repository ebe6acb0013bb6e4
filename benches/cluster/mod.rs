//! Where do the objects come from that the benches measure on?
//!
//! From the generator of dumps, in memory.

use psp2psa::migrate::Options;
use psp2psa::objects::snapshot::{Snapshot, SnapshotBuilder};
use psp2psa::psa::configuration::Configuration;
use psp2psa::sources::{self, Content, Item};
use psp2psa::version::Version;

#[path = "../../examples/gen-cluster/dump/mod.rs"]
mod dump;

pub(crate) use dump::{Form, Sizes};

/// The dump of a cluster of these sizes.
pub(crate) fn dump(sizes: &Sizes, form: Form) -> Vec<u8> {
    dump::write_cluster(sizes, form, Vec::new()).expect("memory can be written to")
}

/// What a run knows of a cluster of these sizes.
pub(crate) fn snapshot(sizes: &Sizes) -> Snapshot {
    let dump = dump(sizes, Form::JsonLines);
    let mut builder = SnapshotBuilder::new("default");
    sources::read_from("made up", dump.as_slice(), &mut |item| {
        let Ok(Item { source, content: Ok(Content::Object { object, .. }) }) = item else {
            panic!("the generator writes what can be read, not {item:?}");
        };
        builder.add(object, &source);
    });
    builder.finish()
}

/// How a plan is made, on one thread.
pub(crate) fn options() -> Options {
    Options {
        pss_version: Version::v1(25),
        configuration: Configuration::default(),
        is_configured: false,
        cluster_version: Version::v1(24),
        controllers_user: None,
        system_namespaces: std::collections::BTreeSet::new(),
        warn: None,
        audit: None,
        empty_namespaces: None,
        n_threads: 1,
    }
}
