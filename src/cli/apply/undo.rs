//! How does a cluster come back to what a record says was there?

use std::collections::BTreeMap;

use super::super::errors::{self, CliError, Outcome};
use super::bypass::{address, is_as_made, item};
use super::record::RecordFile;
use super::session::{Labelling, Session, failed, namespace, pod_security_labels, text_of};
use crate::cluster::{Address, Mode, WriteError};
use crate::migrate::harden::bypass::is_bypass;
use crate::objects::source::printable;
use crate::psa::policy::ENFORCE_LABEL;
use crate::reports::apply::{ApplyItem, Fate, labels_text};
use crate::rollout::undo::{MadeObject, NamespaceRecord, Restoration};
use serde_json::Value;

/// What is to be done.
enum Step {
    Label(Labelling),
    /// The object, and how it was read.
    Delete(MadeObject, Value),
}

impl Step {
    fn item(&self, result: Fate) -> ApplyItem {
        match self {
            Self::Label(change) => change.item(result),
            Self::Delete(object, _) => item(object, result),
        }
    }
}

pub(super) fn run(session: &mut Session<'_>, mut record: RecordFile) -> Result<Outcome, CliError> {
    record.check_cluster(&session.cluster)?;
    session.report.undo_file = Some(record.path.to_string_lossy().into_owned());
    let mut steps = Vec::new();
    let mut changed = Vec::new();
    // Bindings before the role and the policy that they need.
    for object in record.undo.objects.iter().rev() {
        if session.is_interrupted() {
            return Ok(interrupted(session, &record));
        }
        delete_step(session, object, &mut steps, &mut changed)?;
    }
    for (name, known) in &record.undo.namespaces {
        if session.is_interrupted() {
            return Ok(interrupted(session, &record));
        }
        label_step(session, name, known, &mut steps, &mut changed)?;
    }
    if let Err(error) = check_bypass(session, &steps) {
        session.pending(steps.iter().map(|step| step.item(Fate::Pending)));
        return Err(error);
    }
    if !changed.is_empty() {
        for line in &changed {
            errors::say(&format!("changed since: {}", printable(line)));
        }
        if !session.args.force {
            session.pending(steps.iter().map(|step| step.item(Fate::Pending)));
            return Err(CliError::Stopped {
                message: format!(
                    "somebody else has changed {} of what is to be put back",
                    changed.len()
                ),
                hint: "look at what is named above; `--force` puts it back nevertheless".to_owned(),
            });
        }
    }
    if session.args.dry_run {
        session.report.items.extend(steps.iter().map(|step| step.item(Fate::WouldChange)));
        return Ok(Outcome::Clean);
    }
    if !steps.is_empty() {
        for step in &steps {
            errors::say(&format!("  {}", printable(&shown(step))));
        }
        let agreed = session.confirm(&format!("Put back these {}?", steps.len()));
        if !matches!(agreed, Ok(Outcome::Clean)) {
            session.pending(steps.iter().map(|step| step.item(Fate::Pending)));
            return agreed;
        }
    }
    let outcome = carry_out(session, &steps)?;
    if outcome == Outcome::Clean {
        record.undo.undone = true;
        record.save()?;
    }
    Ok(outcome)
}

/// Before anything is put back: nothing is reached.
fn interrupted(session: &mut Session<'_>, record: &RecordFile) -> Outcome {
    let objects = record.undo.objects.iter().rev().map(|it| item(it, Fate::Pending));
    let namespaces = record.undo.namespaces.keys();
    let namespaces = namespaces.map(|name| ApplyItem::namespace(name, Fate::Pending));
    session.report.items.clear();
    session.pending(objects.chain(namespaces));
    Outcome::Interrupted
}

/// Where PSP is bypassed, what is enforced is all the protection that there is.
fn check_bypass(session: &Session<'_>, steps: &[Step]) -> Result<(), CliError> {
    let mut active = Vec::new();
    for step in steps {
        let Step::Label(change) = step else { continue };
        if !change.labels.keys().any(|key| key.starts_with(ENFORCE_LABEL)) {
            continue;
        }
        let address = Address { kind: "RoleBinding", namespace: &change.name, name: "" };
        match session.writer.list(address) {
            Ok(bindings) => active.extend(bindings.iter().filter_map(|binding| {
                let role = &binding["roleRef"];
                let name = role["name"].as_str().filter(|name| is_bypass(name));
                name.filter(|_| role["kind"] == "ClusterRole")
                    .map(|_| format!("{}/{}", change.name, text_of(binding, "name")))
            })),
            // Where it cannot be seen, only who forces it goes on.
            Err(WriteError::Forbidden(_)) if session.args.force => {}
            Err(error) => return Err(failed(&change.name, error)),
        }
    }
    let Some(first) = active.first() else { return Ok(()) };
    for name in &active {
        errors::say(&format!("PSP is bypassed: RoleBinding {}", printable(name)));
    }
    if session.args.force {
        return Ok(());
    }
    let more = match active.len() {
        1 => String::new(),
        n => format!(", and {} more", n - 1),
    };
    Err(CliError::Stopped {
        message: format!(
            "RoleBinding `{}`{more} lets pods past PSP, so that nothing would judge them: undo the \
             bypass first",
            printable(first)
        ),
        hint:
            "`psp2psa apply --undo psp2psa-undo-bypass.json`, or `sh 5-bypass.undo.sh` where the \
               rollout's scripts have made it; `--force` goes on nevertheless"
                .to_owned(),
    })
}

fn shown(step: &Step) -> String {
    match step {
        Step::Label(change) => format!("{}  {}", change.name, labels_text(&change.labels)),
        Step::Delete(object, _) => {
            let within = if object.namespace.is_empty() { "" } else { " in " };
            format!("delete {} {}{within}{}", object.kind, object.name, object.namespace)
        }
    }
}

fn delete_step(
    session: &mut Session<'_>,
    object: &MadeObject,
    steps: &mut Vec<Step>,
    changed: &mut Vec<String>,
) -> Result<(), CliError> {
    let live = session.writer.get(address(object)).map_err(|error| failed(&object.name, error))?;
    let Some(live) = live else {
        session.report.items.push(item(object, Fate::Unchanged).because("it is not there"));
        return Ok(());
    };
    if !is_as_made(&live, object) {
        let MadeObject { kind, namespace, name, .. } = object;
        let within = if namespace.is_empty() { "" } else { " in " };
        changed.push(format!("{kind} {name}{within}{namespace}: it is not what was made"));
    }
    steps.push(Step::Delete(object.clone(), live));
    Ok(())
}

fn label_step(
    session: &mut Session<'_>,
    name: &str,
    known: &NamespaceRecord,
    steps: &mut Vec<Step>,
    changed: &mut Vec<String>,
) -> Result<(), CliError> {
    let item = |fate| ApplyItem::namespace(name, fate);
    let live = session.writer.get(namespace(name)).map_err(|error| failed(name, error))?;
    let Some(live) = live else {
        session.report.items.push(item(Fate::Skipped).because("it is gone"));
        return Ok(());
    };
    let decided_by = pod_security_labels(&live);
    let change = |labels: BTreeMap<String, Option<String>>| Labelling {
        name: name.to_owned(),
        labels,
        decided_by: decided_by.clone(),
        resource_version: text_of(&live, "resourceVersion"),
    };
    match known.restoration(&text_of(&live, "uid"), &decided_by) {
        Restoration::Nothing => session.report.items.push(item(Fate::Unchanged)),
        Restoration::Labels(labels) => steps.push(Step::Label(change(labels))),
        Restoration::Changed(lines, labels) => {
            changed.extend(lines.iter().map(|line| format!("{name}: {line}")));
            steps.push(Step::Label(change(labels)));
        }
    }
    Ok(())
}

fn carry_out(session: &mut Session<'_>, steps: &[Step]) -> Result<Outcome, CliError> {
    let mut rest = steps.iter();
    while let Some(step) = rest.next() {
        if session.is_interrupted() {
            let rest = std::iter::once(step).chain(rest).map(|it| it.item(Fate::Pending));
            session.pending(rest);
            return Ok(Outcome::Interrupted);
        }
        let (done, fate) = match step {
            Step::Label(change) if change.is_so_already() => (Ok(()), Fate::Unchanged),
            Step::Label(change) => (session.label(change, Mode::Real).map(drop), Fate::Set),
            Step::Delete(object, live) => (delete(session, object, live), Fate::Deleted),
        };
        if let Err(error) = done {
            let failed = step.item(Fate::Failed).because(error.to_string());
            session.fail(failed, rest.map(|it| it.item(Fate::Pending)));
            return Err(error);
        }
        session.report.items.push(step.item(fate));
    }
    Ok(Outcome::Clean)
}

fn delete(session: &Session<'_>, object: &MadeObject, live: &Value) -> Result<(), CliError> {
    match session.writer.delete(address(object), live, Mode::Real) {
        // It was deleted, and the answer was lost; or somebody was faster.
        Ok(()) | Err(WriteError::NotFound(_)) => Ok(()),
        Err(error) => Err(failed(&object.name, error)),
    }
}
