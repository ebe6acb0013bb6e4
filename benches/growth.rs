//! Does a plan take twice as long for twice as much?
//!
//! ```console
//! $ cargo bench --bench growth
//! ```
//!
//! Each group makes one kind of object, or all, 1, 2, 4 and 8 times as many. `elem/s` counts the
//! objects that grow, so a step that is quadratic halves it from line to line; one that is linear
//! leaves it as it is, or lets it rise while the rest of the plan outweighs what grows. Reading and
//! generating are not measured; a plan is made on one thread.

use std::hint::black_box;
use std::time::Duration;

use criterion::{
    BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main,
};
use psp2psa::migrate::assemble;

use cluster::Sizes;

#[allow(dead_code, reason = "each bench uses a part")]
mod cluster;

/// The smallest cluster, of which the others are multiples.
const BASE: Sizes =
    Sizes { namespaces: 20, pods: 200, workloads: 40, psps: 10, rbac: 160, seed: 1 };

const TIMES: [usize; 4] = [1, 2, 4, 8];

/// One way to grow.
struct Growth {
    name: &'static str,
    /// How many there are of what grows.
    count: fn(&Sizes) -> usize,
    /// The cluster with so many times as much of it.
    times: fn(usize) -> Sizes,
}

const GROWTHS: [Growth; 6] = [
    Growth {
        name: "all, by pods",
        count: |sizes| sizes.pods,
        times: |n| Sizes {
            namespaces: BASE.namespaces * n,
            pods: BASE.pods * n,
            workloads: BASE.workloads * n,
            rbac: BASE.rbac * n,
            ..BASE
        },
    },
    Growth {
        name: "pods of the same workloads",
        count: |sizes| sizes.pods,
        times: |n| Sizes { pods: 500 * n, ..BASE },
    },
    Growth {
        name: "workloads of the same namespaces",
        count: |sizes| sizes.workloads,
        times: |n| Sizes { pods: BASE.workloads * n, workloads: BASE.workloads * n, ..BASE },
    },
    Growth {
        name: "namespaces of the same workloads",
        count: |sizes| sizes.namespaces,
        times: |n| Sizes { namespaces: 500 * n, ..BASE },
    },
    // In one namespace, where every policy may be used.
    Growth {
        name: "policies that may be used",
        count: |sizes| sizes.psps,
        times: |n| {
            let psps = BASE.psps * n;
            Sizes { namespaces: 1, psps, rbac: 4 * psps, ..BASE }
        },
    },
    Growth {
        name: "RBAC objects",
        count: |sizes| sizes.rbac,
        times: |n| Sizes { rbac: 1000 * n, ..BASE },
    },
];

fn growth(criterion: &mut Criterion) {
    for Growth { name, count, times } in GROWTHS {
        let mut group = criterion.benchmark_group(name);
        group.sample_size(10).sampling_mode(SamplingMode::Flat);
        group.warm_up_time(Duration::from_millis(100)).measurement_time(Duration::from_secs(1));
        for sizes in TIMES.map(times) {
            let snapshot = cluster::snapshot(&sizes);
            let options = cluster::options();
            let n_objects = count(&sizes);
            group.throughput(Throughput::Elements(n_objects as u64));
            group.bench_function(BenchmarkId::from_parameter(n_objects), |bencher| {
                bencher.iter(|| black_box(assemble::plan(&snapshot, &options, &|_| true)));
            });
        }
        group.finish();
    }
}

criterion_group!(benches, growth);
criterion_main!(benches);
