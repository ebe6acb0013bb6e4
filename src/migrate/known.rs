//! Does a snapshot know what an object says about PSP admission?
//!
//! Asked where the rules of admission are given apart from the pods: a policy among the pods is
//! easily overlooked, and the answers are then not those of a cluster that has it. Equal are objects
//! that say the same about admission; a Role that does not speak of policies says nothing.

use std::fmt;

use crate::objects::Object;
use crate::objects::meta::Name;
use crate::objects::namespace::ServiceAccount;
use crate::objects::psp::PodSecurityPolicy;
use crate::objects::rbac::{Binding, PolicyRule, Role, RoleRef, Subject};
use crate::objects::snapshot::Snapshot;
use crate::objects::source::printable;
use crate::psp::authorize::is_about_policies;
use crate::rbac;

/// An object that says about admission what a snapshot does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// The kind.
    pub kind: &'static str,
    /// The namespace; empty for objects of the cluster.
    pub namespace: Name,
    /// The name.
    pub name: Name,
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, namespace, name } = self;
        match &**namespace {
            "" => write!(f, "{kind} `{}`", printable(name)),
            namespace => write!(f, "{kind} `{}/{}`", printable(namespace), printable(name)),
        }
    }
}

/// What is unknown of an object; `None` where the snapshot says the same, or where the object has
/// nothing to say about admission. The object's namespace must be filled in.
#[must_use]
pub fn unknown(snapshot: &Snapshot, object: &Object) -> Option<Unknown> {
    let (is_known, namespace, name) = match object {
        Object::PodSecurityPolicy(policy) => {
            let known = snapshot.policies.get(&policy.name);
            (known.map(asked_for) == Some(asked_for(policy)), None, &policy.name)
        }
        Object::Role(role) => {
            let known = snapshot.roles.get(&(role.namespace.clone(), role.name.clone()));
            let is_known = known.map(allowed).unwrap_or_default() == allowed(role);
            (is_known, role.namespace.as_ref(), &role.name)
        }
        Object::Binding(binding) => {
            let key = (binding.namespace.clone(), binding.name.clone());
            let known = snapshot.bindings.get(&key).and_then(|known| granted(snapshot, known));
            (known == granted(snapshot, binding), binding.namespace.as_ref(), &binding.name)
        }
        Object::ServiceAccount(account) => {
            let key = (account.namespace.clone(), account.name.clone());
            let known = snapshot.service_accounts.get(&key);
            let is_known = known.is_none_or(is_mounted) == is_mounted(account);
            (is_known, Some(&account.namespace), &account.name)
        }
        // Pods and workloads are what is asked about; namespaces have no say in PSP admission.
        Object::Collection(_)
        | Object::Namespace(_)
        | Object::Pod(_)
        | Object::Workload(_)
        | Object::Event(_) => return None,
    };
    (!is_known).then(|| Unknown {
        kind: object.kind(),
        namespace: namespace.cloned().unwrap_or_default(),
        name: name.clone(),
    })
}

/// A policy without what only its keeping in a cluster shows.
fn asked_for(policy: &PodSecurityPolicy) -> PodSecurityPolicy {
    PodSecurityPolicy {
        resource_version: Box::default(),
        created: None,
        managed_by: None,
        owner: None,
        ..policy.clone()
    }
}

/// What a role allows to do with policies.
fn allowed(role: &Role) -> Vec<&PolicyRule> {
    role.rules.iter().filter(|rule| is_about_policies(rule)).collect()
}

/// Whom a binding gives which role; `None` where that is not about policies, as far as the snapshot
/// knows the role. A role that it does not know is reported itself.
fn granted<'a>(snapshot: &Snapshot, binding: &'a Binding) -> Option<(&'a RoleRef, &'a [Subject])> {
    let role = rbac::role_of(snapshot, binding)?;
    (!allowed(role).is_empty()).then_some((&binding.role_ref, &*binding.subjects))
}

/// Whether an account's token is mounted into pods that do not say.
fn is_mounted(account: &ServiceAccount) -> bool {
    account.automount_service_account_token.unwrap_or(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::source::Source;
    use crate::sources::{Content, Item, read_from};

    const KNOWN: &str = "
apiVersion: policy/v1beta1
kind: PodSecurityPolicy
metadata: {name: hardened, resourceVersion: '7', creationTimestamp: '2021-01-01T00:00:00Z',
  labels: {addonmanager.kubernetes.io/mode: Reconcile}, ownerReferences: [{kind: ConfigMap, name: psps}]}
spec: {privileged: false}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: use, resourceVersion: '8'}
rules:
- {apiGroups: [policy], resources: [podsecuritypolicies], verbs: [use]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: use, namespace: shop}
roleRef: {kind: ClusterRole, name: use}
subjects: [{kind: ServiceAccount, name: default}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: quiet, namespace: shop}
automountServiceAccountToken: false
";

    fn objects(yaml: &str) -> Vec<(Object, Source)> {
        let mut objects = Vec::new();
        read_from("f", yaml.as_bytes(), &mut |item| {
            let Item { source, content } = item.unwrap();
            let Ok(Content::Object { mut object, .. }) = content else { panic!("{content:?}") };
            object.fill_namespace(&"shop".into());
            objects.push((object, source));
        });
        objects
    }

    /// What is unknown of each object.
    fn unknowns(yaml: &str) -> Vec<String> {
        let mut builder = crate::objects::snapshot::SnapshotBuilder::default();
        for (object, source) in objects(KNOWN) {
            builder.add(object, &source);
        }
        let snapshot = builder.finish();
        objects(yaml)
            .iter()
            .filter_map(|(object, _)| unknown(&snapshot, object).map(|it| it.to_string()))
            .collect()
    }

    #[test]
    fn what_says_the_same_is_known() {
        assert_eq!(unknowns(KNOWN), [""; 0]);
        let marks = "labels: {addonmanager.kubernetes.io/mode: Reconcile}, \
                     ownerReferences: [{kind: ConfigMap, name: psps}]";
        let manifests = KNOWN
            .replace("resourceVersion: '7', creationTimestamp: '2021-01-01T00:00:00Z',\n", "")
            .replace(marks, "")
            .replace(", resourceVersion: '8'", "")
            .replace(", namespace: shop", "");
        assert_eq!(unknowns(&manifests), [""; 0]);
    }

    #[test]
    fn what_says_something_else_is_not() {
        let other = KNOWN
            .replace("privileged: false", "privileged: true")
            .replace("verbs: [use]", "verbs: ['*']")
            .replace("name: default", "name: web")
            .replace("automountServiceAccountToken: false", "");
        let want = [
            "PodSecurityPolicy `hardened`",
            "ClusterRole `use`",
            "RoleBinding `shop/use`",
            "ServiceAccount `shop/quiet`",
        ];
        assert_eq!(unknowns(&other), want);
        // The role is there under its old name, which is what the other binding refers to.
        let renamed = KNOWN.replace("{name: ", "{name: new-");
        let want = [
            "PodSecurityPolicy `new-hardened`",
            "ClusterRole `new-use`",
            "RoleBinding `shop/new-use`",
            "ServiceAccount `shop/new-quiet`",
        ];
        assert_eq!(unknowns(&renamed.replace("name: use}", "name: use }")), want);
    }

    #[test]
    fn what_is_not_about_policies_is_of_no_interest() {
        let chart = "
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: leases}
rules:
- {apiGroups: [coordination.k8s.io], resources: [leases], verbs: ['*']}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: leases}
roleRef: {kind: Role, name: leases}
subjects: [{kind: ServiceAccount, name: web}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: web}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Pod
metadata: {name: web}
spec: {containers: [{name: app}]}
";
        assert_eq!(unknowns(chart), [""; 0]);
    }
}
