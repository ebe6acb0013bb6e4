use super::*;
use crate::objects::namespace::Namespace;
use crate::objects::rbac::RoleRef;

fn strings(list: &[&str]) -> Vec<String> {
    list.iter().map(|&text| text.to_owned()).collect()
}

fn rule(groups: &[&str], resources: &[&str], names: &[&str], verbs: &[&str]) -> PolicyRule {
    PolicyRule {
        api_groups: strings(groups),
        resources: strings(resources),
        resource_names: strings(names),
        verbs: strings(verbs),
    }
}

/// A snapshot in which a ClusterRole with a rule is bound to a user, in a namespace or everywhere.
fn bound(namespace: Option<&str>, allowed: PolicyRule) -> Snapshot {
    let mut snapshot = Snapshot::default();
    let role = Role { name: "r".into(), rules: vec![allowed], ..Default::default() };
    let kind = "ClusterRole".to_owned();
    let binding = Binding {
        namespace: namespace.map(Name::from),
        name: "b".into(),
        role_ref: RoleRef { kind, name: "r".to_owned() },
        subjects: vec![Subject {
            kind: "ServiceAccount".to_owned(),
            name: "robot".to_owned(),
            namespace: "ci".to_owned(),
            ..Default::default()
        }],
        ..Default::default()
    };
    snapshot.roles.insert((None, "r".into()), role);
    snapshot.bindings.insert((binding.namespace.clone(), "b".into()), binding);
    snapshot
}

#[test]
fn verbs_and_reach_follow_the_rule_and_the_binding() {
    let (core, namespaces) = (&[""][..], &["namespaces"][..]);
    let write = &["get", "create", "update", "patch", "delete"][..];
    for (name, namespace, rule, expected) in [
        ("everywhere", None, rule(core, namespaces, &[], write), "create patch update of all"),
        ("anything", None, rule(&["*"], &["*"], &[], &["*"]), "create patch update of all"),
        ("one verb", None, rule(core, namespaces, &[], &["patch"]), "patch of all"),
        ("by name", None, rule(core, namespaces, &["a", "b"], write), "patch update of a b"),
        ("in one", Some("shop"), rule(core, namespaces, &[], write), "patch update of shop"),
        (
            "in one by name",
            Some("shop"),
            rule(core, namespaces, &["shop"], write),
            "patch update of shop",
        ),
        ("in one by another's name", Some("shop"), rule(core, namespaces, &["a"], write), ""),
        ("reading", None, rule(core, namespaces, &[], &["get", "list", "delete"]), ""),
        ("another group", None, rule(&["apps"], namespaces, &[], write), ""),
        (
            "through status",
            None,
            rule(core, &["namespaces/status"], &[], write),
            "patch update of all through status",
        ),
        (
            "through finalize",
            None,
            rule(core, &["namespaces/finalize"], &[], write),
            "update of all through finalize",
        ),
    ] {
        let access = label_access(&bound(namespace, rule));
        let told: Vec<String> = access
            .holders
            .iter()
            .map(|holder| {
                assert_eq!(holder.name, "ci:robot");
                let verbs: Vec<_> = holder.verbs.iter().copied().collect();
                let reach = match &holder.reach {
                    Reach::All => "all".to_owned(),
                    Reach::Only(names) => {
                        names.iter().map(|name| &**name).collect::<Vec<_>>().join(" ")
                    }
                };
                let through = holder.through.map(|it| format!(" through {it}")).unwrap_or_default();
                format!("{} of {reach}{through}", verbs.join(" "))
            })
            .collect();
        assert_eq!(told.join("; "), expected, "{name}");
    }
}

#[test]
fn rancher_is_spoken_of_where_it_is() {
    let verb = |verb: &str| rule(&["management.cattle.io"], &["projects"], &[], &[verb]);
    assert_eq!(label_access(&bound(None, rule(&["*"], &["*"], &[], &["*"]))).rancher, None);
    let holders = label_access(&bound(None, verb("updatepsa"))).rancher.unwrap().updatepsa;
    assert_eq!(holders.len(), 1);
    assert_eq!(label_access(&bound(None, verb("get"))).rancher, Some(Rancher::default()));
    let mut snapshot = Snapshot::default();
    snapshot.namespaces.insert("cattle-system".into(), Namespace::default());
    assert_eq!(label_access(&snapshot).rancher, Some(Rancher::default()));
}

#[test]
fn builtin_roles_that_were_widened_are_named() {
    let mut snapshot = bound(None, rule(&["apps"], &["deployments"], &[], &["*"]));
    for (name, resource) in [("admin", "pods"), ("edit", "namespaces")] {
        let rules = vec![rule(&[""], &[resource], &[], &["update"])];
        let role = Role { name: name.into(), rules, ..Default::default() };
        snapshot.roles.insert((None, name.into()), role);
    }
    assert_eq!(label_access(&snapshot).widened_roles, ["edit".into()]);
}
