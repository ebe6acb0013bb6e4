//! `plan --out-dir`: the workloads' patches, and what applies them.

use std::path::Path;
use std::process::{Command, Output};

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::program::{Folder, from_yaml};

const SHOP: &str = include_str!("shop.yaml");
const DEMO: &str = include_str!("../../testdata/clusters/demo-1.21.yaml");

/// A kubectl that logs its arguments, one a line.
const KUBECTL: &str = "#!/bin/sh\nprintf '%s\\n' \"$@\" '' >> \"$FAKE/calls\"\n";

/// The bundle of a dump in `plan`, beside a fake kubectl.
fn bundle(dump: &str, flags: &str) -> Folder {
    let folder = Folder::with(&[("dump.yaml", dump), ("kubectl", KUBECTL), ("calls", "")]);
    let run = folder.psp2psa(&format!("plan -f dump.yaml --out-dir plan {flags}")).run();
    assert!([0, 3].contains(&run.code), "{run}");
    assert!(
        Command::new("chmod").arg("+x").arg(folder.path("kubectl")).status().unwrap().success()
    );
    folder
}

fn sh(folder: &Folder, arguments: &[&str]) -> Output {
    let root: &Path = &folder.path("");
    let path = format!("{}:{}", root.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("sh");
    command.arg("plan/patches.sh").args(arguments).current_dir(root);
    command.env("PATH", path).env("FAKE", root).output().unwrap()
}

fn calls(folder: &Folder) -> Vec<Vec<String>> {
    let log = folder.read("calls");
    let calls = log.split_terminator("\n\n");
    calls.map(|call| call.lines().map(str::to_owned).collect()).collect()
}

/// Every file below a directory, by its path from there, sorted.
fn files(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut waiting = vec![directory.to_owned()];
    while let Some(next) = waiting.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else {
                found.push(path.strip_prefix(directory).unwrap().display().to_string());
            }
        }
    }
    found.sort();
    found
}

fn plan(folder: &Folder) -> Value {
    serde_json::from_str(&folder.read("plan/plan.json")).unwrap()
}

/// The patches of the namespaces that are no system namespaces.
fn workloads(plan: &Value) -> Vec<&Value> {
    let namespaces = plan["namespaces"].as_array().unwrap().iter();
    namespaces
        .filter(|namespace| namespace["system"] == false)
        .flat_map(|namespace| namespace["workloads"].as_array().unwrap())
        .collect()
}

/// From the most lenient on.
const LEVELS: [&str; 3] = ["privileged", "baseline", "restricted"];

#[test]
fn the_patches_of_the_small_cluster() {
    let folder = bundle(SHOP, "");
    let plan = folder.path("plan");
    let texts = files(&plan)
        .into_iter()
        .filter(|file| file.starts_with("patches") || file == "kustomization.yaml");
    let texts: Vec<_> =
        texts.map(|file| format!("=== {file}\n{}", folder.read(&format!("plan/{file}")))).collect();
    assert_snapshot!(texts.join("\n"));
}

#[test]
fn the_script_applies_what_may_be_applied_now() {
    let folder = bundle(DEMO, "");
    let plan = plan(&folder);
    let by_kubectl = ["rollout", "newPods", "nextRun"].map(|it| json!(it));
    let rank = |level: &Value| LEVELS.iter().position(|it| *level == **it);
    let is_now = |patch: &Value, when: &str| patch[when] == "now";
    let has = |patch: &Value, list: &str| patch[list].as_array().is_some_and(|it| !it.is_empty());
    let (mut n_kept, mut n_raised) = (0, 0);
    for workload in workloads(&plan) {
        let (patch, levels) = (&workload["patch"], &workload["levels"]);
        if patch.is_null() || !by_kubectl.contains(&patch["delivery"]) {
            continue;
        }
        // What loosens is not kept by default where the level suffers.
        let keeps = has(patch, "keep")
            && is_now(patch, "keepWhen")
            && rank(&levels["kept"]) >= rank(&levels["future"]);
        let keeps_otherwise = is_now(patch, "when") && !has(patch, "raise");
        n_kept += usize::from(keeps || keeps_otherwise);
        n_raised += usize::from(keeps || is_now(patch, "when"));
    }
    assert!(sh(&folder, &[]).status.success());
    let keeps = calls(&folder);
    assert_eq!(keeps.len(), n_kept);
    for call in &keeps {
        assert_eq!(call[..3], ["patch", "--dry-run=none", "--type=strategic"]);
        let file = call[6].strip_prefix("--patch-file=").unwrap();
        let patch = from_yaml(&folder.read(&format!("plan/{file}")));
        let namespace = patch["metadata"]["namespace"].as_str().unwrap();
        assert_eq!(call[3], format!("--namespace={namespace}"));
        assert_eq!(patch["metadata"]["name"], call[5].as_str());
        assert_eq!(patch["kind"].as_str().unwrap().to_lowercase(), call[4]);
    }
    folder.write("calls", "");
    assert!(sh(&folder, &["--raise", "--dry-run=server"]).status.success());
    let raises = calls(&folder);
    assert_eq!(raises.len(), n_raised);
    let n_whole = raises.iter().filter(|call| !keeps.iter().any(|keep| keep[6] == call[6])).count();
    assert!(n_whole > 0 && n_whole < n_kept, "{n_whole} of {n_raised}");
    assert!(raises.iter().all(|call| call[1] == "--dry-run=server"));
    assert_eq!(sh(&folder, &["--dryrun"]).status.code(), Some(2));
}

#[test]
fn the_component_lists_what_keeps_and_may_be_applied_now() {
    let folder = bundle(DEMO, "");
    let component = from_yaml(&folder.read("plan/kustomization.yaml"));
    assert_eq!(component["kind"], "Component");
    let paths = component["patches"].as_array().unwrap();
    assert!(paths.len() > 10);
    for path in paths {
        let text = folder.read(&format!("plan/{}", path["path"].as_str().unwrap()));
        assert!(text.contains("\n# When: now.\n") && !text.contains("\n# raise "), "{text}");
    }
}

#[test]
fn hostile_names_stay_in_the_directory_and_are_never_run() {
    let name = "'../../$(touch pwned)`touch pwned`; touch pwned\\n#'";
    let mut dump = SHOP.to_owned();
    for namespace in ["a", "../../../etc", "--all"] {
        for name in ["..", "--x", name, "web"] {
            let containers = json!([{"name": "a\n- b: '$(touch pwned)'"}]);
            let object = json!({
                "apiVersion": "apps/v1", "kind": "Deployment",
                "metadata": {"name": name, "namespace": namespace},
                "spec": {"template": {"spec": {"containers": containers}}},
            });
            dump.push_str("---\n");
            dump.push_str(&object.to_string());
            dump.push('\n');
        }
    }
    let folder = bundle(&dump, "--allow-incomplete --include-system");
    let before = files(&folder.path(""));
    let bundle = files(&folder.path("plan"));
    // Four objects of a namespace with slashes, in two parts each, and none in a directory above.
    assert_eq!(bundle.iter().filter(|file| file.starts_with("patches/_")).count(), 8, "{bundle:?}");
    for file in bundle.iter().filter(|file| file.starts_with("patches/")) {
        from_yaml(&folder.read(&format!("plan/{file}")));
    }
    let output = sh(&folder, &["--raise"]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(files(&folder.path("")), before);
    for call in calls(&folder) {
        assert!(["--namespace=a", "--namespace=shop"].contains(&call[3].as_str()), "{call:?}");
    }
}

#[test]
fn patches_of_an_earlier_run_are_removed() {
    let folder = Folder::with(&[("shop.yaml", SHOP)]);
    let plan = || folder.psp2psa("plan -f shop.yaml --out-dir out --force").run();
    let first = plan();
    assert_eq!(first.code, 0, "{first}");
    assert!(folder.path("out/patches/shop/deployment-web.yaml").exists());
    // What somebody else has put there stays, also what the list of ours cannot mean.
    let mine =
        ["out/patches/shop/mine.yaml", "out/patches/more/mine.yaml", "mine.yaml", "out/a/b/c.yaml"];
    for path in mine {
        folder.write(path, "mine");
    }
    let more = "../mine.yaml\n/mine.yaml\npatches/../../mine.yaml\npatches/shop\na/b/c.yaml\n";
    let list = folder.read("out/patches/.written") + more;
    folder.write("out/patches/.written", list);

    folder.write("shop.yaml", SHOP.replace("name: web", "name: front"));
    let second = plan();
    assert_eq!(second.code, 0, "{second}");
    assert!(second.stderr.contains("removed 2 patches of an earlier run below out/patches\n"));
    let of_shop = files(&folder.path("out/patches/shop"));
    assert_eq!(of_shop, ["deployment-front.keep.yaml", "deployment-front.yaml", "mine.yaml"]);

    // Without a workload nothing of ours is left.
    let rest = SHOP.split("---\n").filter(|document| !document.contains("app: web"));
    folder.write("shop.yaml", rest.collect::<Vec<_>>().join("---\n"));
    plan();
    assert_eq!(files(&folder.path("out/patches")), ["more/mine.yaml", "shop/mine.yaml"]);
    for path in mine {
        assert_eq!(folder.read(path), "mine");
    }
}

#[cfg(unix)]
#[test]
fn no_patch_is_removed_through_a_link() {
    let folder = Folder::with(&[("shop.yaml", SHOP), ("elsewhere/deployment-old.yaml", "mine")]);
    let plan = || folder.psp2psa("plan -f shop.yaml --out-dir out --force").run();
    plan();
    std::os::unix::fs::symlink(folder.path("elsewhere"), folder.path("out/patches/old")).unwrap();
    let list = folder.read("out/patches/.written") + "patches/old/deployment-old.yaml\n";
    folder.write("out/patches/.written", list);
    assert_eq!(plan().code, 0);
    assert_eq!(folder.read("elsewhere/deployment-old.yaml"), "mine");
}
