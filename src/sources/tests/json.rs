//! JSON in every form.

use super::{items, line, read_text};
use crate::sources::read_page;

const POD: &str = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"namespace":"web","name":"a"}}"#;

fn list(items: &[&str]) -> String {
    format!(r#"{{"apiVersion":"v1","items":[{}],"kind":"List"}}"#, items.join(","))
}

#[test]
fn values_one_after_another() {
    let text = format!("{POD}\n{POD}{POD}  \n\n{}\n", list(&[POD]));
    assert_eq!(read_text(text), ["Pod web/a"; 4]);
}

#[test]
fn lists_of_every_kind() {
    assert_eq!(read_text(list(&[])), [""; 0]);
    assert_eq!(read_text(r#"{"kind":"List","apiVersion":"v1","items":null}"#), [""; 0]);
    assert_eq!(read_text(list(&[POD, &list(&[POD]), POD])), ["Pod web/a"; 3]);
    // An API server's raw answer: the items do not say what they are.
    let raw = r#"{"kind":"PodList","apiVersion":"v1","metadata":{"continue":"xyz"},
        "items":[{"metadata":{"name":"a","namespace":"web"},"spec":{}}]}"#;
    assert_eq!(
        read_text(raw),
        [
            "Pod web/a",
            "error: f:2: item 1: PodList: metadata.continue: the list goes on behind this part of it"
        ]
    );
    let page = read_page("GET /api/v1/pods", raw.as_bytes()).unwrap();
    assert_eq!((page.items.len(), page.continue_token.as_str()), (1, "xyz"));
    let raw = r#"{"kind":"PodSecurityPolicyList","apiVersion":"extensions/v1beta1",
        "items":[{"metadata":{"name":"p"}}]}"#;
    assert_eq!(read_text(raw), ["PodSecurityPolicy /p"]);
}

#[test]
fn kind_after_items() {
    let bare = r#"{"metadata":{"name":"b"},"spec":{"hostPID":true}}"#;
    let text =
        format!(r#"{{"items":[{bare},{POD},{bare}],"apiVersion":"v1","kind":"PodList"}} {POD}"#);
    assert_eq!(read_text(text), ["Pod /b", "Pod web/a", "Pod /b", "Pod web/a"]);
    // The plain List says nothing of its items.
    let text = list(&[bare, POD]);
    assert_eq!(
        read_text(text),
        ["error: f:1: item 0: its kind or apiVersion is missing", "Pod web/a"]
    );
}

#[test]
fn kind_after_the_rest() {
    let pod = super::pod(
        r#"{"spec":{"hostPID":true},"metadata":{"name":"a"},"kind":"Pod","apiVersion":"v1"}"#,
    );
    assert!(pod.template.spec.host_pid);
}

#[test]
fn the_last_of_duplicate_keys_wins() {
    let pod = super::pod(
        r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x","name":"a"},
            "spec":{"hostPID":true},"spec":{"hostIPC":true},"kind":"Pod"}"#,
    );
    assert_eq!(&*pod.name, "a");
    assert!(pod.template.spec.host_ipc && !pod.template.spec.host_pid);
    let pod = super::pod(
        r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"hostPID":true,"hostPID":null}}"#,
    );
    assert!(!pod.template.spec.host_pid);
}

#[test]
fn null_is_absent_and_one_point_zero_an_integer() {
    let pod = super::pod(
        r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","labels":null,"annotations":{"a":null}},
            "spec":{"securityContext":{"runAsUser":1000.0,"fsGroup":null},"containers":[null]}}"#,
    );
    let context = pod.template.spec.security_context.as_ref().unwrap();
    assert_eq!((context.run_as_user, context.fs_group), (Some(1000), None));
    assert_eq!(pod.template.spec.containers.len(), 1);
}

#[test]
fn a_bad_object_costs_one_object() {
    let bad = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"namespace":"web","name":"bad"},
        "spec":{"hostPID":true,"containers":"s3cret"}}"#;
    let ports = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"bad"},
        "spec":{"containers":[{"name":"x","ports":7}]}}"#;
    let expected = [
        "Pod web/a",
        "error: f:2: item 1: Pod `web/bad`: spec.containers: expected a list, not a string",
        "Pod web/a",
        "error: f:3: item 3: Pod `bad`: spec.containers[0].ports: expected a list, not a number",
        "error: f:3: item 4: expected an object, not a number",
        "error: f:3: item 5: expected an object, not null",
        "Pod web/a",
    ];
    assert_eq!(read_text(list(&[POD, bad, POD, ports, "7", "null", POD])), expected);
}

#[test]
fn no_error_quotes_the_object() {
    let bad = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"bad"},
        "spec":{"hostPID":"hunter2, expected nothing","initContainers":5}}"#;
    let error = read_text(bad).remove(0);
    assert_eq!(
        error,
        "error: f:2: item 0: Pod `bad`: spec.hostPID: expected a boolean, not a string"
    );
    let number = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"bad"},
        "spec":{"securityContext":{"runAsUser":31337.5}}}"#;
    assert!(read_text(number)[0].ends_with("spec.securityContext.runAsUser: expected an integer"));
}

#[test]
fn a_truncated_file_yields_what_is_whole() {
    let text = list(&[POD, POD]);
    for end in 1..text.len() {
        let lines = read_text(&text[..end]);
        let (last, before) = lines.split_last().unwrap();
        assert!(last.contains("the file ends within"), "{end}: {last}");
        assert!(before.iter().all(|line| line == "Pod web/a"));
    }
    let cut = &text[..text.len() - 18];
    assert_eq!(
        read_text(cut),
        ["Pod web/a", "error: f:1: item 1: Pod `web/a`: the file ends within the object"]
    );
}

#[test]
fn a_syntax_error_ends_the_file() {
    let text = format!("{POD}\n{{\"apiVersion\":\"v1\",\n\"kind\":Pod}}\n{POD}");
    assert_eq!(
        read_text(text),
        ["Pod web/a", "error: f:3: item 1: it is not valid JSON: expected value"]
    );
    let missing_comma = format!(r#"{{"items":[{POD} {POD}]}}"#);
    assert_eq!(
        read_text(missing_comma),
        ["Pod web/a", "error: f:1: item 1: it is not valid JSON: a list is malformed"]
    );
}

#[test]
fn broken_characters_cost_one_object() {
    let mut text = br#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"#.to_vec();
    text.push(0xff);
    text.extend_from_slice(br#""}}"#);
    text.extend_from_slice(POD.as_bytes());
    let lines = read_text(text);
    assert!(lines[0].contains("invalid unicode code point"), "{}", lines[0]);
    assert_eq!(lines[1], "Pod web/a");
}

#[test]
fn nesting_takes_neither_the_stack_nor_memory() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    assert_eq!(read_text(&deep), ["error: f:1: item 0: it is nested too deep"]);
    let deep_field =
        format!(r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"a","x":{deep}}}}}"#);
    assert_eq!(read_text(deep_field), ["Pod /a"]);
    let lists = format!("{}{}", r#"{"items":["#.repeat(10_000), "]}".repeat(10_000));
    assert_eq!(read_text(lists), ["error: f:1: item 0: lists are nested too deep"]);
    let objects = format!("{}1{}", r#"{"a":"#.repeat(10_000), "}".repeat(10_000));
    assert_eq!(read_text(objects), ["error: f:1: item 0: its kind or apiVersion is missing"]);
}

#[test]
fn objects_across_chunks_are_read_again() {
    let padding = "x".repeat(300_000);
    let pod = format!(
        r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"a","annotations":{{"p":"{padding}"}}}},"status":{{"phase":"Running"}}}}"#
    );
    let text = list(&vec![pod.as_str(); 20]);
    assert_eq!(read_text(text), ["Pod /a"; 20]);
}

#[test]
fn lines_are_counted_through_lists() {
    let text = format!("{{\n\"items\": [\n{POD},\n\n{POD}\n]}}\n{POD}");
    let lines: Vec<_> = items(text).into_iter().map(|item| item.unwrap().source.line).collect();
    assert_eq!(lines, [Some(3), Some(5), Some(7)]);
}

#[test]
fn items_twice_are_reported() {
    let text = format!(r#"{{"items":[{POD}],"items":[{POD}],"kind":"List"}}"#);
    let lines = read_text(text);
    assert_eq!(lines[0], "Pod web/a");
    assert!(lines[1].contains("`items` twice"), "{}", lines[1]);
}

#[test]
fn json_and_yaml_may_follow_each_other() {
    let text = format!("{POD}\n---\napiVersion: v1\nkind: Pod\nmetadata: {{name: b}}\n---\n{POD}");
    assert_eq!(read_text(text), ["Pod web/a", "Pod /b", "Pod web/a"]);
    let item = items("{apiVersion: v1, kind: Pod, metadata: {name: c}}").remove(0);
    assert_eq!(line(&item), "Pod /c");
}
