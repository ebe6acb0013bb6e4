//! The hand-made cases under `testdata/migrate`: one rule each, in objects that can be read.
//!
//! `expected.yaml` holds those fields of the plan that the case is about.

#![expect(clippy::disallowed_methods, reason = "the fixtures are files")]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

fn cases() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/migrate");
    let mut cases: Vec<_> = fs::read_dir(root).unwrap().map(|it| it.unwrap().path()).collect();
    cases.sort();
    cases
}

/// Where `actual` lacks what `expected` has: objects may have more fields, lists no more elements.
fn differences(path: &str, expected: &Value, actual: &Value, found: &mut Vec<String>) {
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => {
            for (key, expected) in expected {
                match actual.get(key) {
                    Some(actual) => differences(&format!("{path}.{key}"), expected, actual, found),
                    None => found.push(format!("{path}.{key}: there is no such field")),
                }
            }
        }
        (Value::Array(expected), Value::Array(actual)) if expected.len() == actual.len() => {
            for (index, (expected, actual)) in expected.iter().zip(actual).enumerate() {
                differences(&format!("{path}[{index}]"), expected, actual, found);
            }
        }
        _ if expected == actual => {}
        _ => found.push(format!("{path}: expected {expected}, found {actual}")),
    }
}

#[test]
fn plans_as_expected() {
    let mut found = Vec::new();
    for case in cases() {
        let text = fs::read_to_string(case.join("objects.yaml")).unwrap();
        let objects: Vec<Value> =
            text.split("\n---\n").map(|document| serde_yaml::from_str(document).unwrap()).collect();
        let expected = fs::read_to_string(case.join("expected.yaml")).unwrap();
        let expected: Value = serde_yaml::from_str(&expected).unwrap();
        let name = case.file_name().unwrap().to_string_lossy();
        differences(&name, &expected, &super::plan(&objects), &mut found);
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_case_is_whole() {
    assert!(cases().len() >= 25);
    for case in cases() {
        let mut files: Vec<_> =
            fs::read_dir(&case).unwrap().map(|file| file.unwrap().file_name()).collect();
        files.sort();
        assert_eq!(files, ["expected.yaml", "objects.yaml"], "{}", case.display());
    }
}
