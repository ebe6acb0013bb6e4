//! `plan -o script`: what does the script do when it is run?

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::program::{Folder, psp2psa};

const DEMO: &str = "plan -f testdata/clusters/demo-1.21.json.gz";

/// A kubectl that logs its arguments, one a line, and knows its server's version.
const KUBECTL: &str = r#"#!/bin/sh
if [ "$*" = "get --raw /version" ]; then
  cat "$FAKE/version"
else
  printf '%s\n' "$@" "" >> "$FAKE/calls"
  [ ! -e "$FAKE/refuses" ]
fi
"#;

/// A script beside a fake kubectl whose server is v1.`minor`.
fn folder(script: &str, minor: &str) -> Folder {
    let folder = Folder::with(&[("labels.sh", script), ("kubectl", KUBECTL), ("calls", "")]);
    folder.write("version", format!("{{\n  \"major\": \"1\",\n  \"minor\": \"{minor}\"\n}}\n"));
    let chmod = Command::new("chmod").arg("+x").arg(folder.path("kubectl")).status().unwrap();
    assert!(chmod.success());
    folder
}

fn sh(folder: &Folder, arguments: &[&str]) -> Output {
    let root: &Path = &folder.path("");
    let path = format!("{}:{}", root.display(), std::env::var("PATH").unwrap());
    Command::new("sh")
        .args(arguments)
        .current_dir(root)
        .env("PATH", path)
        .env("FAKE", root)
        .output()
        .unwrap()
}

/// The calls of kubectl but for the version, each as its arguments.
fn calls(folder: &Folder) -> Vec<Vec<String>> {
    let log = folder.read("calls");
    let calls = log.split_terminator("\n\n");
    calls.map(|call| call.lines().map(str::to_owned).collect()).collect()
}

/// The labels that the plan wants, by namespace, as kubectl takes them.
fn planned() -> BTreeMap<String, Vec<String>> {
    let plan = psp2psa(&format!("{DEMO} -o json")).json();
    let namespaces = plan["namespaces"].as_array().unwrap();
    let labels = |namespace: &Value| {
        let labels = namespace["labels"].as_object().unwrap();
        labels.iter().map(|(key, value)| format!("{key}={}", value.as_str().unwrap())).collect()
    };
    namespaces
        .iter()
        .filter(|namespace| namespace["system"] == Value::Bool(false))
        .map(|namespace| (namespace["name"].as_str().unwrap().to_owned(), labels(namespace)))
        .collect()
}

fn demo_script() -> String {
    psp2psa(&format!("{DEMO} -o script")).stdout()
}

#[test]
fn it_sets_exactly_the_planned_labels() {
    let folder = folder(&demo_script(), "24");
    let check = sh(&folder, &["-n", "labels.sh"]);
    assert!(check.status.success() && check.stderr.is_empty());
    let output = sh(&folder, &["labels.sh"]);
    assert!(output.status.success(), "{output:?}");
    let first = calls(&folder);
    let made: BTreeMap<String, Vec<String>> = first
        .iter()
        .map(|call| {
            assert_eq!(call[..3], ["label", "--overwrite", "namespace"]);
            (call[3].clone(), call[4..].to_vec())
        })
        .collect();
    assert_eq!(made, planned());
    // Run twice it does the same twice.
    assert!(sh(&folder, &["labels.sh"]).status.success());
    assert_eq!(calls(&folder), [first.clone(), first].concat());
}

#[test]
fn a_dry_run_lets_the_server_check_and_changes_nothing() {
    let folder = folder(&demo_script(), "23+");
    assert!(sh(&folder, &["labels.sh", "--dry-run"]).status.success());
    let calls = calls(&folder);
    assert_eq!(calls.len(), planned().len());
    for call in calls {
        assert_eq!(call[..4], ["label", "--dry-run=server", "--overwrite", "namespace"]);
    }
}

#[test]
fn lines_that_enforce_can_be_left_out() {
    let script = demo_script();
    let lines: Vec<&str> = script.lines().filter(|line| !line.contains("/enforce")).collect();
    let folder = folder(&lines.join("\n"), "24");
    assert!(sh(&folder, &["labels.sh"]).status.success());
    let calls = calls(&folder);
    assert_eq!(calls.len(), planned().len());
    for label in calls.iter().flat_map(|call| &call[4..]) {
        let (key, _) = label.split_once('=').unwrap();
        assert!(key.contains("/warn") || key.contains("/audit"), "{label}");
    }
}

#[test]
fn a_server_without_pod_security_is_refused() {
    for (minor, shown) in [("22", "22"), ("22+", "22"), ("9", "9"), ("", "?"), ("x", "?")] {
        let folder = folder(&demo_script(), minor);
        let output = sh(&folder, &["labels.sh"]);
        assert_eq!(output.status.code(), Some(1), "{minor}");
        let want =
            format!("the server is v1.{shown}; Pod Security admission needs v1.23 or newer\n");
        assert_eq!(String::from_utf8(output.stderr).unwrap(), want);
        assert_eq!(folder.read("calls"), "", "{minor}");
    }
}

#[test]
fn the_first_refusal_stops_it() {
    let folder = folder(&demo_script(), "24");
    folder.write("refuses", "");
    assert_eq!(sh(&folder, &["labels.sh"]).status.code(), Some(1));
    assert_eq!(calls(&folder).len(), 1);
}

#[test]
fn wrong_usage_changes_nothing() {
    let folder = folder(&demo_script(), "24");
    let output = sh(&folder, &["labels.sh", "--dryrun"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "usage: sh labels.sh [--dry-run]\n");
    assert_eq!(folder.read("calls"), "");
}

#[test]
fn names_from_the_dump_are_never_run() {
    let folder = folder("", "24");
    folder.write("dump.json", crate::input::HOSTILE);
    let flags = "plan -f dump.json -o script --allow-incomplete --include-system";
    let script = folder.psp2psa(flags).run().stdout;
    folder.write("labels.sh", &script);
    let before = folder.names();
    let output = sh(&folder, &["labels.sh"]);
    assert!(output.status.success(), "{output:?}\n{script}");
    assert_eq!(folder.names(), before, "{script}");
    let labelled: Vec<_> = calls(&folder).into_iter().map(|call| call[3].clone()).collect();
    assert_eq!(labelled, ["fine"]);
}
