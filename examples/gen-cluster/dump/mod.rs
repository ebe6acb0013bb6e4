//! What does a made-up cluster consist of, and in which order is it written?
//!
//! Pods differ in their random parts only, so each workload's is rendered once, with holes, and
//! filled for each pod: fast enough to feed a pipe that is read at a gigabyte a second.

mod objects;
mod pods;
mod random;
mod stencil;
mod write;

use std::io::{self, Write};

use objects::Cluster;
pub(crate) use write::Form;
use write::Writer;

/// How much of everything there is to be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    pub(crate) namespaces: usize,
    pub(crate) pods: usize,
    pub(crate) workloads: usize,
    pub(crate) psps: usize,
    pub(crate) rbac: usize,
    /// What is random depends on it alone.
    pub(crate) seed: u64,
}

/// Writes all objects of a cluster, and gives the output back.
pub(crate) fn write_cluster<W: Write>(sizes: &Sizes, form: Form, output: W) -> io::Result<W> {
    let mut writer = Writer::start(form, output)?;
    let cluster = Cluster::new(sizes.seed, sizes.namespaces, sizes.workloads);
    for n in 0..sizes.psps {
        writer.object(&cluster.policy(n))?;
    }
    for n in 0..sizes.rbac {
        writer.object(&cluster.rbac(n, sizes.psps.max(1)))?;
    }
    for n in 0..sizes.namespaces {
        writer.object(&cluster.namespace(n))?;
        writer.object(&cluster.service_account(n))?;
    }
    for n in 0..sizes.workloads {
        for object in cluster.workload(n, sizes.pods) {
            writer.object(&object)?;
        }
    }
    let mut rendered = Vec::new();
    for n in 0..sizes.pods {
        let workload = n % sizes.workloads;
        if workload == rendered.len() {
            let shape = cluster.pod_shape(workload);
            rendered.push((writer.stencil(&shape.pod)?, shape.made_by));
        }
        let (stencil, made_by) = &rendered[workload];
        writer.fill(stencil, &cluster.pod(n, made_by))?;
    }
    writer.finish()
}
