//! How fast do bytes become objects?
//!
//! ```console
//! $ cargo bench --bench reading
//! ```
//!
//! From memory, so that no disk counts; JSON beside what `serde_json` needs to look at the same bytes
//! without keeping anything, gzip beside unpacking alone. A rate is in bytes of the dump, of gzip in
//! bytes of what is packed.

use std::hint::black_box;
use std::io;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use psp2psa::sources;
use serde::de::IgnoredAny;
use serde_json::Deserializer;

use cluster::{Form, Sizes};

#[allow(dead_code, reason = "each bench uses a part")]
mod cluster;

/// Some 14 MB of indented JSON.
const SIZES: Sizes =
    Sizes { namespaces: 20, pods: 400, workloads: 60, psps: 10, rbac: 80, seed: 1 };

fn reading(criterion: &mut Criterion) {
    let forms = [("json", Form::Json), ("jsonl", Form::JsonLines), ("yaml", Form::Yaml)];
    for (name, form) in forms {
        let dump = cluster::dump(&SIZES, form);
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Bytes(dump.len() as u64)).sample_size(10);
        group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(3));
        group.bench_function("objects", |bencher| bencher.iter(|| n_objects(&dump)));
        if form != Form::Yaml {
            group.bench_function("yardstick: IgnoredAny", |bencher| bencher.iter(|| scan(&dump)));
        }
        if form == Form::Json {
            let packed = packed(&dump);
            group.bench_function("objects, packed", |bencher| bencher.iter(|| n_objects(&packed)));
            group
                .bench_function("yardstick: unpacking", |bencher| bencher.iter(|| unpack(&packed)));
        }
        group.finish();
    }
}

/// Reads all objects and drops them.
fn n_objects(dump: &[u8]) -> usize {
    let mut n_objects = 0;
    sources::read_from("made up", dump, &mut |item| {
        assert!(item.is_ok_and(|item| black_box(item).content.is_ok()));
        n_objects += 1;
    });
    n_objects
}

/// Looks at all values and keeps none.
fn scan(dump: &[u8]) -> usize {
    let values = Deserializer::from_slice(dump).into_iter::<IgnoredAny>();
    values.inspect(|value| assert!(value.is_ok())).count()
}

fn packed(dump: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    io::copy(&mut &*dump, &mut packer).expect("memory can be written to");
    packer.finish().expect("memory can be written to")
}

fn unpack(packed: &[u8]) -> u64 {
    io::copy(&mut MultiGzDecoder::new(packed), &mut io::sink()).expect("it has been packed")
}

criterion_group!(benches, reading);
criterion_main!(benches);
