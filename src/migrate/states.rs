//! What does each workload's pod look like: running, admitted today, in future, kept?
//!
//! ```text
//! template ─ prepare ─┬──────────── PSP ── + injected ── PSP ── stored ──► admitted
//!                     ├─ + injected ─────────────────────────────────────► future
//!                     └─ + what PSP wrote ── + injected ─────────────────► kept
//! live pod ──────────────────────────────────────────────────────────────► running
//! live pod − what PSP wrote − template of its revision ──► injected
//! ```

use std::sync::Arc;

use super::attribution::{self, Stripped};
use super::lineage::{Member, Revision, Top, Unit};
use super::simulation::Simulation;
use super::tree;
use crate::objects::change::Change;
use crate::objects::pod::{Pod, PodTemplateSpec};
use crate::objects::workload::{Workload, WorkloadKind};
use crate::prepare::profiles;
use crate::psp::Verdict;

/// The pods of a workload in each state. A state with several pods holds a level when each does.
#[derive(Debug, Clone, Default)]
pub struct States<'s> {
    /// The pod as its author wrote it, prepared by the API server.
    pub authored: PodTemplateSpec,
    /// The live, unfinished pods as they are; those with the same slice once.
    pub running: Vec<Arc<PodTemplateSpec>>,
    /// What today's admission makes of the template; empty where nothing can be simulated or no
    /// policy admits it.
    pub admitted: Vec<PodTemplateSpec>,
    /// What will be made of the template once PSP is gone, in both readings of a seccomp
    /// annotation; empty for workloads without a template.
    pub future: Vec<PodTemplateSpec>,
    /// As `future`, with what PSP wrote into the template written down there.
    pub kept: Vec<PodTemplateSpec>,
    /// What PSP wrote: into the template's containers, then into injected ones.
    pub changes: Vec<Change>,
    /// The verdict on the template alone; `None` where nothing can be simulated.
    pub verdict: Option<Verdict<'s>>,
    /// What is known of webhooks that change these pods.
    pub injection: Injection,
    /// Whether `authored` is a live pod without what PSP may have written, as its author's text is
    /// not in the input.
    pub is_assumed: bool,
    /// Whether a seccomp annotation is the only place where the author set a profile.
    pub has_seccomp_annotation: bool,
}

/// What live pods show of webhooks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Injection {
    /// No live pod that can be compared with the template it was made from.
    #[default]
    Unknown,
    /// Live pods are as PSP would leave them.
    None,
    /// Webhooks changed pods: the containers they added, sorted; empty where they changed only
    /// fields.
    Seen(Vec<String>),
}

/// Works out the states of a unit.
#[must_use]
pub fn of<'s>(unit: &Unit<'s>, simulation: &Simulation<'s>) -> States<'s> {
    let mut states = match unit.top {
        Top::Workload(workload) => of_workload(unit, workload, simulation),
        Top::Pod(pod) => of_pod(pod, simulation),
    };
    for member in unit.unfinished_pods() {
        if !states.running.iter().any(|slice| Arc::ptr_eq(slice, &member.pod.template)) {
            states.running.push(Arc::clone(&member.pod.template));
        }
    }
    states.has_seccomp_annotation = profiles::has_seccomp_only_by_annotation(&states.authored);
    states
}

fn of_workload<'s>(
    unit: &Unit<'s>,
    workload: &'s Workload,
    simulation: &Simulation<'s>,
) -> States<'s> {
    let Some(template) = &workload.template else { return States::default() };
    let namespace = &workload.namespace;
    let requester = simulation.requester_of(workload.kind);
    let authored = simulation.pod_of_template(namespace, template);
    // Nobody makes pods of a PodTemplate, so there is no one to ask for.
    let verdict = requester
        .as_ref()
        .and_then(|user| simulation.admit_template(namespace, template, Some(user)));
    let mut states = States { authored, verdict, ..Default::default() };
    let (admitted, written) = match &states.verdict {
        Some(Verdict::Admitted(admitted)) => {
            (Some(stored(&admitted.pod)), admitted.changes.clone())
        }
        _ => (None, Vec::new()),
    };
    states.changes = written;
    let kept = with_changes(&states.authored, &states.changes);

    let mut seen: Vec<(&Arc<PodTemplateSpec>, &Arc<PodTemplateSpec>, Option<&str>)> = Vec::new();
    for Member { pod, revision } in &unit.pods {
        let (Revision::Current(made_from) | Revision::Older(made_from)) = *revision else {
            continue;
        };
        let is_seen = seen.iter().any(|(template, slice, psp)| {
            Arc::ptr_eq(template, made_from)
                && Arc::ptr_eq(slice, &pod.template)
                && *psp == pod.psp.as_deref()
        });
        if is_seen {
            continue;
        }
        seen.push((made_from, &pod.template, pod.psp.as_deref()));

        let base = match simulation.admit_template(namespace, made_from, requester.as_ref()) {
            Some(Verdict::Admitted(admitted)) => stored(&admitted.pod),
            _ => stored(&simulation.pod_of_template(namespace, made_from)),
        };
        let live = without_policy_values(pod, &base, simulation).pod;
        note_injection(&mut states.injection, &base, &live);
        push_new(&mut states.future, transplanted(&base, &live, &states.authored));
        push_new(&mut states.kept, transplanted(&base, &live, &kept));
        let Some(admitted) = &admitted else { continue };
        let injected = transplanted(&base, &live, admitted);
        if injected == *admitted {
            push_new(&mut states.admitted, injected);
        } else if let Some(Verdict::Admitted(again)) =
            simulation.admit(namespace, &injected, requester.as_ref())
        {
            states.changes.extend(again.changes.iter().cloned());
            push_new(&mut states.admitted, stored(&again.pod));
        }
    }
    if seen.is_empty() {
        states.admitted.extend(admitted);
        states.future.push(states.authored.clone());
        states.kept.push(kept);
    }
    if workload.kind == WorkloadKind::PodTemplate {
        states.injection = Injection::None;
    }
    push_annotation_readings(&mut states.future);
    push_annotation_readings(&mut states.kept);
    states
}

fn of_pod<'s>(pod: &'s Pod, simulation: &Simulation<'s>) -> States<'s> {
    let mut states = States::default();
    if let Some(last_applied) = &pod.last_applied {
        let authored = simulation.created_pod(&pod.namespace, last_applied);
        let mut base = authored.clone();
        if let Some(policy) = pod.psp.as_ref().and_then(|name| simulation.policy(name)) {
            states.changes = policy.mutate(&mut base);
        }
        let base = stored(&base);
        let Stripped { pod: live, changes } = without_policy_values(pod, &base, simulation);
        states.changes.extend(changes);
        note_injection(&mut states.injection, &base, &live);
        let kept = with_changes(&authored, &states.changes);
        states.future.push(transplanted(&base, &live, &authored));
        states.kept.push(transplanted(&base, &live, &kept));
        states.authored = authored;
    } else {
        let nobody = PodTemplateSpec::default();
        let Stripped { pod: authored, changes } = without_policy_values(pod, &nobody, simulation);
        states.kept.push(with_changes(&authored, &changes));
        states.future.push(authored.clone());
        states.authored = authored;
        states.is_assumed = !changes.is_empty();
        states.changes = changes;
    }
    push_annotation_readings(&mut states.future);
    push_annotation_readings(&mut states.kept);
    states
}

/// The live pod without ephemeral containers and without what PSP wrote beside what `base` has.
fn without_policy_values(
    pod: &Pod,
    base: &PodTemplateSpec,
    simulation: &Simulation<'_>,
) -> Stripped {
    let mut live = PodTemplateSpec::clone(&pod.template);
    live.spec.ephemeral_containers.clear();
    let Some(name) = &pod.psp else { return Stripped { pod: live, changes: Vec::new() } };
    match simulation.policy(name) {
        Some(policy) => attribution::without_values_of(policy, &live, base),
        None => attribution::without_values_of_unknown(name, &live, base),
    }
}

/// Does to `target` what webhooks did to `base` to make `live`.
fn transplanted(
    base: &PodTemplateSpec,
    live: &PodTemplateSpec,
    target: &PodTemplateSpec,
) -> PodTemplateSpec {
    if base == live {
        return target.clone();
    }
    let (base, live, target) = (tree::of(base), tree::of(live), tree::of(target));
    tree::transplanted("", Some(&base), Some(&live), Some(&target))
        .map_or_else(PodTemplateSpec::default, |merged| tree::to_slice(&merged))
}

/// The pod as servers with PSP store it.
fn stored(pod: &PodTemplateSpec) -> PodTemplateSpec {
    let mut pod = pod.clone();
    profiles::copy_seccomp(&mut pod);
    pod
}

/// The pod with what PSP wrote; seccomp profiles as fields, as newer servers read no annotation.
fn with_changes(pod: &PodTemplateSpec, changes: &[Change]) -> PodTemplateSpec {
    if changes.is_empty() {
        return pod.clone();
    }
    let mut kept = tree::of(pod);
    for change in changes {
        match attribution::seccomp_field(change) {
            Some((path, profile)) => tree::set(&mut kept, &path, profile),
            None => tree::set(&mut kept, &change.path, attribution::json(&change.after)),
        }
    }
    tree::to_slice(&kept)
}

/// Adds the pods that servers up to v1.26 make of those whose seccomp profile is only annotated.
fn push_annotation_readings(pods: &mut Vec<PodTemplateSpec>) {
    for index in 0..pods.len() {
        if profiles::has_seccomp_only_by_annotation(&pods[index]) {
            let copied = stored(&pods[index]);
            push_new(pods, copied);
        }
    }
}

fn push_new(pods: &mut Vec<PodTemplateSpec>, pod: PodTemplateSpec) {
    if !pods.contains(&pod) {
        pods.push(pod);
    }
}

fn note_injection(injection: &mut Injection, base: &PodTemplateSpec, live: &PodTemplateSpec) {
    let mut added: Vec<String> = live
        .spec
        .all_containers()
        .filter(|container| base.spec.all_containers().all(|known| known.name != container.name))
        .map(|container| container.name.clone())
        .collect();
    match injection {
        Injection::Seen(names) => {
            names.append(&mut added);
            names.sort();
            names.dedup();
        }
        _ if base == live => *injection = Injection::None,
        _ => {
            added.sort();
            *injection = Injection::Seen(added);
        }
    }
}
