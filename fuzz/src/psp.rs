//! Does PSP admission hold together for any pod and any policies?

use std::collections::BTreeSet;

use json_patch::Patch;
use psp2psa::objects::Object;
use psp2psa::objects::meta::Name;
use psp2psa::objects::pod::{PSP_ANNOTATION, Pod, PodTemplateSpec};
use psp2psa::objects::psp::PodSecurityPolicy;
use psp2psa::objects::snapshot::SnapshotBuilder;
use psp2psa::prepare::defaulted_pod;
use psp2psa::psp::{
    Admission, Consideration, Policy, Request, Verdict, authorize, json_patch as patch_of,
};
use psp2psa::sources::{Content, Item, read_from};
use psp2psa::version::Version;
use serde_json::{Value, json};

use super::bytes::Bytes;
use super::workload;

/// Admits the pod that the bytes make, by the policies that they make.
pub fn run(bytes: &[u8]) {
    let mut bytes = Bytes::new(bytes);
    let version = Version::v1(10 + u32::from(bytes.below(16)));
    let mut objects = vec![workload::pod(&mut bytes), binding()];
    objects.extend(bytes.list(4, workload::policy));
    objects.push(role(&mut bytes));
    let (pod, policies, snapshot) = read(&objects);
    // What cannot be decoded has no admission.
    let Some(pod) = pod else { return };
    let template = defaulted_pod(&pod.template);
    for policy in &policies {
        if let Ok(policy) = Policy::new(policy, version) {
            assert_mutation_holds(&policy, &template, &pod.template);
        }
    }

    let admission = Admission::new(&policies, version);
    assert_eq!(Admission::new(snapshot.policies.values().rev(), version), {
        Admission::new(snapshot.policies.values(), version)
    });
    assert_selection_holds(&admission, &template);

    let request =
        Request { namespace: &pod.namespace, name: &pod.name, pod: &template, requester: None };
    let authorizer = authorize::authorizer(&snapshot);
    let verdict = admission.admit(&request, &authorizer);
    let considered = admission.explain(&request, &authorizer);
    assert_agrees(&verdict, &considered);
}

/// The objects as the program reads them.
fn read(
    objects: &[Value],
) -> (Option<Pod>, Vec<PodSecurityPolicy>, psp2psa::objects::snapshot::Snapshot) {
    let (mut pod, mut policies) = (None, Vec::new());
    let mut builder = SnapshotBuilder::default();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": objects}).to_string();
    read_from("list", list.as_bytes(), &mut |item| {
        let Ok(Item { source, content: Ok(Content::Object { object, .. }) }) = item else { return };
        match &object {
            Object::Pod(found) => pod = Some(found.clone()),
            Object::PodSecurityPolicy(policy) => policies.push((**policy).clone()),
            _ => {}
        }
        builder.add(object, &source);
    });
    // Of two policies with one name a server has one.
    let mut names = BTreeSet::new();
    policies.retain(|policy: &PodSecurityPolicy| names.insert(policy.name.clone()));
    (pod, policies, builder.finish())
}

/// A role for some of the policies.
fn role(bytes: &mut Bytes<'_>) -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": {"name": "use"},
        "rules": [{"apiGroups": ["policy"], "resources": ["podsecuritypolicies"], "verbs": ["use"],
                   "resourceNames": bytes.texts(workload::POLICIES)}],
    })
}

/// Gives the role to every service account.
fn binding() -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": {"name": "use"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "use"},
        "subjects": [{"kind": "Group", "apiGroup": "rbac.authorization.k8s.io",
                      "name": "system:serviceaccounts"}],
    })
}

/// The pod as the API compares it: absent and empty are the same.
fn comparable(mut pod: PodTemplateSpec) -> PodTemplateSpec {
    pod.annotations.get_or_insert_default();
    let context = pod.spec.security_context.get_or_insert_default();
    context.supplemental_groups.get_or_insert_default();
    pod
}

fn assert_mutation_holds(policy: &Policy, pod: &PodTemplateSpec, raw: &PodTemplateSpec) {
    let mut mutated = pod.clone();
    let changes = policy.mutate(&mut mutated);
    assert_eq!(policy.leaves_as_is(pod), changes.is_empty());
    assert_eq!(changes.is_empty(), comparable(mutated.clone()) == comparable(pod.clone()));

    // What a policy has filled in it leaves alone, and takes or refuses as before.
    let mut again = mutated.clone();
    assert_eq!(policy.mutate(&mut again), []);
    assert_eq!(again, mutated);
    assert!(policy.leaves_as_is(&mutated));
    assert_eq!(policy.validate(&again), policy.validate(&mutated));

    // The patch of the pod as it was written makes the admitted pod.
    let mut patched = json!(raw);
    if let Some(pod) = patched.as_object_mut() {
        pod.entry("metadata").or_insert_with(|| json!({}));
    }
    let patch = json!(patch_of(&changes, Some("winner"), raw));
    let parsed: Patch = serde_json::from_value(patch.clone()).expect("it is a JSON patch");
    json_patch::patch(&mut patched, &parsed).expect("the patch fits the pod");
    assert_eq!(patched["metadata"]["annotations"][PSP_ANNOTATION], "winner");
    let patched: PodTemplateSpec = serde_json::from_value(patched).expect("it is still a pod");
    let mut patched = comparable(defaulted_pod(&patched));
    let mut wanted = comparable(mutated);
    for pod in [&mut patched, &mut wanted] {
        pod.annotations.get_or_insert_default().remove(PSP_ANNOTATION);
    }
    assert_eq!(patched, wanted, "{patch}");
}

/// The first policy that changes nothing wins, else the first that admits the pod.
fn assert_selection_holds(admission: &Admission, pod: &PodTemplateSpec) {
    let names: Vec<&Name> = admission.policies().iter().map(Policy::name).collect();
    let mut unchanged = None;
    let mut admitting = None;
    for (position, policy) in admission.policies().iter().enumerate() {
        let mut mutated = pod.clone();
        let changes = policy.mutate(&mut mutated);
        if policy.validate(&mutated).is_empty() {
            if changes.is_empty() {
                unchanged.get_or_insert(position);
            }
            admitting.get_or_insert(position);
        }
    }
    let selected = admission.select(pod, names);
    assert_eq!(selected.ok().map(|it| it.position), unchanged.or(admitting));
}

fn assert_agrees(verdict: &Verdict<'_>, considered: &[(Name, Consideration)]) {
    let admits = |(_, it): &&(Name, Consideration)| matches!(it, Consideration::Admits(_));
    let unchanged = |(_, it): &&(Name, Consideration)| match it {
        Consideration::Admits(changes) => changes.is_empty(),
        Consideration::NotAuthorized | Consideration::Failed(_) => false,
    };
    let winner = considered.iter().find(unchanged).or_else(|| considered.iter().find(admits));
    match (verdict, winner) {
        (Verdict::Admitted(admitted), Some((name, Consideration::Admits(changes)))) => {
            assert_eq!((&admitted.policy, &admitted.changes), (name, changes));
        }
        (Verdict::Refused(refused), None) => {
            let errors = considered.iter().flat_map(|(name, it)| match it {
                Consideration::Failed(errors) => errors.iter().map(|it| (name, it)).collect(),
                _ => Vec::new(),
            });
            let found = refused.errors.iter().map(|it| (&it.policy, &it.error));
            assert!(found.eq(errors), "{refused:?} {considered:?}");
            let _ = refused.message();
        }
        _ => panic!("{verdict:?} {considered:?}"),
    }
}
