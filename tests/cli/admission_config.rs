//! `admission-config`, and what the plan makes of one.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::program::{Folder, Run, from_yaml, psp2psa};

const ENFORCE: &str = "pod-security.kubernetes.io/enforce";

/// Two namespaces with a workload each: `shop` needs baseline, `lab` privileged, in a sandbox.
const CLUSTER: &str = r"
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Namespace
metadata: {name: lab, labels: {pod-security.kubernetes.io/enforce: baseline}}
---
apiVersion: v1
kind: Namespace
metadata: {name: kube-system}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {template: {spec: {containers: [{name: app}]}}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: probe, namespace: lab}
spec:
  template:
    spec:
      runtimeClassName: kata
      containers: [{name: app, securityContext: {privileged: true}}]
---
apiVersion: v1
kind: Pod
metadata: {name: proxy, namespace: kube-system}
spec: {hostNetwork: true, containers: [{name: app}]}
---
apiVersion: policy/v1beta1
kind: PodSecurityPolicy
metadata: {name: loose}
spec:
  privileged: true
  hostNetwork: true
  hostPorts: [{min: 0, max: 65535}]
  seLinux: {rule: RunAsAny}
  runAsUser: {rule: RunAsAny}
  fsGroup: {rule: RunAsAny}
  supplementalGroups: {rule: RunAsAny}
  volumes: ['*']
  runtimeClass: {allowedRuntimeClassNames: ['*']}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: psp}
rules:
- {apiGroups: [policy], resources: [podsecuritypolicies], verbs: [use], resourceNames: [loose]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: psp}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: psp}
subjects: [{kind: Group, name: system:authenticated}]
";

fn demo(command: &str) -> Run {
    psp2psa(command).arg("-f").arg("testdata/clusters/demo-1.21.yaml").run()
}

#[test]
fn every_form_for_the_demo() {
    assert_snapshot!("yaml", demo("admission-config"));
    assert_snapshot!("json", demo("admission-config -o json"));
    assert_snapshot!(
        "restricted",
        demo("admission-config --default restricted --cluster-version v1.24")
    );
    assert_snapshot!("managed", demo("admission-config --managed --cluster-version v1.30"));
    assert_snapshot!("managed_before", demo("admission-config --managed --cluster-version v1.24"));
}

#[test]
fn the_yaml_says_the_same_as_the_json() {
    for flags in ["", "--default restricted", "--include-system", "--cluster-version v1.22"] {
        let command = format!("admission-config {flags}");
        let json = demo(&format!("{command} -o json")).json();
        assert_eq!(from_yaml(&demo(&command).stdout), json, "{flags}");
    }
}

#[test]
fn the_api_version_is_one_that_the_server_reads() {
    for (server, version) in [
        ("", "v1"),
        ("v1.21", "v1beta1"),
        ("v1.22", "v1alpha1"),
        ("v1.23", "v1beta1"),
        ("v1.25", "v1"),
    ] {
        let flag = if server.is_empty() { "" } else { "--cluster-version" };
        let json = demo(&format!("admission-config -o json {flag} {server}")).json();
        let found = &json["plugins"][0]["configuration"]["apiVersion"];
        assert_eq!(*found, format!("pod-security.admission.config.k8s.io/{version}"), "{server}");
    }
}

/// Whatever default is chosen, nothing that runs is refused by it once the plan's labels are set.
#[test]
fn the_plan_with_it_refuses_nothing_that_runs() {
    for dump in ["demo-1.21.json.gz", "demo2-1.21.json.gz"] {
        let dump = format!("-f {}/testdata/clusters/{dump}", env!("CARGO_MANIFEST_DIR"));
        for default in ["", "--default baseline", "--default restricted"] {
            let folder = Folder::new();
            let printed = psp2psa(&format!("admission-config {dump} {default}")).stdout();
            folder.write("admission.yaml", &printed);
            let before = psp2psa(&format!("plan {dump} -o json")).json();
            let plan = folder
                .psp2psa(&format!("plan {dump} --admission-config admission.yaml -o json"))
                .json();
            assert_refuses_nothing(&plan, &before);
        }
    }
}

fn assert_refuses_nothing(plan: &Value, before: &Value) {
    let refused = |plan: &Value| -> Vec<Value> {
        let findings = plan["findings"].as_array().unwrap().iter();
        findings.filter(|it| it["kind"] == "refusedAfterUpgrade").cloned().collect()
    };
    // Labels that are there may be too strict already; the defaults add nothing to that.
    for finding in refused(plan) {
        assert!(refused(before).contains(&finding), "{finding}");
    }
    let strictness = |level: &Value| {
        ["privileged", "baseline", "restricted"].iter().position(|it| level == it).unwrap()
    };
    for namespace in plan["namespaces"].as_array().unwrap() {
        let name = &namespace["name"];
        if namespace["exempt"] == true {
            assert_eq!(namespace["labels"], json!({}), "{name}");
            continue;
        }
        // Scripts leave system namespaces alone, so the default holds there.
        let label = &namespace["labels"][ENFORCE];
        let is_labelled = label.is_string() && namespace["system"] == false;
        let enforced = if is_labelled { label } else { &namespace["effectivePolicy"]["enforce"] };
        let has_label_now = namespace["currentLabels"][ENFORCE].is_string();
        if namespace["evidence"] == "workloads" && !has_label_now {
            assert!(strictness(enforced) <= strictness(&namespace["enforce"]), "{name}");
        }
    }
}

/// The plan of the small cluster with a configuration.
fn plan(configuration: &str, flags: &str) -> Run {
    let folder = Folder::new();
    folder.write("cluster.yaml", CLUSTER);
    folder.write(
        "admission.yaml",
        format!(
            "apiVersion: pod-security.admission.config.k8s.io/v1\nkind: PodSecurityConfiguration\n{configuration}"
        ),
    );
    folder.psp2psa(&format!("plan -f cluster.yaml --admission-config admission.yaml {flags}")).run()
}

fn namespace<'p>(plan: &'p Value, name: &str) -> &'p Value {
    plan["namespaces"].as_array().unwrap().iter().find(|it| it["name"] == name).unwrap()
}

fn kinds(plan: &Value) -> Vec<(&str, &str)> {
    let findings = plan["findings"].as_array().unwrap().iter();
    findings
        .map(|it| (it["kind"].as_str().unwrap(), it["namespace"].as_str().unwrap()))
        .filter(|(kind, _)| {
            !["oneWorkloadAway", "otherVersions", "admittedByControllersGrant"].contains(kind)
        })
        .collect()
}

#[test]
fn a_stricter_default_is_a_conflict() {
    let plan = plan("defaults: {enforce: restricted, enforce-version: v1.30}", "-o json").json();
    let shop = namespace(&plan, "shop");
    assert_eq!(
        shop["conflict"],
        "the cluster's default for enforce is stricter (restricted:v1.30) than baseline, the \
         strictest level that every workload satisfies"
    );
    assert_eq!(shop["effectivePolicy"]["enforce"], "restricted");
    assert_eq!(shop["effectivePolicy"]["enforce-version"], "v1.30");
    assert_eq!(shop["labels"][ENFORCE], "baseline");
    assert_eq!(plan["configuration"]["defaults"]["enforce"], "restricted");
    // The level of lab is the label's, the version the default's.
    assert_eq!(namespace(&plan, "lab")["effectivePolicy"]["enforce-version"], "v1.30");
    assert!(kinds(&plan).contains(&("defaultTooStrict", "shop")), "{:?}", kinds(&plan));
    assert!(kinds(&plan).contains(&("labelConflict", "lab")), "{:?}", kinds(&plan));
}

#[test]
fn exempt_namespaces_get_no_labels() {
    let configuration = "exemptions: {namespaces: [lab]}";
    let run = plan(configuration, "-o json").json();
    let lab = namespace(&run, "lab");
    assert_eq!(
        (&lab["exempt"], &lab["labels"], &lab["conflict"]),
        (&json!(true), &json!({}), &Value::Null)
    );
    assert_eq!(lab.get("effectivePolicy"), None);
    assert_eq!(lab["enforce"], "privileged");
    assert_eq!(kinds(&run), [("exemptNamespace", "lab")]);
    let findings = run["findings"].as_array().unwrap();
    let finding = findings.iter().find(|it| it["kind"] == "exemptNamespace").unwrap();
    assert_eq!(
        finding["evidence"],
        json!([
            "label pod-security.kubernetes.io/enforce=baseline does nothing",
            "the server warns where they are set: namespace \"lab\" is exempt from Pod Security, and \
             the policy (enforce=baseline:latest) will be ignored",
        ])
    );
    // Servers before v1.25 do not warn of it.
    let before = plan(configuration, "-o json --cluster-version v1.24").json();
    let findings = before["findings"].as_array().unwrap();
    let finding = findings.iter().find(|it| it["kind"] == "exemptNamespace").unwrap();
    assert_eq!(finding["evidence"].as_array().unwrap().len(), 1);
    let script = plan(configuration, "-o script").stdout;
    assert!(script.contains("# lab: left out: exempt by the cluster's configuration"), "{script}");
    for format in ["table", "wide", "markdown"] {
        let run = plan(configuration, &format!("-n lab -o {format}"));
        assert_snapshot!(format!("exempt_{format}"), run);
    }
    let html = plan(configuration, "-o html").stdout;
    assert!(html.contains("exempt: 1 namespace."));
}

#[test]
fn pods_of_exempt_runtime_classes_do_not_count() {
    let plan = plan("exemptions: {runtimeClasses: [kata]}", "-o json").json();
    let lab = namespace(&plan, "lab");
    assert_eq!(
        (&lab["evidence"], &lab["enforce"], &lab["conflict"]),
        (&json!("none"), &Value::Null, &Value::Null)
    );
    assert_eq!(lab["workloads"][0]["exemptBy"], "kata");
    assert_eq!(lab["workloads"][0]["counted"], false);
    assert_eq!(kinds(&plan), [("exemptNamespace", "lab")]);
}

#[test]
fn exempt_controllers_exempt_everything_they_make() {
    let user = "system:serviceaccount:kube-system:daemon-set-controller";
    let configuration = format!("exemptions: {{usernames: ['{user}']}}");
    let plan = plan(&configuration, "-o json").json();
    let finding = &plan["findings"].as_array().unwrap().iter();
    let finding = finding.clone().find(|it| it["kind"] == "makersAreExempt").unwrap();
    assert_eq!(finding["namespace"], "lab");
    assert_eq!(finding["evidence"], json!([format!("DaemonSet probe: {user}")]));
    // It counts all the same.
    assert_eq!(namespace(&plan, "lab")["enforce"], "privileged");
}

#[test]
fn a_configuration_may_be_in_another_file() {
    let folder = Folder::new();
    folder.write("cluster.yaml", CLUSTER);
    let admission = |plugins: &str| {
        format!(
            "apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\nplugins:\n{plugins}"
        )
    };
    folder.write("etc/admission.yaml", admission("- {name: PodSecurity, path: psa/config.yaml}"));
    folder.write("etc/none.yaml", admission("- {name: ImagePolicyWebhook, path: x}"));
    folder.write("etc/twice.yaml", admission("- {name: PodSecurity, path: admission.yaml}"));
    folder.write(
        "etc/psa/config.yaml",
        r#"{"apiVersion": "pod-security.admission.config.k8s.io/v1beta1", "kind": "PodSecurityConfiguration",
            "exemptions": {"namespaces": ["shop"]}}"#,
    );
    let plan = |file: &str| {
        folder.psp2psa(&format!("plan -f cluster.yaml -o json --admission-config {file}")).run()
    };
    assert_eq!(namespace(&plan("etc/admission.yaml").json(), "shop")["exempt"], true);
    let nothing = plan("etc/none.yaml");
    assert!(
        nothing
            .stderr
            .starts_with("warning: `etc/none.yaml` has nothing for the plugin PodSecurity")
    );
    assert_eq!(nothing.json()["configuration"]["defaults"]["enforce"], "privileged");
    assert_eq!(plan("etc/twice.yaml").code, 4);
    assert_snapshot!("a_file_that_names_no_configuration", plan("etc/twice.yaml"));
}

#[test]
fn what_no_server_takes_is_an_error() {
    assert_snapshot!(
        "bad_fields",
        plan("defaults: {enforce: Baseline, enforced: x}\nexemptions: {namespaces: [a, a]}", "")
    );
    assert_snapshot!(
        "a_key_twice",
        plan("defaults:\n  enforce: baseline\n  enforce: restricted", "")
    );
    assert_snapshot!("two_documents", plan("---\nkind: x", ""));
    let folder = Folder::new();
    folder.write("cluster.yaml", CLUSTER);
    let run = folder.psp2psa("explain -f cluster.yaml ns/shop --admission-config nope.yaml").run();
    assert_snapshot!("no_file", run);
}

#[test]
fn explain_says_what_is_in_force() {
    let folder = Folder::new();
    folder.write("cluster.yaml", CLUSTER);
    folder.write("admission.yaml", psp2psa("admission-config -f -").input(CLUSTER).stdout());
    let explain = |name: &str| {
        let command =
            format!("explain -f cluster.yaml ns/{name} --admission-config admission.yaml");
        folder.psp2psa(&command).run().stdout
    };
    assert!(explain("kube-system").contains("exempt by the cluster's configuration"));
    let command = "explain -f cluster.yaml ds/probe -n lab --admission-config kata.yaml";
    folder.write(
        "kata.yaml",
        "apiVersion: pod-security.admission.config.k8s.io/v1\nkind: PodSecurityConfiguration\n\
         exemptions: {runtimeClasses: [kata]}",
    );
    let probe = folder.psp2psa(command).run().stdout;
    assert!(probe.contains("exempt by its runtime class kata"), "{probe}");
    let shop = explain("shop");
    assert!(
        shop.contains("in force now: enforce baseline:v1.25, audit restricted:v1.25"),
        "{shop}"
    );
}

/// A label says more than the default, so nothing has to be exempt; a name that no namespace can have
/// would make the server refuse the whole file.
#[test]
fn only_what_the_default_would_meet_is_exempt() {
    let cluster = CLUSTER
        .replace(
            "metadata: {name: kube-system}",
            "metadata: {name: kube-system, labels: {pod-security.kubernetes.io/enforce: privileged}}",
        )
        .replace("metadata: {name: shop}", "metadata: {name: Shop_1}")
        .replace("namespace: shop}", "namespace: Shop_1}");
    let json = psp2psa("admission-config -f - -o json").input(cluster).run().json();
    let exemptions = &json["plugins"][0]["configuration"]["exemptions"];
    assert_eq!(exemptions["namespaces"], json!([]));
}

#[test]
fn what_is_exempt_already_stays_so() {
    let folder = Folder::new();
    folder.write("cluster.yaml", CLUSTER);
    folder.write(
        "present.yaml",
        "apiVersion: pod-security.admission.config.k8s.io/v1\nkind: PodSecurityConfiguration\n\
         defaults: {enforce: restricted}\n\
         exemptions: {namespaces: [lab, '1e3'], runtimeClasses: [kata], usernames: [admin]}",
    );
    let command = "admission-config -f cluster.yaml --admission-config present.yaml";
    assert_snapshot!("after_another", folder.psp2psa(command).run());
}
