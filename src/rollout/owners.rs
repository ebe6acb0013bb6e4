//! Who would put a policy, role or binding back, and should change it in our stead?

use super::object_ref::ObjectRef;
use crate::objects::meta::{Marks, Name, OwnerReference};
use crate::objects::psp::PodSecurityPolicy;
use crate::objects::rbac::{Binding, Role};

/// An object that may have an owner.
pub trait Owned {
    /// Who keeps the object, in words; `None` where nothing shows anybody.
    fn owner(&self) -> Option<String>;
}

impl Owned for PodSecurityPolicy {
    fn owner(&self) -> Option<String> {
        named(&self.into(), self.owner.as_deref(), self.managed_by.as_ref())
    }
}

impl Owned for Role {
    fn owner(&self) -> Option<String> {
        of_marks(&self.into(), &self.marks)
    }
}

impl Owned for Binding {
    fn owner(&self) -> Option<String> {
        of_marks(&self.into(), &self.marks)
    }
}

fn of_marks(object: &ObjectRef, marks: &Marks) -> Option<String> {
    named(object, marks.owner.as_deref(), marks.managed_by.as_ref())
}

/// The owner as for workloads: the owning object before the tool, and then the provider by the
/// object's name, as not every provider leaves a mark.
fn named(
    object: &ObjectRef,
    owner: Option<&OwnerReference>,
    tool: Option<&Name>,
) -> Option<String> {
    owner
        .map(|owner| format!("{} {}", owner.kind, owner.name))
        .or_else(|| tool.map(ToString::to_string))
        .or_else(|| provider(object).map(str::to_owned))
}

/// The managed service whose names these are.
fn provider(object: &ObjectRef) -> Option<&'static str> {
    let name = &*object.name;
    match object.kind {
        "PodSecurityPolicy" if name == "eks.privileged" => Some("Amazon EKS"),
        "PodSecurityPolicy" if name.starts_with("gce.") => Some("Google Kubernetes Engine"),
        "PodSecurityPolicy" => None,
        _ if name.starts_with("eks:") => Some("Amazon EKS"),
        _ if name.starts_with("gce:") => Some("Google Kubernetes Engine"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owning_object_comes_before_the_tool_and_the_tool_before_the_name() {
        let mut policy = PodSecurityPolicy { name: "gce.x".into(), ..Default::default() };
        assert_eq!(policy.owner().as_deref(), Some("Google Kubernetes Engine"));
        policy.managed_by = Some("addon manager Reconcile".into());
        assert_eq!(policy.owner().as_deref(), Some("addon manager Reconcile"));
        let kind = "ClusterServiceVersion".to_owned();
        let owner = OwnerReference { kind, name: "op.v1".to_owned(), ..Default::default() };
        policy.owner = Some(Box::new(owner));
        assert_eq!(policy.owner().as_deref(), Some("ClusterServiceVersion op.v1"));
    }

    #[test]
    fn names_of_providers_are_known_by_kind() {
        let role = |name: &str| Role { name: name.into(), ..Default::default() }.owner();
        assert_eq!(role("eks:podsecuritypolicy:privileged").as_deref(), Some("Amazon EKS"));
        assert_eq!(role("gce:podsecuritypolicy:x").as_deref(), Some("Google Kubernetes Engine"));
        assert_eq!(role("eks.privileged"), None);
        let policy = |name: &str| PodSecurityPolicy { name: name.into(), ..Default::default() };
        assert_eq!(policy("eks.privileged").owner().as_deref(), Some("Amazon EKS"));
        assert_eq!(policy("restricted").owner(), None);
    }
}
