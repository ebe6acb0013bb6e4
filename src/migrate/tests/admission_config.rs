//! Is the proposed configuration as strict as may be, and is exempt what the default would meet?

use serde_json::{Value, json};

use super::{options, snapshot};
use crate::level::Level;
use crate::migrate::admission_config::{Proposal, propose};
use crate::migrate::plan::Plan;
use crate::migrate::{Options, assemble};

/// A namespace with a pod that satisfies this level and no stricter one.
fn namespace(name: &str, level: Level) -> [Value; 2] {
    let spec = match level {
        Level::Privileged => json!({"hostNetwork": true, "containers": [{"name": "app"}]}),
        Level::Baseline => json!({"containers": [{"name": "app"}]}),
        Level::Restricted => json!({
            "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [{"name": "app", "securityContext": {
                "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]},
            }}],
        }),
    };
    [
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}),
        json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web", "namespace": name}, "spec": {"template": {"spec": spec}}}),
    ]
}

/// The plan of such namespaces, all read whole, under a default level.
fn plan(namespaces: &[(&str, Level)], present: Option<Level>) -> Plan {
    let objects: Vec<_> =
        namespaces.iter().flat_map(|(name, level)| namespace(name, *level)).collect();
    let mut options = Options { is_configured: present.is_some(), ..options() };
    if let Some(level) = present {
        options.configuration.defaults.enforce.level = level;
    }
    let mut plan = assemble::plan(&snapshot(&objects), &options, &|_| true);
    for namespace in &mut plan.namespaces {
        namespace.complete = true;
    }
    plan
}

/// What is proposed where no namespace gets its label.
fn unlabelled(plan: &Plan, default: Level) -> Proposal {
    propose(plan, Some(default), |_| Some("left out".to_owned()))
}

fn exempt(proposal: &Proposal) -> Vec<(&str, &str)> {
    proposal.exempt.iter().map(|it| (it.name.as_str(), it.reason.as_str())).collect()
}

#[test]
fn the_default_is_the_strictest_that_fits() {
    use Level::{Baseline, Privileged, Restricted};
    for (namespaces, present, level, why) in [
        (&[][..], None, Baseline, "no namespace with workloads was seen"),
        (&[("kube-system", Restricted)], None, Baseline, "no namespace with workloads was seen"),
        (
            &[("a", Restricted), ("b", Restricted)],
            None,
            Restricted,
            "of 2 namespaces with workloads 2 satisfy restricted and 2 baseline at least, so a new \
             one can be asked for the same",
        ),
        (
            &[("a", Restricted), ("b", Baseline)],
            None,
            Baseline,
            "of 2 namespaces with workloads 1 satisfy restricted and 2 baseline at least. In a new",
        ),
        (&[("a", Privileged)], None, Baseline, "of 1 namespace with workloads 0 satisfy"),
        (&[("a", Baseline)], Some(Privileged), Baseline, "of 1 namespace"),
        (&[("a", Baseline)], Some(Baseline), Baseline, "of 1 namespace"),
        (&[("a", Baseline)], Some(Restricted), Restricted, "the present default, which is not"),
    ] {
        let proposal = propose(&plan(namespaces, present), None, |_| None);
        let case = format!("{namespaces:?} {present:?}");
        assert_eq!(proposal.defaults.enforce.level, level, "{case}");
        assert!(proposal.why.starts_with(why), "{case}: {}", proposal.why);
    }
}

#[test]
fn what_satisfies_the_default_needs_no_exemption() {
    use Level::{Baseline, Privileged, Restricted};
    let namespaces =
        [("a", Privileged), ("b", Baseline), ("c", Restricted), ("kube-system", Restricted)];
    let plan = plan(&namespaces, None);
    let system = ("kube-system", "needs restricted; not labelled: left out");
    let (a, b) = (
        ("a", "needs privileged; not labelled: left out"),
        ("b", "needs baseline; not labelled: left out"),
    );
    for (default, expected) in
        [(Privileged, &[][..]), (Baseline, &[a, system]), (Restricted, &[a, b, system])]
    {
        assert_eq!(exempt(&unlabelled(&plan, default)), expected, "{default}");
    }
}

#[test]
fn what_was_not_read_whole_may_need_an_exemption() {
    let mut plan = plan(&[("shop", Level::Restricted)], None);
    plan.namespaces[0].complete = false;
    let proposal = unlabelled(&plan, Level::Baseline);
    assert_eq!(exempt(&proposal), [("shop", "needs restricted; not labelled: left out")]);
}
