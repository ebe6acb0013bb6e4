//! What holds for every policy and every pod?

use std::sync::LazyLock;

use ::json_patch::Patch;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::json;

use crate::objects::pod::PodTemplateSpec;
use crate::objects::psp::{IdStrategy, PodSecurityPolicy, Range};
use crate::psp::{Policy, json_patch};
use crate::version::Version;

use super::vectors::{comparable, prepared, snapshot, vectors};

/// A part of the recorded policies and pods, to be combined anew.
static RECORDED: LazyLock<(Vec<Policy>, Vec<PodTemplateSpec>)> = LazyLock::new(|| {
    let mut recorded = (Vec::new(), Vec::new());
    for vector in vectors().step_by(4) {
        let policies = snapshot(&vector.policies).policies;
        recorded.0.extend(policies.values().flat_map(|policy| Policy::new(policy, VERSION)));
        recorded.1.push(prepared(&vector.pod));
    }
    recorded
});

const VERSION: Version = Version::v1(21);

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn mutating_twice_changes_nothing_more(policy: Index, pod: Index) {
        let policy = policy.get(&RECORDED.0);
        let mut mutated = pod.get(&RECORDED.1).clone();
        let _ = policy.mutate(&mut mutated);
        let before = mutated.clone();
        prop_assert_eq!(policy.mutate(&mut mutated), vec![]);
        prop_assert_eq!(&mutated, &before);
        // Whether or not the pod is accepted, asking again gives the same answer.
        prop_assert_eq!(policy.validate(&mutated), policy.validate(&before));
    }

    #[test]
    fn the_log_is_the_whole_difference(policy: Index, pod: Index) {
        let policy = policy.get(&RECORDED.0);
        let given = pod.get(&RECORDED.1);
        let mut mutated = given.clone();
        let changes = policy.mutate(&mut mutated);
        prop_assert_eq!(changes.is_empty(), comparable(mutated.clone()) == comparable(given.clone()));

        let mut patched = json!(given);
        patched.as_object_mut().unwrap().entry("metadata").or_insert_with(|| json!({}));
        let patch = json!(json_patch(&changes, None, given));
        let patch: Patch = serde_json::from_value(patch).unwrap();
        ::json_patch::patch(&mut patched, &patch).unwrap();
        prop_assert_eq!(comparable(prepared(&patched)), comparable(mutated));
    }

    #[test]
    fn hostile_ids_are_judged(ranges: Vec<(i64, i64)>, user: Option<i64>, groups: Option<Vec<i64>>) {
        let ranges: Vec<_> = ranges.into_iter().map(|(min, max)| Range { min, max }).collect();
        let must = IdStrategy { rule: "MustRunAs".to_owned(), ranges: ranges.clone() };
        let mut policy = PodSecurityPolicy::default();
        policy.spec.se_linux.rule = "RunAsAny".to_owned();
        policy.spec.run_as_user = must.clone();
        policy.spec.fs_group = must.clone();
        policy.spec.supplemental_groups = must;
        let Ok(policy) = Policy::new(&policy, VERSION) else {
            prop_assert!(ranges.is_empty());
            return Ok(());
        };
        let mut pod = prepared(&json!({"spec": {
            "securityContext": {"supplementalGroups": groups},
            "containers": [{"name": "app", "securityContext": {"runAsUser": user}}],
        }}));
        let _ = policy.mutate(&mut pod);
        let is_in_range = |id: i64| ranges.iter().any(|range| range.min <= id && id <= range.max);
        let groups = groups.unwrap_or_else(|| vec![ranges[0].min]);
        let n_bad = groups.iter().filter(|id| !is_in_range(**id)).count()
            + usize::from(groups.is_empty())
            + usize::from(!is_in_range(user.unwrap_or(ranges[0].min)))
            + usize::from(!is_in_range(ranges[0].min));
        prop_assert_eq!(policy.validate(&pod).len(), n_bad);
    }
}
