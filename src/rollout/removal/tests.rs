use super::*;
use crate::objects::meta::{Marks, OwnerReference};
use crate::objects::psp::PodSecurityPolicy;
use crate::objects::rbac::{AggregationRule, Binding, LabelSelector, RoleRef, Subject};

fn rule(groups: &[&str], resources: &[&str]) -> PolicyRule {
    let strings = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect();
    PolicyRule {
        api_groups: strings(groups),
        resources: strings(resources),
        verbs: strings(&["use"]),
        ..Default::default()
    }
}

fn psp_rule() -> PolicyRule {
    rule(&["policy"], &["podsecuritypolicies"])
}

fn cluster_role(name: &str, rules: Vec<PolicyRule>) -> Role {
    Role { name: name.into(), rules, ..Default::default() }
}

fn binding(namespace: Option<&str>, name: &str, role: (&str, &str)) -> Binding {
    Binding {
        namespace: namespace.map(Name::from),
        name: name.into(),
        role_ref: RoleRef { kind: role.0.to_owned(), name: role.1.to_owned() },
        subjects: vec![Subject { kind: "Group".to_owned(), ..Default::default() }],
        ..Default::default()
    }
}

fn snapshot(roles: Vec<Role>, bindings: Vec<Binding>) -> Snapshot {
    let mut snapshot = Snapshot::default();
    for role in roles {
        snapshot.roles.insert((role.namespace.clone(), role.name.clone()), role);
    }
    for binding in bindings {
        snapshot.bindings.insert((binding.namespace.clone(), binding.name.clone()), binding);
    }
    snapshot
}

fn names<'a>(objects: impl IntoIterator<Item = &'a ObjectRef>) -> Vec<String> {
    objects.into_iter().map(ToString::to_string).collect()
}

/// What the API server makes of a role's rules by a patch.
fn patched(rules: &[PolicyRule], patch: &[Operation]) -> Vec<Value> {
    let mut rules: Vec<Value> =
        rules.iter().map(|rule| serde_json::to_value(rule).unwrap()).collect();
    for Operation { op, path, value } in patch {
        let index: usize = path.strip_prefix("/rules/").unwrap().parse().unwrap();
        match *op {
            "test" => assert_eq!(Some(&rules[index]), value.as_ref()),
            "remove" => drop(rules.remove(index)),
            "add" => rules.insert(index, value.clone().unwrap()),
            _ => rules[index] = value.clone().unwrap(),
        }
    }
    rules
}

#[test]
fn roles_about_policies_only_go_with_their_bindings() {
    let mut role = cluster_role("in-shop", vec![psp_rule()]);
    role.namespace = Some("shop".into());
    let snapshot = snapshot(
        vec![role, cluster_role("psp", vec![psp_rule(), psp_rule()])],
        vec![
            binding(None, "all", ("ClusterRole", "psp")),
            binding(Some("shop"), "one", ("ClusterRole", "psp")),
            binding(Some("shop"), "two", ("Role", "in-shop")),
            binding(Some("other"), "two", ("Role", "in-shop")),
            binding(None, "view", ("ClusterRole", "view")),
            binding(None, "old", ("ClusterRole", "PSP:old")),
        ],
    );
    let removal = removal(&snapshot);
    let roles = removal.roles.iter().map(|role| &role.object);
    assert_eq!(names(roles), ["ClusterRole psp", "Role shop/in-shop"]);
    let bindings = removal.bindings.iter().map(|binding| &binding.object);
    assert_eq!(
        names(bindings),
        ["ClusterRoleBinding all", "RoleBinding shop/one", "RoleBinding shop/two"]
    );
    let dangling = removal.dangling.iter().map(|binding| &binding.object);
    assert_eq!(names(dangling), ["ClusterRoleBinding old"]);
    assert_eq!((removal.left, removal.mixed_roles), (Vec::new(), Vec::new()));
}

#[test]
fn mixed_roles_lose_their_rules_about_policies_and_get_them_back() {
    let pods = rule(&[""], &["pods"]);
    let mixed = rule(&["policy"], &["podsecuritypolicies", "poddisruptionbudgets"]);
    let rules = vec![psp_rule(), pods, psp_rule(), mixed, psp_rule()];
    let snapshot = snapshot(
        vec![cluster_role("mixed", rules.clone())],
        vec![binding(None, "b", ("ClusterRole", "mixed"))],
    );
    let removal = removal(&snapshot);
    assert!(removal.roles.is_empty() && removal.bindings.is_empty());
    let [role] = removal.mixed_roles.as_slice() else { panic!("{removal:?}") };
    let left = [rule(&[""], &["pods"]), rule(&["policy"], &["poddisruptionbudgets"])];
    assert_eq!(patched(&rules, &role.patch), patched(&left, &[]));
    assert_eq!(patched(&left, &role.undo), patched(&rules, &[]));
}

#[test]
fn what_others_keep_is_left_to_them() {
    let mut helm = cluster_role("helm", vec![psp_rule()]);
    helm.marks.managed_by = Some("Helm release shop".into());
    let mut server = cluster_role("server", vec![psp_rule()]);
    server.marks.is_bootstrap = true;
    let mut operator = binding(None, "operator", ("ClusterRole", "plain"));
    let kind = "ClusterServiceVersion".to_owned();
    let owner = OwnerReference { kind, name: "op".to_owned(), ..Default::default() };
    operator.marks = Marks { owner: Some(Box::new(owner)), ..Default::default() };
    let everything = cluster_role(
        "everything",
        vec![PolicyRule { verbs: vec!["*".to_owned()], ..rule(&["*"], &["*"]) }],
    );
    let mut snapshot = snapshot(
        vec![helm, server, cluster_role("plain", vec![psp_rule()]), everything],
        vec![operator, binding(None, "ours", ("ClusterRole", "helm"))],
    );
    for name in ["eks.privileged", "restricted"] {
        let policy = PodSecurityPolicy { name: name.into(), ..Default::default() };
        snapshot.policies.insert(name.into(), policy);
    }
    let removal = removal(&snapshot);
    assert_eq!(names(&removal.policies), ["PodSecurityPolicy restricted"]);
    assert_eq!(names(removal.roles.iter().map(|role| &role.object)), ["ClusterRole plain"]);
    // The role stays, but a binding that nobody keeps may go.
    let bindings = removal.bindings.iter().map(|binding| &binding.object);
    assert_eq!(names(bindings), ["ClusterRoleBinding ours"]);
    let left = removal
        .left
        .iter()
        .map(|it| (it.object.to_string(), it.why, it.wanted, it.owner.clone().unwrap_or_default()));
    let expected = [
        ("ClusterRole everything", Why::Inseparable, Wanted::Nothing, ""),
        ("ClusterRole helm", Why::Owned, Wanted::Delete, "Helm release shop"),
        ("ClusterRole server", Why::Bootstrap, Wanted::Delete, ""),
        ("ClusterRoleBinding operator", Why::Owned, Wanted::Delete, "ClusterServiceVersion op"),
        ("PodSecurityPolicy eks.privileged", Why::Owned, Wanted::Delete, "Amazon EKS"),
    ];
    let expected = expected
        .map(|(object, why, wanted, owner)| (object.to_owned(), why, wanted, owner.to_owned()));
    assert_eq!(left.collect::<Vec<_>>(), expected);
}

#[test]
fn aggregated_roles_are_changed_at_their_source() {
    let label = || [("to-edit".to_owned(), "true".to_owned())].into();
    let mut edit = cluster_role("edit", vec![psp_rule()]);
    let selector = LabelSelector { match_labels: label(), ..Default::default() };
    edit.aggregation_rule = Some(AggregationRule { cluster_role_selectors: vec![selector] });
    let mut source = cluster_role("source", vec![psp_rule()]);
    source.labels = label();
    let mut without = cluster_role("without", vec![rule(&[""], &["pods"])]);
    without.labels = label();
    let snapshot = snapshot(
        vec![edit, source, without],
        vec![binding(Some("shop"), "editors", ("ClusterRole", "edit"))],
    );
    let removal = removal(&snapshot);
    let [role] = removal.roles.as_slice() else { panic!("{removal:?}") };
    assert_eq!(
        (&*role.object.name, role.aggregated_into.as_slice()),
        ("source", &["edit".into()][..])
    );
    let [left] = removal.left.as_slice() else { panic!("{removal:?}") };
    assert_eq!((left.why, left.sources.as_slice()), (Why::Aggregated, &["source".into()][..]));
    assert!(removal.bindings.is_empty(), "the controller may fill in other rules");
}
