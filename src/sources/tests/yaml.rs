//! YAML in every form.

use std::fmt::Write as _;

use super::{items, read_text};

fn pod_text(name: &str) -> String {
    format!("apiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}\n")
}

#[test]
fn documents() {
    let text = format!(
        "# a comment\n%YAML 1.1\n---\n{}--- # another\n{}...\n---\n# nothing\n---\nnull\n---\n{}",
        pod_text("a"),
        pod_text("b"),
        pod_text("c")
    );
    assert_eq!(read_text(&text), ["Pod /a", "Pod /b", "Pod /c"]);
    let crlf = text.replace('\n', "\r\n");
    assert_eq!(read_text(format!("\u{feff}{crlf}")), ["Pod /a", "Pod /b", "Pod /c"]);
    assert_eq!(read_text("--- {apiVersion: v1, kind: Pod, metadata: {name: d}}"), ["Pod /d"]);
    assert_eq!(read_text("  apiVersion: v1\n  kind: Pod\n  metadata: {name: e}\n"), ["Pod /e"]);
}

#[test]
fn a_marker_within_a_string_is_none() {
    let text = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  annotations:\n    x: |\n      ---\n      y\n    z: '---'\n";
    assert_eq!(read_text(text), ["Pod /a"]);
}

#[test]
fn lists_in_block_style_in_every_indent() {
    let kubectl = "apiVersion: v1\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata:\n    name: a\n# between\n\n- kind: Secret\n  apiVersion: v1\n  metadata:\n    name: s\nkind: List\nmetadata: {}\n";
    assert_eq!(read_text(kubectl), ["Pod /a", "skipped Secret /s"]);
    let indented = "items:\n  -\n    apiVersion: v1\n    kind: Pod\n    metadata: {name: a}\n  - apiVersion: v1\n    kind: Pod\n    metadata: {name: b}\napiVersion: v1\nkind: List\n";
    assert_eq!(read_text(indented), ["Pod /a", "Pod /b"]);
    let flow =
        "kind: List\napiVersion: v1\nitems: [{apiVersion: v1, kind: Pod, metadata: {name: a}}]\n";
    assert_eq!(read_text(flow), ["Pod /a"]);
    assert_eq!(read_text("apiVersion: v1\nitems: []\nkind: List\n"), [""; 0]);
    assert_eq!(read_text("apiVersion: v1\nitems:\nkind: List\n"), [""; 0]);
    let nested = "items:\n- apiVersion: v1\n  kind: List\n  items:\n  - apiVersion: v1\n    kind: Pod\n    metadata: {name: a}\n";
    assert_eq!(read_text(nested), ["Pod /a"]);
    // A custom object may have items of its own.
    let other = "apiVersion: example.com/v1\nkind: Basket\nmetadata: {name: b}\nitems:\n- apple\n";
    assert_eq!(read_text(other), ["skipped Basket /b"]);
}

#[test]
fn items_take_their_kind_from_the_list() {
    let item = "- metadata:\n    name: a\n  spec:\n    hostPID: true\n";
    let typed = format!("apiVersion: v1\nkind: PodList\nitems:\n{item}");
    assert_eq!(read_text(typed), ["Pod /a"]);
    let late = format!(
        "apiVersion: v1\nitems:\n{item}- apiVersion: v1\n  kind: Secret\n  metadata: {{name: s}}\n{item}kind: PodList\n---\n{}",
        pod_text("z")
    );
    assert_eq!(read_text(late), ["Pod /a", "skipped Secret /s", "Pod /a", "Pod /z"]);
}

#[test]
fn lines_are_those_of_the_file() {
    let text = "---\napiVersion: v1\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: a}\n- apiVersion: v1\n  kind: Pod\n  metadata:\n    name: b\n   bad: indent\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: c}\n---\nx: [1\n---\n";
    let lines: Vec<_> = items(text).into_iter().map(|item| item.unwrap().source.line).collect();
    assert_eq!(lines, [Some(4), Some(7), Some(12), Some(16)]);
    let errors = read_text(text);
    assert!(
        errors[1].starts_with("error: f:11: item 1: Pod `b`: it is not valid YAML"),
        "{}",
        errors[1]
    );
    assert_eq!(errors[2], "Pod /c");
    assert!(errors[3].starts_with("error: f:1"), "{}", errors[3]);
}

#[test]
fn kubectl_reads_yaml_1_1() {
    let pod = super::pod(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  hostNetwork: yes\n  hostPID: On\n  hostIPC: off\n  securityContext: {runAsUser: 0644, runAsGroup: 0x10, fsGroup: 1.0}\n",
    );
    let spec = &pod.template.spec;
    assert!(spec.host_network && spec.host_pid && !spec.host_ipc);
    let context = spec.security_context.as_ref().unwrap();
    assert_eq!(
        (context.run_as_user, context.run_as_group, context.fs_group),
        (Some(420), Some(16), Some(1))
    );
    assert_eq!(
        read_text("apiVersion: v1\nkind: Pod\nmetadata:\n  name: yes\n"),
        ["error: f:1: item 0: Pod: metadata.name: expected a string, not a boolean"]
    );
}

#[test]
fn merge_keys_and_duplicates() {
    let pod = super::pod(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - &base\n    name: one\n    securityContext: {privileged: true}\n  - <<: *base\n    name: two\n  hostPID: true\n  hostPID: false\n",
    );
    let spec = &pod.template.spec;
    assert_eq!(spec.containers[1].name, "two");
    assert_eq!(spec.containers[1].security_context, spec.containers[0].security_context);
    assert!(!spec.host_pid);
}

#[test]
fn anchors_hold_for_the_whole_list() {
    let text = "apiVersion: v1\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: &meta\n    name: a\n- apiVersion: v1\n  kind: Pod\n  metadata: *meta\n- apiVersion: v1\n  kind: Pod\n  metadata: *none\nkind: List\n";
    assert_eq!(
        read_text(text),
        [
            "Pod /a",
            "Pod /a",
            "error: f:12: item 2: Pod: an alias names an anchor that does not exist"
        ]
    );
}

#[test]
fn bad_types_and_unknown_kinds() {
    let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: web}\nspec: {containers: s3cret}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n---\njust text\n---\n- 1\n";
    assert_eq!(
        read_text(text),
        [
            "error: f:1: item 0: Pod `web/a`: spec.containers: expected a list, not a string",
            "skipped ConfigMap /c",
            "error: f:10: item 2: expected an object, not a string",
            "error: f:12: item 3: expected an object, not a list",
        ]
    );
}

#[test]
fn a_truncated_file_yields_what_is_whole() {
    let text = "apiVersion: v1\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata:\n    name: a\n- apiVersion: v1\n  kind: Pod\n  metadata:\n    name: \"b";
    let lines = read_text(text);
    assert_eq!(lines[0], "Pod /a");
    assert!(lines[1].starts_with("error: f:1"), "{}", lines[1]);
    assert_eq!(lines.len(), 2);
}

#[test]
fn bombs_are_refused() {
    let mut bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (name, of) in ["b", "c", "d", "e", "f", "g", "h", "i"]
        .iter()
        .zip(["a", "b", "c", "d", "e", "f", "g", "h"])
    {
        writeln!(bomb, "{name}: &{name} [{}]", vec![format!("*{of}"); 9].join(", ")).unwrap();
    }
    let errors = read_text(&bomb);
    assert!(errors[0].ends_with(": aliases unfold to too much"), "{}", errors[0]);
    // Depth that no line shows.
    let mut deep = "x0: &x0 {a: b}\n".to_owned();
    for n in 1..1_000 {
        writeln!(deep, "x{n}: &x{n}\n a: *x{}", n - 1).unwrap();
    }
    let errors = read_text(&deep);
    assert!(errors[0].starts_with("error: "), "{}", errors[0]);
    // Few aliases of much text.
    let long =
        format!("a: &a \"{}\"\nb: [{}]\n", "x".repeat(100_000), vec!["*a"; 5_000].join(", "));
    let errors = read_text(&long);
    assert!(errors[0].ends_with(": aliases unfold to too much"), "{}", errors[0]);
}

#[test]
fn nesting_does_not_take_the_stack() {
    let flow = format!("a: {}{}\n", "[".repeat(10_000), "]".repeat(10_000));
    assert_eq!(read_text(flow), ["error: f:1: item 0: it is nested too deep"]);
    let mut block = String::new();
    for depth in 0..3_000 {
        writeln!(block, "{}a:", " ".repeat(depth)).unwrap();
    }
    let errors = read_text(block);
    assert!(errors[0].ends_with("it is nested too deep"), "{}", errors[0]);
    let deep = format!("{}x: {}{}\n", pod_text("a"), "[".repeat(120), "]".repeat(120));
    assert_eq!(read_text(deep), ["Pod /a"]);
}

#[test]
fn names_do_not_reach_the_terminal_raw() {
    let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: \"a\\e[2Jb\"}\nspec: {containers: 1}\n";
    assert_eq!(
        read_text(text),
        ["error: f:1: item 0: Pod `a\\u{1b}[2Jb`: spec.containers: expected a list, not a number"]
    );
}

#[test]
fn not_text_in_one_document() {
    let mut text = pod_text("a").into_bytes();
    text.extend_from_slice(b"---\nx: \xff\xfe\n---\n");
    text.extend_from_slice(pod_text("b").as_bytes());
    assert_eq!(read_text(text), ["Pod /a", "error: f:6: item 1: it is not UTF-8", "Pod /b"]);
}

#[test]
fn anchors_in_what_is_not_read_count_too() {
    let text = "items:\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: a}\n  spec:\n    containers:\n    - env:\n      - name: &name app\n      name: *name\n";
    let super::Content::Object { object: super::Object::Pod(pod), .. } =
        items(text).remove(0).unwrap().content.unwrap()
    else {
        panic!()
    };
    assert_eq!(pod.template.spec.containers[0].name, "app");
}
