//! Does the authorizer find whom RBAC finds?

use crate::objects::meta::Name;
use crate::objects::rbac::{Binding, PolicyRule, Role, RoleRef, Subject};
use crate::objects::snapshot::Snapshot;

use super::{Attributes, Authorizer, User};

fn subject(kind: &str, name: &str, namespace: &str) -> Subject {
    Subject {
        kind: kind.to_owned(),
        name: name.to_owned(),
        namespace: namespace.to_owned(),
        api_group: String::new(),
    }
}

/// A snapshot in which everything is bound to a role that allows one verb, the binding's name.
fn snapshot(bindings: &[(Option<&str>, &str, &str, Subject)]) -> Snapshot {
    let mut snapshot = Snapshot::default();
    for (namespace, name, role_kind, subject) in bindings {
        let namespace: Option<Name> = namespace.map(Name::from);
        let name = Name::from(*name);
        let role_namespace = namespace.clone().filter(|_| *role_kind == "Role");
        let role = Role {
            namespace: role_namespace.clone(),
            name: name.clone(),
            rules: vec![PolicyRule {
                api_groups: vec!["*".to_owned()],
                resources: vec!["*".to_owned()],
                verbs: vec!["use".to_owned()],
                ..PolicyRule::default()
            }],
            ..Role::default()
        };
        snapshot.roles.insert((role_namespace, name.clone()), role);
        let binding = Binding {
            namespace: namespace.clone(),
            name: name.clone(),
            role_ref: RoleRef { kind: (*role_kind).to_owned(), name: name.to_string() },
            subjects: vec![subject.clone()],
            ..Binding::default()
        };
        snapshot.bindings.insert((namespace, name), binding);
    }
    snapshot
}

fn granting_binding<'a>(snapshot: &'a Snapshot, user: &User, namespace: &str) -> Option<&'a str> {
    let request = Attributes {
        verb: "use",
        api_group: "policy",
        resource: "podsecuritypolicies",
        subresource: None,
        name: "p",
        namespace,
    };
    Authorizer::new(snapshot).authorize(user, &request).map(|grant| &*grant.binding.name)
}

#[test]
fn finds_subjects_as_rbac_does() {
    let sa = User::service_account("shop", "web");
    let controller = User::controller("replicaset-controller");
    let jane = User { name: "jane".to_owned(), groups: vec!["dev".to_owned()] };
    let username = "system:serviceaccount:shop:web";
    for (namespace, role_kind, of, user, expected) in [
        (None, "ClusterRole", subject("ServiceAccount", "web", "shop"), &sa, true),
        (None, "ClusterRole", subject("ServiceAccount", "web", ""), &sa, false),
        (Some("shop"), "Role", subject("ServiceAccount", "web", ""), &sa, true),
        (Some("shop"), "ClusterRole", subject("ServiceAccount", "web", "shop"), &sa, true),
        (Some("other"), "ClusterRole", subject("ServiceAccount", "web", "shop"), &sa, false),
        (Some("shop"), "ClusterRole", subject("ServiceAccount", "web", "other"), &sa, false),
        (None, "ClusterRole", subject("User", username, ""), &sa, true),
        (None, "Role", subject("User", username, ""), &sa, false),
        (None, "ClusterRole", subject("Group", "system:serviceaccounts", ""), &sa, true),
        (None, "ClusterRole", subject("Group", "system:serviceaccounts:shop", ""), &sa, true),
        (None, "ClusterRole", subject("Group", "system:serviceaccounts:web", ""), &sa, false),
        (None, "ClusterRole", subject("Group", "system:authenticated", ""), &sa, false),
        (None, "ClusterRole", subject("Group", "system:authenticated", ""), &controller, true),
        (None, "ClusterRole", subject("User", "jane", ""), &jane, true),
        (None, "ClusterRole", subject("Group", "jane", ""), &jane, false),
        (None, "ClusterRole", subject("Group", "dev", ""), &jane, true),
        (None, "ClusterRole", subject("user", "jane", ""), &jane, false),
    ] {
        let snapshot = snapshot(&[(namespace, "b", role_kind, of.clone())]);
        let found = granting_binding(&snapshot, user, "shop").is_some();
        assert_eq!(found, expected, "{of:?} in {namespace:?}, {role_kind}");
    }
}

#[test]
fn gives_the_first_of_several_grants() {
    let everyone = || subject("Group", "system:serviceaccounts", "");
    let account = || subject("ServiceAccount", "web", "shop");
    let snapshot = snapshot(&[
        (Some("shop"), "a", "Role", account()),
        (None, "c", "ClusterRole", account()),
        (None, "b", "ClusterRole", everyone()),
        (Some("other"), "d", "ClusterRole", everyone()),
    ]);
    let sa = User::service_account("shop", "web");
    assert_eq!(granting_binding(&snapshot, &sa, "shop"), Some("b"));
    assert_eq!(granting_binding(&snapshot, &User::service_account("x", "y"), "other"), Some("b"));
}

#[test]
fn ignores_bindings_to_missing_roles() {
    let mut snapshot = snapshot(&[(None, "b", "ClusterRole", subject("User", "jane", ""))]);
    snapshot.roles.clear();
    let jane = User { name: "jane".to_owned(), groups: Vec::new() };
    assert_eq!(granting_binding(&snapshot, &jane, "shop"), None);
}

#[test]
fn lists_holders_once_per_namespace() {
    let snapshot = snapshot(&[
        (Some("shop"), "b", "Role", subject("ServiceAccount", "web", "")),
        (Some("shop"), "a", "ClusterRole", subject("ServiceAccount", "web", "shop")),
        (None, "c", "ClusterRole", subject("Group", "dev", "")),
        (None, "d", "ClusterRole", subject("ServiceAccount", "web", "")),
    ]);
    let request = Attributes {
        verb: "use",
        api_group: "policy",
        resource: "podsecuritypolicies",
        subresource: None,
        name: "p",
        namespace: "",
    };
    let authorizer = Authorizer::new(&snapshot);
    let holders: Vec<_> = authorizer
        .holders(&[request])
        .iter()
        .map(|holder| {
            (
                holder.namespace.map(|name| &**name),
                holder.subject_namespace,
                &*holder.grant.binding.name,
            )
        })
        .collect();
    assert_eq!(holders, [(None, None, "c"), (Some("shop"), Some("shop"), "a")]);
}
