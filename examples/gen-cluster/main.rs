//! Writes a dump of a made-up cluster, of any size, as kubectl would print it.
//!
//! ```console
//! $ cargo run --release --example gen-cluster -- --namespaces 500 --pods 20000 --workloads 3000 \
//!     --psps 20 --rbac 1000 --seed 1 -o cluster.json
//! $ gen-cluster --pods 200000 --format jsonl -o - | psp2psa check -f - -o jsonl
//! ```
//!
//! The name of the output decides its form: `.json` (one List, indented), `.yaml` (the same),
//! `.jsonl` (an object a line), each with `.gz` or without. `--format` says it where the name does
//! not, as for `-`, standard output. The same arguments give the same bytes.

mod dump;

use std::error::Error;
use std::fs::File;
use std::io::{self, BufWriter, Write};

use dump::{Form, Sizes};

/// What the command line says.
#[derive(Debug)]
struct Args {
    sizes: Sizes,
    output: String,
    /// What the output's name would end in.
    format: Option<String>,
}

impl Args {
    fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, Box<dyn Error>> {
        let sizes =
            Sizes { namespaces: 100, pods: 1000, workloads: 300, psps: 10, rbac: 200, seed: 1 };
        let mut parsed = Self { sizes, output: String::new(), format: None };
        let sizes = &mut parsed.sizes;
        while let Some(flag) = args.next() {
            let value = args.next().ok_or_else(|| format!("{flag} needs a value"))?;
            match flag.as_str() {
                "--namespaces" => sizes.namespaces = value.parse()?,
                "--pods" => sizes.pods = value.parse()?,
                "--workloads" => sizes.workloads = value.parse()?,
                "--psps" => sizes.psps = value.parse()?,
                "--rbac" => sizes.rbac = value.parse()?,
                "--seed" => sizes.seed = value.parse()?,
                "--format" => parsed.format = Some(value),
                "-o" | "--output" => parsed.output = value,
                _ => return Err(format!("unknown argument {flag}").into()),
            }
        }
        if parsed.output.is_empty() || sizes.namespaces == 0 || sizes.workloads == 0 {
            return Err("-o FILE, and at least one namespace and workload, are needed".into());
        }
        Ok(parsed)
    }

    /// The form, and whether it is packed.
    fn form(&self) -> Result<(Form, bool), Box<dyn Error>> {
        let name = self.format.as_ref().unwrap_or(&self.output);
        let (name, is_packed) = match name.strip_suffix(".gz") {
            Some(name) => (name, true),
            None => (name.as_str(), false),
        };
        let form = match name.rsplit('.').next() {
            Some("json") => Form::Json,
            Some("yaml" | "yml") => Form::Yaml,
            Some("jsonl") => Form::JsonLines,
            _ => return Err("the output must end in .json, .yaml or .jsonl, perhaps .gz".into()),
        };
        Ok((form, is_packed))
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse(std::env::args().skip(1))?;
    let (form, is_packed) = args.form()?;
    let output: Box<dyn Write> = match args.output.as_str() {
        "-" => Box::new(io::stdout().lock()),
        name => Box::new(File::create(name)?),
    };
    let output = BufWriter::with_capacity(1 << 20, output);
    if is_packed {
        let gzip = flate2::write::GzEncoder::new(output, flate2::Compression::fast());
        dump::write_cluster(&args.sizes, form, gzip)?.finish()?.flush()?;
    } else {
        dump::write_cluster(&args.sizes, form, output)?.flush()?;
    }
    Ok(())
}
