//! Which RBAC objects make a clone usable wherever its original is?
//!
//! New objects only, so that deleting them undoes all: a mirror of each role that names the original,
//! and of each binding to that role.

use crate::objects::meta::Name;
use crate::objects::rbac::{Binding, PolicyRule, Role, RoleRef};
use crate::objects::snapshot::Snapshot;
use crate::psp::authorize;
use crate::rollout::object_ref::ObjectRef;

/// The RBAC objects of a clone.
#[derive(Debug, Default)]
pub(super) struct Mirrored {
    pub(super) roles: Vec<Role>,
    pub(super) bindings: Vec<Binding>,
}

/// The objects that grant the use of `clone` as those of the snapshot grant that of `original`. Roles
/// that are not bound to anybody grant nothing and have no mirror; those for every policy need none.
pub(super) fn mirrored(original: &str, clone: &Name, snapshot: &Snapshot) -> Mirrored {
    let mut mirrored = Mirrored::default();
    for role in snapshot.roles.values().filter(|role| !is_for_every_policy(role)) {
        let names_original = role.rules.iter().any(|rule| {
            authorize::is_about_policies(rule)
                && rule.resource_names.iter().any(|name| name == original)
        });
        if !names_original {
            continue;
        }
        let mirror = mirror_of(role, clone, snapshot);
        let n_before = mirrored.bindings.len();
        let bindings = bindings_of(role, snapshot);
        mirrored
            .bindings
            .extend(bindings.map(|it| mirror_of_binding(it, &mirror, clone, snapshot)));
        if mirrored.bindings.len() > n_before {
            mirrored.roles.push(mirror);
        }
    }
    mirrored
}

/// The roles, bound to somebody, that allow the use of every policy.
pub(super) fn for_every_policy(snapshot: &Snapshot) -> Vec<ObjectRef> {
    let is_bound = |role: &&Role| bindings_of(role, snapshot).next().is_some();
    let roles = snapshot.roles.values().filter(|role| is_for_every_policy(role));
    roles.filter(is_bound).map(ObjectRef::from).collect()
}

fn is_for_every_policy(role: &Role) -> bool {
    let is_for_all =
        |rule: &PolicyRule| rule.resource_names.is_empty() && authorize::is_about_policies(rule);
    role.rules.iter().any(is_for_all)
}

/// The bindings of a role that have subjects.
fn bindings_of<'s>(role: &Role, snapshot: &'s Snapshot) -> impl Iterator<Item = &'s Binding> {
    let object = ObjectRef::from(role);
    snapshot.bindings.values().filter(move |binding| {
        !binding.subjects.is_empty() && ObjectRef::role_of(binding).as_ref() == Some(&object)
    })
}

fn mirror_of(role: &Role, clone: &Name, snapshot: &Snapshot) -> Role {
    let rules = vec![PolicyRule {
        api_groups: vec!["policy".to_owned()],
        resources: vec!["podsecuritypolicies".to_owned()],
        resource_names: vec![clone.to_string()],
        verbs: vec!["use".to_owned()],
    }];
    let name = mirror_name(clone, &role.name, |name| {
        let there = snapshot.roles.get(&(role.namespace.clone(), name.clone()));
        there.is_none_or(|there| there.rules == rules)
    });
    Role { namespace: role.namespace.clone(), name, rules, ..Role::default() }
}

fn mirror_of_binding(binding: &Binding, role: &Role, clone: &Name, snapshot: &Snapshot) -> Binding {
    let role_ref = RoleRef { kind: role.kind().to_owned(), name: role.name.to_string() };
    let name = mirror_name(clone, &binding.name, |name| {
        let there = snapshot.bindings.get(&(binding.namespace.clone(), name.clone()));
        there.is_none_or(|there| there.role_ref == role_ref && there.subjects == binding.subjects)
    });
    Binding {
        namespace: binding.namespace.clone(),
        name,
        role_ref,
        subjects: binding.subjects.clone(),
        ..Binding::default()
    }
}

/// The clone's name tells mirrors of one object apart, as policies have no colon in their names. One
/// that was applied before keeps its name.
fn mirror_name(clone: &str, original: &str, is_free: impl Fn(&Name) -> bool) -> Name {
    let plain = format!("psp2psa:{clone}:{original}");
    let numbered = (2..100_u32).map(|number| format!("{plain}-{number}"));
    let mut names = std::iter::once(plain.clone()).chain(numbered).map(Name::from);
    names.find(is_free).unwrap_or_else(|| Name::from(plain))
}
