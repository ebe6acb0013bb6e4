//! How are the labels of a stage set, wave by wave?

use std::collections::BTreeMap;

use super::super::errors::{self, CliError, Outcome};
use super::super::files::shown;
use super::record::RecordFile;
use super::server;
use super::session::{Labelled, Labelling, Session, namespace, pod_security_labels, text_of};
use crate::cluster::{Mode, WriteError};
use crate::migrate::plan::Plan;
use crate::objects::snapshot::Snapshot;
use crate::objects::source::printable;
use crate::psa::policy::ENFORCE_LABEL;
use crate::reports::apply::{ApplyItem, Fate, labels_text};
use crate::rollout::warnings::unforeseen;
use crate::rollout::{Stage, Step, waves};

/// A change that the server has been asked about.
struct Checked {
    change: Labelling,
    uid: String,
    warnings: Vec<String>,
}

pub(super) fn run(
    session: &mut Session<'_>,
    snapshot: &Snapshot,
    plan: &Plan,
    stage: Stage,
    record: &mut RecordFile,
) -> Result<Outcome, CliError> {
    let waves = waves(plan, &session.args.plan.labelling(), stage, session.args.wave_size);
    let mut todo: Vec<Vec<(Labelling, Vec<String>)>> = Vec::new();
    let mut outcome = Outcome::Clean;
    for wave in &waves {
        let mut changes = Vec::new();
        for step in wave {
            let change = decided(session, snapshot, step)?;
            if change.is_so_already() {
                session.report.items.push(change.item(Fate::Unchanged));
                continue;
            }
            if let Some(why) = change.wrong_labels() {
                let name = printable(&change.name);
                errors::say(&format!("warning: {name} is left out: {}", printable(&why)));
                session.report.items.push(change.item(Fate::Skipped).because(why));
                outcome = Outcome::Incomplete;
                continue;
            }
            let is_enforcing = change.labels.keys().any(|key| key.starts_with(ENFORCE_LABEL));
            // The server judges pods only where what is enforced changes.
            let foreseen =
                if is_enforcing { step.namespace.label_warnings.clone() } else { Vec::new() };
            changes.push((change, foreseen));
        }
        if !changes.is_empty() {
            todo.push(changes);
        }
    }
    let first = todo.first().and_then(|wave| wave.first());
    let checked = first.map(|(first, _)| server::check(session, snapshot, &first.name));
    if let Some(Err(error)) = checked {
        let mut all = todo.iter().flatten().map(|(change, _)| change.item(Fate::Pending));
        if let Some(first) = all.next() {
            session.fail(first.because(error.to_string()), all);
        }
        return Err(error);
    }
    let n_waves = todo.len();
    let mut todo = todo.into_iter();
    let mut n = 0;
    while let Some(wave) = todo.next() {
        n += 1;
        let result = carry_out(session, &wave, record, &format!("wave {n} of {n_waves}"));
        if !matches!(result, Ok(Outcome::Clean)) {
            let rest = todo.flatten().map(|(change, _)| change.item(Fate::Pending));
            session.pending(rest);
            return result;
        }
    }
    Ok(outcome)
}

/// What a step means for the namespace as the plan has seen it.
fn decided(
    session: &Session<'_>,
    snapshot: &Snapshot,
    step: &Step<'_>,
) -> Result<Labelling, CliError> {
    let name = step.namespace.name.to_string();
    let labels = step.labels.iter().map(|(key, value)| (key.clone(), Some(value.clone())));
    let labels: BTreeMap<String, Option<String>> = labels.collect();
    if let Some(known) = snapshot.namespaces.get(&step.namespace.name) {
        let decided_by = known.pod_security_labels();
        let decided_by =
            decided_by.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        let resource_version = known.resource_version.to_string();
        return Ok(Labelling { name, labels, decided_by, resource_version });
    }
    // Pods are in it, and the list of namespaces was not given.
    let live = session.writer.get(namespace(&name));
    let live = live.map_err(|error| super::session::failed(&name, error))?.unwrap_or_default();
    let decided_by = pod_security_labels(&live);
    Ok(Labelling { resource_version: text_of(&live, "resourceVersion"), name, labels, decided_by })
}

/// One wave: asked of the server, then of the user, recorded, and done.
fn carry_out(
    session: &mut Session<'_>,
    wave: &[(Labelling, Vec<String>)],
    record: &mut RecordFile,
    which: &str,
) -> Result<Outcome, CliError> {
    let checked = match check(session, wave) {
        Ok(Some(checked)) => checked,
        Ok(None) => {
            session.pending(wave.iter().map(|(change, _)| change.item(Fate::Pending)));
            return Ok(Outcome::Interrupted);
        }
        Err((index, error)) => {
            let mut items = wave.iter().map(|(change, _)| change.item(Fate::Pending));
            let before: Vec<ApplyItem> = items.by_ref().take(index).collect();
            if let Some(failed) = items.next() {
                session.fail(failed.because(error.to_string()), before.into_iter().chain(items));
            }
            return Err(error);
        }
    };
    if session.args.dry_run {
        let items = checked.into_iter().map(|it| item(&it, Fate::WouldChange));
        session.report.items.extend(items);
        return Ok(Outcome::Clean);
    }
    show(&checked, which);
    let agreed = session.confirm(&format!("Change these {} namespaces?", checked.len()));
    let recorded = agreed.and_then(|answer| match answer {
        Outcome::Clean => keep(&checked, record).map(|()| answer),
        answer => Ok(answer),
    });
    if !matches!(recorded, Ok(Outcome::Clean)) {
        session.pending(checked.iter().map(|it| item(it, Fate::Pending)));
        return recorded;
    }
    session.report.undo_file = Some(record.path.to_string_lossy().into_owned());

    let mut rest = checked.iter();
    while let Some(it) = rest.next() {
        if session.is_interrupted() {
            session.pending(std::iter::once(it).chain(rest).map(|it| item(it, Fate::Pending)));
            return Ok(Outcome::Interrupted);
        }
        match session.label(&it.change, Mode::Real) {
            Ok(Labelled::Written(_) | Labelled::AlreadySo) => {
                session.report.items.push(item(it, Fate::Set));
            }
            Err(error) => {
                let failed = item(it, Fate::Failed).because(error.to_string());
                session.fail(failed, rest.map(|it| item(it, Fate::Pending)));
                return Err(error);
            }
        }
    }
    errors::say(&format!("{which}: done"));
    Ok(Outcome::Clean)
}

fn item(checked: &Checked, result: Fate) -> ApplyItem {
    ApplyItem { warnings: checked.warnings.clone(), ..checked.change.item(result) }
}

/// Asks the server about every change; otherwise which one it does not like. `None` where the user
/// interrupts.
fn check(
    session: &Session<'_>,
    wave: &[(Labelling, Vec<String>)],
) -> Result<Option<Vec<Checked>>, (usize, CliError)> {
    let mut checked = Vec::new();
    for (index, (change, foreseen)) in wave.iter().enumerate() {
        if session.is_interrupted() {
            return Ok(None);
        }
        let failed = |error: CliError| (index, error);
        let written = match session.label(change, Mode::DryRun).map_err(failed)? {
            Labelled::Written(written) => written,
            Labelled::AlreadySo => {
                let why = "somebody has just set these labels".to_owned();
                return Err(failed(super::session::failed(
                    &change.name,
                    WriteError::Conflict(why),
                )));
            }
        };
        let news = unforeseen(foreseen, &written.warnings);
        if !news.is_empty() && !session.args.accept_warnings {
            return Err(failed(unpredicted(&change.name, &news)));
        }
        let (uid, warnings) = (text_of(&written.object, "uid"), written.warnings);
        checked.push(Checked { change: change.clone(), uid, warnings });
    }
    Ok(Some(checked))
}

fn unpredicted(name: &str, news: &[String]) -> CliError {
    CliError::Stopped {
        message: format!(
            "for namespace `{}` the server warns of what the plan did not foresee: {}",
            printable(name),
            printable(&news.join("; "))
        ),
        hint: "pods may have changed: run the same command again, and see `psp2psa explain`; \
               `--accept-warnings` goes on nevertheless"
            .to_owned(),
    }
}

fn show(checked: &[Checked], which: &str) {
    errors::say(&format!("{which}:"));
    for Checked { change, warnings, .. } in checked {
        errors::say(&format!("  {}  {}", printable(&change.name), labels_text(&change.labels)));
        for warning in warnings {
            errors::say(&format!("    the server warns: {}", printable(warning)));
        }
    }
}

/// Records what is there, before anything is changed.
fn keep(checked: &[Checked], record: &mut RecordFile) -> Result<(), CliError> {
    for Checked { change, uid, .. } in checked {
        let to_set = change.labels.iter();
        let to_set = to_set.filter_map(|(key, value)| Some((key.clone(), value.clone()?)));
        record.undo.record(&change.name, uid, &change.decided_by, &to_set.collect()).map_err(
            |changed| CliError::Stopped {
                message: format!(
                    "namespace `{}` is not as `{}` knows it: {}",
                    printable(&change.name),
                    shown(&record.path),
                    printable(&changed.join("; "))
                ),
                hint: "give another file with `--undo-file`, to be put back to what is there now"
                    .to_owned(),
            },
        )?;
    }
    record.save()
}
