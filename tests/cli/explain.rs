//! `explain`: the derivation of an answer.

use insta::assert_snapshot;

use crate::program::{Run, from_yaml, psp2psa};

const SHOP: &str = include_str!("shop.yaml");

fn demo(arguments: &str) -> Run {
    psp2psa(&format!("explain -f testdata/clusters/demo-1.21.json.gz {arguments}")).run()
}

fn demo2(arguments: &str) -> Run {
    psp2psa(&format!("explain -f testdata/clusters/demo2-1.21.json.gz {arguments}")).run()
}

#[test]
fn a_deployment_whose_pods_psp_completes() {
    assert_snapshot!(demo("deploy/argocd-server -n argocd"));
}

#[test]
fn a_workload_that_is_refused() {
    assert_snapshot!(demo("cj/compact -n team-data"));
}

#[test]
fn containers_that_a_webhook_adds() {
    assert_snapshot!(demo2("deployment w1 -n t16"));
}

#[test]
fn a_bare_pod() {
    assert_snapshot!(demo2("po/w2-5b795f87b5-9rz95 -n t14"));
}

#[test]
fn a_namespace() {
    assert_snapshot!(demo("ns/ingress-nginx"));
    assert_snapshot!(demo("ns kube-public"));
}

#[test]
fn what_a_webhook_injects_is_told_once() {
    let stdout = demo2("ns/t16").stdout;
    let workloads = "\n  Deployment w1, Deployment w2, Deployment w3, Deployment w5\n    baseline \
                     (capabilities_baseline, set by a webhook): spec.initContainers[name=px-init]";
    assert_eq!(stdout.matches(workloads).count(), 1, "{stdout}");
}

#[test]
fn a_namespace_with_labels_in_conflict() {
    assert_snapshot!(demo2("ns/t22"));
}

#[test]
fn a_pod_is_explained_by_its_workload() {
    let run = demo("pod/argocd-server-85f797695b-8csvf -n argocd");
    assert!(run.stdout.starts_with("Deployment argocd/argocd-server\n"), "{run}");
    let line = "  pod argocd-server-85f797695b-8csvf: satisfies baseline, its annotation names \
                policy baseline\n";
    assert!(run.stdout.contains(line), "{run}");
}

#[test]
fn data_holds_what_the_text_says() {
    let run = psp2psa("explain deploy/web -n shop -f - -o json").input(SHOP).run();
    assert_snapshot!(run);
    let yaml = psp2psa("explain deploy/web -n shop -f - -o yaml").input(SHOP).stdout();
    assert_eq!(from_yaml(&yaml), run.json());
}

#[test]
fn markdown_for_a_ticket() {
    assert_snapshot!(psp2psa("explain deploy/web -n shop -f - -o markdown").input(SHOP).run());
}

#[test]
fn a_wrong_name_suggests_the_nearest() {
    for (arguments, hint) in [
        ("deploy/argocd-srver -n argocd", "did you mean `argocd-server` or `argocd-redis`?"),
        ("deploy/argocd-server", "did you mean `-n argocd`?"),
        ("deploy/argocd-serv -n argcd", "did you mean `-n argocd`?"),
        ("ns/agocd", "did you mean `argocd`?"),
        // A Deployment, by another kind, by a part of its name, in another namespace.
        ("sts/api -n team-payments", "did you mean `deployment/api`?"),
        ("deploy/payments-api -n team-payments", "did you mean `api`?"),
        ("pod/api", "did you mean `deployment/api -n team-payments`?"),
        ("ns/qqqqqqq", "`psp2psa plan -o json` names everything that the input holds"),
    ] {
        let run = demo(arguments);
        assert_eq!(run.code, 2, "{arguments}");
        assert_eq!(run.stdout, "", "{arguments}");
        assert!(run.stderr.ends_with(&format!("\nhint: {hint}\n")), "{arguments}: {run}");
    }
    for arguments in ["svc/web", "web", "deploy/", "deploy/a b", ""] {
        assert_eq!(demo(arguments).code, 2, "{arguments}");
    }
}

#[test]
fn what_the_input_lacks_is_said_by_the_exit_code() {
    let documents = SHOP.split("---\n");
    let rest: Vec<&str> =
        documents.filter(|document| !document.contains("kind: PodSecurityPolicy")).collect();
    let run = psp2psa("explain deploy/web -n shop -f -").input(rest.join("---\n")).run();
    assert_eq!(run.code, 3, "{run}");
    assert!(!run.stdout.contains("WINS"), "{run}");
    assert!(run.stdout.contains("\n  missing from the input: PodSecurityPolicies ("), "{run}");
}

#[test]
fn psp_runs_again_once_webhooks_have_changed_a_pod() {
    let case = "testdata/migrate/psp-refuses-what-webhooks-make/objects.yaml";
    assert_snapshot!(psp2psa(&format!("explain -f {case} deploy/web -n shop")).run());
}

#[test]
fn what_stands_in_the_way_of_a_bare_pod() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: bare, namespace: shop}\nspec:\n  \
               securityContext: {runAsUser: 0}\n  containers: [{name: app}]\n  \
               ephemeralContainers: [{name: debug, securityContext: {privileged: true}}]\n\
               status: {phase: Running}\n";
    let run = psp2psa("explain pod/bare -n shop -f -").input(pod).run();
    for line in [
        "→ set spec.securityContext.runAsNonRoot: true, but not alone: with user 0 the pod would not \
         start",
        "→ make the pod anew, without spec.ephemeralContainers[name=debug].securityContext.privileged",
    ] {
        assert!(run.stdout.contains(line), "{line}: {run}");
    }
}

#[test]
fn nothing_is_said_of_who_made_a_bare_pod() {
    let run = demo("pod/carol-tool -n default");
    assert!(!run.stdout.contains("WINS") && !run.stdout.contains("instead"), "{run}");
    assert!(
        run.stdout.contains("no policy admits the pod by the service account's right"),
        "{run}"
    );
}

/// Servers refuse `fsGroup` beside `spec.os.name: windows`, and without that restricted asks for fields
/// of Linux.
#[test]
fn where_no_patch_helps_that_is_said() {
    let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\nspec:\n  \
                      template:\n    spec:\n      nodeSelector: {kubernetes.io/os: windows}\n      \
                      securityContext: {runAsNonRoot: true, fsGroup: 5}\n      containers: [{name: app}]\n";
    let run = psp2psa("explain deploy/web -n shop -f -").input(deployment).run();
    let says = "HOW TO HARDEN IT\n  no patch does: what stands against the levels is to be changed by hand\n";
    assert!(run.stdout.contains(says), "{run}");
}
