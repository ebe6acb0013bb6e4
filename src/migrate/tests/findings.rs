//! Do the findings say what holds, and no more?

use serde_json::{Value, json};

use super::{app, cluster, deployment, plan};

/// What makes every pod restricted.
fn restricted() -> Value {
    let annotation = |name| format!("seccomp.security.alpha.kubernetes.io/{name}");
    json!({
        "annotations": {
            annotation("allowedProfileNames"): "runtime/default",
            annotation("defaultProfileName"): "runtime/default",
        },
        "spec": {"allowPrivilegeEscalation": false, "requiredDropCapabilities": ["ALL"],
            "runAsUser": {"rule": "MustRunAsNonRoot"}},
    })
}

fn findings(objects: &[Value], kind: &str) -> Vec<Value> {
    let plan = plan(objects);
    let all = plan["findings"].as_array().unwrap().iter();
    all.filter(|finding| finding["kind"] == kind).cloned().collect()
}

#[test]
fn nothing_is_stricter_today_than_what_runs() {
    let mut objects = cluster(&restricted());
    objects.push(deployment(&app()));
    let stricter = findings(&objects, "stricterTodayThanAfter");
    assert_eq!(
        stricter[0]["message"],
        "its pods satisfy restricted today, and baseline once PSP is gone"
    );
    // Nothing that runs on a node by its own manifest has met PSP.
    objects.push(json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "proxy", "namespace": "shop", "ownerReferences": [
            {"apiVersion": "v1", "kind": "Node", "name": "n1", "uid": "n1", "controller": true}]},
        "spec": {"hostNetwork": true, "containers": [
            {"name": "app", "securityContext": {"privileged": true}}]},
        "status": {"phase": "Running"},
    }));
    assert_eq!(findings(&objects, "stricterTodayThanAfter"), Vec::<Value>::new());
}

#[test]
fn what_only_loosens_is_no_hardening() {
    let mut objects = cluster(&json!({"spec": {"defaultAddCapabilities": ["NET_RAW"]}}));
    objects.push(deployment(&app()));
    assert_eq!(findings(&objects, "losesHardening"), Vec::<Value>::new());
    let found = findings(&objects, "becomesStricter");
    assert_eq!(
        found[0]["message"],
        "PSP loosens the pods of Deployment web by 1 value; they may become stricter without it"
    );
    // A container that says nothing of it may gain privileges as well.
    let mut objects = cluster(&json!({"spec": {"defaultAllowPrivilegeEscalation": true}}));
    objects.push(deployment(&app()));
    assert_eq!(findings(&objects, "becomesStricter"), Vec::<Value>::new());
}

#[test]
fn an_unconfined_annotation_is_not_to_be_written_into_the_field() {
    for (profile, advice) in [
        ("runtime/default", "write the profile into securityContext.seccompProfile"),
        ("unconfined", "remove the annotation: unconfined ends with it, which baseline refuses"),
    ] {
        let annotation = json!({"seccomp.security.alpha.kubernetes.io/pod": profile});
        let mut objects = cluster(&json!({"annotations": {
            "seccomp.security.alpha.kubernetes.io/allowedProfileNames": "*"}}));
        let mut template = app();
        template["metadata"] = json!({"annotations": annotation});
        objects.push(deployment(&template));
        assert_eq!(findings(&objects, "annotationStopsWorking")[0]["suggestion"], advice);
    }
}

#[test]
fn a_bare_pod_has_no_template_to_write_into() {
    let mut objects = cluster(&restricted());
    objects.push(json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "bare", "namespace": "shop",
            "annotations": {"kubernetes.io/psp": "filling"}},
        "spec": {"containers": [{"name": "app", "securityContext": {"runAsNonRoot": true}}]},
        "status": {"phase": "Running"},
    }));
    assert_eq!(
        findings(&objects, "losesHardening")[0]["suggestion"],
        "write the values into its manifest before the upgrade"
    );
}

#[test]
fn nothing_is_said_of_who_made_a_bare_pod() {
    let mut objects = cluster(&restricted());
    let bare = |policy: &str| {
        json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": policy, "namespace": "shop",
                "annotations": {"kubernetes.io/psp": policy}},
            "spec": {"containers": [{"name": "app"}]},
            "status": {"phase": "Running"},
        })
    };
    objects.extend([bare("filling"), bare("gone")]);
    let plan = plan(&objects);
    let workloads = plan["namespaces"][0]["workloads"].as_array().unwrap();
    assert_eq!(workloads[0]["disagreements"], json!([]));
    assert_eq!(workloads[1]["disagreements"][0]["explanation"], "policyGone");
}

#[test]
fn accounts_are_told_apart_by_what_differs() {
    let mut objects = cluster(&restricted());
    let mut other = objects[0].clone();
    other["metadata"]["name"] = json!("another");
    other["metadata"]["annotations"] = json!({});
    other["spec"]["hostNetwork"] = json!(true);
    objects.push(other);
    let mut add = |name: &str, account: &str, host_network: bool| {
        let mut workload = deployment(&app());
        workload["metadata"]["name"] = json!(name);
        workload["spec"]["template"]["spec"]["serviceAccountName"] = json!(account);
        workload["spec"]["template"]["spec"]["hostNetwork"] = json!(host_network);
        let profile = json!({"seccompProfile": {"type": "RuntimeDefault"}});
        if !host_network {
            workload["spec"]["template"]["spec"]["securityContext"] = profile;
        }
        objects.push(workload);
    };
    add("web", "default", false);
    add("node", "default", true);
    add("api", "api", false);
    assert_eq!(
        findings(&objects, "accountsUseDifferentPolicies")[0]["message"],
        "its service accounts all use filling, but default also uses another, and a namespace has \
         one level only"
    );
}
