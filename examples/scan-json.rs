//! The yardstick: reads a file into memory as a whole, and looks at its JSON on one thread without
//! keeping anything.
//!
//! ```console
//! $ cargo run --release --example scan-json -- cluster.json
//! ```

use std::error::Error;
use std::io::Write;
use std::time::Instant;

use serde::de::IgnoredAny;
use serde_json::Deserializer;

fn main() -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout().lock();
    for file in std::env::args().skip(1) {
        let start = Instant::now();
        #[expect(clippy::disallowed_methods, reason = "the yardstick stands outside the program")]
        let bytes = std::fs::read(&file)?;
        let read = start.elapsed();
        let start = Instant::now();
        let mut n_values = 0;
        for value in Deserializer::from_slice(&bytes).into_iter::<IgnoredAny>() {
            value?;
            n_values += 1;
        }
        let scanned = start.elapsed();
        writeln!(out, "{file}: {} bytes, {n_values} values", bytes.len())?;
        writeln!(out, "read in {read:.2?}, scanned in {scanned:.2?}")?;
    }
    Ok(())
}
