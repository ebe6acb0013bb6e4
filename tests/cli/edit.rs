//! `plan --edit`: labels in the namespace manifests of a checkout; and the bundle's component for
//! kustomize.

use std::process::Command;

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::program::{Folder, Run, from_yaml};

const SHOP: &str = include_str!("shop.yaml");

/// Two manifests that lack labels, with comments and formats of their own.
const MANIFESTS: &str = "# Ours.
---
apiVersion: v1
kind: Namespace # of the shop
metadata:
    name: shop
    labels:
        team: 'web'
        pod-security.kubernetes.io/enforce: \"privileged\" # for now
---
apiVersion: v1
kind: ConfigMap
metadata: {name: rules, namespace: shop}
data:
    rule: '{{ $labels.pod }} of a Namespace'
---
apiVersion: v1
kind: Namespace
metadata:
    labels: {}   # none yet
    name: vacant
";

fn checkout(files: &[(&str, &str)]) -> Folder {
    let folder = Folder::with(&[("dump.yaml", SHOP)]);
    std::fs::create_dir(folder.path("git")).unwrap();
    for (path, text) in files {
        folder.write(&format!("git/{path}"), text);
    }
    folder
}

fn edit(folder: &Folder, flags: &str) -> Run {
    folder.psp2psa(&format!("plan -f dump.yaml --edit git {flags}")).run()
}

fn namespace(name: &str) -> String {
    format!("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {name}\n")
}

#[test]
fn a_diff_is_shown_and_nothing_written_until_wanted() {
    let folder = checkout(&[("base/namespaces.yaml", MANIFESTS)]);
    let shown = edit(&folder, "");
    assert_snapshot!("diff", shown);
    assert_eq!(folder.read("git/base/namespaces.yaml"), MANIFESTS);
    assert_eq!(edit(&folder, "-o diff").stdout, shown.stdout);

    let written = edit(&folder, "--yes");
    assert_eq!((written.code, &written.stdout), (0, &shown.stdout), "{written}");
    assert!(
        written.stderr.ends_with("wrote git/base/namespaces.yaml\nwrote 1 file (2 namespaces)\n")
    );
    let after = folder.read("git/base/namespaces.yaml");
    assert_snapshot!("edited", after);

    let again = edit(&folder, "--yes");
    assert_eq!(
        (again.code, again.stdout.as_str(), again.stderr.as_str()),
        (0, "", "nothing to change\n")
    );
    assert_eq!(folder.read("git/base/namespaces.yaml"), after);

    // The diff is one that `patch` takes.
    folder.write("git/base/namespaces.yaml", MANIFESTS);
    folder.write("the.diff", &shown.stdout);
    let mut git = Command::new("git");
    git.args(["apply", "../the.diff"]).current_dir(folder.path("git"));
    assert!(git.env("GIT_CEILING_DIRECTORIES", folder.path("")).status().unwrap().success());
    assert_eq!(folder.read("git/base/namespaces.yaml"), after);
}

#[test]
fn line_ends_permissions_and_a_missing_newline_stay() {
    let text = namespace("shop").replace('\n', "\r\n");
    let folder = checkout(&[("a.yml", text.trim_end())]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::Permissions::from_mode(0o640);
        std::fs::set_permissions(folder.path("git/a.yml"), mode).unwrap();
    }
    assert_eq!(edit(&folder, "-n shop --yes").code, 0);
    let after = folder.read("git/a.yml");
    assert!(after.starts_with(text.trim_end()) && after.ends_with("warn-version: v1.25"));
    assert_eq!(after.matches('\n').count(), after.matches("\r\n").count());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(folder.path("git/a.yml")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
    }
    assert_eq!(folder.names(), ["dump.yaml", "git"]);
    assert_eq!(std::fs::read_dir(folder.path("git")).unwrap().count(), 1);
}

#[test]
fn files_that_are_not_safe_to_edit_are_left_alone_and_named() {
    let shop = namespace("shop");
    let labels = |text: &str| format!("{shop}  labels:{text}\n");
    for (path, text, reason) in [
        (
            "a.yaml",
            "{apiVersion: v1, kind: Namespace, metadata: {name: shop}}\n".to_owned(),
            "line 1: it is in flow style",
        ),
        ("a.yaml", labels(" {team: web}"), "line 5: it is in flow style"),
        ("a.yaml", labels(" &it\n    team: web"), "line 5: an anchor, alias, tag or merge key"),
        ("a.yaml", labels("\n    team: web\n    team: db"), "line 7: "),
        (
            "a.yaml",
            format!("{shop}{{{{- if .Values.x }}}}\n  labels: {{}}\n"),
            "line 5: it is a template",
        ),
        ("a.yaml", shop.replace("shop", "\"{{ .Values.name }}\""), "line 4: it is a template"),
        ("a.yaml", shop.replace("shop", "${NAME}"), "line 1: the Namespace has no name"),
        ("a.yaml", format!("{shop}---\n{shop}"), "line 1: namespace `shop` is also in line 6"),
        ("a.yaml", format!("{shop}---\n{{{{ if x }}}}\n"), "line 6: "),
        ("a.yaml", shop.replace("  name", "\tname"), "line 4: "),
        (
            "a.yaml",
            format!(
                "apiVersion: v1\nkind: List\nitems:\n- {}",
                shop.trim_end().replace('\n', "\n  ")
            ),
            "line 1: the Namespace is an item of a List",
        ),
        (
            "a.json",
            r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"shop"}}"#.to_owned(),
            "it is JSON",
        ),
    ] {
        let folder = checkout(&[(path, &text), ("b/other.yaml", &namespace("vacant"))]);
        let run = edit(&folder, "--yes");
        assert_eq!(run.code, 3, "{text}\n{run}");
        let want = format!("left alone: {path}: {reason}");
        assert!(run.stderr.contains(&want), "{want}\n{text}\n{run}");
        assert_eq!(folder.read(&format!("git/{path}")), text);
        // The others are edited all the same.
        assert!(run.stderr.ends_with("wrote 1 file (1 namespace)\n"), "{run}");
    }
}

#[test]
fn what_needs_no_change_is_no_fault() {
    let labelled = |text: &str| {
        let folder = checkout(&[("a.yaml", text)]);
        edit(&folder, "-n vacant")
    };
    let labels = json!({
        "pod-security.kubernetes.io/audit": "restricted",
        "pod-security.kubernetes.io/audit-version": "v1.25",
        "pod-security.kubernetes.io/warn": "restricted",
        "pod-security.kubernetes.io/warn-version": "v1.25",
    });
    let metadata = json!({"name": "vacant", "labels": labels});
    let flow = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata});
    for text in
        [flow.to_string(), namespace("elsewhere"), "kind: Deployment # no Namespace\n".to_owned()]
    {
        let run = labelled(&text);
        assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{run}");
        assert!(run.stderr.ends_with("nothing to change\n"), "{run}");
    }
}

#[test]
fn stricter_labels_of_a_manifest_stay_and_are_named() {
    let text = namespace("shop")
        + "  labels:\n    pod-security.kubernetes.io/enforce: restricted\n    \
           pod-security.kubernetes.io/enforce-version: latest\n";
    let folder = checkout(&[("a.yaml", &text)]);
    let run = edit(&folder, "-n shop --yes");
    assert_eq!(run.code, 0, "{run}");
    let kept = "kept: a.yaml: namespace shop: pod-security.kubernetes.io/enforce=restricted is stricter \
                than baseline\n";
    assert!(run.stderr.contains(kept), "{run}");
    let after = folder.read("git/a.yaml");
    assert!(after.starts_with(&text) && after.contains("/warn: restricted\n"), "{after}");
}

#[test]
fn what_has_no_manifest_or_is_not_in_the_plan_is_listed() {
    let folder = checkout(&[
        ("a.yaml", &namespace("shop")),
        ("b.yaml", &namespace("kube-system")),
        ("c.yaml", &namespace("old")),
    ]);
    let run = edit(&folder, "");
    assert_eq!(run.code, 0, "{run}");
    for line in [
        "left out: b.yaml: namespace kube-system: a system namespace (--include-system labels it)\n",
        "not in the plan: old (c.yaml:1)\n",
        "no manifest for: vacant\n",
        "1 file (1 namespace) to change; nothing is written without --yes\n",
    ] {
        assert!(run.stderr.contains(line), "{line}{run}");
    }
    // A plan of some namespaces says nothing of the others.
    assert!(!edit(&folder, "-n shop").stderr.contains("not in the plan"));
}

#[test]
fn data_holds_what_was_or_would_be_changed() {
    let strict = "  labels:\n    pod-security.kubernetes.io/warn: restricted\n    \
                  pod-security.kubernetes.io/enforce: privileged\n";
    let folder = checkout(&[
        ("a.yaml", &(namespace("shop") + strict)),
        ("b.yaml", &namespace("kube-system")),
        ("c.yaml", &namespace("old")),
        ("x/d.yaml", "{apiVersion: v1, kind: Namespace, metadata: {name: vacant}}\n"),
    ]);
    let edit = |folder: &Folder, flags: &str| edit(folder, &format!("--warn baseline {flags}"));
    let run = edit(&folder, "-o json");
    assert_eq!(run.code, 3);
    assert_snapshot!("json", run);
    assert_eq!(from_yaml(&edit(&folder, "-o yaml").stdout), run.json());
    std::fs::remove_file(folder.path("git/x/d.yaml")).unwrap();
    assert_eq!(edit(&folder, "-o json --yes").json()["written"], true);
    let again = edit(&folder, "-o json --yes").json();
    assert_eq!((&again["written"], &again["files"]), (&json!(false), &json!([])));
}

#[cfg(unix)]
#[test]
fn links_are_not_followed_and_git_is_not_entered() {
    use std::os::unix::fs::symlink;
    let shop = namespace("shop");
    let folder = checkout(&[("sub/a.yaml", &shop), (".git/a.yaml", &shop)]);
    folder.write("outside/b.yaml", namespace("vacant"));
    symlink(folder.path("outside"), folder.path("git/out")).unwrap();
    symlink(folder.path("outside/b.yaml"), folder.path("git/b.yaml")).unwrap();
    symlink("nowhere", folder.path("git/c.yaml")).unwrap();
    // Links within the directory lead to what is edited in its place, loops too.
    symlink("sub", folder.path("git/d")).unwrap();
    symlink(".", folder.path("git/e")).unwrap();
    symlink("sub/a.yaml", folder.path("git/f.yaml")).unwrap();
    let run = edit(&folder, "--yes");
    assert_snapshot!("links", run);
    assert_eq!(folder.read("outside/b.yaml"), namespace("vacant"));
    assert_eq!(folder.read("git/.git/a.yaml"), shop);
    assert!(std::fs::symlink_metadata(folder.path("git/f.yaml")).unwrap().is_symlink());
}

#[cfg(unix)]
#[test]
fn what_cannot_be_read_is_named() {
    let folder = checkout(&[("a.yaml", &namespace("shop"))]);
    folder.write("git/b.yaml", b"kind: Namespace # \xff\n");
    assert!(Command::new("mkfifo").arg(folder.path("git/c.yaml")).status().unwrap().success());
    let run = edit(&folder, "");
    assert_eq!(run.code, 3, "{run}");
    for line in ["left alone: b.yaml: it is not UTF-8\n", "left alone: c.yaml: it is not a file\n"]
    {
        assert!(run.stderr.contains(line), "{run}");
    }
    let run = folder.psp2psa("plan -f dump.yaml --edit nowhere").run();
    assert_eq!((run.code, run.stdout.as_str()), (4, ""));
    assert!(run.stderr.contains("error: `nowhere` cannot be read: "), "{run}");
}

/// What the real kustomize makes of a directory.
fn kustomize(folder: &Folder, directory: &str) -> (bool, Vec<Value>) {
    let output =
        Command::new("kubectl").arg("kustomize").arg(folder.path(directory)).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let documents = text.split("---\n").filter(|text| !text.is_empty()).map(from_yaml);
    (output.status.success(), documents.collect())
}

/// Whether the installed kubectl knows components: from v1.21 on.
fn knows_components() -> bool {
    let output = Command::new("kubectl").args(["version", "--client", "-o", "json"]).output();
    let version: Value = serde_json::from_slice(&output.unwrap().stdout).unwrap();
    let minor = version["clientVersion"]["minor"].as_str().unwrap();
    minor.trim_end_matches('+').parse::<u32>().unwrap() >= 21
}

#[test]
fn kustomize_adds_the_labels_to_the_namespaces_that_are_there() {
    let folder = Folder::with(&[
        ("dump.yaml", SHOP),
        (
            "git/namespaces.yaml",
            &(namespace("shop") + "  labels: {team: web}\n---\n" + &namespace("shop-2")),
        ),
        ("git/kustomization.yaml", "resources: [namespaces.yaml]\ncomponents: [../plan/gitops]\n"),
    ]);
    let run = folder.psp2psa("plan -f dump.yaml --out-dir plan").run();
    assert_eq!(run.code, 0, "{run}");
    assert_snapshot!("component", folder.read("plan/gitops/kustomization.yaml"));
    assert_snapshot!("component_patch", folder.read("plan/gitops/namespaces/shop.yaml"));
    if !knows_components() {
        return;
    }
    // `vacant` is not in the checkout, which is no error, and `shop-2` is not `shop`.
    let (is_built, objects) = kustomize(&folder, "git");
    assert!(is_built);
    let plan = folder.psp2psa("plan -f dump.yaml -o json").json();
    let mut want = plan["namespaces"][1]["labels"].clone();
    want["team"] = json!("web");
    assert_eq!(objects.len(), 2);
    assert_eq!(objects[0]["metadata"], json!({"name": "shop", "labels": want}));
    assert_eq!(objects[1]["metadata"], json!({"name": "shop-2"}));

    // Without a namespace to label the component does nothing.
    folder.write(
        "dump.yaml",
        SHOP.split("---\n")
            .filter(|it| !it.contains("kind: Namespace"))
            .collect::<Vec<_>>()
            .join("---\n"),
    );
    let run = folder.psp2psa("plan -f dump.yaml --out-dir plan --force").run();
    assert_eq!(run.code, 3, "{run}");
    assert!(
        run.stderr.contains("removed 2 patches of an earlier run below plan/gitops\n"),
        "{run}"
    );
    assert!(!folder.path("plan/gitops/namespaces").exists());
    let (is_built, objects) = kustomize(&folder, "git");
    assert!(is_built);
    assert_eq!(objects[0]["metadata"]["labels"], json!({"team": "web"}));
}
