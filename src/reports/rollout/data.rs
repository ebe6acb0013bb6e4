//! What do the steps go by?

use std::fmt::Write as _;

use super::Rollout;
use crate::migrate::plan::NamespacePlan;
use crate::objects::names::{is_namespace_name, is_object_name};
use crate::psa::policy::Mode;
use crate::reports::json;
use crate::reports::workload_patches::{File, bypass_objects};
use crate::rollout::{Stage, waves};

const PREFIX: &str = "pod-security.kubernetes.io/";

pub(super) fn files(rollout: &Rollout<'_>) -> Vec<File> {
    let [policy, role] = bypass_objects(&rollout.plan.bypass_policy);
    let mut files = vec![
        file("namespaces", lines(rollout, |_| vec![String::new()])),
        file("labels", lines(rollout, labels)),
        file("workloads", lines(rollout, workloads)),
        file("policies", policies(rollout)),
        file("warnings", warnings(rollout)),
        file("bypass-policy.json", json::text(&policy)),
        file("bypass-role.json", json::text(&role)),
        file("enforce.sh", label_calls(rollout, Stage::Enforce)),
    ];
    let patches = rollout.removal.mixed_roles.iter().enumerate();
    files.extend(patches.map(|(n, role)| file(&role_patch(n), json::text(&role.patch))));
    files
}

fn file(name: &str, text: String) -> File {
    File { path: format!("data/{name}"), text }
}

/// The file of the patch for a mixed role.
pub(super) fn role_patch(n: usize) -> String {
    format!("role-{}.json", n + 1)
}

/// `NAMESPACE WORDS` for each namespace that can exist and all that is to be said of it.
fn lines(rollout: &Rollout<'_>, of: impl Fn(&NamespacePlan) -> Vec<String>) -> String {
    let mut text = String::new();
    for namespace in rollout.plan.namespaces.iter().filter(|it| is_namespace_name(&it.name)) {
        for words in of(namespace) {
            let line = format!("{} {words}", namespace.name);
            text.push_str(line.trim_end());
            text.push('\n');
        }
    }
    text
}

/// The pod-security labels that the plan has seen, without their prefix.
fn labels(namespace: &NamespacePlan) -> Vec<String> {
    let keys = Mode::ALL.into_iter().flat_map(|mode| [mode.level_label(), mode.version_label()]);
    keys.filter_map(|key| {
        let value = namespace.current_labels.get(key).filter(|value| is_word(value))?;
        Some(format!("{}={value}", short(key)))
    })
    .collect()
}

/// The policies that the plan has seen, a name a line.
fn policies(rollout: &Rollout<'_>) -> String {
    let names = rollout.plan.policies.iter().map(|policy| &*policy.name);
    let names = names.filter(|name| is_object_name(name) && !name.ends_with("psp2psa-bypass"));
    names.flat_map(|name| [name, "\n"]).collect()
}

/// The workloads that the plan has seen, with what changes when their templates do.
fn workloads(namespace: &NamespacePlan) -> Vec<String> {
    let workloads = namespace.workloads.iter().filter(|workload| is_object_name(&workload.name));
    workloads
        .map(|workload| {
            let revision = workload.template_revision.as_deref().filter(|it| is_word(it));
            format!("{} {} {}", workload.kind, workload.name, revision.unwrap_or_default())
        })
        .collect()
}

/// What the server will warn of: `NAMESPACE`, a tab, and what pods violate, without their names.
fn warnings(rollout: &Rollout<'_>) -> String {
    let mut text = String::new();
    for namespace in rollout.plan.namespaces.iter().filter(|it| is_namespace_name(&it.name)) {
        for warning in &namespace.label_warnings {
            // The server says nothing that holds a control character.
            if !warning.contains(char::is_control) {
                let what = warning.split_once(": ").map_or(warning.as_str(), |(_, what)| what);
                // Writing to a String cannot fail.
                let _ = writeln!(text, "{}\t{what}", namespace.name);
            }
        }
    }
    text
}

/// The calls that set a stage's labels, wave by wave.
pub(super) fn label_calls(rollout: &Rollout<'_>, stage: Stage) -> String {
    let waves = waves(rollout.plan, &rollout.labelling, stage, rollout.wave_size);
    let mut text = String::new();
    for (n, wave) in waves.iter().enumerate() {
        if stage == Stage::Warn {
            // What refuses nothing need not be looked at wave by wave, only written so.
            text.push_str("flush\n");
        } else {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "wave {} {}", n + 1, waves.len());
        }
        for step in wave {
            let labels = step.labels.iter().map(|(key, value)| format!("{}={value}", short(key)));
            let labels: Vec<String> = labels.collect();
            let _ = writeln!(text, "label {} {}", step.namespace.name, labels.join(" "));
        }
    }
    text
}

fn short(key: &str) -> &str {
    key.trim_start_matches(PREFIX)
}

/// Whether a value is a word that no shell makes anything of: what a label can hold.
fn is_word(value: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !value.is_empty() && value.bytes().all(is_plain)
}
