//! `plan --out-dir`: are the rollout's scripts sound, whatever the names in the dump are?

use std::path::PathBuf;
use std::process::{Command, Output};

use insta::assert_snapshot;

use crate::program::Folder;

const SHOP: &str = include_str!("shop.yaml");

/// The demo clusters, and one whose names a shell, YAML and Markdown make something of.
const DUMPS: [&str; 3] =
    ["testdata/clusters/demo-1.21.yaml", "testdata/clusters/demo2-1.21.yaml.gz", "hostile.yaml"];

const HOSTILE: &str = r#"
apiVersion: v1
kind: Namespace
metadata: {name: "$(touch run)"}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {pod-security.kubernetes.io/enforce: "'; touch run; '"}}
---
apiVersion: policy/v1beta1
kind: PodSecurityPolicy
metadata: {name: "'; touch run; '"}
spec:
  fsGroup: {rule: RunAsAny}
  runAsUser: {rule: RunAsAny}
  seLinux: {rule: RunAsAny}
  supplementalGroups: {rule: RunAsAny}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: "a\n$(touch run) `touch run` \" ' \\ b"}
rules: [{apiGroups: [policy], resources: [podsecuritypolicies], verbs: [use]}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: "x; touch run", namespace: shop}
spec: {template: {spec: {containers: [{name: "\e[2J", image: x}]}}}
"#;

/// The scripts of a dump's rollout.
fn scripts(folder: &Folder, dump: &str) -> Vec<PathBuf> {
    let out = format!("{}-out", dump.rsplit('/').next().unwrap());
    let dump = match dump {
        "hostile.yaml" => dump.to_owned(),
        dump => format!("{}/{dump}", env!("CARGO_MANIFEST_DIR")),
    };
    let run = folder.psp2psa(&format!("plan -f {dump} --out-dir {out}")).run();
    assert!(matches!(run.code, 0 | 3), "{run}");
    let mut scripts: Vec<PathBuf> = ["rollout", "rollout/lib"]
        .iter()
        .flat_map(|directory| {
            std::fs::read_dir(folder.path(&format!("{out}/{directory}"))).unwrap()
        })
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|it| it == "sh"))
        .collect();
    scripts.push(folder.path(&format!("{out}/labels.sh")));
    scripts.push(folder.path(&format!("{out}/patches.sh")));
    scripts.sort();
    assert!(scripts.len() > 20, "{scripts:?}");
    scripts
}

#[test]
fn shellcheck_finds_nothing() {
    let folder = Folder::with(&[("hostile.yaml", HOSTILE)]);
    for dump in DUMPS {
        let checked = Command::new("shellcheck")
            .arg("--shell=sh")
            .args(scripts(&folder, dump))
            .output()
            .expect("shellcheck is installed");
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
    }
}

/// A kubectl whose cluster has everything that it is asked for, and that refuses nothing.
const KUBECTL: &str = r#"#!/bin/sh
case "$*" in
  *version*) echo '"minor": "24",' ;;
  *no-level*) echo 'must be one of privileged, baseline, restricted'; exit 1 ;;
  *v1beta1*) echo '"podsecuritypolicies"' ;;
  *"create --dry-run"*"/privileged-pod.json"*) echo 'violates PodSecurity'; exit 1 ;;
  *"create --dry-run"*) echo '{"kind": "Pod"}' ;;
  *"get namespaces -o go-template"*) printf 'kube-system\nshop\nshop pod-security.kubernetes.io/enforce=baseline\n' ;;
  *"get namespace shop"*go-template*) printf '@1\n=uid\npod-security.kubernetes.io/enforce=baseline\n' ;;
  *"get namespaces"*"-o name"*) echo namespace/shop ;;
  *"-o name"*psp2psa-bypass) ;;
  *"-o json"*) printf '{\n        "resourceVersion": "1"\n}\n' ;;
  *) echo x ;;
esac
"#;

/// Runs every script of a dump's rollout, and then what undoes them, by a fake kubectl; none may have
/// run `touch run`, which the dump's names say.
pub(crate) fn run_scripts(dump: &str) -> Vec<(String, Output)> {
    let folder = Folder::with(&[("hostile.yaml", dump), ("bin/kubectl", KUBECTL)]);
    let chmod = Command::new("chmod").arg("+x").arg(folder.path("bin/kubectl")).status().unwrap();
    assert!(chmod.success());
    let path = format!("{}:{}", folder.path("bin").display(), std::env::var("PATH").unwrap());
    let scripts = scripts(&folder, "hostile.yaml");
    let scripts = scripts.iter().map(|script| script.to_str().unwrap());
    let (undo, steps): (Vec<_>, Vec<_>) = scripts
        .filter(|script| !script.contains("/lib/"))
        .partition(|script| script.contains(".undo."));
    let mut runs = Vec::new();
    for script in steps.into_iter().chain(undo.into_iter().rev()) {
        let run = Command::new("sh")
            .args([script, if script.contains("/rollout/") { "--force" } else { "--dry-run" }])
            .env("PATH", &path)
            .current_dir(folder.path(""))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&run.stdout);
        assert!(!said.contains('\u{1b}'), "{script}: {said}");
        assert!(!folder.path("run").exists(), "{script} has run a name: {said}");
        runs.push((script.to_owned(), run));
    }
    runs
}

#[test]
fn names_from_the_dump_are_never_run() {
    for (script, run) in run_scripts(HOSTILE) {
        let complaint = String::from_utf8_lossy(&run.stderr);
        // A step that had nothing to do has nothing to undo.
        let is_done = run.status.success()
            || script.contains(".undo.") && complaint.contains("nothing is recorded");
        assert!(is_done, "{script}: {} {complaint}", String::from_utf8_lossy(&run.stdout));
    }
}

#[test]
fn a_rollout_of_nothing_does_nothing() {
    let list = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: x}\n";
    let folder = Folder::with(&[("empty.yaml", list), ("bin/kubectl", KUBECTL)]);
    folder.psp2psa("plan -f empty.yaml --out-dir out").run();
    let chmod = Command::new("chmod").arg("+x").arg(folder.path("bin/kubectl")).status().unwrap();
    assert!(chmod.success());
    let path = format!("{}:{}", folder.path("bin").display(), std::env::var("PATH").unwrap());
    for step in ["1-warn", "2-keep", "3-check", "4-enforce", "6-tighten"] {
        let run = Command::new("sh")
            .arg(folder.path(&format!("out/rollout/{step}.sh")))
            // The fake cluster is another than the one that was planned.
            .arg("--force")
            .env("PATH", &path)
            .output()
            .unwrap();
        assert!(run.status.success(), "{step}: {}", String::from_utf8_lossy(&run.stderr));
    }
}

#[test]
fn the_rollout_of_the_small_cluster() {
    let folder = Folder::with(&[("shop.yaml", SHOP)]);
    folder.psp2psa("plan -f shop.yaml --out-dir out").run();
    assert_snapshot!(folder.read("out/rollout/README.md"));
    assert_snapshot!(folder.read("out/rollout/5-bypass.sh"));
    assert_snapshot!(folder.read("out/rollout/8-remove-psp.sh"));
}
