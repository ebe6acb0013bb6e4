//! What do all stages share: the cluster, the questions, and the report?

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::super::errors::{self, CliError, Outcome};
use super::super::interrupt::Deferred;
use super::Args;
use crate::cluster::{Address, Mode, Target, WriteError, Writer, Written};
use crate::migrate::plan::Plan;
use crate::objects::meta::POD_SECURITY_PREFIX;
use crate::objects::source::printable;
use crate::psa::policy::{Policy, policy_of_labels};
use crate::reports::apply::{ApplyItem, ApplyReport, Fate};
use crate::rollout::Stage;

/// How often a namespace that others keep changing is tried again.
const MAX_CONFLICTS: usize = 10;

/// A run against a cluster.
pub(super) struct Session<'a> {
    pub(super) args: &'a Args,
    pub(super) writer: Writer,
    /// The UID of kube-system.
    pub(super) cluster: String,
    pub(super) report: ApplyReport,
    /// An interruption waits from here on, so that the report is printed.
    deferred: Deferred,
}

/// Labels of a namespace, as they shall be, and as they were when that was decided.
#[derive(Debug, Clone)]
pub(super) struct Labelling {
    pub(super) name: String,
    /// With `None` those to be removed.
    pub(super) labels: BTreeMap<String, Option<String>>,
    /// All pod-security labels that the decision rests on.
    pub(super) decided_by: BTreeMap<String, String>,
    pub(super) resource_version: String,
}

/// What became of a try to label.
pub(super) enum Labelled {
    /// It was labelled, or would be.
    Written(Written),
    /// Somebody has done it already; perhaps this program, before an answer was lost.
    AlreadySo,
}

/// The pod-security labels of a namespace as the server gives it.
pub(super) fn pod_security_labels(object: &Value) -> BTreeMap<String, String> {
    let labels: BTreeMap<String, String> =
        serde_json::from_value(object["metadata"]["labels"].clone()).unwrap_or_default();
    labels.into_iter().filter(|(key, _)| key.starts_with(POD_SECURITY_PREFIX)).collect()
}

pub(super) fn text_of(object: &Value, field: &str) -> String {
    object["metadata"][field].as_str().unwrap_or_default().to_owned()
}

pub(super) fn namespace(name: &str) -> Address<'_> {
    Address { kind: "Namespace", namespace: "", name }
}

impl<'a> Session<'a> {
    /// Logs in, and asks which cluster it is.
    pub(super) fn begin(args: &'a Args, target: &Target, stage: String) -> Result<Self, CliError> {
        let deferred = Deferred::new();
        let writer = Writer::connect(target)?;
        let system = writer.get(namespace("kube-system")).map_err(unwritten)?;
        let Some(system) = system else {
            return Err(CliError::Stopped {
                message: "the cluster has no namespace kube-system to be told by".to_owned(),
                hint: "check the cluster's address in the kubeconfig".to_owned(),
            });
        };
        let report = ApplyReport {
            stage,
            undo: args.undo.is_some(),
            dry_run: args.dry_run,
            server: writer.server().to_owned(),
            undo_file: None,
            complete: false,
            items: Vec::new(),
        };
        Ok(Self { args, writer, cluster: text_of(&system, "uid"), report, deferred })
    }

    /// Puts the namespaces into the report that no wave has, with the reason; whether all of them are
    /// left out by the admin's own choice.
    pub(super) fn skip_left_out(&mut self, plan: &Plan, stage: Stage) -> bool {
        let labelling = self.args.plan.labelling();
        let mut is_chosen = true;
        for namespace in &plan.namespaces {
            let skipped = labelling.reason_to_skip(plan, namespace);
            let invalid = labelling.reason_to_stay_out(plan, namespace);
            if let (None, Some(why)) = (&skipped, &invalid) {
                let name = printable(&namespace.name);
                errors::say(&format!("warning: {name} is left out: {}", printable(why)));
                is_chosen = false;
            }
            let reason = skipped.or(invalid).or_else(|| {
                let nothing = "no workload shows which level it could enforce \
                               (--empty-namespaces LEVEL chooses one)";
                stage.labels(namespace).is_empty().then(|| nothing.to_owned())
            });
            if let Some(reason) = reason {
                let item = ApplyItem::namespace(&namespace.name, Fate::Skipped);
                self.report.items.push(item.because(reason));
            }
        }
        is_chosen
    }

    /// Whether the user has interrupted; to be asked between two requests.
    pub(super) fn is_interrupted(&self) -> bool {
        self.deferred.is_interrupted()
    }

    /// Asks whether to go on: `Clean` where so, `Interrupted` where the user interrupts instead of an
    /// answer.
    pub(super) fn confirm(&self, question: &str) -> Result<Outcome, CliError> {
        if self.is_interrupted() {
            return Ok(Outcome::Interrupted);
        }
        if self.args.yes || self.args.dry_run {
            return Ok(Outcome::Clean);
        }
        let mut asked = io::stderr();
        // Where the question cannot be shown, no answer will come.
        let _ = write!(asked, "{question} [y/N] ").and_then(|()| asked.flush());
        let Some(answer) = self.line() else {
            // The question stands without an end.
            let _ = writeln!(asked);
            return Ok(Outcome::Interrupted);
        };
        if matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") {
            return Ok(Outcome::Clean);
        }
        Err(CliError::Stopped {
            message: "not confirmed; nothing more is changed".to_owned(),
            hint: "the same command goes on from here".to_owned(),
        })
    }

    /// A line of standard input, empty where there is none; `None` where the user interrupts.
    fn line(&self) -> Option<String> {
        const POLL: Duration = Duration::from_millis(50);
        let (sender, lines) = mpsc::channel();
        // No interruption ends the reading of a terminal, so that it is left to itself.
        thread::spawn(move || {
            let mut line = String::new();
            let is_read = io::stdin().read_line(&mut line).is_ok();
            // Nobody waits for it after an interruption.
            let _ = sender.send(if is_read { line } else { String::new() });
        });
        loop {
            match lines.recv_timeout(POLL) {
                _ if self.is_interrupted() => return None,
                Ok(line) => return Some(line),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Some(String::new()),
            }
        }
    }

    /// Sets labels, unless somebody has changed the namespace's pod-security labels since it was
    /// decided. Other changes do not matter.
    pub(super) fn label(&self, change: &Labelling, mode: Mode) -> Result<Labelled, CliError> {
        let address = namespace(&change.name);
        let mut resource_version = change.resource_version.clone();
        for _ in 0..MAX_CONFLICTS {
            let metadata = json!({"resourceVersion": resource_version, "labels": change.labels});
            let conflict = match self.writer.patch(address, &json!({"metadata": metadata}), mode) {
                Ok(written) => return Ok(Labelled::Written(written)),
                Err(WriteError::Conflict(reason)) => reason,
                Err(error) => return Err(failed(&change.name, error)),
            };
            let live = self.writer.get(address).map_err(|error| failed(&change.name, error))?;
            let Some(live) = live else {
                return Err(failed(&change.name, WriteError::NotFound("it is gone".to_owned())));
            };
            let labels = pod_security_labels(&live);
            if labels != change.decided_by {
                return if labels == change.wanted() {
                    Ok(Labelled::AlreadySo)
                } else {
                    Err(change.changed_by_others())
                };
            }
            let newer = text_of(&live, "resourceVersion");
            if newer == resource_version {
                return Err(failed(&change.name, WriteError::Conflict(conflict)));
            }
            resource_version = newer;
        }
        let why = "it is changed again and again by somebody else".to_owned();
        Err(failed(&change.name, WriteError::Conflict(why)))
    }

    /// Adds what has ended the run to the report, and what was not reached.
    pub(super) fn fail(&mut self, failed: ApplyItem, rest: impl IntoIterator<Item = ApplyItem>) {
        self.report.items.push(ApplyItem { result: Fate::Failed, ..failed });
        self.pending(rest);
    }

    pub(super) fn pending(&mut self, rest: impl IntoIterator<Item = ApplyItem>) {
        let rest = rest.into_iter().map(|item| ApplyItem { result: Fate::Pending, ..item });
        self.report.items.extend(rest);
    }
}

impl Labelling {
    /// Why the server would refuse it: labels that are there already and wrong, as soon as any of them
    /// changes.
    pub(super) fn wrong_labels(&self) -> Option<String> {
        let errors =
            |labels: &BTreeMap<String, String>| policy_of_labels(labels, &Policy::PRIVILEGED).1;
        let wrong = errors(&self.wanted());
        if wrong.is_empty() || wrong == errors(&self.decided_by) {
            return None;
        }
        let texts: Vec<String> = wrong.iter().map(ToString::to_string).collect();
        let keys: Vec<String> = wrong.iter().map(|error| format!("{}-", error.label)).collect();
        let name = &self.name;
        let keys = keys.join(" ");
        Some(format!(
            "{} (`kubectl label namespace {name} {keys}` takes it away)",
            texts.join("; ")
        ))
    }

    /// The pod-security labels that the namespace is to have.
    pub(super) fn wanted(&self) -> BTreeMap<String, String> {
        let mut labels = self.decided_by.clone();
        for (key, value) in &self.labels {
            match value {
                Some(value) => labels.insert(key.clone(), value.clone()),
                None => labels.remove(key),
            };
        }
        labels
    }

    pub(super) fn is_so_already(&self) -> bool {
        self.wanted() == self.decided_by
    }

    pub(super) fn item(&self, result: Fate) -> ApplyItem {
        ApplyItem::namespace(&self.name, result).with_labels(&self.labels)
    }

    fn changed_by_others(&self) -> CliError {
        CliError::Stopped {
            message: format!(
                "somebody has changed the pod-security labels of namespace `{}` meanwhile",
                printable(&self.name)
            ),
            hint: "run the same command again: it plans anew by what is there now".to_owned(),
        }
    }
}

/// A namespace that could not be changed.
pub(super) fn failed(name: &str, error: WriteError) -> CliError {
    match error {
        WriteError::Cluster(error) => error.into(),
        error => CliError::Stopped {
            message: format!("`{}`: {error}", printable(name)),
            hint: hint(&error).to_owned(),
        },
    }
}

/// What to do about a change that was not made.
pub(super) fn hint(error: &WriteError) -> &'static str {
    match error {
        WriteError::Forbidden(_) => {
            "see with `kubectl auth can-i` whether you may patch namespaces, and for the stage bypass \
             create and delete rolebindings, clusterroles and podsecuritypolicies"
        }
        WriteError::Refused(_) | WriteError::Invalid(_) => {
            "mend what the server names, then run the same again"
        }
        _ => "run the same command again: it plans anew by what is there now",
    }
}

/// A cluster that does not say what it is asked.
fn unwritten(error: WriteError) -> CliError {
    failed("kube-system", error)
}
