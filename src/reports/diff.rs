//! `plan -o diff`: what changes, line by line, with the policy field that made it.
//!
//! A line is one security field with its path, so that each can be read, and found with grep, on its
//! own.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value as Json, json};
use similar::{Algorithm, ChangeTag, TextDiff};

use super::patches::skipped;
use crate::migrate::lost;
use crate::migrate::plan::{NamespacePlan, Plan, WorkloadPlan};
use crate::objects::pod::PodTemplateSpec;
use crate::objects::source::printable;
use crate::rollout::Labelling;

/// The diff of every namespace's labels, and of each workload's template against the pod that PSP
/// admits and against the pod of the future. What does not change is left out; namespaces that are
/// not labelled stand there as comments.
#[must_use]
pub fn diff(plan: &Plan, labelling: &Labelling) -> String {
    let mut sections = Vec::new();
    for namespace in &plan.namespaces {
        sections.push(match labelling.reason_to_skip(plan, namespace) {
            Some(reason) => skipped(namespace, &reason),
            None => labels_diff(namespace),
        });
        for workload in &namespace.workloads {
            let states = &workload.states;
            let template = ("template", std::slice::from_ref(&states.authored));
            let admitted = ("admitted today", states.admitted.as_slice());
            let future = ("future", states.future.as_slice());
            let steps = [(template, admitted), (template, future)];
            sections.extend(diffs(&namespace.name, workload, &steps));
        }
    }
    sections.retain(|section| !section.is_empty());
    sections.join("\n")
}

/// The diff of the labels; empty where they are there already.
pub(super) fn labels_diff(namespace: &NamespacePlan) -> String {
    let lines = |labels: &BTreeMap<String, String>| {
        labels.iter().map(|(key, value)| format!("metadata.labels[{key}]: {value}")).collect()
    };
    let before: Vec<String> = lines(&namespace.current_labels);
    let mut after = namespace.current_labels.clone();
    after.extend(namespace.labels.clone());
    let title = format!("namespace {}", namespace.name);
    unified(&title, ["now", "planned"], &before, &lines(&after), &BTreeMap::new())
}

/// The diffs from a workload's template to the pods that it comes to: today and without PSP; and from
/// there on what each part of its patch does. Those that change nothing are left out.
#[must_use]
pub fn of_workload(namespace: &str, workload: &WorkloadPlan) -> Vec<String> {
    let states = &workload.states;
    let template = ("template", std::slice::from_ref(&states.authored));
    let future = ("future", states.future.as_slice());
    let kept = ("kept", states.kept.as_slice());
    let steps = [
        (template, ("admitted today", states.admitted.as_slice())),
        (template, future),
        (future, kept),
        (kept, ("raised", states.raised.as_slice())),
    ];
    diffs(namespace, workload, &steps)
}

/// The pods of a state, with its name.
type State<'p> = (&'p str, &'p [Arc<PodTemplateSpec>]);

fn diffs(
    namespace: &str,
    workload: &WorkloadPlan,
    steps: &[(State<'_>, State<'_>)],
) -> Vec<String> {
    let title = format!("{} {namespace}/{}", workload.kind, workload.name);
    let origins = origins(workload);
    let mut sections = Vec::new();
    for ((old_name, old), (new_name, new)) in steps {
        for (index, pod) in new.iter().enumerate() {
            // States are alike in what webhooks do; one that has fewer pods has no other reading.
            let Some(before) = old.get(index).or(old.last()) else { continue };
            let names = [*old_name, *new_name];
            sections.push(unified(&title, names, &fields(before), &fields(pod), &origins));
        }
    }
    sections.retain(|section| !section.is_empty());
    sections.dedup();
    sections
}

/// What a line comes from: the policy and its field, or the check that a patch satisfies by it.
fn origins(workload: &WorkloadPlan) -> BTreeMap<String, String> {
    let mut origins = BTreeMap::new();
    let origin = |policy: &str, field: Option<&str>| match field {
        Some(field) => format!("{policy}: {field}"),
        None => format!("{policy}: not in the input any more"),
    };
    // What a patch keeps may stand for the pod where PSP writes it into each container.
    for kept in workload.patch.iter().flat_map(|patch| &patch.keep) {
        let origin = origin(&kept.policy, kept.policy_field);
        for line in leaf_lines(&kept.path.by_name(), &kept.value) {
            origins.insert(line, origin.clone());
        }
    }
    for change in workload.states.all_changes() {
        let origin = origin(&change.policy, change.policy_field);
        for (path, value) in lost::values(change) {
            for line in leaf_lines(&path.by_name(), &value) {
                origins.insert(line, origin.clone());
            }
        }
        for line in leaf_lines(&change.path.by_name(), &serde_json::json!(change.after)) {
            origins.insert(line, origin.clone());
        }
    }
    // A list that is raised holds what PSP writes too.
    for raised in workload.patch.iter().flat_map(|patch| &patch.raise) {
        for line in leaf_lines(&raised.path.by_name(), &raised.value) {
            origins.entry(line).or_insert_with(|| format!("raised for {}", raised.check));
        }
    }
    origins
}

/// The fields of a slice that have a value, one a line, sorted.
fn fields(pod: &PodTemplateSpec) -> Vec<String> {
    let mut lines = leaf_lines("", &json!(pod));
    lines.sort();
    lines
}

/// A line for each value below one, with its path: list elements by name where they have one.
fn leaf_lines(path: &str, value: &Json) -> Vec<String> {
    match value {
        Json::Object(members) => members
            .iter()
            .flat_map(|(key, member)| {
                let path = match path {
                    "" => key.clone(),
                    // Keys of annotations hold dots.
                    path if key.contains('/') => format!("{path}[{key}]"),
                    path => format!("{path}.{key}"),
                };
                leaf_lines(&path, member)
            })
            .collect(),
        Json::Array(items) => items
            .iter()
            .enumerate()
            .flat_map(|(index, item)| match item.get("name").and_then(Json::as_str) {
                Some(name) => leaf_lines(&format!("{path}[name={name}]"), item),
                None if item.is_object() => leaf_lines(&format!("{path}[{index}]"), item),
                None => leaf_lines(path, item),
            })
            .collect(),
        Json::String(text) => vec![format!("{path}: {text}")],
        value => vec![format!("{path}: {value}")],
    }
}

/// The lines that differ, under a head that names both sides; empty where none does.
fn unified(
    title: &str,
    [old_name, new_name]: [&str; 2],
    old: &[String],
    new: &[String],
    origins: &BTreeMap<String, String>,
) -> String {
    let (old_lines, new_lines): (Vec<&str>, Vec<&str>) =
        (old.iter().map(String::as_str).collect(), new.iter().map(String::as_str).collect());
    // Named, as the default of a later version of the library could give other diffs.
    let diff =
        TextDiff::configure().algorithm(Algorithm::Myers).diff_slices(&old_lines, &new_lines);
    let mut text = String::new();
    for change in diff.iter_all_changes() {
        let sign = match change.tag() {
            ChangeTag::Equal => continue,
            ChangeTag::Delete => '-',
            ChangeTag::Insert => '+',
        };
        let line = change.value();
        let origin = origins.get(line).map(|origin| format!("  # {origin}")).unwrap_or_default();
        text.push(sign);
        text.push_str(&printable(&format!("{line}{origin}")));
        text.push('\n');
    }
    if text.is_empty() {
        return text;
    }
    format!(
        "--- {}\n+++ {}\n{text}",
        printable(&format!("{title} ({old_name})")),
        printable(&format!("{title} ({new_name})"))
    )
}
