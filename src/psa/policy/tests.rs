//! Tables of labels, and the API server's own answers to bad ones.

use std::io::{BufRead as _, BufReader};

use serde::Deserialize;

use super::*;

/// Labels without their prefix, and their values.
type Pairs = &'static [(&'static str, &'static str)];

fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let key = |mode: &str| format!("pod-security.kubernetes.io/{mode}");
    pairs.iter().map(|(mode, value)| (key(mode), (*value).to_owned())).collect()
}

/// The policy as `enforce audit warn`.
fn printed(policy: &Policy) -> String {
    Mode::ALL.map(|mode| policy.of(mode).to_string()).join(" ")
}

#[test]
fn labels_say_what_holds() {
    let cases: &[(&str, Pairs, &str)] = &[
        ("none", &[], "privileged:latest privileged:latest privileged:latest"),
        (
            "enforcing warns as well",
            &[("enforce", "baseline"), ("enforce-version", "v1.30")],
            "baseline:v1.30 privileged:latest baseline:v1.30",
        ),
        (
            "at the version for warnings, if any",
            &[("enforce", "baseline"), ("warn-version", "v1.99")],
            "baseline:latest privileged:latest baseline:v1.99",
        ),
        (
            "unless the label says no",
            &[("enforce", "restricted"), ("warn", "privileged")],
            "restricted:latest privileged:latest privileged:latest",
        ),
        (
            "a bad enforce level fails closed, and does not warn",
            &[("enforce", "Baseline"), ("enforce-version", "1.30")],
            "restricted:latest privileged:latest privileged:latest",
        ),
        (
            "bad audit and warn levels fail open",
            &[("audit", "none"), ("audit-version", "v1.2"), ("warn", ""), ("enforce", "baseline")],
            "baseline:latest privileged:v1.2 privileged:latest",
        ),
        (
            "other keys are ignored",
            &[("enforcement", "restricted"), ("exempt", "true")],
            "privileged:latest privileged:latest privileged:latest",
        ),
    ];
    for (name, pairs, expected) in cases {
        let (policy, _) = policy_of_labels(&labels(pairs), &Policy::PRIVILEGED);
        assert_eq!(printed(&policy), *expected, "{name}");
    }
}

#[test]
fn defaults_hold_field_by_field() {
    let version = |minor| PolicyVersion::Version(Version::v1(minor));
    let defaults = Policy {
        enforce: LevelVersion { level: Level::Baseline, version: version(30) },
        audit: LevelVersion { level: Level::Restricted, version: version(31) },
        warn: LevelVersion { level: Level::Restricted, version: version(32) },
    };
    let (policy, errors) = policy_of_labels(&labels(&[("enforce", "restricted")]), &defaults);
    assert_eq!(printed(&policy), "restricted:v1.30 restricted:v1.31 restricted:v1.32");
    assert_eq!(errors, []);
    let (policy, _) = policy_of_labels(&labels(&[("audit-version", "latest")]), &defaults);
    assert_eq!(printed(&policy), "baseline:v1.30 restricted:latest restricted:v1.32");
}

/// A line of the recording: a namespace created or updated.
#[derive(Deserialize)]
struct Recorded {
    id: String,
    labels: BTreeMap<String, String>,
    old_labels: Option<BTreeMap<String, String>>,
    subresource: Option<String>,
    want: Want,
}

#[derive(Deserialize)]
struct Want {
    #[serde(default)]
    causes: Vec<String>,
}

/// An update is refused only where it changes the errors; every creation is. Changes through a
/// subresource are not asked about.
#[test]
fn errors_equal_those_of_the_api_server() {
    #[expect(clippy::disallowed_methods, reason = "a test reads its recording")]
    let file = std::fs::File::open("testdata/vectors/psa-ns.jsonl.gz").unwrap();
    let errors = |labels: &BTreeMap<String, String>| -> Vec<_> {
        let (_, errors) = policy_of_labels(labels, &Policy::PRIVILEGED);
        errors.iter().map(|error| format!("FieldValueInvalid: {error}")).collect()
    };
    let mut n_bad = 0;
    for line in BufReader::new(flate2::read::GzDecoder::new(file)).lines() {
        let recorded: Recorded = serde_json::from_str(&line.unwrap()).unwrap();
        let mut ours = errors(&recorded.labels);
        let is_old = recorded.old_labels.as_ref().map(errors).is_some_and(|old| old == ours);
        if is_old || recorded.subresource.is_some() {
            ours.clear();
        }
        n_bad += usize::from(!ours.is_empty());
        assert_eq!(ours, recorded.want.causes, "{}", recorded.id);
    }
    assert!(n_bad > 200, "{n_bad}");
}
