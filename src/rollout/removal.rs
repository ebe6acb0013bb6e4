//! Which objects go when PodSecurityPolicy goes, and which stay without their PSP rules?
//!
//! Policies go, and so do roles that are about nothing else, with their bindings. A role that allows
//! other things too is patched, never deleted. What somebody else would put back is left to them.

mod rules;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use super::object_ref::ObjectRef;
use super::owners::Owned;
use crate::migrate::grant;
use crate::objects::meta::Name;
use crate::objects::rbac::{PolicyRule, Role};
use crate::objects::snapshot::Snapshot;
use rules::Fate;

/// What is to be done to a cluster's policies and RBAC objects once PSP is switched off. All lists are
/// sorted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Removal {
    /// The policies to delete.
    pub policies: Vec<ObjectRef>,
    /// The roles to delete: every rule of theirs is about policies.
    pub roles: Vec<PspOnlyRole>,
    /// The bindings to delete: they bind to roles that are about policies only.
    pub bindings: Vec<PspOnlyBinding>,
    /// The roles to patch: they allow other things too.
    pub mixed_roles: Vec<MixedRole>,
    /// What is to be left alone, and why.
    pub left: Vec<Left>,
    /// Bindings that grant nothing, as their role is not in the input, and whose role's name sounds
    /// like PSP. Nothing is done to them.
    pub dangling: Vec<PspOnlyBinding>,
}

/// A role that is about policies only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PspOnlyRole {
    /// The role.
    pub object: ObjectRef,
    /// Its rules, in words.
    pub rules: Vec<String>,
    /// The ClusterRoles that aggregate it, and that lose its rules with it.
    pub aggregated_into: Vec<Name>,
}

/// A binding to a role that is about policies only, or that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PspOnlyBinding {
    /// The binding.
    pub object: ObjectRef,
    /// The role that it refers to.
    pub role: ObjectRef,
    /// How many subjects it has; without any it grants nothing.
    pub subjects: usize,
}

/// A role that allows other things besides the use of policies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MixedRole {
    /// The role.
    pub object: ObjectRef,
    /// The rules that are dropped or narrowed, in words.
    pub rules: Vec<String>,
    /// The ClusterRoles that aggregate it, and that change with it.
    pub aggregated_into: Vec<Name>,
    /// A JSON patch that takes policies out of the rules; it fails where a rule is not what it was.
    pub patch: Vec<Operation>,
    /// A JSON patch that puts them back.
    pub undo: Vec<Operation>,
}

/// An operation of a JSON patch (RFC 6902).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Operation {
    /// `test`, `remove`, `replace` or `add`.
    pub op: &'static str,
    /// Where, as a JSON pointer.
    pub path: String,
    /// The value; `None` for `remove`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
}

/// An object that is left alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Left {
    /// The object.
    pub object: ObjectRef,
    /// Why.
    pub why: Why,
    /// What its owner should do to it.
    pub wanted: Wanted,
    /// Its owner, in words; `None` where nothing shows any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Of a role: the rules that are about policies, in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<String>,
    /// Of an aggregated role: the roles that its rules come from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Name>,
}

/// Why an object is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Why {
    /// A tool, an operator or a provider keeps it.
    Owned,
    /// The API server puts its rules back whenever it starts.
    Bootstrap,
    /// A controller fills in its rules from other roles.
    Aggregated,
    /// The rule names no policies, but allows their use with everything else, by `*`, or cannot be
    /// narrowed.
    Inseparable,
}

/// What should become of an object that is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Wanted {
    /// It is about policies only, and should go.
    Delete,
    /// Its rules about policies should go.
    Change,
    /// It is harmless once policies are gone.
    Nothing,
}

/// What is to be removed of the cluster that a snapshot was taken of.
///
/// What the snapshot lacks is neither deleted nor patched; whether it lacks anything,
/// [`Snapshot::reading`] says.
#[must_use]
pub fn removal(snapshot: &Snapshot) -> Removal {
    let mut removal = Removal::default();
    for policy in snapshot.policies.values() {
        match policy.owner() {
            None => removal.policies.push(policy.into()),
            Some(owner) => removal.left.push(Left::owned(policy.into(), owner, Wanted::Delete)),
        }
    }
    let mut psp_only = BTreeSet::new();
    for role in snapshot.roles.values() {
        judge_role(role, snapshot, &mut removal, &mut psp_only);
    }
    judge_bindings(snapshot, &mut removal, &psp_only);
    removal.policies.sort();
    removal.roles.sort_by(|one, other| one.object.cmp(&other.object));
    removal.bindings.sort_by(|one, other| one.object.cmp(&other.object));
    removal.mixed_roles.sort_by(|one, other| one.object.cmp(&other.object));
    removal.left.sort_by(|one, other| (&one.object, one.why).cmp(&(&other.object, other.why)));
    removal.dangling.sort_by(|one, other| one.object.cmp(&other.object));
    removal
}

impl Left {
    fn owned(object: ObjectRef, owner: String, wanted: Wanted) -> Self {
        let (rules, sources) = (Vec::new(), Vec::new());
        Self { object, why: Why::Owned, wanted, owner: Some(owner), rules, sources }
    }
}

/// Puts a role where it belongs, and into `psp_only` if all of it is about policies and its rules are
/// its own.
fn judge_role(
    role: &Role,
    snapshot: &Snapshot,
    removal: &mut Removal,
    psp_only: &mut BTreeSet<ObjectRef>,
) {
    let fates: Vec<Fate> = role.rules.iter().map(rules::fate).collect();
    let object = ObjectRef::from(role);
    let in_words = |is_meant: fn(&Fate) -> bool| -> Vec<String> {
        let meant = role.rules.iter().zip(&fates).filter(|(_, fate)| is_meant(fate));
        meant.map(|(rule, _)| grant::rule(rule)).collect()
    };
    let inseparable = in_words(|fate| *fate == Fate::Inseparable);
    if !inseparable.is_empty() {
        removal.left.push(Left {
            object: object.clone(),
            why: Why::Inseparable,
            wanted: Wanted::Nothing,
            owner: role.owner(),
            rules: inseparable,
            sources: Vec::new(),
        });
    }
    let rules = in_words(|fate| matches!(fate, Fate::Dropped | Fate::Narrowed(_)));
    if rules.is_empty() {
        return;
    }
    let is_psp_only = fates.iter().all(|fate| *fate == Fate::Dropped);
    if let Some(why) = reason_to_leave(role) {
        // The controller may fill in other rules at any time, so its bindings have to stay.
        if is_psp_only && why != Why::Aggregated {
            psp_only.insert(object.clone());
        }
        removal.left.push(Left {
            object,
            why,
            wanted: if is_psp_only && why != Why::Aggregated {
                Wanted::Delete
            } else {
                Wanted::Change
            },
            owner: role.owner(),
            rules,
            sources: sources_of(role, snapshot),
        });
        return;
    }
    let aggregated_into = aggregated_into(role, snapshot);
    if is_psp_only {
        psp_only.insert(object.clone());
        removal.roles.push(PspOnlyRole { object, rules, aggregated_into });
    } else {
        let (patch, undo) = patches(&role.rules, &fates);
        removal.mixed_roles.push(MixedRole { object, rules, aggregated_into, patch, undo });
    }
}

fn reason_to_leave(role: &Role) -> Option<Why> {
    if role.marks.is_bootstrap {
        Some(Why::Bootstrap)
    } else if role.aggregation_rule.is_some() {
        Some(Why::Aggregated)
    } else {
        role.owner().map(|_| Why::Owned)
    }
}

/// The ClusterRoles from which the controller fills in an aggregated role's rules about policies.
fn sources_of(role: &Role, snapshot: &Snapshot) -> Vec<Name> {
    let Some(aggregation) = &role.aggregation_rule else { return Vec::new() };
    let is_about_policies =
        |rule: &PolicyRule| matches!(rules::fate(rule), Fate::Dropped | Fate::Narrowed(_));
    let sources = snapshot.roles.values().filter(|source| {
        source.namespace.is_none()
            && source.name != role.name
            && aggregation.selects(&source.labels)
            && source.rules.iter().any(is_about_policies)
    });
    sources.map(|source| source.name.clone()).collect()
}

fn aggregated_into(role: &Role, snapshot: &Snapshot) -> Vec<Name> {
    if role.namespace.is_some() {
        return Vec::new();
    }
    let targets = snapshot.roles.values().filter(|target| {
        let aggregation = target.aggregation_rule.as_ref();
        target.name != role.name && aggregation.is_some_and(|it| it.selects(&role.labels))
    });
    targets.map(|target| target.name.clone()).collect()
}

fn judge_bindings(snapshot: &Snapshot, removal: &mut Removal, psp_only: &BTreeSet<ObjectRef>) {
    for binding in snapshot.bindings.values() {
        let Some(role) = ObjectRef::role_of(binding) else { continue };
        let object = ObjectRef::from(binding);
        let subjects = binding.subjects.len();
        if !psp_only.contains(&role) {
            let key = (role.namespace.clone(), role.name.clone());
            if !snapshot.roles.contains_key(&key) && sounds_like_psp(&role.name) {
                removal.dangling.push(PspOnlyBinding { object, role, subjects });
            }
        } else if binding.marks.is_bootstrap {
            removal.left.push(Left {
                object,
                why: Why::Bootstrap,
                wanted: Wanted::Delete,
                owner: binding.owner(),
                rules: Vec::new(),
                sources: Vec::new(),
            });
        } else if let Some(owner) = binding.owner() {
            removal.left.push(Left::owned(object, owner, Wanted::Delete));
        } else {
            removal.bindings.push(PspOnlyBinding { object, role, subjects });
        }
    }
}

/// A role that does not exist has no rules to go by, only a name.
fn sounds_like_psp(name: &str) -> bool {
    let name = name.to_lowercase();
    ["psp", "podsecuritypol", "pod-security-pol"].iter().any(|part| name.contains(part))
}

/// The patch of a role's rules, and the one that undoes it. Each first tests all rules that it
/// changes, as positions are all that a JSON patch knows.
fn patches(rules: &[PolicyRule], fates: &[Fate]) -> (Vec<Operation>, Vec<Operation>) {
    let (mut tests, mut changes) = (Vec::new(), Vec::new());
    let (mut undo_tests, mut undo_changes) = (Vec::new(), Vec::new());
    let mut n_dropped = 0;
    for (index, (rule, fate)) in rules.iter().zip(fates).enumerate() {
        match fate {
            Fate::Dropped => {
                tests.push(Operation::new("test", index, Some(rule)));
                changes.push(Operation::new("remove", index, None));
                undo_changes.push(Operation::new("add", index, Some(rule)));
                n_dropped += 1;
            }
            Fate::Narrowed(narrowed) => {
                tests.push(Operation::new("test", index, Some(rule)));
                changes.push(Operation::new("replace", index, Some(narrowed)));
                undo_tests.push(Operation::new("test", index - n_dropped, Some(narrowed)));
                undo_changes.push(Operation::new("replace", index, Some(rule)));
            }
            Fate::Kept | Fate::Inseparable => {}
        }
    }
    // From the last to the first, so that no position moves before its turn; back in the other order.
    changes.reverse();
    tests.append(&mut changes);
    undo_tests.append(&mut undo_changes);
    (tests, undo_tests)
}

impl Operation {
    fn new(op: &'static str, index: usize, rule: Option<&PolicyRule>) -> Self {
        // A rule has string keys only and so a JSON form.
        let value = rule.map(|rule| serde_json::to_value(rule).unwrap_or_default());
        Self { op, path: format!("/rules/{index}"), value }
    }
}
