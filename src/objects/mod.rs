//! Which slices of Kubernetes objects do we reason about?
//!
//! One set of types for dumps and live lists. They hold what PodSecurityPolicy, Pod Security
//! admission and RBAC read, and nothing else: no environment values, no arguments, no Secrets, no
//! annotations but those with a meaning here.

pub mod change;
pub mod collection;
pub mod decode;
pub mod encode;
pub mod event;
pub mod meta;
pub mod names;
pub mod namespace;
pub mod path;
pub mod pod;
pub mod psp;
pub mod rbac;
pub mod selector;
pub mod server;
pub mod shared;
pub mod shared_list;
pub mod slice;
pub mod slim;
pub mod snapshot;
pub mod source;
pub mod time;
pub mod volume;
pub mod workload;

use collection::Collection;
use event::Event;
use meta::Name;
use namespace::{Namespace, ServiceAccount};
use pod::Pod;
use psp::PodSecurityPolicy;
use rbac::{Binding, Role};
use workload::Workload;

/// An object of a kind that the program reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Object {
    /// What a collected snapshot says about itself.
    Collection(Box<Collection>),
    /// A PodSecurityPolicy.
    PodSecurityPolicy(Box<PodSecurityPolicy>),
    /// A Namespace.
    Namespace(Namespace),
    /// A ServiceAccount.
    ServiceAccount(ServiceAccount),
    /// A Pod.
    Pod(Pod),
    /// A controller with a pod template, or a PodTemplate.
    Workload(Workload),
    /// A Role or ClusterRole.
    Role(Role),
    /// A RoleBinding or ClusterRoleBinding.
    Binding(Binding),
    /// An event that says that admission has refused a pod.
    Event(Event),
}

impl Object {
    /// The kind, as Kubernetes writes it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Collection(_) => collection::KIND,
            Self::PodSecurityPolicy(_) => "PodSecurityPolicy",
            Self::Namespace(_) => "Namespace",
            Self::ServiceAccount(_) => "ServiceAccount",
            Self::Pod(_) => "Pod",
            Self::Workload(workload) => workload.kind.as_str(),
            Self::Role(role) => role.kind(),
            Self::Binding(binding) => binding.kind(),
            Self::Event(_) => "Event",
        }
    }

    /// Puts an object that names no namespace into this one, if it is of a kind that has one.
    pub fn fill_namespace(&mut self, default: &Name) {
        let namespace = match self {
            Self::Collection(_) | Self::PodSecurityPolicy(_) | Self::Namespace(_) => None,
            Self::ServiceAccount(account) => Some(&mut account.namespace),
            Self::Pod(pod) => Some(&mut pod.namespace),
            Self::Workload(workload) => Some(&mut workload.namespace),
            Self::Role(role) => role.namespace.as_mut(),
            Self::Binding(binding) => binding.namespace.as_mut(),
            Self::Event(event) => Some(&mut event.namespace),
        };
        if let Some(namespace) = namespace.filter(|namespace| namespace.is_empty()) {
            *namespace = Name::clone(default);
        }
    }
}
