//! Which pods and templates belong to the same workload, and which pods are of its current template?
//!
//! ```text
//! CronJob ── Job ── Pod          a workload is the highest controller with a template that the
//! Deployment ── ReplicaSet ── Pod  snapshot holds; what is below it folds into it
//! CustomThing ── StatefulSet ── Pod   (the custom resource only `manages` the StatefulSet)
//! CustomThing ── Pod             no template: the pod stands for itself
//! ```

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::objects::meta::{Name, OwnerReference};
use crate::objects::pod::{Pod, PodTemplateSpec};
use crate::objects::snapshot::Snapshot;
use crate::objects::workload::{CurrentRevision, Workload, WorkloadKind};
use crate::prepare;

/// A workload with the pods that it has made, or a pod that stands for itself.
#[derive(Debug)]
pub struct Unit<'s> {
    /// What stands at the top.
    pub top: Top<'s>,
    /// What the pods of a workload are made from; see [`prepare::template_of`]. `None` for a pod,
    /// and for a workload without a template.
    pub template: Option<Arc<PodTemplateSpec>>,
    /// Its pods in the snapshot, finished ones too; the pod itself where it is at the top.
    pub pods: Vec<Member<'s>>,
}

/// What stands at the top of a [`Unit`].
#[derive(Debug, Clone, Copy)]
pub enum Top<'s> {
    /// A controller with a template, or a PodTemplate.
    Workload(&'s Workload),
    /// A pod whose template the snapshot does not hold.
    Pod(&'s Pod),
}

/// A pod of a [`Unit`].
#[derive(Debug, Clone, Copy)]
pub struct Member<'s> {
    /// The pod.
    pub pod: &'s Pod,
    /// Which template it was made from.
    pub revision: Revision<'s>,
}

/// The revision of its workload's template that a pod was made from.
#[derive(Debug, Clone, Copy)]
pub enum Revision<'s> {
    /// The workload's template as it is now.
    Current,
    /// An earlier one, which the snapshot still holds (in a ReplicaSet or Job).
    Older(&'s Arc<PodTemplateSpec>),
    /// An earlier one, which the snapshot does not hold.
    Gone,
    /// One that cannot be told.
    Unknown,
}

impl<'s> Unit<'s> {
    /// The namespace of the unit.
    #[must_use]
    pub fn namespace(&self) -> &'s Name {
        match self.top {
            Top::Workload(workload) => &workload.namespace,
            Top::Pod(pod) => &pod.namespace,
        }
    }

    /// The template that one of the pods was made from, where it is known.
    #[must_use]
    pub fn template_of(&self, member: &Member<'s>) -> Option<&Arc<PodTemplateSpec>> {
        match member.revision {
            Revision::Current => self.template.as_ref(),
            Revision::Older(template) => Some(template),
            Revision::Gone | Revision::Unknown => None,
        }
    }

    /// The pods that have not run to their end.
    pub fn unfinished_pods(&self) -> impl Iterator<Item = &Member<'s>> {
        self.pods.iter().filter(|member| !member.pod.is_finished())
    }
}

/// Every unit of a snapshot: sorted by namespace, then workloads by kind and name, then pods that
/// stand for themselves by name.
#[must_use]
pub fn units(snapshot: &Snapshot) -> Vec<Unit<'_>> {
    let mut workloads: BTreeMap<_, Unit<'_>> = snapshot
        .workloads
        .iter()
        .filter(|(_, workload)| parent(snapshot, workload).is_none())
        .map(|(key, workload)| {
            let template = made_from(workload);
            (key, Unit { top: Top::Workload(workload), template, pods: Vec::new() })
        })
        .collect();
    let mut pods = Vec::new();
    for pod in &snapshot.pods {
        let direct =
            pod.controller.as_ref().and_then(|owner| find(snapshot, &pod.namespace, owner));
        let Some(direct) = direct else {
            let member = Member { pod, revision: Revision::Unknown };
            pods.push(Unit { top: Top::Pod(pod), template: None, pods: vec![member] });
            continue;
        };
        let top = parent(snapshot, direct).unwrap_or(direct);
        let key = (top.namespace.clone(), top.kind, top.name.clone());
        if let Some(unit) = workloads.get_mut(&key) {
            unit.pods.push(Member { pod, revision: revision(pod, direct, top) });
        }
    }
    let mut units: Vec<_> = workloads.into_values().chain(pods).collect();
    // Stable: workloads stay before pods, and both stay sorted within a namespace.
    units.sort_by(|a, b| a.namespace().cmp(b.namespace()));
    units
}

fn made_from(workload: &Workload) -> Option<Arc<PodTemplateSpec>> {
    Some(match prepare::template_of(workload)? {
        // The snapshot shares it with every workload that has the same.
        Cow::Borrowed(_) => Arc::clone(workload.template.as_ref()?),
        Cow::Owned(template) => Arc::new(template),
    })
}

/// The workload under which the plan has another: a ReplicaSet's Deployment, a Job's CronJob, or
/// itself.
#[must_use]
pub fn top_of<'s>(snapshot: &'s Snapshot, workload: &'s Workload) -> &'s Workload {
    parent(snapshot, workload).unwrap_or(workload)
}

/// The workload under which the plan has a pod; `None` for a pod that stands for itself.
#[must_use]
pub fn workload_of<'s>(snapshot: &'s Snapshot, pod: &Pod) -> Option<&'s Workload> {
    let direct = find(snapshot, &pod.namespace, pod.controller.as_ref()?)?;
    Some(top_of(snapshot, direct))
}

/// The workload whose template a ReplicaSet or Job copies, where the snapshot holds it.
fn parent<'s>(snapshot: &'s Snapshot, workload: &'s Workload) -> Option<&'s Workload> {
    let copied_from = match workload.kind {
        WorkloadKind::ReplicaSet => WorkloadKind::Deployment,
        WorkloadKind::Job => WorkloadKind::CronJob,
        _ => return None,
    };
    find(snapshot, &workload.namespace, workload.controller.as_ref()?)
        .filter(|parent| parent.kind == copied_from)
}

/// The workload that an owner reference names; not one that was made anew under the same name.
fn find<'s>(
    snapshot: &'s Snapshot,
    namespace: &Name,
    owner: &OwnerReference,
) -> Option<&'s Workload> {
    let kind = WorkloadKind::from_kind(&owner.kind)?;
    let workload =
        snapshot.workloads.get(&(namespace.clone(), kind, owner.name.as_str().into()))?;
    let is_same = workload.uid.is_empty() || owner.uid.is_empty() || *workload.uid == *owner.uid;
    (is_same && workload.template.is_some()).then_some(workload)
}

fn revision<'s>(pod: &Pod, direct: &'s Workload, top: &'s Workload) -> Revision<'s> {
    let Some(template) = &direct.template else { return Revision::Unknown };
    if !std::ptr::eq(direct, top) {
        let is_rolled_out = direct.rollout_revision == top.rollout_revision;
        return if is_rolled_out && direct.template == top.template {
            Revision::Current
        } else {
            Revision::Older(template)
        };
    }
    let (current, of_pod) = match &direct.current_revision {
        CurrentRevision::All => return Revision::Current,
        CurrentRevision::Hash(hash) => (hash, &pod.revision.controller_revision_hash),
        CurrentRevision::TemplateGeneration(generation) => {
            (generation, &pod.revision.template_generation)
        }
        CurrentRevision::Unknown => return Revision::Unknown,
    };
    match of_pod {
        Some(of_pod) if of_pod == current => Revision::Current,
        Some(_) => Revision::Gone,
        None => Revision::Unknown,
    }
}
