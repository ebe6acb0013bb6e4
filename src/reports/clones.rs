//! `policies -o clones`: simplified policies with the RBAC objects that make them usable, for
//! `kubectl apply`.

use serde_json::Value;

use super::yaml;
use crate::migrate::policies::UsedBy;
use crate::objects::Object;
use crate::objects::encode;
use crate::objects::source::printable;
use crate::rollout::clones::{Clones, Effect, PolicyClone, Simplified, WithoutClone, Written};

/// How many workloads a comment lists before it only counts.
const MAX_NAMES: usize = 20;

const HEAD: &str = "\
Simplified clones of PodSecurityPolicies, with roles and bindings that make each usable wherever
its original is. A clone sorts before its original, so that PSP prefers it; what it refuses, the
original still admits. Mend the templates of the workloads below that lose what they need first.

  Apply:  kubectl apply -f FILE
  Look:   restart one workload at a time, and see its pods' kubernetes.io/psp annotation
  Undo:   kubectl delete -f FILE

All of it is new, and nothing that is there is changed. Pods that run keep what they have.

";

/// The clones as YAML documents, with comments that say what each leaves out and does.
#[must_use]
pub fn documents(clones: &Clones) -> String {
    let mut text = String::new();
    comment(&mut text, HEAD);
    for (original, why) in &clones.without {
        let why = match why {
            WithoutClone::Simple => "needs no clone: it has nothing that a clone would leave out",
            WithoutClone::Broken => "has no clone: it takes no part in admission",
            WithoutClone::NoName => "has no clone: no free name sorts before its own",
        };
        line(&mut text, &format!("{original} {why}"));
    }
    if !clones.simulated {
        line(
            &mut text,
            "! What the clones do to pods is not known: the input lacks roles or bindings.",
        );
    }
    if !clones.for_every_policy.is_empty() {
        let roles: Vec<String> = clones.for_every_policy.iter().map(ToString::to_string).collect();
        line(
            &mut text,
            &format!(
                "! These allow the use of every policy, and so of each clone as soon as it exists: {}",
                listed(&roles)
            ),
        );
    }
    for clone in &clones.clones {
        text.push_str("---\n");
        describe(&mut text, clone, clones.simulated);
        let policy = Object::PodSecurityPolicy(Box::new(clone.policy.clone()));
        text.push_str(&yaml::to_string(&encode::value(&policy)));
        for role in &clone.roles {
            text.push_str("---\n");
            text.push_str(&yaml::to_string(&encode::value(&Object::Role(role.clone()))));
        }
        for binding in &clone.bindings {
            let mut value = encode::value(&Object::Binding(binding.clone()));
            value["roleRef"]["apiGroup"] = Value::from("rbac.authorization.k8s.io");
            text.push_str("---\n");
            text.push_str(&yaml::to_string(&value));
        }
    }
    text
}

fn describe(text: &mut String, clone: &PolicyClone, is_simulated: bool) {
    line(text, &format!("{} without:", clone.original));
    for simplified in &clone.simplifications {
        describe_field(text, simplified);
    }
    let (changed, same): (Vec<&Effect>, Vec<&Effect>) =
        clone.effects.iter().partition(|effect| effect.is_change());
    if clone.effects.is_empty() && is_simulated {
        line(text, "It will make no pods of the workloads that are known.");
    }
    if !same.is_empty() {
        let names: Vec<String> = same.iter().map(|effect| named(&effect.workload)).collect();
        line(text, &format!("It will make the same pods as today for: {}", listed(&names)));
    }
    if !changed.is_empty() {
        line(text, "! It will make other pods than today for:");
    }
    for effect in changed {
        describe_effect(text, effect);
    }
    if !clone.left_to_original.is_empty() {
        let names: Vec<String> = clone.left_to_original.iter().map(named).collect();
        line(text, &format!("The original goes on making the pods of: {}", listed(&names)));
    }
}

fn describe_field(text: &mut String, simplified: &Simplified) {
    let it = &simplified.simplification;
    line(text, &format!("  {} ({}, step {})", it.field, it.becomes, it.step));
    if !it.caution.is_empty() {
        line(text, &format!("    {}", it.caution));
    }
    let workloads: Vec<String> = simplified.relied_on_by.iter().map(named).collect();
    if !workloads.is_empty() {
        line(text, &format!("    relied on by: {}", listed(&workloads)));
    }
}

fn describe_effect(text: &mut String, effect: &Effect) {
    let today = match &effect.today {
        Some(policy) => format!("made by {policy} today"),
        None => "refused today".to_owned(),
    };
    line(text, &format!("  {}, {today}", named(&effect.workload)));
    for (sign, values) in [("-", &effect.lost), ("+", &effect.gained)] {
        for Written { path, value, .. } in values {
            let value = match value {
                Value::String(text) => text.clone(),
                value => value.to_string(),
            };
            line(text, &format!("    {sign} {path}: {value}"));
        }
    }
}

fn named(workload: &UsedBy) -> String {
    format!("{} {}/{}", workload.kind, workload.namespace, workload.name)
}

/// Names with commas between, of many only the first.
fn listed(names: &[String]) -> String {
    match names.len().checked_sub(MAX_NAMES) {
        Some(n_more) if n_more > 0 => {
            format!("{} and {n_more} more", names[..MAX_NAMES].join(", "))
        }
        _ => names.join(", "),
    }
}

fn comment(text: &mut String, words: &str) {
    for words in words.lines() {
        line(text, words);
    }
}

/// A comment of one line, whatever names stand in it.
fn line(text: &mut String, words: &str) {
    text.push_str(format!("# {}", printable(words)).trim_end());
    text.push('\n');
}
