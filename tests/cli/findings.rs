//! What `plan` finds before it breaks.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use serde_json::Value;

use crate::program::{from_yaml, psp2psa};

fn findings(dump: &str) -> Vec<Value> {
    let plan = psp2psa(&format!("plan -f testdata/clusters/{dump} -o json")).json();
    plan["findings"].as_array().unwrap().clone()
}

#[test]
fn the_first_finding_of_each_kind_in_the_demo_clusters() {
    for dump in ["demo-1.21.json.gz", "demo2-1.21.json.gz"] {
        let mut firsts: BTreeMap<usize, (Value, usize)> = BTreeMap::new();
        let mut kinds: Vec<Value> = Vec::new();
        for finding in findings(dump) {
            if kinds.last() != Some(&finding["kind"]) {
                kinds.push(finding["kind"].clone());
            }
            firsts.entry(kinds.len()).or_insert((finding, 0)).1 += 1;
        }
        let text: Vec<String> = firsts
            .into_values()
            .map(|(first, n)| format!("{n} of this kind\n{first:#}\n"))
            .collect();
        assert_snapshot!(dump, text.concat());
    }
}

#[test]
fn other_versions_of_the_standards_are_found_with_what_changes() {
    let case = "testdata/migrate/other-versions-may-answer-otherwise/objects.yaml";
    let run = psp2psa(&format!("plan -f {case} -o yaml --pss-version v1.24")).run();
    let plan = from_yaml(&run.stdout);
    let found = plan["findings"].as_array().unwrap();
    let found: Vec<&Value> =
        found.iter().filter(|finding| finding["kind"] == "otherVersions").collect();
    assert_snapshot!(serde_json::to_string_pretty(&found).unwrap());
}
