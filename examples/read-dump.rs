//! Reads dumps and says how long it took and what was found.
//!
//! ```console
//! $ cargo run --release --example read-dump -- cluster.json
//! ```

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use psp2psa::objects::snapshot::SnapshotBuilder;
use psp2psa::sources::{Input, read_into};

fn main() -> Result<(), Box<dyn Error>> {
    let inputs: Vec<_> =
        std::env::args().skip(1).map(|file| Input::new(Path::new(&file), true)).collect();
    let start = Instant::now();
    let mut builder = SnapshotBuilder::default();
    let errors = read_into(&mut builder, &inputs);
    let read = start.elapsed();
    let start = Instant::now();
    let snapshot = builder.finish();
    let sorted = start.elapsed();
    let mut out = std::io::stdout().lock();
    writeln!(out, "read in {read:.2?}, sorted in {sorted:.2?}")?;
    writeln!(out, "{:?}", snapshot.reading.read)?;
    for error in &snapshot.reading.unreadable {
        writeln!(out, "{error}")?;
    }
    let mut templates: Vec<_> =
        snapshot.pods.iter().map(|pod| std::sync::Arc::as_ptr(&pod.template)).collect();
    templates.sort_unstable();
    templates.dedup();
    writeln!(out, "{} pods of {} slices", snapshot.pods.len(), templates.len())?;
    writeln!(out, "{} conflicts, {} bad inputs", snapshot.reading.conflicts.len(), errors.len())?;
    Ok(())
}
