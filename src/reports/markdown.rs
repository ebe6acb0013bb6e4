//! `plan -o markdown`: the plan for a change ticket or a wiki.
//!
//! Every text of the input is escaped by the template engine: no name makes a table's cell, a link or
//! HTML.

use std::collections::BTreeSet;
use std::io;

use askama::Template;

use super::digest::{
    self, Failure, LostValue, disagreement, failures, lost, marks, n_losing, n_refused, note,
    server, set_by, why_not_stricter,
};
use super::findings::{by_namespace, short_title};
use super::workload_patches::{self, Part, when_in_words};
use crate::level::Level;
use crate::migrate::findings::Finding;
use crate::migrate::harden::{NeedsChange, Patch};
use crate::migrate::plan::{NamespacePlan, Plan, WorkloadPlan};
use crate::objects::snapshot::Input;
use crate::psa::policy::ENFORCE_LABEL;
use crate::rollout::Labelling;

/// Writes the plan as Markdown with tables, as GitHub and most wikis take it.
///
/// # Errors
/// Those of `out`.
pub fn write(plan: &Plan, labelling: Labelling, out: &mut impl io::Write) -> io::Result<()> {
    Page { plan, labelling }.write_into(out)
}

#[derive(Template)]
#[template(path = "plan.md", whitespace = "preserve")]
struct Page<'p> {
    plan: &'p Plan,
    labelling: Labelling,
}

struct Namespace<'p> {
    plan: &'p NamespacePlan,
    name: &'p str,
    marks: Vec<&'static str>,
    enforce: &'static str,
    after: &'static str,
    kept: &'static str,
    raised: &'static str,
    running: &'static str,
    findings: Vec<&'p Finding>,
    workloads: Vec<Workload<'p>>,
    label: &'p str,
    n_workloads: usize,
    n_losing: usize,
    n_refused: usize,
    why: String,
    skipped: Option<String>,
    /// The labels to be set that are not there, with their values.
    labels: Vec<String>,
}

struct Workload<'p> {
    plan: &'p WorkloadPlan,
    parts: Vec<Part<'p>>,
}

impl Namespace<'_> {
    /// Whether there is more to say than the table does.
    fn is_telling(&self) -> bool {
        let plan = self.plan;
        !(plan.workloads.is_empty() && plan.missing.is_empty() && plan.conflict.is_none())
    }
}

impl<'p> Page<'p> {
    fn age(input: &Input) -> Option<String> {
        digest::age(input)
    }

    fn namespaces(&self) -> impl Iterator<Item = Namespace<'p>> {
        let (plan, labelling) = (self.plan, self.labelling);
        let mut findings = by_namespace(plan);
        let mut taken = BTreeSet::new();
        plan.namespaces.iter().map(move |namespace| {
            let skipped = labelling.reason_to_skip(plan, namespace);
            let is_new = |(key, value): &(&String, &String)| {
                namespace.current_labels.get(*key) != Some(value)
            };
            Namespace {
                plan: namespace,
                name: &namespace.name,
                marks: marks(namespace),
                enforce: word(namespace.enforce),
                after: word(namespace.enforce_after),
                kept: word(namespace.levels.kept),
                raised: word(namespace.levels.raised),
                findings: findings.remove(&*namespace.name).unwrap_or_default(),
                workloads: namespace
                    .workloads
                    .iter()
                    .map(|workload| Workload {
                        plan: workload,
                        parts: workload_patches::of_workload(namespace, workload, &mut taken),
                    })
                    .collect(),
                running: word(namespace.levels.running),
                label: namespace.current_labels.get(ENFORCE_LABEL).map_or("-", String::as_str),
                n_workloads: namespace.workloads.len(),
                n_losing: n_losing(namespace),
                n_refused: n_refused(namespace),
                why: why_not_stricter(namespace),
                labels: match skipped {
                    Some(_) => Vec::new(),
                    None => namespace
                        .labels
                        .iter()
                        .filter(is_new)
                        .map(|(key, value)| format!("{key}={value}"))
                        .collect(),
                },
                skipped,
            }
        })
    }

    fn configuration(&self) -> Option<String> {
        digest::configuration(self.plan)
    }

    fn server(&self) -> Option<String> {
        server(self.plan)
    }

    fn title(finding: &Finding) -> &'static str {
        short_title(finding.kind)
    }

    fn when(part: &Part<'_>) -> String {
        when_in_words(part.when)
    }

    fn delivery(workload: &WorkloadPlan, patch: &Patch) -> &'static str {
        workload_patches::delivery(workload, patch)
    }

    fn set_by(needed: &NeedsChange) -> &'static str {
        set_by(needed)
    }

    fn notes(workload: &WorkloadPlan) -> Vec<String> {
        let notes = workload.notes.iter().copied().map(note).map(str::to_owned);
        notes.chain(workload.disagreements.iter().map(|it| disagreement(workload, it))).collect()
    }

    fn failures(workload: &WorkloadPlan) -> Vec<Failure<'_>> {
        failures(workload)
    }

    fn lost(workload: &WorkloadPlan) -> Vec<LostValue<'_>> {
        lost(workload)
    }
}

fn word(level: Option<Level>) -> &'static str {
    level.map_or("-", Level::as_str)
}
