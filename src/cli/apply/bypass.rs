//! How do namespaces get past PSP, which is still on?
//!
//! A policy that lets every pod pass as it is, a role that may use it, and in each namespace that
//! enforces a level a binding for its service accounts.

use serde_json::{Value, json};

use super::super::errors::{self, CliError, Outcome};
use super::record::RecordFile;
use super::server;
use super::session::{Session, failed};
use crate::cluster::{Address, Mode, WriteError};
use crate::migrate::plan::{NamespacePlan, Plan};
use crate::objects::snapshot::Snapshot;
use crate::objects::source::printable;
use crate::psa::policy::ENFORCE_LABEL;
use crate::reports::apply::{ApplyItem, Fate};
use crate::reports::workload_patches::bypass_objects;
use crate::rollout::undo::{MadeObject, holds};
use crate::rollout::{Stage, waves};

pub(super) fn run(
    session: &mut Session<'_>,
    snapshot: &Snapshot,
    plan: &Plan,
    record: &mut RecordFile,
) -> Result<Outcome, CliError> {
    check_serves_policies(snapshot)?;
    let policy = &plan.bypass_policy;
    let of_cluster = bypass_objects(policy).map(|object| MadeObject {
        kind: object["kind"].as_str().unwrap_or_default().to_owned(),
        namespace: String::new(),
        name: policy.to_string(),
        object,
    });
    let mut todo: Vec<(String, Vec<MadeObject>)> =
        vec![("the policy and its role".to_owned(), of_cluster.to_vec())];
    let waves = waves(plan, &session.args.plan.labelling(), Stage::Enforce, session.args.wave_size);
    for (n, wave) in waves.iter().enumerate() {
        let mut bindings = Vec::new();
        for step in wave {
            let [now, planned] = [&step.namespace.current_labels, &step.labels]
                .map(|labels| labels.get(ENFORCE_LABEL));
            if now == planned {
                say_changes(step.namespace);
                bindings.push(binding(&step.namespace.name, policy));
            } else {
                let why = "it does not enforce what is planned, and would be without protection \
                           (`psp2psa apply --stage enforce` first)";
                let item = ApplyItem::namespace(&step.namespace.name, Fate::Skipped);
                session.report.items.push(item.because(why));
            }
        }
        todo.push((format!("wave {} of {}", n + 1, waves.len()), bindings));
    }
    let Some(first) = todo.iter().skip(1).find_map(|(_, bindings)| bindings.first()) else {
        errors::say("no namespace is to be let past PSP");
        return Ok(Outcome::Clean);
    };
    if let Err(error) = server::check(session, snapshot, &first.namespace) {
        session.pending(todo.iter().flat_map(|(_, it)| it).map(|it| item(it, Fate::Pending)));
        return Err(error);
    }
    let mut todo = todo.into_iter();
    while let Some((which, objects)) = todo.next() {
        let result = carry_out(session, &objects, record, &which);
        if !matches!(result, Ok(Outcome::Clean)) {
            session.pending(todo.flat_map(|(_, rest)| rest).map(|it| item(&it, Fate::Pending)));
            return result;
        }
    }
    Ok(Outcome::Clean)
}

fn check_serves_policies(snapshot: &Snapshot) -> Result<(), CliError> {
    let is_gone = snapshot.server.as_ref().is_some_and(|server| !server.serves_psp);
    if !is_gone {
        return Ok(());
    }
    Err(CliError::Stopped {
        message: "the server has no PodSecurityPolicies, so that there is nothing to get past"
            .to_owned(),
        hint: "this stage is for servers up to v1.24; go on with what comes after the upgrade"
            .to_owned(),
    })
}

/// Says which pods do not come out of PSP as they went in, even so.
fn say_changes(namespace: &NamespacePlan) {
    for workload in &namespace.workloads {
        if let Some(why) = workload.under_bypass.as_ref().and_then(|it| it.why.as_ref()) {
            let what = format!("{} {}/{}", workload.kind, namespace.name, workload.name);
            errors::say(&format!(
                "warning: {} does not come out unchanged: {}",
                printable(&what),
                printable(why)
            ));
        }
    }
}

fn binding(namespace: &str, policy: &str) -> MadeObject {
    let object = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": policy, "namespace": namespace},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": policy,
        },
        "subjects": [{
            "apiGroup": "rbac.authorization.k8s.io", "kind": "Group",
            "name": format!("system:serviceaccounts:{namespace}"),
        }],
    });
    MadeObject {
        kind: "RoleBinding".to_owned(),
        namespace: namespace.to_owned(),
        name: policy.to_owned(),
        object,
    }
}

pub(super) fn address(object: &MadeObject) -> Address<'_> {
    Address { kind: &object.kind, namespace: &object.namespace, name: &object.name }
}

pub(super) fn item(object: &MadeObject, result: Fate) -> ApplyItem {
    let item = ApplyItem::namespace(&object.name, result);
    ApplyItem { kind: object.kind.clone(), namespace: object.namespace.clone(), ..item }
}

/// Whether an object is what was to be made.
pub(super) fn is_as_made(live: &Value, made: &MadeObject) -> bool {
    holds(live, &made.object)
}

fn carry_out(
    session: &mut Session<'_>,
    objects: &[MadeObject],
    record: &mut RecordFile,
    which: &str,
) -> Result<Outcome, CliError> {
    let mut missing = Vec::new();
    let mut objects = objects.iter();
    while let Some(object) = objects.next() {
        if session.is_interrupted() {
            let rest = missing.into_iter().chain(std::iter::once(object)).chain(objects);
            session.pending(rest.map(|it| item(it, Fate::Pending)));
            return Ok(Outcome::Interrupted);
        }
        match check(session, object) {
            Ok(Fate::Unchanged) => session.report.items.push(item(object, Fate::Unchanged)),
            Ok(_) => missing.push(object),
            Err(error) => {
                let failed = item(object, Fate::Failed).because(error.to_string());
                let rest = missing.into_iter().chain(objects);
                session.fail(failed, rest.map(|it| item(it, Fate::Pending)));
                return Err(error);
            }
        }
    }
    if missing.is_empty() {
        return Ok(Outcome::Clean);
    }
    if session.args.dry_run {
        session.report.items.extend(missing.iter().map(|it| item(it, Fate::WouldChange)));
        return Ok(Outcome::Clean);
    }
    errors::say(&format!("{which}:"));
    for object in &missing {
        let within = if object.namespace.is_empty() { "" } else { " in " };
        let MadeObject { kind, namespace, name, .. } = object;
        errors::say(&format!("  {kind} {}{within}{}", printable(name), printable(namespace)));
    }
    let agreed = session.confirm(&format!("Make these {} objects?", missing.len()));
    let recorded = agreed.and_then(|answer| {
        if answer == Outcome::Clean {
            for object in &missing {
                record.undo.record_object((*object).clone());
            }
            record.save()?;
        }
        Ok(answer)
    });
    if !matches!(recorded, Ok(Outcome::Clean)) {
        session.pending(missing.iter().map(|it| item(it, Fate::Pending)));
        return recorded;
    }
    session.report.undo_file = Some(record.path.to_string_lossy().into_owned());
    make(session, &missing)
}

fn make(session: &mut Session<'_>, missing: &[&MadeObject]) -> Result<Outcome, CliError> {
    let mut rest = missing.iter();
    while let Some(object) = rest.next() {
        if session.is_interrupted() {
            session.pending(std::iter::once(object).chain(rest).map(|it| item(it, Fate::Pending)));
            return Ok(Outcome::Interrupted);
        }
        let made = match session.writer.create(address(object), &object.object, Mode::Real) {
            // It was made, and the answer was lost; or somebody was faster.
            Err(WriteError::Conflict(_)) => check(session, object).map(drop),
            result => result.map(drop).map_err(|error| failed(&object.name, error)),
        };
        match made {
            Ok(()) => session.report.items.push(item(object, Fate::Made)),
            Err(error) => {
                let failed = item(object, Fate::Failed).because(error.to_string());
                session.fail(failed, rest.map(|it| item(it, Fate::Pending)));
                return Err(error);
            }
        }
    }
    Ok(Outcome::Clean)
}

/// Whether an object is there already, else whether the server would let it be made.
fn check(session: &Session<'_>, object: &MadeObject) -> Result<Fate, CliError> {
    let address = address(object);
    let of = |error| failed(&object.name, error);
    match session.writer.get(address).map_err(of)? {
        Some(live) if is_as_made(&live, object) => Ok(Fate::Unchanged),
        Some(_) => {
            let why = format!("there is another {} of this name", object.kind);
            Err(of(WriteError::Conflict(why)))
        }
        None => {
            session.writer.create(address, &object.object, Mode::DryRun).map_err(of)?;
            Ok(Fate::WouldChange)
        }
    }
}
