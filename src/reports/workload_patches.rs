//! `plan --out-dir`: the workloads' patches as files, and what applies them.
//!
//! ```text
//! patches/<namespace>/<kind>-<name>.yaml        the whole patch, for `kubectl patch --patch-file`
//! patches/<namespace>/<kind>-<name>.keep.yaml   what only keeps, where the whole does more
//! kustomization.yaml                            a component that takes those of today
//! patches.sh                                    the same as commands
//! bypass.yaml                                   the policy for what is `afterBypass`
//! ```

mod part;

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::quoting::shell_word;
use super::yaml;
use crate::migrate::harden::{Delivery, Patch, When, bypass};
use crate::migrate::plan::{NamespacePlan, Plan, WorkloadPlan};
use crate::objects::meta::Name;
use crate::objects::names::is_object_name;
use crate::objects::{Object, encode};
use crate::rollout::Labelling;
use part::comments;

pub use part::manifest;
pub(super) use part::{
    Part, delivery, kept_value, needed_change, of_workload, raised_value, reverted_by,
    when_in_words,
};

/// The directory of the patches in a bundle.
pub const DIRECTORY: &str = "patches";

/// A file to be written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
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
    /// The policy for patches that may be applied once their pods may use it, and the role for that.
    pub bypass: File,
}

/// A patch that keeps what PSP writes into a workload's pods.
#[derive(Debug, Clone)]
pub struct Keeping<'p> {
    /// Where the workload is.
    pub namespace: &'p NamespacePlan,
    /// The workload.
    pub workload: &'p WorkloadPlan,
    /// The file of the patch.
    pub path: String,
    /// From when on it may be applied.
    pub when: When,
    /// Why it is not to be applied even then; `None` where it is.
    pub obstacle: Option<String>,
}

impl Keeping<'_> {
    /// The workload's resource as kubectl names it, such as `deployments.apps`.
    #[must_use]
    pub fn resource(&self) -> String {
        let resource = format!("{}s", self.workload.kind.to_ascii_lowercase());
        match self.workload.api_version.split_once('/') {
            Some((group, _)) => format!("{resource}.{group}"),
            None => resource,
        }
    }
}

/// Every patch of a plan, with a script and a kustomize component that apply what may be applied
/// today and only keeps; the rest stands there as comments with the reason. Besides, the patches that
/// only keep, one for each workload that has one.
#[must_use]
pub fn bundle<'p>(plan: &'p Plan, labelling: &Labelling) -> (Bundle, Vec<Keeping<'p>>) {
    let mut patches = Vec::new();
    let mut keeping = Vec::new();
    let (mut script, mut kustomization) = (String::from(SCRIPT_HEAD), kustomization_head());
    let mut taken = BTreeSet::new();
    for namespace in &plan.namespaces {
        let skipped = labelling.reason_to_skip(plan, namespace);
        for workload in &namespace.workloads {
            let Some(patch) = &workload.patch else { continue };
            let mut parts = of_workload(namespace, workload, &mut taken);
            let unfit = skipped.clone().or_else(|| not_in_place(workload, patch));
            let obstacle = |part: &Part<'_>| {
                let not_today = || obstacle(part.when, part.why_not_now);
                unfit.clone().or_else(not_today).or_else(|| part.loosening())
            };
            let mut is_active = false;
            for part in &parts {
                let obstacle = obstacle(part);
                let obstacle = obstacle.as_deref().or(not_by_default(part, is_active));
                is_active |= obstacle.is_none();
                kustomization.push_str(&entry(part, obstacle));
            }
            // Whoever would revert a command can build upon the component.
            let reverted =
                reverted_by(workload).map(|by| format!("{by} would revert it: change it there"));
            let obstacles: Vec<_> =
                parts.iter().map(|part| obstacle(part).or_else(|| reverted.clone())).collect();
            let ever = |part: &Part<'_>| unfit.clone().or(reverted.clone()).or(part.loosening());
            let keeps = parts.iter().filter(|part| !part.raises);
            let keeps = keeps.map(|part| Keeping {
                namespace,
                workload,
                path: part.file.path.clone(),
                when: part.when,
                obstacle: ever(part),
            });
            keeping.extend(keeps.min_by_key(|keeping| keeping.obstacle.is_some()));
            script.push_str(&commands(namespace, workload, &parts, &obstacles));
            patches.extend(parts.drain(..).map(|part| part.file));
        }
    }
    if patches.is_empty() {
        kustomization.push_str("  []\n");
    }
    let bundle = Bundle {
        patches,
        kustomization: File { path: "kustomization.yaml".to_owned(), text: kustomization },
        script: File { path: "patches.sh".to_owned(), text: script },
        bypass: File { path: "bypass.yaml".to_owned(), text: bypass_manifest(&plan.bypass_policy) },
    };
    (bundle, keeping)
}

/// Why a part is not for today, and from when on it is; `None` if it is.
pub(super) fn obstacle(when: When, why_not_now: Option<&str>) -> Option<String> {
    let why = why_not_now.unwrap_or_default();
    match when {
        When::Now => None,
        When::AfterBypass => Some(format!("after the bypass policy is usable: {why}")),
        When::AfterPsp => Some(format!("after PSP is gone: {why}")),
    }
}

/// Why the object cannot be patched where it stands.
fn not_in_place(workload: &WorkloadPlan, patch: &Patch) -> Option<String> {
    match patch.delivery {
        Delivery::Recreate | Delivery::Owner | Delivery::Node => {
            let owner = reverted_by(workload).map(|owner| format!(" ({owner})"));
            Some(format!("{}{}", delivery(workload, patch), owner.unwrap_or_default()))
        }
        Delivery::Rollout | Delivery::NewPods | Delivery::NextRun => {
            let is_name = is_object_name(&workload.name);
            (!is_name).then(|| "not a name that an object can have".to_owned())
        }
    }
}

/// The commands for the parts of one workload's patch: one where both may be applied, as the whole
/// stands for the other.
fn commands(
    namespace: &NamespacePlan,
    workload: &WorkloadPlan,
    parts: &[Part<'_>],
    obstacles: &[Option<String>],
) -> String {
    if let ([keep, whole], [None, None]) = (parts, obstacles) {
        return command("keep", namespace, workload, &[&keep.file.path, &whole.file.path], None);
    }
    let command = |(part, obstacle): (&Part<'_>, &Option<String>)| {
        let function = if part.raises { "raise" } else { "keep" };
        command(function, namespace, workload, &[&part.file.path], obstacle.as_deref())
    };
    parts.iter().zip(obstacles).map(command).collect()
}

fn command(
    function: &str,
    namespace: &NamespacePlan,
    workload: &WorkloadPlan,
    files: &[&str],
    obstacle: Option<&str>,
) -> String {
    let kind = workload.kind.to_ascii_lowercase();
    let words =
        [&*namespace.name, &*kind, &*workload.name].into_iter().chain(files.iter().copied());
    let words: Option<Vec<String>> = words.map(shell_word).collect();
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

/// Why a part is not in the component without a word from the admin.
fn not_by_default(part: &Part<'_>, keeps_already: bool) -> Option<&'static str> {
    if part.raises {
        return Some("raises, and is to be tested; instead of the part that only keeps");
    }
    keeps_already.then_some("leaves out what loosens; instead of the part that only keeps")
}

fn entry(part: &Part<'_>, obstacle: Option<&str>) -> String {
    match obstacle {
        None => format!("- path: {}\n", part.file.path),
        Some(why) => comments(&[why.to_owned(), format!("- path: {}", part.file.path)]),
    }
}

fn kustomization_head() -> String {
    "# The patches of `psp2psa plan` as a kustomize component: list its directory under\n\
         # `components` of the kustomization whose resources are to be patched. A patch whose\n\
         # resource is not there is an error: remove it. Active is what keeps the pods as PSP makes\n\
         # them and may be applied now; the rest is below `#`, with the reason. What is `after the bypass\n\
         # policy is usable` needs bypass.yaml first.\n\
         apiVersion: kustomize.config.k8s.io/v1alpha1\n\
         kind: Component\n\
         patches:\n"
        .to_owned()
}

/// The policy and a role that may use it; whose pods may is up to the admin.
fn bypass_manifest(name: &Name) -> String {
    let head = format!(
        "# A policy that comes before all others and lets every pod pass as it is, for patches that are\n\
         # `afterBypass`. It takes PSP's protection from the namespaces in which it may be used: enforce\n\
         # a level of Pod Security there first.\n\
         #\n\
         #   kubectl apply -f bypass.yaml\n\
         #   kubectl create rolebinding {name} --clusterrole={name} \\\n\
         #     --namespace=NAMESPACE --group=system:serviceaccounts:NAMESPACE\n\
         #\n\
         # Undone by deleting the RoleBinding; pods made since then stay as they are.\n"
    );
    let [policy, role] = bypass_objects(name);
    [head, yaml::to_string(&policy), "---\n".to_owned(), yaml::to_string(&role)].concat()
}

/// The policy that lets every pod pass, and the ClusterRole of those who may use it.
#[must_use]
pub fn bypass_objects(name: &Name) -> [Json; 2] {
    let policy = Object::PodSecurityPolicy(Box::new(bypass::policy(name.clone())));
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name},
        "rules": [{
            "apiGroups": ["policy"],
            "resources": ["podsecuritypolicies"],
            "resourceNames": [name],
            "verbs": ["use"],
        }],
    });
    [encode::value(&policy), role]
}

const SCRIPT_HEAD: &str = r#"#!/bin/sh
# Writes into the templates what PSP writes into their pods, as `psp2psa plan` found it.
#
#   sh patches.sh --dry-run=server   let the server check the patches, and change nothing
#   sh patches.sh                    apply the patches that keep the pods as they are
#   sh patches.sh --raise            or those that raise them to the next levels: test these first
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

# keep NAMESPACE KIND NAME FILE [WHOLE]: applies FILE, or WHOLE where pods are to be raised
keep() {
  file=$4
  if [ "$raises" = yes ]; then file=${5-$4}; fi
  kubectl patch --dry-run="$dry_run" --type=strategic --namespace="$1" \
    "$2" "$3" --patch-file="$file"
}
# raise NAMESPACE KIND NAME WHOLE: applies WHOLE where pods are to be raised
raise() {
  if [ "$raises" = yes ]; then keep "$@"; fi
}

"#;
