//! The hand-made cases under `testdata/psp`: readable, one odd rule each.

#![expect(clippy::disallowed_methods, reason = "the fixtures are files")]

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::psp::{Admission, Request, Verdict, authorize, json_patch};
use crate::rbac::User;
use crate::version::Version;

use super::vectors::{RawUser, prepared, snapshot, template};

/// What the answer should be, in the words of `simulate`.
#[derive(Deserialize)]
struct Expected {
    requester: Option<RawUser>,
    #[serde(flatten)]
    item: Value,
}

fn cases() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/psp");
    let mut cases: Vec<_> = fs::read_dir(root).unwrap().map(|it| it.unwrap().path()).collect();
    cases.sort();
    cases
}

fn answer(case: &Path, requester: Option<&User>) -> Value {
    let text = fs::read_to_string(case.join("objects.yaml")).unwrap();
    let objects = text.split("\n---\n").map(|document| serde_yaml::from_str(document).unwrap());
    let (pods, others): (Vec<Value>, Vec<Value>) =
        objects.partition(|object: &Value| object["kind"] == "Pod");
    let snapshot = snapshot(&others);
    let [pod] = pods.as_slice() else { panic!("{} holds not one Pod", case.display()) };
    let text = |key: &str| pod["metadata"][key].as_str().unwrap_or_default();
    let request = Request {
        namespace: text("namespace"),
        name: text("name"),
        pod: &prepared(pod),
        requester,
    };
    let admission = Admission::new(snapshot.policies.values(), Version::v1(21));
    match admission.admit(&request, &authorize::authorizer(&snapshot)) {
        Verdict::Admitted(admitted) => json!({
            "allowed": true,
            "policy": admitted.policy,
            "mutated": admitted.is_mutated(),
            "patch": json_patch(&admitted.changes, Some(&admitted.policy), &template(pod)),
        }),
        Verdict::Refused(refused) => json!({"allowed": false, "message": refused.message()}),
    }
}

#[test]
fn answers_as_expected() {
    let cases = cases();
    assert!(cases.len() >= 10);
    for case in cases {
        let expected = fs::read_to_string(case.join("expected.yaml")).unwrap();
        let expected: Expected = serde_yaml::from_str(&expected).unwrap();
        let requester = expected.requester.map(User::from);
        assert_eq!(answer(&case, requester.as_ref()), expected.item, "{}", case.display());
    }
}

#[test]
fn every_case_is_whole() {
    for case in cases() {
        let mut files: Vec<_> =
            fs::read_dir(&case).unwrap().map(|file| file.unwrap().file_name()).collect();
        files.sort();
        assert_eq!(files, ["expected.yaml", "objects.yaml"], "{}", case.display());
    }
}
