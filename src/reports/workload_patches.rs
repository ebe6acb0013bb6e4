//! `plan --out-dir`: the workloads' patches as files, and what applies them.
//!
//! ```text
//! patches/<namespace>/<kind>-<name>.yaml        the whole patch, for `kubectl patch --patch-file`
//! patches/<namespace>/<kind>-<name>.keep.yaml   what only keeps, where the whole does more
//! kustomization.yaml                            a component that takes those of today
//! patches.sh                                    the same as commands
//! ```

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use super::patches::Labelling;
use super::quoting::{file_name_part, is_object_name, shell_word};
use super::yaml;
use crate::migrate::harden::{Delivery, Kept, NeedsChange, Patch, Raised, When, bypass};
use crate::migrate::plan::{NamespacePlan, Plan, WorkloadPlan};
use crate::objects::source::printable;

/// The directory of the patches in a bundle.
pub const DIRECTORY: &str = "patches";

/// A file to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Where, below the bundle's directory; never outside of it.
    pub path: String,
    /// What it holds.
    pub text: String,
}

/// The files of a plan's patches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// A strategic merge patch each.
    pub patches: Vec<File>,
    /// A kustomize component with the patches.
    pub kustomization: File,
    /// A script that applies the patches.
    pub script: File,
}

const KEEPS: &str = "keeps what PSP gives its pods";

/// A part of a workload's patch, to be applied by itself.
struct Part<'p> {
    does: &'static str,
    path: String,
    raises: bool,
    when: Option<When>,
    why_not_now: Option<&'p str>,
}

/// Every patch of a plan, with a script and a kustomize component that apply what may be applied
/// today and only keeps; the rest stands there as comments with the reason.
#[must_use]
pub fn bundle(plan: &Plan, labelling: &Labelling) -> Bundle {
    let mut patches = Vec::new();
    let (mut script, mut kustomization) = (String::from(SCRIPT_HEAD), kustomization_head());
    let mut taken = BTreeSet::new();
    for namespace in &plan.namespaces {
        let skipped = labelling.reason_to_skip(plan, namespace);
        for workload in &namespace.workloads {
            let Some(patch) = &workload.patch else { continue };
            for part in parts(namespace, workload, patch, &mut taken) {
                let overlay = if part.raises { patch.overlay() } else { patch.keep_overlay() };
                let manifest = yaml::to_string(&manifest(namespace, workload, overlay));
                let head = comments(&head(namespace, workload, patch, &part));
                patches.push(File { path: part.path.clone(), text: head + &manifest });
                let obstacle = skipped.clone().or_else(|| obstacle(part.when, part.why_not_now));
                let delivery = obstacle.clone().or_else(|| obstacle_to_script(workload, patch));
                script.push_str(&command(namespace, workload, &part, delivery));
                kustomization.push_str(&entry(&part, obstacle));
            }
        }
    }
    if patches.is_empty() {
        kustomization.push_str("  []\n");
    }
    Bundle {
        patches,
        kustomization: File { path: "kustomization.yaml".to_owned(), text: kustomization },
        script: File { path: "patches.sh".to_owned(), text: script },
    }
}

/// The parts of a patch, each with a file name that no other has.
fn parts<'p>(
    namespace: &NamespacePlan,
    workload: &WorkloadPlan,
    patch: &'p Patch,
    taken: &mut BTreeSet<String>,
) -> Vec<Part<'p>> {
    if patch.when.is_none() {
        return Vec::new();
    }
    let directory = file_name_part(&namespace.name);
    let kind = workload.kind.to_ascii_lowercase();
    let stem = format!("{DIRECTORY}/{directory}/{kind}-{}", file_name_part(&workload.name));
    let mut file = |extension: &str| {
        let mut free = format!("{stem}{extension}");
        let mut n = 2;
        while taken.contains(&free) {
            free = format!("{stem}_{n}{extension}");
            n += 1;
        }
        taken.insert(free.clone());
        free
    };
    let whole = Part {
        does: match (patch.raises(), patch.keep.is_empty()) {
            (true, true) => "raises its pods",
            (true, false) => "keeps what PSP gives its pods, and raises them",
            (false, _) => KEEPS,
        },
        path: file(".yaml"),
        raises: patch.raises(),
        when: patch.when,
        why_not_now: patch.why_not_now.as_deref(),
    };
    let keep = (patch.raises() && !patch.keep.is_empty()).then(|| Part {
        does: KEEPS,
        path: file(".keep.yaml"),
        raises: false,
        when: patch.keep_when,
        why_not_now: patch.keep_why_not_now.as_deref(),
    });
    keep.into_iter().chain([whole]).collect()
}

/// The patch as an object: a strategic merge goes by kind, namespace and name.
#[must_use]
pub fn manifest(namespace: &NamespacePlan, workload: &WorkloadPlan, template: Json) -> Json {
    let mut manifest = match workload.kind {
        "Pod" => template,
        "PodTemplate" => json!({"template": template}),
        "CronJob" => json!({"spec": {"jobTemplate": {"spec": {"template": template}}}}),
        _ => json!({"spec": {"template": template}}),
    };
    manifest["apiVersion"] = json!(workload.api_version);
    manifest["kind"] = json!(workload.kind);
    // Annotations stand beside them in a Pod's.
    manifest["metadata"]["name"] = json!(workload.name);
    manifest["metadata"]["namespace"] = json!(namespace.name);
    manifest
}

/// What a reader of a patch should know, line by line.
fn head(
    namespace: &NamespacePlan,
    workload: &WorkloadPlan,
    patch: &Patch,
    part: &Part<'_>,
) -> Vec<String> {
    let mut lines =
        vec![format!("{} {}/{}: {}.", workload.kind, namespace.name, workload.name, part.does)];
    let level = if part.raises { workload.levels.raised } else { workload.levels.kept };
    if let (Some(before), Some(after)) = (workload.levels.future, level) {
        lines.push(format!("Level without PSP: {before}; with this patch: {after}."));
    }
    if let Some(when) = part.when {
        let why = part.why_not_now.map(|why| format!(": {why}")).unwrap_or_default();
        lines.push(format!("When: {when}{why}."));
    }
    lines.push(delivery(workload, patch).to_owned());
    if let Some(by) = reverted_by(workload) {
        lines.push(format!("{by} would revert it: change it there."));
    }
    lines.push(String::new());
    for kept in patch.keep.iter().filter(|kept| !(part.raises && kept.loosens)) {
        lines.push(format!("keep {}", kept_value(kept)));
    }
    for raised in patch.raise.iter().filter(|_| part.raises) {
        lines.push(format!("raise {}", raised_value(raised)));
        if let Some(what) = &raised.may_break {
            lines.push(format!("  test it: {what}"));
        }
    }
    for needed in patch.needs_change.iter().filter(|_| part.raises || !patch.raises()) {
        lines.push(format!("needs a change for {}", needed_change(needed)));
    }
    lines
}

/// `FIELD: VALUE`, with the policy field that writes it.
pub(super) fn kept_value(kept: &Kept) -> String {
    let by = kept.policy_field.map(|field| format!(" {field}")).unwrap_or_default();
    let proof = if kept.proven { "proven by running pods" } else { "no running pod proves it" };
    let loosens = if kept.loosens { ", loosens" } else { "" };
    let (field, value, policy) = (kept.path.by_name(), &kept.value, &kept.policy);
    format!("{field}: {value} (policy {policy}{by}; {proof}{loosens})")
}

/// `FIELD: VALUE`, with the violation that it ends.
pub(super) fn raised_value(raised: &Raised) -> String {
    format!("{}: {} ({})", raised.path.by_name(), raised.value, raised.reason)
}

/// The level that is in the way, the check, and `FIELD: VALUE` as it stands there.
pub(super) fn needed_change(needed: &NeedsChange) -> String {
    let who = if needed.injected { ", set by a webhook" } else { "" };
    let (level, check, field) = (needed.level, needed.check, needed.path.by_name());
    format!("{level} ({check}{who}): {field}: {}", needed.value)
}

fn comments(lines: &[String]) -> String {
    let mut text = String::new();
    for line in lines {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}", format!("# {}", printable(line)).trim_end());
    }
    text
}

/// How the patch reaches the pods, in a sentence.
pub(super) fn delivery(workload: &WorkloadPlan, patch: &Patch) -> &'static str {
    match patch.delivery {
        Delivery::Rollout => "Its controller replaces the pods.",
        Delivery::NewPods => "Pods made from then on have it; delete those that run.",
        Delivery::NextRun => "The next run has it.",
        Delivery::Recreate if workload.kind == "Job" => {
            "A Job's template is immutable: delete it and make it anew."
        }
        Delivery::Recreate => "These fields of a Pod are immutable: delete it and make it anew.",
        Delivery::Owner => "The pod's owner makes it anew: change the template there.",
        Delivery::Node => "A static pod: change its manifest on the node.",
    }
}

/// Who would revert a change by hand, where that is not told by the delivery already.
fn reverted_by(workload: &WorkloadPlan) -> Option<&str> {
    workload.managed_by.as_deref()
}

/// Why a part of a patch is not for today, and from when on it is; `None` if it is.
pub(super) fn obstacle(when: Option<When>, why_not_now: Option<&str>) -> Option<String> {
    match (when, why_not_now) {
        (Some(When::Now), _) => None,
        (Some(When::AfterBypass), why) => {
            let why = why.unwrap_or_default();
            Some(format!("after policy {} is usable: {why}", bypass::POLICY))
        }
        (_, why) => Some(format!("after PSP is gone: {}", why.unwrap_or_default())),
    }
}

/// Why no kubectl command can do it.
fn obstacle_to_script(workload: &WorkloadPlan, patch: &Patch) -> Option<String> {
    match patch.delivery {
        Delivery::Recreate | Delivery::Owner | Delivery::Node => {
            return Some(delivery(workload, patch).to_owned());
        }
        Delivery::Rollout | Delivery::NewPods | Delivery::NextRun => {}
    }
    if !is_object_name(&workload.name) {
        return Some("not a name that an object can have".to_owned());
    }
    reverted_by(workload).map(|by| format!("{by} would revert it: change it there"))
}

fn command(
    namespace: &NamespacePlan,
    workload: &WorkloadPlan,
    part: &Part<'_>,
    obstacle: Option<String>,
) -> String {
    let function = if part.raises { "raise" } else { "keep" };
    let kind = workload.kind.to_ascii_lowercase();
    let words = [&*namespace.name, &kind, &workload.name, &part.path].map(shell_word);
    let words: Option<Vec<String>> = words.into_iter().collect();
    let what = format!("{} {}/{}", workload.kind, namespace.name, workload.name);
    match (words, obstacle) {
        (Some(words), None) => format!("{function} {}\n", words.join(" ")),
        (Some(words), Some(why)) => {
            let command = format!("{function} {}", words.join(" "));
            comments(&[format!("{what}: left out: {why}"), command])
        }
        (None, _) => comments(&[format!("{what}: left out: a name that no shell can pass")]),
    }
}

fn entry(part: &Part<'_>, obstacle: Option<String>) -> String {
    let to_test = "raises, and is to be tested; instead of the part that only keeps".to_owned();
    let obstacle = obstacle.or(part.raises.then_some(to_test));
    match obstacle {
        None => format!("- path: {}\n", part.path),
        Some(why) => comments(&[why, format!("- path: {}", part.path)]),
    }
}

fn kustomization_head() -> String {
    format!(
        "# The patches of `psp2psa plan` as a kustomize component: list its directory under\n\
         # `components` of the kustomization whose resources are to be patched. A patch whose\n\
         # resource is not there is an error: remove it. Active is what keeps the pods as PSP makes\n\
         # them and may be applied now; the rest is below `#`, with the reason. What is `after policy\n\
         # {}` needs that policy first.\n\
         apiVersion: kustomize.config.k8s.io/v1alpha1\n\
         kind: Component\n\
         patches:\n",
        bypass::POLICY
    )
}

const SCRIPT_HEAD: &str = r#"#!/bin/sh
# Writes into the templates what PSP writes into their pods, as `psp2psa plan` found it.
#
#   sh patches.sh --dry-run=server   let the server check the patches, and change nothing
#   sh patches.sh                    apply the patches that keep the pods as they are
#   sh patches.sh --raise            and those that raise them to the next levels: test these first
#
# Uses kubectl's current context. Controllers replace the pods of what is patched. Can be run again;
# stops at the first refusal. Patches that may not be applied now are comments, with the reason.
set -eu

dry_run=none
raises=no
for argument in "$@"; do
  case "$argument" in
    --dry-run=server | --dry-run) dry_run=server ;;
    --raise) raises=yes ;;
    *) echo "usage: sh $0 [--dry-run=server] [--raise]" >&2; exit 2 ;;
  esac
done
cd -- "$(dirname -- "$0")"

# keep NAMESPACE KIND NAME FILE
keep() {
  kubectl patch --dry-run="$dry_run" --type=strategic --namespace="$1" \
    "$2" "$3" --patch-file="$4"
}
raise() {
  if [ "$raises" = yes ]; then keep "$@"; fi
}

"#;
