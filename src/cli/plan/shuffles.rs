//! Does the order of the input change a byte of what is printed?
//!
//! The demo clusters' objects are shuffled, given to one, two or three threads, and put into every form
//! that the program has for a whole cluster.

use clap::ValueEnum;
use serde_json::Value;

use super::Format;
use crate::level::Level;
use crate::migrate::simulation::Simulation;
use crate::migrate::tests::demos::{DEMO_1, DEMO_2};
use crate::migrate::tests::{options, snapshot};
use crate::migrate::{Options, admission_config, assemble, policies};
use crate::reports::rollout::{self, Rollout};
use crate::reports::{self, gitops, json, workload_patches};
use crate::rollout::Labelling;
use crate::rollout::clones::clones;
use crate::rollout::removal::removal;
use crate::rollout::review::review;
use crate::rollout::waves::DEFAULT_SIZE;

/// What is printed of a cluster, each with its name: the plan in these formats and its files, and where
/// these are all formats, the other reports too.
fn outputs<'v>(
    objects: impl IntoIterator<Item = &'v Value>,
    n_threads: usize,
    formats: &[Format],
) -> Vec<(String, String)> {
    let snapshot = snapshot(objects);
    let options = Options { n_threads, ..options() };
    let plan = assemble::plan(&snapshot, &options, &|_| true);
    let labelling = Labelling { includes_system: true, includes_incomplete: true };
    let server = Some(options.cluster_version);
    let mut outputs = Vec::new();
    let mut add = |name: &str, text: String| outputs.push((name.to_owned(), text));

    for format in formats {
        let mut out = Vec::new();
        format.write(&plan, labelling, &mut out).unwrap();
        add(&format!("plan -o {format:?}"), String::from_utf8(out).unwrap());
    }

    let gitops = gitops::component(&plan, &labelling);
    let (patches, keeping) = workload_patches::bundle(&plan, &labelling);
    let rollout = rollout::files(&Rollout {
        plan: &plan,
        labelling,
        server,
        is_partial: false,
        wave_size: DEFAULT_SIZE,
        keeping: &keeping,
        removal: &removal(&snapshot),
    });
    let files = [&gitops.kustomization, &patches.kustomization, &patches.script, &patches.bypass];
    for file in files.into_iter().chain(&gitops.patches).chain(&patches.patches).chain(&rollout) {
        add(&file.path, file.text.clone());
    }

    if formats != Format::value_variants() {
        return outputs;
    }
    let simulation = Simulation::new(&snapshot, options.cluster_version, None);
    let report = policies::report(&plan, &snapshot, &simulation, None);
    add("policies -o wide", reports::policies::table(&report, true));
    add("policies -o json", json::text(&report));
    let clones = clones(&plan, &snapshot, &simulation, &options, None);
    add("policies -o clones", reports::clones::documents(&clones));
    let review = review(&plan, &snapshot, &simulation);
    add("review", reports::review::outline(&review).text());
    add("review -o json", json::text(&review));
    let skipped = |namespace: &_| labelling.reason_to_skip(&plan, namespace);
    let proposal = admission_config::propose(&plan, Some(Level::Baseline), skipped);
    let configuration = reports::admission_config::commented(&plan, &proposal, server);
    add("admission-config", configuration);
    add("admission-config --managed", reports::guard::guard(&proposal, server));
    outputs
}

/// Shuffles a demo cluster so many times.
fn shuffle(objects: &[Value], times: usize, formats: &[Format]) {
    let mut rng = fastrand::Rng::with_seed(1);
    let want = outputs(objects, 1, formats);
    assert!(want.len() > 50, "the rollout has files, and the workloads patches");
    let mut objects: Vec<&Value> = objects.iter().collect();
    for time in 0..times {
        rng.shuffle(&mut objects);
        let found = outputs(objects.iter().copied(), 1 + time % 3, formats);
        assert_eq!(want.len(), found.len(), "shuffle {time}");
        for ((name, want), (of, found)) in want.iter().zip(&found) {
            assert_eq!(name, of, "shuffle {time}");
            // The texts are long, and the first line that differs says enough.
            let line = want.lines().zip(found.lines()).find(|(want, found)| want != found);
            assert!(want == found, "{name}, shuffle {time}: {line:?}");
        }
    }
}

const USUAL: &[Format] = &[Format::Json, Format::Html, Format::Script];

#[test]
fn the_first_demo_may_come_in_any_order() {
    shuffle(&DEMO_1, 25, USUAL);
    shuffle(&DEMO_1, 1, Format::value_variants());
}

#[test]
fn the_second_demo_may_come_in_any_order() {
    shuffle(&DEMO_2, 25, USUAL);
    shuffle(&DEMO_2, 1, Format::value_variants());
}

/// `cargo test --release --lib -- --ignored for_long`
#[test]
#[ignore = "takes minutes"]
fn the_demos_may_come_in_any_order_for_long() {
    shuffle(&DEMO_1, 500, Format::value_variants());
    shuffle(&DEMO_2, 500, Format::value_variants());
}
