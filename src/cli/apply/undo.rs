//! How does a cluster come back to what a record says was there?

use std::collections::BTreeMap;

use super::super::errors::{self, CliError, Outcome};
use super::super::interrupt::Deferred;
use super::INTERRUPTED;
use super::bypass::{address, is_as_made, item};
use super::record::RecordFile;
use super::session::{Labelling, Session, failed, namespace, pod_security_labels, text_of};
use crate::cluster::{Mode, WriteError};
use crate::objects::source::printable;
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
        delete_step(session, object, &mut steps, &mut changed)?;
    }
    for (name, known) in &record.undo.namespaces {
        label_step(session, name, known, &mut steps, &mut changed)?;
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
        if let Err(error) = session.confirm(&format!("Put back these {}?", steps.len())) {
            session.pending(steps.iter().map(|step| step.item(Fate::Pending)));
            return Err(error);
        }
    }
    let outcome = carry_out(session, &steps)?;
    if outcome == Outcome::Clean {
        record.undo.undone = true;
        record.save()?;
    }
    Ok(outcome)
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
    let deferred = Deferred::new();
    let mut rest = steps.iter();
    while let Some(step) = rest.next() {
        if deferred.is_interrupted() {
            let rest = std::iter::once(step).chain(rest).map(|it| it.item(Fate::Pending));
            session.pending(rest);
            errors::say(INTERRUPTED);
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
