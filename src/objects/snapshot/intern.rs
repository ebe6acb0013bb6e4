//! Which parts of objects are equal, so that they need to be kept only once?

use std::hash::Hash;
use std::sync::Arc;

use crate::lookup::HashSet;
use crate::objects::Object;
use crate::objects::meta::{Name, OwnerReference};
use crate::objects::pod::{ContainerKind, Pod, PodTemplateSpec, VolumeMount};
use crate::objects::volume::Volume;
use crate::objects::workload::{CurrentRevision, Workload};

/// The shared parts of all objects of a snapshot.
#[derive(Debug, Default)]
pub(super) struct Interner {
    names: HashSet<Name>,
    owners: HashSet<Arc<OwnerReference>>,
    templates: HashSet<Arc<PodTemplateSpec>>,
    volumes: HashSet<Arc<Vec<Volume>>>,
    mounts: HashSet<Arc<Vec<VolumeMount>>>,
}

impl Interner {
    /// Makes the object share what it can with those before it.
    pub(super) fn share(&mut self, object: &mut Object) {
        match object {
            Object::Collection(_) => {}
            Object::Pod(pod) => self.share_pod(pod),
            Object::Workload(workload) => self.share_workload(workload),
            Object::ServiceAccount(account) => {
                self.share_name(&mut account.namespace);
                self.share_name(&mut account.name);
            }
            Object::Role(role) => {
                role.namespace.iter_mut().for_each(|name| self.share_name(name));
                self.share_name(&mut role.name);
            }
            Object::Binding(binding) => {
                binding.namespace.iter_mut().for_each(|name| self.share_name(name));
                self.share_name(&mut binding.name);
            }
            Object::Namespace(namespace) => self.share_name(&mut namespace.name),
            Object::Event(event) => {
                let names =
                    [&mut event.namespace, &mut event.kind, &mut event.object, &mut event.refusal];
                for name in names {
                    self.share_name(name);
                }
            }
            Object::PodSecurityPolicy(policy) => self.share_name(&mut policy.name),
        }
    }

    fn share_pod(&mut self, pod: &mut Pod) {
        self.share_name(&mut pod.namespace);
        self.share_name(&mut pod.generate_name);
        let names = [
            &mut pod.revision.controller_revision_hash,
            &mut pod.revision.template_generation,
            &mut pod.psp,
            &mut pod.managed_by,
        ];
        names.into_iter().flatten().for_each(|name| self.share_name(name));
        pod.controller.iter_mut().for_each(|owner| share(&mut self.owners, owner));
        pod.last_applied.iter_mut().for_each(|template| self.share_template(template));
        self.share_template(&mut pod.template);
    }

    fn share_workload(&mut self, workload: &mut Workload) {
        self.share_name(&mut workload.namespace);
        self.share_name(&mut workload.api_version);
        workload.status.refusal.iter_mut().for_each(|name| self.share_name(name));
        workload.managed_by.iter_mut().for_each(|name| self.share_name(name));
        match &mut workload.current_revision {
            CurrentRevision::Hash(name) | CurrentRevision::TemplateGeneration(name) => {
                self.share_name(name);
            }
            CurrentRevision::All | CurrentRevision::Unknown => {}
        }
        workload.controller.iter_mut().for_each(|owner| share(&mut self.owners, owner));
        workload.template.iter_mut().for_each(|template| self.share_template(template));
    }

    /// Templates that differ, such as one and the pods made from it, have lists in common.
    fn share_template(&mut self, template: &mut Arc<PodTemplateSpec>) {
        if let Some(earlier) = self.templates.get(&**template) {
            *template = Arc::clone(earlier);
            return;
        }
        let spec = &mut Arc::make_mut(template).spec;
        if let Some(list) = spec.volumes.shared_mut() {
            share(&mut self.volumes, list);
        }
        for kind in ContainerKind::ALL {
            for container in spec.containers_of_mut(kind) {
                if let Some(list) = container.volume_mounts.shared_mut() {
                    share(&mut self.mounts, list);
                }
            }
        }
        self.templates.insert(Arc::clone(template));
    }

    pub(super) fn share_name(&mut self, name: &mut Name) {
        share(&mut self.names, name);
    }
}

fn share<T: ?Sized + Eq + Hash>(known: &mut HashSet<Arc<T>>, value: &mut Arc<T>) {
    match known.get(&**value) {
        Some(earlier) => *value = Arc::clone(earlier),
        None => {
            known.insert(Arc::clone(value));
        }
    }
}
