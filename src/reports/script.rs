//! `plan -o script`: the labels as kubectl commands, to be read and run.

use std::fmt::Write as _;

use super::patches::skipped;
use super::quoting::shell_word;
use crate::migrate::plan::{NamespacePlan, Plan};
use crate::objects::source::printable;
use crate::rollout::Labelling;

/// The first server minor version that refuses bad pod-security labels; older ones take any value
/// without a word.
const FIRST_MINOR_WITH_POD_SECURITY: u32 = 23;

/// A POSIX shell script that sets the labels of every namespace that is to be labelled.
///
/// It changes nothing with `--dry-run`, stops at the first refusal, and can be run again.
#[must_use]
pub fn script(plan: &Plan, labelling: &Labelling) -> String {
    let mut text = head(plan);
    for namespace in &plan.namespaces {
        match labelling.reason_to_skip(plan, namespace) {
            Some(reason) => text.push_str(&skipped(namespace, &reason)),
            None => text.push_str(&command(namespace)),
        }
    }
    text
}

fn head(plan: &Plan) -> String {
    format!(
        r#"#!/bin/sh
# Sets the pod-security labels that `psp2psa plan` recommends, pinned to {version}.
#
#   sh SCRIPT --dry-run    let the server check the labels, and change nothing
#   sh SCRIPT              set the labels
#
# Uses kubectl's current context. Can be run again; stops at the first refusal.
set -eu

case "${{1-}}" in
  '') label() {{ kubectl label --overwrite namespace "$@"; }} ;;
  --dry-run) label() {{ kubectl label --dry-run=server --overwrite namespace "$@"; }} ;;
  *) echo "usage: sh $0 [--dry-run]" >&2; exit 2 ;;
esac

# A server below v1.{minor} takes any value for these labels and does nothing with it.
minor=$(kubectl get --raw /version | sed -n 's/.*"minor": *"\([0-9]*\).*/\1/p')
if [ "${{minor:-0}}" -lt {minor} ]; then
  echo "the server is v1.${{minor:-?}}; Pod Security admission needs v1.{minor} or newer" >&2
  exit 1
fi

"#,
        version = plan.pss_version,
        minor = FIRST_MINOR_WITH_POD_SECURITY,
    )
}

fn command(namespace: &NamespacePlan) -> String {
    let mut text = String::new();
    for warning in &namespace.label_warnings {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "# The server will warn: {}", printable(warning));
    }
    if let Some(conflict) = &namespace.conflict {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "# {}: {}", printable(&namespace.name), printable(conflict));
    }
    match words(namespace) {
        Some(words) => {
            let _ = writeln!(text, "label {}", words.join(" \\\n  "));
        }
        None => text.push_str(&skipped(namespace, "a label that no shell can pass")),
    }
    text
}

/// The name and the labels as words of a shell; `None` where no shell can pass one of them.
pub(super) fn words(namespace: &NamespacePlan) -> Option<Vec<String>> {
    let labels = namespace.labels.iter().map(|(key, value)| format!("{key}={value}"));
    std::iter::once(namespace.name.to_string())
        .chain(labels)
        .map(|word| shell_word(&word))
        .collect()
}
