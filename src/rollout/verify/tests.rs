use super::*;
use crate::migrate::assemble;
use crate::migrate::tests::{options, snapshot};
use serde_json::{Value, json};

const REFUSED: &str = "Error creating: pods \"web-x\" is forbidden: violates PodSecurity \
                       \"restricted:v1.25\": runAsNonRoot != true";

/// A namespace with a Deployment whose pods satisfy baseline.
fn objects() -> Vec<Value> {
    let owner = |api_version: &str, kind: &str, name: &str| {
        json!([{"apiVersion": api_version, "kind": kind, "name": name, "uid": name,
            "controller": true}])
    };
    let template = json!({"spec": {"containers": [{"name": "app"}]}});
    let any = json!({"rule": "RunAsAny"});
    let rbac = "rbac.authorization.k8s.io/v1";
    let web = |kind: &str, name: &str| {
        json!({"apiVersion": "apps/v1", "kind": kind,
            "metadata": {"namespace": "shop", "name": name, "uid": name,
                "annotations": {"deployment.kubernetes.io/revision": "1"}},
            "spec": {"replicas": 1, "template": template},
            "status": {"observedGeneration": 1, "replicas": 1, "readyReplicas": 1}})
    };
    let mut set = web("ReplicaSet", "web-1");
    set["metadata"]["ownerReferences"] = owner("apps/v1", "Deployment", "web");
    vec![
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": {}}}),
        web("Deployment", "web"),
        set,
        json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"namespace": "shop", "name": "web-1-a",
                "creationTimestamp": "2026-11-01T10:00:00Z",
                "annotations": {"kubernetes.io/psp": "p"},
                "ownerReferences": owner("apps/v1", "ReplicaSet", "web-1")},
            "spec": {"containers": [{"name": "app",
                "securityContext": {"capabilities": {"drop": ["ALL"]}}}]},
            "status": {"phase": "Running"}}),
        json!({"apiVersion": "policy/v1beta1", "kind": "PodSecurityPolicy",
            "metadata": {"name": "p"}, "spec": {"requiredDropCapabilities": ["ALL"],
            "volumes": ["*"], "runAsUser": &any, "seLinux": &any, "fsGroup": &any,
            "supplementalGroups": &any}}),
        json!({"apiVersion": rbac, "kind": "ClusterRole", "metadata": {"name": "r"},
            "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]}),
        json!({"apiVersion": rbac, "kind": "ClusterRoleBinding", "metadata": {"name": "b"},
            "roleRef": {"kind": "ClusterRole", "name": "r"},
            "subjects": [{"kind": "Group", "name": "system:serviceaccounts"}]}),
    ]
}

fn labelled(objects: &mut [Value], labels: &[(&str, &str)]) {
    for (key, value) in labels {
        let key = format!("pod-security.kubernetes.io/{key}");
        objects[0]["metadata"]["labels"][key] = (*value).into();
    }
}

const WARN: [(&str, &str); 4] = [
    ("warn", "restricted"),
    ("warn-version", "v1.25"),
    ("audit", "restricted"),
    ("audit-version", "v1.25"),
];
const ENFORCE: [(&str, &str); 2] = [("enforce", "baseline"), ("enforce-version", "v1.25")];

/// What is found where the cluster is as it was but for a change, as `kind object message`; with a `?`
/// before what is only information.
fn found(target: Option<Target>, change: impl FnOnce(&mut Vec<Value>)) -> Vec<String> {
    let mut after = objects();
    change(&mut after);
    let report = compared(&objects(), &after, target);
    report
        .findings
        .iter()
        .filter(|it| it.kind != Kind::PolicyExists)
        .map(|it| {
            let mark = if it.severity == Severity::Information { "?" } else { "" };
            let kind = json!(it.kind).as_str().unwrap().to_owned();
            let object = it.object.as_ref().map_or("-", |object| object.name.as_str());
            format!("{mark}{kind} {object} {}", it.message)
        })
        .collect()
}

fn compared(before: &[Value], after: &[Value], target: Option<Target>) -> Verification {
    let (before, after) = (snapshot(before), snapshot(after));
    let plan = |snapshot: &Snapshot| assemble::plan(snapshot, &options(), &|_| true);
    let reference = Reference::from(&plan(&before));
    verify(&Comparison {
        plan: &plan(&after),
        snapshot: &after,
        reference: Some(&reference),
        before: Some(&before),
        target,
        labelling: Labelling::default(),
    })
}

fn nothing() -> Vec<String> {
    Vec::new()
}

#[test]
fn what_is_as_it_was_is_found_to_agree() {
    assert_eq!(found(None, |_| ()), nothing());
    let report = compared(&objects(), &objects(), None);
    assert_eq!((report.complete, report.namespaces[0].reached), (true, Reached::None));
}

#[test]
fn labels_are_held_against_the_stage() {
    let all = [WARN.as_slice(), &ENFORCE].concat();
    let with = |labels: &[(&str, &str)], target| found(target, |it| labelled(it, labels));
    assert_eq!(with(&WARN, None), nothing());
    assert_eq!(with(&WARN, Some(Target::Warn)), nothing());
    // A namespace may be further than asked.
    assert_eq!(with(&all, Some(Target::Warn)), nothing());
    assert_eq!(with(&all, None), nothing());
    assert_eq!(
        with(&WARN, Some(Target::Enforce)),
        ["labelMissing shop enforce is not set, and the plan sets baseline"]
    );
    assert_eq!(
        with(&ENFORCE, None),
        ["labelMissing shop audit is not set, and the plan sets restricted; \
          warn is not set, and the plan sets restricted"]
    );
}

#[test]
fn labels_of_others_are_told_by_their_effect() {
    let all = [WARN.as_slice(), &ENFORCE].concat();
    let with = |label: &str, value: &str, target| {
        found(target, |it| {
            labelled(it, &all);
            labelled(it, &[(label, value)]);
        })
    };
    let at = Some(Target::Enforce);
    assert_eq!(
        with("enforce", "privileged", at),
        ["labelLooser shop enforce is privileged, and the plan sets baseline"]
    );
    assert_eq!(
        with("enforce", "restricted", at)[1..],
        ["labelStricter shop enforce is restricted, and the plan sets baseline"]
    );
    assert!(with("enforce", "restricted", at)[0].starts_with("wouldBeRefused web its next pods"));
    assert_eq!(
        with("enforce-version", "latest", at),
        ["labelUnpinned shop enforce is judged by latest, and the plan pins v1.25"]
    );
    assert_eq!(
        with("warn", "none", at),
        ["labelInvalid shop warn is `none`, which the API server cannot read: it says nothing"]
    );
    assert_eq!(
        found(None, |it| labelled(it, &[("warn", "baseline")])),
        ["labelChanged shop warn was not set when the plan was made, and is baseline"]
    );
}

#[test]
fn refused_pods_are_found_wherever_it_shows() {
    let answer = "violates PodSecurity \"restricted:v1.25\": runAsNonRoot != true";
    let event = || {
        json!({"apiVersion": "v1", "kind": "Event", "reason": "FailedCreate", "message": REFUSED,
            "metadata": {"namespace": "shop", "name": "web.1"},
            "involvedObject": {"kind": "ReplicaSet", "name": "web-1"}})
    };
    let lacking = |it: &mut Vec<Value>| it[2]["status"]["replicas"] = 0.into();
    assert_eq!(
        found(None, lacking),
        ["podsMissing web 0 of 1 pods are there, and the input does not say why"]
    );
    assert_eq!(
        found(None, |it| {
            lacking(it);
            it.push(event());
        }),
        [format!("podsRefused web 0 of 1 pods are there; pods are refused: {answer}")]
    );
    assert_eq!(
        found(None, |it| it.push(event())),
        [format!("?podsRefused web pods were refused, and none is missing now: {answer}")]
    );
    assert_eq!(
        found(None, |it| {
            it[1]["status"]["conditions"] = json!([{"type": "ReplicaFailure", "status": "True",
                "reason": "FailedCreate", "message": REFUSED}]);
        }),
        [format!("podsRefused web pods are refused: {answer}")]
    );
    assert_eq!(
        found(None, |it| it[1]["status"]["readyReplicas"] = 0.into()),
        ["podsNotReady web 0 of 1 pods are ready, and 1 were before"]
    );
}

#[test]
fn what_was_wrong_before_is_no_finding() {
    let mut objects = objects();
    objects[1]["status"]["replicas"] = 0.into();
    let report = compared(&objects, &objects, None);
    assert_eq!(report.summary.findings, 0, "{report:?}");
    // Nor is a status that is behind its object.
    objects[1]["metadata"]["generation"] = 2.into();
    let of: Vec<_> = compared(&self::objects(), &objects, None).findings;
    assert!(of.iter().all(|it| it.kind != Kind::PodsMissing), "{of:?}");
}

#[test]
fn lost_hardening_is_found_in_live_pods() {
    let lost = found(None, |it| {
        it[3]["spec"]["containers"][0]["securityContext"] = json!({});
    });
    assert_eq!(
        lost,
        ["hardeningLost web 1 of 1 pod lacks 1 value that PSP wrote and nothing else does"]
    );
    // A patch that keeps it changes the template and loses nothing.
    let kept = found(None, |it| {
        for index in [1, 2] {
            it[index]["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = "2".into();
            it[index]["spec"]["template"]["spec"] = it[3]["spec"].clone();
        }
    });
    assert_eq!(
        kept,
        ["?templateChanged - 1 workload with another template since the plan: Deployment web"]
    );
}

#[test]
fn pods_made_after_the_bypass_must_use_it() {
    let bypass = |it: &mut Vec<Value>, since: &str| {
        let mut policy = it[4].clone();
        policy["metadata"] = json!({"name": "0000-psp2psa-bypass", "creationTimestamp": since});
        it.push(policy);
        it.push(json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
            "metadata": {"namespace": "shop", "name": "0000-psp2psa-bypass"},
            "roleRef": {"kind": "ClusterRole", "name": "0000-psp2psa-bypass"}, "subjects": []}));
    };
    assert_eq!(found(None, |it| bypass(it, "2026-11-01T10:00:00Z")), nothing());
    assert_eq!(
        found(None, |it| bypass(it, "2026-11-01T09:00:00Z")),
        ["policyInUse web 1 pod was made after the bypass 0000-psp2psa-bypass, and admitted by p"]
    );
    let unknown = found(None, |it| {
        bypass(it, "2026-11-01T09:00:00Z");
        it[3]["metadata"]["creationTimestamp"] = Value::Null;
    });
    assert!(
        unknown.len() == 1 && unknown[0].starts_with("?policyInUse - 1 pod names"),
        "{unknown:?}"
    );
    let missing =
        found(Some(Target::Bypass), |it| labelled(it, &[WARN.as_slice(), &ENFORCE].concat()));
    assert!(missing.len() == 1 && missing[0].starts_with("bypassMissing"), "{missing:?}");
}

#[test]
fn policies_must_be_gone_in_the_end() {
    let of = |target| compared(&objects(), &objects(), target).findings;
    let exists = |target| of(target).into_iter().find(|it| it.kind == Kind::PolicyExists).unwrap();
    assert_eq!(exists(Some(Target::After)).severity, Severity::Information);
    assert_eq!(exists(Some(Target::Removed)).severity, Severity::Finding);
}

#[test]
fn drift_is_told_and_counts_where_something_would_be_refused() {
    let new = found(Some(Target::Enforce), |it| {
        labelled(it, &[WARN.as_slice(), &ENFORCE].concat());
        let mut job = it[1].clone();
        job["metadata"]["name"] = "host".into();
        job["metadata"]["uid"] = "host".into();
        job["spec"]["template"]["spec"]["hostNetwork"] = true.into();
        it.push(job);
        it.push(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "new"}}));
    });
    assert_eq!(
        new,
        [
            "namespaceNew new is new since the plan, and enforces nothing",
            "?workloadNew - 1 workload new since the plan: Deployment host",
        ],
        "PSP refuses it, so it does not count"
    );
    let gone = found(None, |it| {
        it.truncate(1);
        it.push(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "new"}}));
        it.remove(0);
    });
    assert!(gone.iter().any(|it| it == "?namespaceGone shop is gone since the plan"), "{gone:?}");
}

#[test]
fn a_plan_that_was_written_is_read_as_it_was() {
    let plan = assemble::plan(&snapshot(&objects()), &options(), &|_| true);
    let mut written = json!(&plan);
    written["kind"] = "MigrationPlan".into();
    let read: Reference = serde_json::from_value(written).unwrap();
    assert_eq!(format!("{read:?}"), format!("{:?}", Reference::from(&plan)));
}
