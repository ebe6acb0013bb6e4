//! What does the program say where an input is larger, deeper or more than it takes?
//!
//! A test for each row of docs/LIMITS.md, but for aliases and depths in `input`, and answers of an API
//! server; the inputs are made here, as small as they can be.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::program::{Folder, Run};

const MIB: usize = 1 << 20;

/// A pod that every level takes or not, but that can be read.
const GOOD: &str = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"good"},"spec":{}}"#;

/// What `check` says of a file with this content; the file is called by this name.
fn check(name: &str, content: impl AsRef<[u8]>) -> Run {
    let folder = Folder::new();
    folder.write(name, content);
    folder.psp2psa("check -o json -f").arg(name).run()
}

/// Sees to it that the run says `error` and nothing else, and that it has read the good pod.
fn assert_costs_one_object(run: &Run, error: &str) {
    assert_eq!((run.code, run.stderr.as_str()), (3, format!("error: {error}\n").as_str()));
    let report = run.json();
    let items = report["items"].as_array().unwrap();
    assert_eq!(items.last().unwrap()["name"], "good");
    assert_eq!(items.iter().filter(|item| item.get("error").is_some()).count(), 1);
}

/// A pod with this JSON beside its name.
fn pod(fields: &str) -> String {
    format!(r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"big"}},{fields}}}"#)
}

fn list(items: &[&str]) -> String {
    format!("{{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[\n{}\n]}}", items.join(",\n"))
}

fn gzipped(content: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(content).unwrap();
    packer.finish().unwrap()
}

#[test]
fn an_object_is_too_large() {
    let big = pod(&format!(r#""spec":{{"x":"\"]}}{}"}}"#, "x".repeat(16 * MIB)));
    let error = "a.json:2: item 0: Pod `big`: it is too large for one object";
    assert_costs_one_object(&check("a.json", list(&[&big, GOOD])), error);
    // What is just small enough is read.
    let fits = pod(&format!(r#""spec":{{"x":"{}"}}"#, "x".repeat(16 * MIB - 100)));
    assert_eq!(check("a.json", list(&[&fits, GOOD])).code, 0);
}

#[test]
fn an_object_in_yaml_is_too_large() {
    let line = format!("    - {}\n", "x".repeat(1000));
    let lines = line.repeat(16 * MIB / line.len() + 1);
    let head = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: big\nspec:\n  x:\n";
    let run = check("a.yaml", [head, &lines, "---\n", GOOD].concat());
    assert_costs_one_object(&run, "a.yaml:1: item 0: it is too large for one object");
    let item = "- apiVersion: v1\n  kind: Pod\n  metadata:\n    name: big\n  spec:\n    x:\n";
    let list = ["apiVersion: v1\nkind: List\nitems:\n", item, &lines, "- ", GOOD, "\n"].concat();
    let error = "a.yaml:4: item 0: Pod `big`: it is too large for one object";
    assert_costs_one_object(&check("a.yaml", list), error);
}

#[test]
fn a_line_of_yaml_is_too_large() {
    let line = format!("---\nx: {}\n", "x".repeat(17 * MIB));
    let run = check("a.yaml", [GOOD, "\n", &line].concat());
    assert_eq!(run.code, 3);
    assert_eq!(
        run.stderr,
        "error: `a.yaml` cannot be read to its end: a line or part is too large\n"
    );
    assert_eq!(run.json()["items"][0]["name"], "good");
}

#[test]
fn a_text_is_too_long() {
    for (field, fields, max, said) in [
        ("metadata.name", r#""name":"#, 4 << 10, "4 KiB"),
        ("metadata.labels.x", r#""labels":{"x":"#, 4 << 10, "4 KiB"),
        (
            "metadata.annotations.kubernetes.io/psp",
            r#""annotations":{"kubernetes.io/psp":"#,
            256 << 10,
            "256 KiB",
        ),
    ] {
        let close = if fields.contains('{') { "}" } else { "" };
        let pod = |n_bytes: usize| {
            let text = "x".repeat(n_bytes);
            format!(r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{{fields}"{text}"{close}}}}}"#)
        };
        let run = check("a.json", list(&[&pod(max + 1), GOOD]));
        let said = format!("{field}: expected a text of at most {said}\n");
        assert_eq!(run.code, 3, "{field}");
        assert!(run.stderr.ends_with(&said), "{field}: {}", run.stderr);
        assert_eq!(check("a.json", pod(max)).code, 0, "{field}");
    }
    // What is not read may be as long as the object.
    let unread = pod(&format!(r#""spec":{{"schedulerName":"{}"}}"#, "x".repeat(1 << 20)));
    assert_eq!(check("a.json", unread).code, 0);
}

#[test]
fn a_list_has_too_many_items() {
    let of = |n: usize, item: &str| vec![item; n].join(",");
    for (field, open, item) in [
        ("spec.containers", r#"{"containers":["#, "{}"),
        ("spec.volumes", r#"{"volumes":["#, "{}"),
        ("spec.containers[0].ports", r#"{"containers":[{"ports":["#, "{}"),
        (
            "spec.containers[0].securityContext.capabilities.add",
            r#"{"containers":[{"securityContext":{"capabilities":{"add":["#,
            r#""X""#,
        ),
        ("spec.securityContext.sysctls", r#"{"securityContext":{"sysctls":["#, "{}"),
    ] {
        let close: String = open
            .chars()
            .rev()
            .filter_map(|bracket| match bracket {
                '{' => Some('}'),
                '[' => Some(']'),
                _ => None,
            })
            .collect();
        let pod = |n: usize| pod(&format!(r#""spec":{open}{}{close}"#, of(n, item)));
        let error = format!("a.json:2: item 0: Pod `big`: {field}: expected at most 1000 items");
        assert_costs_one_object(&check("a.json", list(&[&pod(1_001), GOOD])), &error);
        assert_eq!(check("a.json", pod(1_000)).code, 0, "{field}");
    }
}

#[test]
fn a_policy_has_too_many_capabilities() {
    let policy = |n: usize| {
        let names = vec![r#""X""#; n].join(",");
        format!(
            r#"{{"apiVersion":"policy/v1beta1","kind":"PodSecurityPolicy","metadata":{{"name":"p"}},"spec":{{"allowedCapabilities":[{names}]}}}}"#
        )
    };
    let run = check("a.json", list(&[&policy(101), GOOD]));
    assert_eq!(run.code, 3);
    let said = "PodSecurityPolicy `p`: expected at most 100 capabilities in a list\n";
    assert!(run.stderr.ends_with(said), "{}", run.stderr);
    assert_eq!(check("a.json", list(&[&policy(100), GOOD])).stderr, "");
}

#[test]
fn settings_that_need_a_change_are_too_many() {
    let ports: Vec<_> = (1..=999).map(|port| format!(r#"{{"hostPort":{port}}}"#)).collect();
    let container = |name: &str| format!(r#"{{"name":"{name}","ports":[{}]}}"#, ports.join(","));
    let pod = pod(&format!(
        r#""spec":{{"hostPID":true,"containers":[{},{}]}}"#,
        container("a"),
        container("b")
    ));
    let folder = Folder::with(&[("a.json", &pod)]);
    let plan = folder.psp2psa("plan -o json -f a.json").run().json();
    let patch = &plan["namespaces"][0]["workloads"][0]["patch"];
    let remaining = patch["remaining"].as_array().unwrap();
    assert!(remaining.iter().any(|it| it["check"] == "hostPorts"), "{remaining:?}");
    // No one of the ports would end the violation.
    assert_eq!(patch["needsChange"].as_array().unwrap().len(), 1);
    assert_eq!(patch["needsChange"][0]["path"], "spec.hostPID");
}

#[test]
fn labels_are_too_many() {
    let labels = |n: usize| (0..n).map(|n| format!(r#""l{n}":"v""#)).collect::<Vec<_>>().join(",");
    let pod = |n: usize| {
        format!(
            r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"big","labels":{{{}}}}}}}"#,
            labels(n)
        )
    };
    let error = "a.json:2: item 0: Pod `big`: metadata.labels: expected at most 1000 items";
    assert_costs_one_object(&check("a.json", list(&[&pod(1_001), GOOD])), error);
    assert_eq!(check("a.json", pod(1_000)).code, 0);
}

#[test]
fn roles_and_bindings_are_as_long_as_they_are() {
    let subject = r#"{"kind":"User","name":"jo"}"#;
    let use_rule = r#"{"verbs":["use"],"resourceNames":["a"]}"#;
    let folder = Folder::new();
    let names = vec![r#""a""#; 1_500].join(",");
    let rules =
        [vec![use_rule; 1_500].join(","), format!(r#"{{"resourceNames":[{names}]}}"#)].join(",");
    let role = format!(
        r#"{{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{{"name":"r"}},"rules":[{rules}]}}"#
    );
    let binding = format!(
        r#"{{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRoleBinding","metadata":{{"name":"b"}},"subjects":[{}]}}"#,
        vec![subject; 1_500].join(",")
    );
    folder.write("a.json", list(&[&role, &binding, GOOD]));
    let run = folder.psp2psa("plan -o json -f a.json").run();
    assert_eq!(run.stderr, "");
}

#[test]
fn values_are_nested_too_deep() {
    let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    let in_yaml = |n: usize| {
        format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: big}}\nspec: {{x: {}}}\n", deep(n))
    };
    let run = check("a.yaml", [&in_yaml(127), "---\n", GOOD].concat());
    assert_costs_one_object(&run, "a.yaml:4: item 0: it is nested too deep");
    assert_eq!(check("a.yaml", in_yaml(100)).code, 0);
    // What nobody asks for may be as deep in JSON.
    assert_eq!(check("a.json", pod(&format!(r#""spec":{{"x":{}}}"#, deep(100_000)))).code, 0);
}

#[test]
fn lists_are_nested_too_deep() {
    let nested = |n: usize| {
        let open = r#"{"apiVersion":"v1","kind":"List","items":["#;
        format!("{}{GOOD}{}", open.repeat(n), "]}".repeat(n))
    };
    assert_eq!(check("a.json", nested(32)).code, 0);
    let run = check("a.json", nested(33));
    assert_eq!(run.code, 3);
    assert_eq!(run.stderr, "error: a.json:1: item 0: List: lists are nested too deep\n");
}

#[test]
fn aliases_into_other_items_are_too_many() {
    let anchored = format!("- &a\n  x: {}\n", "x".repeat(4000)).repeat(100);
    let aliased = "- *a\n".repeat(100);
    let list = ["apiVersion: v1\nkind: List\nitems:\n", &anchored, &aliased, "- ", GOOD, "\n"];
    let run = check("a.yaml", list.concat());
    assert_eq!(run.code, 3);
    let n_refused = run.stderr.matches("aliases unfold to too much").count();
    // 400 KB are read again 41 times.
    assert!((55..=62).contains(&n_refused), "{n_refused}");
    assert_eq!(run.json()["items"].as_array().unwrap().last().unwrap()["name"], "good");
}

#[test]
fn merge_keys_are_too_many() {
    let merges = "  - {<<: *a}\n".repeat(10_001);
    let text = format!("apiVersion: v1\nkind: Pod\na: &a {{}}\nspec:\n  x:\n{merges}---\n{GOOD}");
    let run = check("a.yaml", text);
    assert_eq!(run.code, 3);
    assert!(run.stderr.ends_with("it has too many merge keys\n"), "{}", run.stderr);
    assert_eq!(run.json()["items"][1]["name"], "good");
}

#[test]
fn the_kind_of_a_list_comes_too_late() {
    // Each takes two bytes, and some more to be held.
    let n_held = 64 * MIB / (2 + 200);
    let items = vec!["{}"; n_held + 5].join(",");
    let text = format!(r#"{{"apiVersion":"v1","items":[{items}],"kind":"ConfigMapList"}}{GOOD}"#);
    let run = check("a.json", text);
    assert_eq!(run.code, 3);
    let said = "the kind of its list stands behind more items than can be held\n";
    assert_eq!((run.stderr.lines().count(), run.stderr.matches(said).count()), (5, 5));
    assert_eq!(run.json()["items"].as_array().unwrap().last().unwrap()["name"], "good");
}

#[test]
fn a_number_is_too_large() {
    let pod = |id: &str| pod(&format!(r#""spec":{{"securityContext":{{"runAsUser":{id}}}}}"#));
    for id in ["9223372036854775808", "-1e19", "1e30", "1.5"] {
        let error =
            "a.json:2: item 0: Pod `big`: spec.securityContext.runAsUser: expected an integer";
        assert_costs_one_object(&check("a.json", list(&[&pod(id), GOOD])), error);
    }
    assert_eq!(check("a.json", pod("9223372036854775807")).code, 0);
}

#[test]
fn gzip_unpacks_to_too_much() {
    // A gzip within gzip: 17 MB in some hundred bytes, after an object.
    let bomb = [GOOD.as_bytes(), &vec![b' '; 17 * MIB]].concat();
    let run = check("a.json.gz", gzipped(&gzipped(&bomb)));
    assert_eq!(run.code, 3);
    assert_eq!(
        run.stderr,
        "error: `a.json.gz` cannot be read to its end: it unpacks to more than 500 times its size\n"
    );
    assert_eq!(run.json()["items"][0]["name"], "good");
}

#[test]
fn gzip_is_packed_too_often() {
    let packed = |n: usize| (0..n).fold(GOOD.as_bytes().to_vec(), |content, _| gzipped(&content));
    assert_eq!(check("a.json.gz", packed(3)).code, 0);
    let run = check("a.json.gz", packed(4));
    assert_eq!(run.code, 4);
    let said = "error: `a.json.gz` is neither YAML nor JSON: it is not text\n";
    assert!(run.stderr.starts_with(said), "{}", run.stderr);
}

#[test]
fn gzip_ends_too_early_or_is_in_many_members() {
    let members: Vec<u8> =
        (0..1_000).flat_map(|_| gzipped(b" ")).chain(gzipped(GOOD.as_bytes())).collect();
    assert_eq!(check("a.json.gz", &members).code, 0);
    let run = check("a.json.gz", [&members[..], &gzipped(b"{}")[..12]].concat());
    assert_eq!(run.code, 3);
    assert_eq!(
        run.stderr,
        "error: `a.json.gz` cannot be read to its end: incomplete deflate stream\n"
    );
    assert_eq!(run.json()["items"][0]["name"], "good");
}

#[test]
fn directories_are_too_deep() {
    let folder = Folder::new();
    let below = |n: usize| format!("d{}", "/d".repeat(n));
    folder.write(&format!("{}/a.json", below(64)), GOOD);
    assert_eq!(folder.psp2psa("check -R -f d").run().code, 0);
    folder.write(&format!("{}/b.json", below(65)), GOOD);
    let run = folder.psp2psa("check -R -f d").run();
    let said = format!("error: `{}` is not read: it is more than 64 directories deep\n", below(65));
    assert_eq!((run.code, run.stderr), (3, said));
}

#[test]
fn a_manifest_to_edit_is_too_large_or_too_deep() {
    let folder = Folder::with(&[("a.json", GOOD), ("git/big.yaml", "")]);
    let big = std::fs::OpenOptions::new().write(true).open(folder.path("git/big.yaml")).unwrap();
    big.set_len((64 << 20) + 1).unwrap();
    let below = |n: usize| format!("d{}", "/d".repeat(n - 1));
    folder.write(&format!("git/{}/a.yaml", below(65)), GOOD);
    let run = folder.psp2psa("plan -f a.json --edit git").run();
    let said = format!(
        "left alone: big.yaml: it is too large\n\
         left alone: {}: the directories are too deep\n\
         nothing that can be changed\n",
        below(65)
    );
    assert_eq!((run.code, run.stderr), (3, said));
    // One that is not so deep is read.
    let run = folder.psp2psa("plan -f a.json --edit git/d").run();
    assert_eq!(run.stderr, "nothing to change\n");
}

#[test]
fn a_cell_of_a_table_is_cut() {
    let long = "n".repeat(4_000);
    let pods = GOOD.to_owned() + &GOOD.replace("good", &long);
    let folder = Folder::new();
    folder.write("a.json", pods);
    let table = folder.psp2psa("check -f a.json").stdout();
    assert!(table.lines().all(|line| line.chars().count() < 2_200), "{table}");
    assert!(table.contains("nnn…  "));
    assert_eq!(folder.psp2psa("check -o json -f a.json").json()["items"][1]["name"], long);
}
