//! The recorded answers of a real admission plugin, see `testdata/vectors`.

#![expect(clippy::disallowed_methods, reason = "the vectors are a file")]

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use ::json_patch::Patch;
use serde::Deserialize;
use serde::de::DeserializeSeed;
use serde_json::{Value, json};

use crate::objects::decode::{Expected, ObjectSeed};
use crate::objects::meta::Name;
use crate::objects::pod::{PSP_ANNOTATION, PodTemplateSpec};
use crate::objects::snapshot::{Snapshot, SnapshotBuilder};
use crate::objects::source::Source;
use crate::prepare::defaults::apply_defaults;
use crate::psp::{Admission, Admitted, Request, Verdict, authorize, json_patch};
use crate::rbac::User;
use crate::version::Version;

/// One recorded creation of a pod.
#[derive(Deserialize)]
pub(super) struct Vector {
    id: String,
    pub(super) policies: Vec<Value>,
    rbac: Vec<Value>,
    namespace: String,
    user: RawUser,
    pub(super) pod: Value,
    want: Want,
}

/// A requesting user.
#[derive(Clone, Deserialize)]
pub(super) struct RawUser {
    name: String,
    #[serde(default)]
    groups: Vec<String>,
}

impl From<RawUser> for User {
    fn from(RawUser { name, groups }: RawUser) -> Self {
        Self { name, groups }
    }
}

#[derive(Deserialize)]
struct Want {
    allowed: bool,
    psp: Option<Name>,
    mutated: bool,
    pod: Option<Value>,
    message: Option<String>,
}

/// The objects as one run would know them.
pub(super) fn snapshot<'v>(objects: impl IntoIterator<Item = &'v Value>) -> Snapshot {
    let mut builder = SnapshotBuilder::default();
    for (index, object) in objects.into_iter().enumerate() {
        let seed = ObjectSeed { expected: &Expected::Unknown, detour: &mut None };
        let object = seed.deserialize(object).unwrap().body.unwrap();
        builder.add(object, &Source { file: "test".into(), index, line: None });
    }
    builder.finish()
}

/// Every recorded creation.
pub(super) fn vectors() -> impl Iterator<Item = Vector> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/vectors/psp-open.jsonl.gz");
    BufReader::new(flate2::read::GzDecoder::new(File::open(path).unwrap()))
        .lines()
        .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
}

pub(super) fn template(pod: &Value) -> PodTemplateSpec {
    serde_json::from_value(pod.clone()).unwrap()
}

/// The pod as it reaches the plugin.
pub(super) fn prepared(pod: &Value) -> PodTemplateSpec {
    let mut pod = template(pod);
    apply_defaults(&mut pod);
    pod
}

/// The pod as the API compares it: absent and empty are the same.
pub(super) fn comparable(mut pod: PodTemplateSpec) -> PodTemplateSpec {
    pod.annotations.get_or_insert_default();
    let context = pod.spec.security_context.get_or_insert_default();
    context.supplemental_groups.get_or_insert_default();
    pod
}

fn problem(vector: &Vector) -> Option<String> {
    let snapshot = snapshot(vector.policies.iter().chain(&vector.rbac));
    let metadata = &vector.pod["metadata"];
    let name = ["name", "generateName"].iter().find_map(|key| metadata[key].as_str());
    let user = User::from(vector.user.clone());
    let verdict = Admission::new(snapshot.policies.values(), Version::v1(21)).admit(
        &Request {
            namespace: &vector.namespace,
            name: name.unwrap_or_default(),
            pod: &prepared(&vector.pod),
            requester: Some(&user),
        },
        &authorize::authorizer(&snapshot),
    );
    let want = &vector.want;
    match verdict {
        Verdict::Admitted(admitted) if want.allowed => problem_of_admitted(vector, &admitted),
        Verdict::Admitted(admitted) => Some(format!("admitted by {}", admitted.policy)),
        Verdict::Refused(refused) if want.allowed => Some(refused.message()),
        Verdict::Refused(refused) => {
            let (got, want) = (refused.message(), want.message.as_deref().unwrap());
            (got != want).then(|| format!("\n got {got}\nwant {want}"))
        }
    }
}

fn problem_of_admitted(vector: &Vector, admitted: &Admitted<'_>) -> Option<String> {
    let want = &vector.want;
    if Some(&admitted.policy) != want.psp.as_ref() || admitted.is_mutated() != want.mutated {
        return Some(format!("policy {}, changes {:?}", admitted.policy, admitted.changes));
    }
    let want_pod = want.pod.as_ref().unwrap();
    let wanted = comparable(prepared(want_pod));
    if comparable(admitted.pod.clone()) != wanted {
        return Some(format!("\n got {:?}\nwant {wanted:?}", admitted.pod));
    }
    let base = template(&vector.pod);
    let patch = json_patch(&admitted.changes, Some(&admitted.policy), &base);
    let patch: Patch = serde_json::from_value(json!(patch)).unwrap();
    let mut patched = vector.pod.clone();
    ::json_patch::patch(&mut patched, &patch).unwrap();
    let annotation = |pod: &Value| pod["metadata"]["annotations"][PSP_ANNOTATION].clone();
    let is_same =
        comparable(prepared(&patched)) == wanted && annotation(&patched) == annotation(want_pod);
    (!is_same).then(|| format!("patch {patch} makes {patched}"))
}

#[test]
fn answers_as_the_api_server_did() {
    let mut n_cases = 0;
    let mut problems = Vec::new();
    for vector in vectors() {
        n_cases += 1;
        problems.extend(problem(&vector).map(|problem| format!("{}: {problem}", vector.id)));
    }
    assert_eq!(n_cases, 4_000);
    let examples = problems.iter().take(5).cloned().collect::<Vec<_>>().join("\n");
    assert!(problems.is_empty(), "{} differ, such as\n{examples}", problems.len());
}
