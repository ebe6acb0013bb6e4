//! `plan -o html`: the plan as one page for a browser.
//!
//! The page needs no network and no script to be read; the script (`templates/plan.js`) filters,
//! sorts and copies. Every text of the input is escaped by the template engine, and the page forbids
//! the browser to run any script but its own.

mod changes;
mod findings;
mod heat_map;
mod patch;
mod picture;
mod section;

use std::collections::BTreeSet;
use std::io;

use askama::Template;

use super::digest::{
    configuration, inputs, marks, n_losing, n_pods, n_refused, server, why_not_stricter,
};
use super::findings::{by_namespace, token};
use crate::level::Level;
use crate::migrate::plan::{NamespacePlan, Plan};
use crate::objects::names::is_namespace_name;
use crate::psa::policy::ENFORCE_LABEL;
use crate::rollout::Labelling;
use changes::Sign;
use findings::OfKind;
use heat_map::HeatMap;
use picture::Bar;
use section::Section;

/// The `script-src` of the page: the hash of `templates/plan.js`.
///
/// A browser does not run the script if it is wrong, and its console says what is right.
const SCRIPT_HASH: &str = "sha256-yFB/xFpFs3AJmuv4JsQXR4aGM0qw6cJw4LNQxseg53g=";

/// Above this many namespaces, paper gets only the sections that the reader has opened.
const MAX_PRINTED_SECTIONS: usize = 100;

/// Writes the plan as one HTML file, as it goes.
///
/// # Errors
/// Those of `out`.
pub fn write(plan: &Plan, labelling: Labelling, out: &mut impl io::Write) -> io::Result<()> {
    Page { plan, labelling }.write_into(out)
}

/// The whole page.
#[derive(Template)]
#[template(path = "plan.html", whitespace = "minimize")]
struct Page<'p> {
    plan: &'p Plan,
    labelling: Labelling,
}

/// A level as it is shown.
#[derive(Debug, Clone, Copy)]
struct Shown {
    /// The class that colours it, and what filters compare.
    class: &'static str,
    /// The text.
    text: &'static str,
}

fn shown(level: Option<Level>) -> Shown {
    match level {
        Some(level) => Shown { class: level.as_str(), text: level.as_str() },
        None => Shown { class: "none", text: "\u{2013}" },
    }
}

/// A figure of the summary.
struct Figure {
    n: usize,
    text: &'static str,
    /// What it counts besides; empty for nothing.
    aside: String,
}

/// A row of the table of namespaces.
struct Row<'p> {
    name: &'p str,
    anchor: String,
    /// What is special about the namespace.
    marks: Vec<&'static str>,
    /// The kinds of its findings, each a word to filter by.
    findings: BTreeSet<String>,
    enforce: Shown,
    after: Shown,
    kept: Shown,
    raised: Shown,
    running: Shown,
    label: &'p str,
    n_workloads: usize,
    n_pods: usize,
    n_losing: usize,
    n_refused: usize,
    why: String,
}

impl<'p> Page<'p> {
    fn style() -> &'static str {
        include_str!("../../templates/plan.css")
    }

    fn script() -> &'static str {
        include_str!("../../templates/plan.js")
    }

    fn script_hash() -> &'static str {
        SCRIPT_HASH
    }

    fn prints_all(&self) -> bool {
        self.plan.namespaces.len() <= MAX_PRINTED_SECTIONS
    }

    /// The namespaces that are not Kubernetes' own; figures and picture speak of them.
    fn own(&self) -> impl Iterator<Item = &'p NamespacePlan> {
        self.plan.namespaces.iter().filter(|namespace| !namespace.system)
    }

    fn configuration(&self) -> Option<String> {
        configuration(self.plan)
    }

    fn server(&self) -> Option<String> {
        server(self.plan)
    }

    fn inputs(&self) -> Option<String> {
        inputs(self.plan)
    }

    fn figures(&self) -> [Figure; 6] {
        let summary = &self.plan.summary;
        let figure = |n, text| Figure { n, text, aside: String::new() };
        let n_places = self.own().filter(|namespace| n_losing(namespace) > 0).count();
        let aside = match n_places {
            0 => String::new(),
            1 => "in 1 namespace".to_owned(),
            n => format!("in {n} namespaces"),
        };
        let system = match summary.system {
            0 => String::new(),
            n => format!("and {n} system"),
        };
        [
            Figure { n: summary.namespaces, text: "namespaces", aside: system },
            figure(summary.workloads, "workloads"),
            figure(summary.pods, "pods"),
            Figure { n: self.own().map(n_losing).sum(), text: "workloads lose hardening", aside },
            figure(self.own().map(n_refused).sum(), "workloads refused today"),
            figure(
                self.own().filter(|namespace| namespace.conflict.is_some()).count(),
                "label conflicts",
            ),
        ]
    }

    fn bars(&self) -> Vec<Bar> {
        picture::bars(self.own())
    }

    fn findings(&self) -> Vec<OfKind> {
        findings::of_kinds(self.plan)
    }

    fn has_labels(&self) -> bool {
        self.plan.namespaces.iter().any(|namespace| !label(namespace).is_empty())
    }

    fn rows(&self) -> impl Iterator<Item = Row<'p>> {
        let findings = by_namespace(self.plan);
        self.plan.namespaces.iter().enumerate().map(move |(index, namespace)| Row {
            name: &namespace.name,
            anchor: anchor(index, namespace),
            marks: marks(namespace),
            findings: findings
                .get(&*namespace.name)
                .map(|findings| findings.iter().map(|finding| token(finding.kind)).collect())
                .unwrap_or_default(),
            enforce: shown(namespace.enforce),
            after: shown(namespace.enforce_after),
            kept: shown(namespace.levels.kept),
            raised: shown(namespace.levels.raised),
            running: shown(namespace.levels.running),
            label: label(namespace),
            n_workloads: namespace.workloads.len(),
            n_pods: n_pods(namespace),
            n_losing: n_losing(namespace),
            n_refused: n_refused(namespace),
            why: Some(why_not_stricter(namespace)).filter(|why| why != "-").unwrap_or_default(),
        })
    }

    fn heat_map(&self) -> HeatMap<'p> {
        HeatMap::of(self.plan)
    }

    fn sections(&self) -> impl Iterator<Item = Section<'p>> {
        let (plan, labelling) = (self.plan, self.labelling);
        let mut findings = by_namespace(plan);
        let mut taken = BTreeSet::new();
        plan.namespaces.iter().enumerate().map(move |(index, namespace)| {
            let findings = findings.remove(&*namespace.name).unwrap_or_default();
            Section::of(index, namespace, &findings, plan, labelling, &mut taken)
        })
    }
}

/// The `enforce` label that is there; empty for none.
fn label(namespace: &NamespacePlan) -> &str {
    namespace.current_labels.get(ENFORCE_LABEL).map_or("", String::as_str)
}

/// Where the page says more about a namespace: by its name, so that links from elsewhere stay, or by
/// its number where a server could not have the name.
fn anchor(index: usize, namespace: &NamespacePlan) -> String {
    if is_namespace_name(&namespace.name) {
        format!("ns-{}", namespace.name)
    } else {
        format!("ns--{index}")
    }
}
