//! Which reports does the program make of a cluster?
//!
//! As the subcommands make them, with the settings that they have where nothing is said.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;

use psp2psa::migrate::admission_config::propose;
use psp2psa::migrate::explain::{Part, explain};
use psp2psa::migrate::plan::Plan;
use psp2psa::migrate::simulation::Simulation;
use psp2psa::migrate::{Options, assemble, policies};
use psp2psa::objects::Object;
use psp2psa::objects::snapshot::Snapshot;
use psp2psa::objects::source::Source;
use psp2psa::prepare;
use psp2psa::psa::configuration::Configuration;
use psp2psa::reports::admission_config::commented;
use psp2psa::reports::check::{self, CheckItem, CheckReport};
use psp2psa::reports::guard::guard;
use psp2psa::reports::item::Subject;
use psp2psa::reports::outline::Outline;
use psp2psa::reports::rollout::{self, Rollout};
use psp2psa::reports::simulate::{self, SimulationItem, SimulationReport};
use psp2psa::reports::{
    API_VERSION, Document, StructuredFormat, clones, diff, gitops, html, markdown, patches,
    plan_table, script, workload_patches, write_structured,
};
use psp2psa::rollout::Labelling;
use psp2psa::rollout::removal::removal;
use psp2psa::rollout::review::review;
use psp2psa::rollout::verify::{Comparison, verify};
use psp2psa::version::Version;
use serde::Serialize;

/// How many namespaces and policies have reports of their own.
const MOST_OF_A_KIND: usize = 8;

/// What reads a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reader {
    /// A person at a terminal.
    Terminal,
    /// Whatever shows Markdown.
    Markdown,
    /// A browser.
    Browser,
    /// A shell.
    Shell,
    /// A program that reads JSON.
    Json,
    /// A program that reads YAML, or lines of words.
    Data,
}

/// A report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What it is called; files go by their path.
    pub name: String,
    /// What reads it.
    pub reader: Reader,
    /// Its text.
    pub text: String,
}

/// The reports of one cluster, as they are made.
#[derive(Default)]
struct Reports(Vec<Report>);

impl Reports {
    fn add(&mut self, name: &str, reader: Reader, text: impl Into<String>) {
        self.0.push(Report { name: name.to_owned(), reader, text: text.into() });
    }

    fn add_file(&mut self, file: workload_patches::File) {
        let reader = match file.path.rsplit('.').next() {
            Some("sh") => Reader::Shell,
            Some("md") => Reader::Markdown,
            Some("json") => Reader::Json,
            _ => Reader::Data,
        };
        self.0.push(Report { name: file.path, reader, text: file.text });
    }

    fn add_outline(&mut self, name: &str, outline: &Outline) {
        self.add(name, Reader::Terminal, outline.text());
        self.add(name, Reader::Markdown, outline.markdown());
    }

    fn add_data<T: Serialize>(&mut self, name: &str, data: &T) {
        for (format, reader) in
            [(StructuredFormat::Json, Reader::Json), (StructuredFormat::Yaml, Reader::Data)]
        {
            let mut text = Vec::new();
            write_structured(data, format, &mut text).expect("a Vec takes everything");
            self.add(name, reader, String::from_utf8(text).expect("reports are UTF-8"));
        }
    }
}

/// What is decided where nothing is said.
fn options(snapshot: &Snapshot) -> Options {
    Options {
        pss_version: Version::v1(25),
        configuration: Configuration::default(),
        is_configured: false,
        cluster_version: snapshot.server_version().unwrap_or(Version::LAST_WITH_PSP),
        controllers_user: None,
        system_namespaces: BTreeSet::new(),
        warn: None,
        audit: None,
        empty_namespaces: None,
        n_threads: 1,
    }
}

/// Every report that is made of a cluster.
#[must_use]
pub fn of(snapshot: &Snapshot, labelling: Labelling) -> Vec<Report> {
    let options = options(snapshot);
    let plan = assemble::plan(snapshot, &options, &|_| true);
    let mut reports = Reports::default();
    add_plan(&mut reports, &plan, labelling);
    add_files(&mut reports, &plan, snapshot, labelling);
    let simulation = Simulation::new(snapshot, options.cluster_version, None);
    add_others(&mut reports, &plan, snapshot, &simulation, labelling);
    let clones = psp2psa::rollout::clones::clones(&plan, snapshot, &simulation, &options, None);
    reports.add("clones", Reader::Data, clones::documents(&clones));
    // Of namespaces without workloads there is little to explain.
    let with_workloads = plan.namespaces.iter().filter(|it| !it.workloads.is_empty());
    for namespace in with_workloads.take(MOST_OF_A_KIND) {
        let of_one = assemble::plan(snapshot, &options, &|name| *name == *namespace.name);
        if let Some(explained) = explain(of_one, &simulation, Part::Everything) {
            reports.add_outline(
                "explain-namespace",
                &psp2psa::reports::explain::namespace(&explained),
            );
            reports
                .add_outline("explain-workload", &psp2psa::reports::explain::workload(&explained));
            reports.add_data("explain", &explained);
        }
    }
    add_pods(&mut reports, snapshot, &simulation);
    for error in &snapshot.reading.unreadable {
        reports.add("unreadable", Reader::Terminal, error.to_string());
    }
    for conflict in &snapshot.reading.conflicts {
        reports.add("conflict", Reader::Terminal, conflict.to_string());
    }
    reports.0
}

/// What `plan` prints.
fn add_plan(reports: &mut Reports, plan: &Plan, labelling: Labelling) {
    reports.add("plan-table", Reader::Terminal, plan_table::table(plan));
    reports.add("plan-wide", Reader::Terminal, plan_table::wide(plan));
    reports.add("plan-diff", Reader::Terminal, diff::diff(plan, &labelling));
    reports.add("labels.sh", Reader::Shell, script::script(plan, &labelling));
    reports.add("namespaces.yaml", Reader::Data, patches::patches(plan, &labelling));
    let document = Document { api_version: API_VERSION, kind: "MigrationPlan", body: plan };
    reports.add_data("plan", &document);
    let mut page = Vec::new();
    html::write(plan, labelling, &mut page).expect("a Vec takes everything");
    reports.add("plan", Reader::Browser, String::from_utf8(page).expect("reports are UTF-8"));
    let mut page = Vec::new();
    markdown::write(plan, labelling, &mut page).expect("a Vec takes everything");
    reports.add("plan", Reader::Markdown, String::from_utf8(page).expect("reports are UTF-8"));
}

/// What `plan --out-dir` writes besides.
fn add_files(reports: &mut Reports, plan: &Plan, snapshot: &Snapshot, labelling: Labelling) {
    let component = gitops::component(plan, &labelling);
    let (bundle, keeping) = workload_patches::bundle(plan, &labelling);
    let files = rollout::files(&Rollout {
        plan,
        labelling,
        server: snapshot.server_version(),
        is_partial: false,
        wave_size: NonZeroUsize::MIN,
        keeping: &keeping,
        removal: &removal(snapshot),
    });
    let bundled = [bundle.kustomization, bundle.script, bundle.bypass];
    component
        .patches
        .into_iter()
        .chain([component.kustomization])
        .chain(bundle.patches)
        .chain(bundled)
        .chain(files)
        .for_each(|file| reports.add_file(file));
}

/// What the other subcommands say of a cluster.
fn add_others<'s>(
    reports: &mut Reports,
    plan: &Plan,
    snapshot: &'s Snapshot,
    simulation: &Simulation<'s>,
    labelling: Labelling,
) {
    let proposal = propose(plan, None, |namespace| labelling.reason_to_skip(plan, namespace));
    for server in [None, Some(Version::v1(24))] {
        reports.add("admission.yaml", Reader::Data, commented(plan, &proposal, server));
        reports.add("guard.yaml", Reader::Data, guard(&proposal, server));
    }
    let names = plan.policies.iter().map(|policy| Some(&*policy.name));
    for name in names.take(MOST_OF_A_KIND).chain([None]) {
        let report = policies::report(plan, snapshot, simulation, name);
        for is_wide in [false, true] {
            let table = psp2psa::reports::policies::table(&report, is_wide);
            reports.add("policies", Reader::Terminal, table);
        }
        reports.add_outline("policies", &psp2psa::reports::policies::outline(&report));
        reports.add_data("policies", &report);
    }
    let review = review(plan, snapshot, simulation);
    reports.add_outline("review", &psp2psa::reports::review::outline(&review));
    reports.add_data("review", &review);
    let verification = verify(&Comparison {
        plan,
        snapshot,
        reference: None,
        before: None,
        target: None,
        labelling,
    });
    reports.add_outline("verify", &psp2psa::reports::verify::outline(&verification));
    reports.add_data("verify", &verification);
}

/// What `check` and `simulate` say of the cluster's pods and templates.
fn add_pods(reports: &mut Reports, snapshot: &Snapshot, simulation: &Simulation<'_>) {
    let pods = snapshot.pods.iter().map(|pod| Object::Pod(pod.clone()));
    let workloads = snapshot.workloads.values().map(|it| Object::Workload(it.clone()));
    let (mut checked, mut simulated) = (Vec::new(), Vec::new());
    for (index, object) in pods.chain(workloads).enumerate() {
        let subject = Subject::of(&object, "v1".into(), object.kind().into(), "default");
        let Some(subject) = subject else { continue };
        let source = || Source { file: "input".into(), index, line: None };
        checked.push(CheckItem::judge(index, source(), &subject, Version::LATEST, true));
        let pod = prepare::defaulted_pod(&subject.template);
        let verdict = simulation.verdict(&subject.namespace, &subject.pod_name(), &pod, None);
        simulated.push(SimulationItem::of(index, source(), &subject, &subject.template, &verdict));
    }
    let checked = CheckReport::new(Version::LATEST, checked);
    reports.add("check", Reader::Terminal, check::table(&checked, true));
    reports.add_data("check", &checked);
    let simulated = SimulationReport::new(simulated);
    reports.add("simulate", Reader::Terminal, simulate::text(&simulated));
    reports.add_data("simulate", &simulated);
}
