//! What does it cost to judge one pod, apart from reading it?
//!
//! ```console
//! $ cargo bench --bench evaluation
//! ```
//!
//! Every figure is for 200 pods of 200 templates; `elem/s` counts pods, and policies where these are
//! made ready.

use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use psp2psa::level::Level;
use psp2psa::migrate::simulation::{Rules, Simulation};
use psp2psa::objects::pod::PodTemplateSpec;
use psp2psa::objects::snapshot::Snapshot;
use psp2psa::objects::workload::WorkloadKind;
use psp2psa::prepare;
use psp2psa::psa;
use psp2psa::psp::{Admission, Request};
use psp2psa::version::Version;

use cluster::Sizes;

#[allow(dead_code, reason = "each bench uses a part")]
mod cluster;

/// One namespace, so that all policies may be used.
const SIZES: Sizes =
    Sizes { namespaces: 1, pods: 200, workloads: 200, psps: 40, rbac: 160, seed: 1 };

fn pod_security(criterion: &mut Criterion) {
    let snapshot = cluster::snapshot(&SIZES);
    let pods: Vec<_> =
        snapshot.pods.iter().map(|pod| prepare::for_pod_security(&pod.template)).collect();
    let mut group = group(criterion, "pod security", pods.len());
    let cases = || {
        (0..=Version::LATEST.minor())
            .map(Version::v1)
            .flat_map(|version| [(Level::Baseline, version), (Level::Restricted, version)])
    };
    group.bench_function("evaluate, 2 levels x 38 versions", |bencher| {
        bencher.iter(|| {
            for pod in black_box(&pods) {
                for (level, version) in cases() {
                    black_box(psa::evaluate(level, version, pod));
                }
            }
        });
    });
    group.bench_function("allows, 2 levels x 38 versions", |bencher| {
        bencher.iter(|| {
            for pod in black_box(&pods) {
                for (level, version) in cases() {
                    black_box(psa::allows(level, version, pod));
                }
            }
        });
    });
    group.bench_function("evaluate, 2 levels x 1 version", |bencher| {
        bencher.iter(|| {
            for pod in black_box(&pods) {
                for level in [Level::Baseline, Level::Restricted] {
                    black_box(psa::evaluate(level, Version::v1(25), pod));
                }
            }
        });
    });
    group.finish();
}

fn policies(criterion: &mut Criterion) {
    let snapshot = cluster::snapshot(&SIZES);
    let server = Version::v1(24);
    let rules = Rules::new(&snapshot, server, None);
    let simulation = Simulation::of(rules.into());
    let pods = arriving_pods(&snapshot, &simulation);
    let namespace = &snapshot.pods[0].namespace;
    let requester = simulation.requester_of(WorkloadKind::ReplicaSet);
    let usable = simulation.usable_policies(namespace, &["default"].into());
    assert_eq!(usable.len(), SIZES.psps, "every policy may be used");

    let mut group = group(criterion, "pod security policy", pods.len());
    group.bench_function("simulation, 40 policies", |bencher| {
        bencher.iter(|| {
            for pod in black_box(&pods) {
                black_box(simulation.verdict(namespace, "", pod, requester.as_ref()));
            }
        });
    });
    group.bench_function("simulation with authorization, 40 policies", |bencher| {
        bencher.iter(|| {
            for pod in black_box(&pods) {
                let requester = requester.as_ref();
                let request = Request { namespace, name: "", pod, requester };
                black_box(simulation.admission().admit(&request, simulation.authorizer()));
            }
        });
    });
    group.bench_function("preparing", |bencher| {
        bencher.iter(|| black_box(arriving_pods(&snapshot, &simulation)));
    });
    group.throughput(Throughput::Elements(SIZES.psps as u64));
    group.bench_function("making policies ready", |bencher| {
        bencher.iter(|| black_box(Admission::new(snapshot.policies.values(), server)));
    });
    group.finish();
}

/// The pods of the workloads, as they reach admission.
fn arriving_pods(snapshot: &Snapshot, simulation: &Simulation<'_>) -> Vec<PodTemplateSpec> {
    let of_workload = |workload| {
        let template = prepare::template_of(workload)?;
        Some(simulation.pod_of_template(&workload.namespace, &template))
    };
    let mut pods: Vec<_> = snapshot.workloads.values().filter_map(of_workload).collect();
    pods.truncate(SIZES.pods);
    pods
}

fn group<'c>(
    criterion: &'c mut Criterion,
    name: &str,
    n_pods: usize,
) -> BenchmarkGroup<'c, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(n_pods as u64));
    group.sample_size(20);
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    group
}

criterion_group!(benches, pod_security, policies);
criterion_main!(benches);
