//! Writes a dump of a made-up cluster, of any size, as kubectl would print it.
//!
//! ```console
//! $ cargo run --release --example gen-cluster -- --namespaces 500 --pods 20000 --workloads 3000 \
//!     --psps 20 --rbac 1000 --seed 1 -o cluster.json
//! ```
//!
//! The name of the output decides its form: `.json` (one List, indented), `.yaml` (the same),
//! `.jsonl` (an object a line), each with `.gz` or without. The same arguments give the same bytes.

mod objects;
mod pods;
mod random;
mod write;

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};

use objects::Cluster;
use write::Writer;

/// How much of everything there is to be.
#[derive(Debug)]
struct Sizes {
    namespaces: usize,
    pods: usize,
    workloads: usize,
    psps: usize,
    rbac: usize,
    seed: u64,
    output: String,
}

impl Sizes {
    fn from_args(mut args: impl Iterator<Item = String>) -> Result<Self, Box<dyn Error>> {
        let mut sizes = Self {
            namespaces: 100,
            pods: 1000,
            workloads: 300,
            psps: 10,
            rbac: 200,
            seed: 1,
            output: String::new(),
        };
        while let Some(flag) = args.next() {
            let value = args.next().ok_or_else(|| format!("{flag} needs a value"))?;
            match flag.as_str() {
                "--namespaces" => sizes.namespaces = value.parse()?,
                "--pods" => sizes.pods = value.parse()?,
                "--workloads" => sizes.workloads = value.parse()?,
                "--psps" => sizes.psps = value.parse()?,
                "--rbac" => sizes.rbac = value.parse()?,
                "--seed" => sizes.seed = value.parse()?,
                "-o" | "--output" => sizes.output = value,
                _ => return Err(format!("unknown argument {flag}").into()),
            }
        }
        if sizes.output.is_empty() || sizes.namespaces == 0 || sizes.workloads == 0 {
            return Err("-o FILE, and at least one namespace and workload, are needed".into());
        }
        Ok(sizes)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let sizes = Sizes::from_args(std::env::args().skip(1))?;
    let file = BufWriter::with_capacity(1 << 20, File::create(&sizes.output)?);
    match sizes.output.strip_suffix(".gz") {
        Some(name) => {
            let gzip = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
            write_cluster(&sizes, name, gzip)?.finish()?.flush()?;
        }
        None => write_cluster(&sizes, &sizes.output, file)?.flush()?,
    }
    Ok(())
}

fn write_cluster<W: Write>(sizes: &Sizes, name: &str, output: W) -> Result<W, Box<dyn Error>> {
    let mut writer = Writer::start(name, output)?;
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
    for n in 0..sizes.pods {
        writer.object(&cluster.pod(n))?;
    }
    writer.finish()
}
