//! What does each workload's pod look like: running, admitted today, in future?
//!
//! ```text
//! template ─ prepare ─┬──────────── PSP ── + injected ── PSP ── stored ──► admitted
//!                     └─ + injected ─────────────────────────────────────► future
//!                          + patches (see harden/) ────────────────────► kept, raised
//! live pod ──────────────────────────────────────────────────────────────► running
//! live pod − what PSP wrote − template of its revision ──► injected (see injection.rs)
//! ```

use std::rc::Rc;
use std::sync::Arc;

use super::attribution::Stripped;
use super::injection::{Injection, Webhooks, live_pod, stored, without_policy_values};
use super::lineage::{Top, Unit};
use super::simulation::Simulation;
use crate::lookup::HashSet;
use crate::objects::change::Change;
use crate::objects::pod::{Pod, PodTemplateSpec};
use crate::objects::workload::{Workload, WorkloadKind};
use crate::prepare::profiles;
use crate::psp::{Refused, Verdict};
use crate::rbac::User;

/// The pods of a workload in each state. A state with several pods holds a level when each does;
/// states share the pods that are equal.
#[derive(Debug, Clone, Default)]
pub struct States {
    /// The pod as its author wrote it, prepared by the API server.
    pub authored: Arc<PodTemplateSpec>,
    /// The live, unfinished pods as they are; those with the same slice once.
    pub running: Vec<Arc<PodTemplateSpec>>,
    /// What today's admission makes of the template; empty where nothing can be simulated or no
    /// policy admits it.
    pub admitted: Vec<Arc<PodTemplateSpec>>,
    /// What will be made of the template once PSP is gone, in both readings of a seccomp
    /// annotation; empty for workloads without a template.
    pub future: Vec<Arc<PodTemplateSpec>>,
    /// As `future`, with what PSP wrote into the template written down there; filled by
    /// [`super::harden`], as is `raised`.
    pub kept: Vec<Arc<PodTemplateSpec>>,
    /// As `kept`, with what the next levels still need.
    pub raised: Vec<Arc<PodTemplateSpec>>,
    /// What PSP wrote into the pod as its author wrote it.
    pub changes: Vec<Change>,
    /// What PSP is taken to have written besides, though a webhook may have: once webhooks had
    /// changed the pod, and into live pods where no policy admits the template today.
    pub changes_after_injection: Vec<Change>,
    /// What PSP holds against the pods that webhooks make of what it has admitted.
    pub refused_after_injection: Vec<Refused>,
    /// What webhooks did to each live pod that could be compared; pods that are alike once.
    /// [`super::agreement`] looks there, and then [`super::harden`] takes it, which does it to patched
    /// pods too.
    pub webhooks: Vec<Webhooks>,
    /// What is known of webhooks that change these pods.
    pub injection: Injection,
    /// Whether `authored` is a live pod without what PSP may have written, as its author's text is
    /// not in the input.
    pub is_assumed: bool,
    /// Whether a seccomp annotation is the only place where the author set a profile.
    pub has_seccomp_annotation: bool,
}

impl States {
    /// Everything that PSP wrote.
    pub fn all_changes(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().chain(&self.changes_after_injection)
    }

    /// Makes one of pods that are equal in several states.
    pub(super) fn share_equal_pods(&mut self) {
        let mut distinct = HashSet::default();
        distinct.insert(Arc::clone(&self.authored));
        let Self { running, admitted, future, kept, raised, .. } = self;
        for pods in [running, admitted, future, kept, raised] {
            for pod in pods {
                match distinct.get(pod) {
                    Some(known) => *pod = Arc::clone(known),
                    None => {
                        distinct.insert(Arc::clone(pod));
                    }
                }
            }
        }
    }
}

/// Works out the states of a unit, and today's verdict on its template alone; `None` where nothing
/// can be simulated.
#[must_use]
pub fn of<'s>(unit: &Unit<'s>, simulation: &Simulation<'s>) -> (States, Option<Rc<Verdict<'s>>>) {
    let (mut states, verdict) = match unit.top {
        Top::Workload(workload) => of_workload(unit, workload, simulation),
        Top::Pod(pod) => (of_pod(pod, simulation), None),
    };
    for member in unit.unfinished_pods() {
        if !states.running.iter().any(|slice| Arc::ptr_eq(slice, &member.pod.template)) {
            states.running.push(Arc::clone(&member.pod.template));
        }
    }
    states.has_seccomp_annotation = profiles::has_seccomp_only_by_annotation(&states.authored);
    (states, verdict)
}

fn of_workload<'s>(
    unit: &Unit<'s>,
    workload: &'s Workload,
    simulation: &Simulation<'s>,
) -> (States, Option<Rc<Verdict<'s>>>) {
    let Some(template) = &unit.template else { return Default::default() };
    let namespace = &workload.namespace;
    let requester = simulation.requester_of(workload.kind);
    let live = unit.unfinished_pods().next().map(|member| &*member.pod.template);
    let authored = simulation.prepared(namespace, template, live);
    // Nobody makes pods of a PodTemplate, so there is no one to ask for.
    let verdict = requester
        .as_ref()
        .and_then(|user| simulation.admit_template(namespace, template, Some(user)));
    let mut states = States { authored, ..Default::default() };
    let mut admitted = None;
    if let Some(Verdict::Admitted(verdict)) = verdict.as_deref() {
        admitted = Some(stored(&verdict.pod));
        states.changes.clone_from(&verdict.changes);
    }

    let all_webhooks = webhooks_seen(unit, requester.as_ref(), simulation);
    for webhooks in &all_webhooks {
        states.injection.note(webhooks);
        let Some(admitted) = &admitted else {
            // No simulation says what PSP wrote; what the pod shows of it goes all the same.
            let seen = webhooks.changes_before.iter().chain(&webhooks.changes_after);
            states.changes_after_injection.extend(seen.cloned());
            continue;
        };
        let injected = webhooks.done_to(admitted);
        if injected == *admitted {
            push_new(&mut states.admitted, injected);
            continue;
        }
        match simulation.admit(namespace, &injected, requester.as_ref()) {
            Some(Verdict::Admitted(again)) => {
                states.changes_after_injection.extend(again.changes);
                push_new(&mut states.admitted, stored(&again.pod));
            }
            Some(Verdict::Refused(refused)) => states.refused_after_injection.push(refused),
            None => {}
        }
    }
    if all_webhooks.is_empty() {
        states.admitted.extend(admitted.map(Arc::new));
    }
    if workload.kind == WorkloadKind::PodTemplate {
        states.injection = Injection::None;
    }
    states.future = pods_of(&states.authored, &all_webhooks);
    states.webhooks = all_webhooks;
    (states, verdict)
}

/// What webhooks did to each of a workload's pods whose template is known; pods that are alike once.
fn webhooks_seen(
    unit: &Unit<'_>,
    requester: Option<&User>,
    simulation: &Simulation<'_>,
) -> Vec<Webhooks> {
    let mut seen: Vec<Webhooks> = Vec::new();
    for member in &unit.pods {
        let Some(made_from) = unit.template_of(member) else { continue };
        if !seen.iter().any(|webhooks| webhooks.is_on_made_pod(member.pod, made_from)) {
            seen.push(Webhooks::on_made_pod(member.pod, made_from, requester, simulation));
        }
    }
    seen
}

fn of_pod(pod: &Pod, simulation: &Simulation<'_>) -> States {
    let mut states = States::default();
    if let Some(last_applied) = &pod.last_applied {
        let authored = simulation.created_pod(&pod.namespace, last_applied);
        let webhooks = Webhooks::on_created_pod(pod, &authored, simulation);
        states.injection.note(&webhooks);
        states.authored = Arc::new(authored);
        states.changes.clone_from(&webhooks.changes_before);
        states.changes_after_injection.clone_from(&webhooks.changes_after);
        states.webhooks.push(webhooks);
    } else {
        let nothing = PodTemplateSpec::default();
        let Stripped { pod: authored, changes } =
            without_policy_values(&live_pod(pod), pod.psp.as_ref(), &nothing, simulation);
        states.authored = Arc::new(authored);
        states.is_assumed = !changes.is_empty();
        states.changes = changes;
    }
    states.future = pods_of(&states.authored, &states.webhooks);
    states
}

/// What will be made of a prepared pod once PSP is gone: by each of the webhooks that were seen, and
/// in both readings of a seccomp annotation.
#[must_use]
pub fn pods_of(pod: &Arc<PodTemplateSpec>, webhooks: &[Webhooks]) -> Vec<Arc<PodTemplateSpec>> {
    let mut pods = Vec::new();
    for webhooks in webhooks {
        if webhooks.did_nothing() {
            push_shared(&mut pods, Arc::clone(pod));
        } else {
            push_shared(&mut pods, Arc::new(webhooks.done_to(pod)));
        }
    }
    if webhooks.is_empty() {
        pods.push(Arc::clone(pod));
    }
    push_annotation_readings(&mut pods);
    pods
}

/// Adds the pods that servers up to v1.26 make of those whose seccomp profile is only annotated.
fn push_annotation_readings(pods: &mut Vec<Arc<PodTemplateSpec>>) {
    for index in 0..pods.len() {
        if profiles::has_seccomp_only_by_annotation(&pods[index]) {
            let copied = stored(&pods[index]);
            push_new(pods, copied);
        }
    }
}

fn push_new(pods: &mut Vec<Arc<PodTemplateSpec>>, pod: PodTemplateSpec) {
    push_shared(pods, Arc::new(pod));
}

fn push_shared(pods: &mut Vec<Arc<PodTemplateSpec>>, pod: Arc<PodTemplateSpec>) {
    if !pods.contains(&pod) {
        pods.push(pod);
    }
}
