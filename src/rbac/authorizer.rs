//! Which binding grants a request?

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::lookup::HashMap;
use crate::objects::meta::Name;
use crate::objects::rbac::{Binding, PolicyRule, Role, Subject};
use crate::objects::snapshot::Snapshot;

use super::rules::{self, Attributes};
use super::user::{User, service_account_username};

/// Why a request is granted: a binding binds a subject to a role with a rule that allows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant<'a> {
    /// The RoleBinding or ClusterRoleBinding.
    pub binding: &'a Binding,
    /// The subject of the binding that the requester is.
    pub subject: &'a Subject,
    /// The role that the binding refers to.
    pub role: &'a Role,
    /// The rule of the role that allows the request.
    pub rule: &'a PolicyRule,
}

/// A subject that is granted a request, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder<'a> {
    /// The subject as the binding names it.
    pub subject: &'a Subject,
    /// The namespace that a `ServiceAccount` subject stands in, the binding's where the subject
    /// names none; `None` for users and groups.
    pub subject_namespace: Option<&'a str>,
    /// The namespace in which the request is granted; `None` for every namespace.
    pub namespace: Option<&'a Name>,
    /// The first grant.
    pub grant: Grant<'a>,
}

/// The RBAC authorizer over the roles and bindings of a snapshot.
///
/// Indexed by subject and namespace: a question costs what is bound to the requester and its groups
/// in that namespace and cluster-wide, whatever else the snapshot holds. Building it costs one pass
/// over the bindings.
///
/// Bindings to missing roles grant nothing. An aggregated ClusterRole counts with the rules that it
/// holds.
///
/// Upstream: `pkg/registry/rbac/validation/rule.go`, `VisitRulesFor` (v1.21).
#[derive(Debug, Default)]
pub struct Authorizer<'a> {
    /// The bindings whose role exists: ClusterRoleBindings by name, then RoleBindings by namespace
    /// and name.
    bindings: Vec<BoundRole<'a>>,
    users: HashMap<Cow<'a, str>, Bound>,
    groups: HashMap<&'a str, Bound>,
}

#[derive(Debug)]
struct BoundRole<'a> {
    binding: &'a Binding,
    role: &'a Role,
    rules: Vec<&'a PolicyRule>,
}

/// What is bound to one subject, in the order of [`Authorizer::bindings`].
#[derive(Debug, Default)]
struct Bound {
    everywhere: Vec<Entry>,
    by_namespace: HashMap<Name, Vec<Entry>>,
}

/// A binding and the subject in it, as positions; the smallest is the first that RBAC finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    binding: usize,
    subject: usize,
}

impl<'a> Authorizer<'a> {
    /// The authorizer over every role and binding of a snapshot.
    #[must_use]
    pub fn new(snapshot: &'a Snapshot) -> Self {
        Self::retaining(snapshot, |_| true)
    }

    /// The authorizer over those rules alone for which `is_kept` holds, which makes questions
    /// cheap where all of them are about the same kind of object.
    #[must_use]
    pub fn retaining(snapshot: &'a Snapshot, is_kept: impl Fn(&PolicyRule) -> bool) -> Self {
        let mut authorizer = Self::default();
        for binding in snapshot.bindings.values() {
            let Some(role) = role_of(snapshot, binding) else { continue };
            let rules: Vec<_> = role.rules.iter().filter(|rule| is_kept(rule)).collect();
            if !rules.is_empty() {
                authorizer.add(BoundRole { binding, role, rules });
            }
        }
        authorizer
    }

    fn add(&mut self, bound_role: BoundRole<'a>) {
        let binding = bound_role.binding;
        for (position, subject) in binding.subjects.iter().enumerate() {
            let bound = match subject.kind.as_str() {
                "User" => self.users.entry(Cow::Borrowed(subject.name.as_str())).or_default(),
                "Group" => self.groups.entry(subject.name.as_str()).or_default(),
                _ => match account_namespace(subject, binding) {
                    Some(namespace) => {
                        let user = service_account_username(namespace, &subject.name);
                        self.users.entry(Cow::Owned(user)).or_default()
                    }
                    None => continue,
                },
            };
            let entries = match &binding.namespace {
                None => &mut bound.everywhere,
                Some(namespace) => bound.by_namespace.entry(namespace.clone()).or_default(),
            };
            entries.push(Entry { binding: self.bindings.len(), subject: position });
        }
        self.bindings.push(bound_role);
    }

    /// Whether RBAC grants a request to a user, and through what; see [`Rights::grant`].
    #[must_use]
    pub fn authorize(&self, user: &User, request: &Attributes<'_>) -> Option<Grant<'a>> {
        self.rights(user, request.namespace).grant(request)
    }

    /// What is bound to a user in a namespace, for several questions about the same.
    #[must_use]
    pub fn rights(&self, user: &User, namespace: &str) -> Rights<'_, 'a> {
        let by_name = self.users.get(user.name.as_str());
        let by_group = user.groups.iter().filter_map(|group| self.groups.get(group.as_str()));
        let (mut entries, mut in_namespace) = (Vec::new(), Vec::new());
        for bound in by_name.into_iter().chain(by_group) {
            entries.extend_from_slice(&bound.everywhere);
            in_namespace.extend(bound.by_namespace.get(namespace).into_iter().flatten());
        }
        entries.sort_unstable();
        in_namespace.sort_unstable();
        entries.append(&mut in_namespace);
        Rights { authorizer: self, entries }
    }

    /// Every subject to whom one of the requests is granted, each once per namespace, sorted by
    /// namespace (everywhere first), kind and name. The `namespace` of the requests is not read.
    ///
    /// A subject that holds the grant everywhere may be listed for single namespaces too. Costs a
    /// pass over all bindings.
    #[must_use]
    pub fn holders(&self, requests: &[Attributes<'_>]) -> Vec<Holder<'a>> {
        let mut holders = BTreeMap::new();
        for BoundRole { binding, role, rules } in &self.bindings {
            let is_allowed =
                |rule: &PolicyRule| requests.iter().any(|request| rules::allows(rule, request));
            let Some(rule) = rules.iter().copied().find(|rule| is_allowed(rule)) else { continue };
            for subject in &binding.subjects {
                let subject_namespace = match subject.kind.as_str() {
                    "User" | "Group" => None,
                    _ => match account_namespace(subject, binding) {
                        Some(namespace) => Some(namespace),
                        None => continue,
                    },
                };
                let namespace = binding.namespace.as_ref();
                let grant = Grant { binding, subject, role, rule };
                holders
                    .entry((namespace, &subject.kind, subject_namespace, &subject.name))
                    .or_insert(Holder { subject, subject_namespace, namespace, grant });
            }
        }
        holders.into_values().collect()
    }
}

/// What is bound to a user in a namespace.
#[derive(Debug, Clone)]
pub struct Rights<'r, 'a> {
    authorizer: &'r Authorizer<'a>,
    /// In the order in which RBAC looks: ClusterRoleBindings by name before the namespace's
    /// RoleBindings by name.
    entries: Vec<Entry>,
}

impl<'a> Rights<'_, 'a> {
    /// Whether nothing is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether a request is granted, and through what; its `namespace` must be that of the rights.
    ///
    /// Of several grants the first is given: ClusterRoleBindings by name before the namespace's
    /// RoleBindings by name, within one the subjects and rules as they stand.
    #[must_use]
    pub fn grant(&self, request: &Attributes<'_>) -> Option<Grant<'a>> {
        self.entries.iter().find_map(|entry| {
            let BoundRole { binding, role, rules } = self.authorizer.bindings.get(entry.binding)?;
            let rule = rules.iter().copied().find(|rule| rules::allows(rule, request))?;
            Some(Grant { binding, subject: binding.subjects.get(entry.subject)?, role, rule })
        })
    }
}

/// The role that a binding refers to, if it is there; a ClusterRoleBinding cannot refer to a Role.
#[must_use]
pub fn role_of<'a>(snapshot: &'a Snapshot, binding: &Binding) -> Option<&'a Role> {
    let namespace = match binding.role_ref.kind.as_str() {
        "ClusterRole" => None,
        "Role" => Some(binding.namespace.clone()?),
        _ => return None,
    };
    snapshot.roles.get(&(namespace, binding.role_ref.name.as_str().into()))
}

/// The namespace of a ServiceAccount subject, a RoleBinding's own where it names none; `None` for
/// other subjects and where there is no namespace at all, which matches nobody.
fn account_namespace<'a>(subject: &'a Subject, binding: &'a Binding) -> Option<&'a str> {
    if subject.kind != "ServiceAccount" {
        return None;
    }
    if !subject.namespace.is_empty() {
        return Some(&subject.namespace);
    }
    binding.namespace.as_deref().filter(|namespace| !namespace.is_empty())
}
