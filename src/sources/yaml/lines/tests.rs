//! Is every object that is accepted the one that the full parser gives?

use std::path::Path;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::agreement::{accepts, accepts_document, fast};
use super::*;
use crate::sources::yaml::list::indent_of_dash;

/// The items of the demo clusters.
fn demo_items(file: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/clusters").join(file);
    #[expect(clippy::disallowed_methods, reason = "a test reads its data")]
    let bytes = std::fs::read(path).unwrap();
    let mut text = String::new();
    if bytes.starts_with(&[0x1f, 0x8b]) {
        use std::io::Read as _;
        flate2::read::GzDecoder::new(bytes.as_slice()).read_to_string(&mut text).unwrap();
    } else {
        text = String::from_utf8(bytes).unwrap();
    }
    let mut items: Vec<String> = Vec::new();
    let mut is_in_items = false;
    for line in text.split_inclusive('\n') {
        if indent_of_dash(line.as_bytes()) == Some(0) {
            items.push(String::new());
            is_in_items = true;
        } else if !line.starts_with(' ') {
            is_in_items = false;
        }
        if is_in_items && let Some(item) = items.last_mut() {
            item.push_str(line);
        }
    }
    items
}

#[test]
fn the_demo_clusters_are_read_fast() {
    // docs/PERFORMANCE.md gives these figures.
    for (file, n_items, n_fast) in [("demo-1.21.yaml", 397, 394), ("demo2-1.21.yaml.gz", 610, 601)]
    {
        let items = demo_items(file);
        let declined: Vec<_> = items.iter().filter(|item| !accepts(item)).collect();
        assert_eq!(items.len(), n_items, "{file}");
        assert_eq!(items.len() - declined.len(), n_fast, "{file}: {declined:#?}");
    }
}

/// The text of a pod, with more lines of its spec.
fn pod_with(lines: &str) -> String {
    format!("- apiVersion: v1\n  kind: Pod\n  metadata:\n    name: a\n  spec:\n{lines}")
}

#[test]
fn what_kubectl_prints_is_accepted() {
    for lines in [
        "    hostNetwork: true\n",
        "    containers:\n    - args:\n      - --a=b: c\n".replace(": c", ":c").as_str(),
        "    containers:\n    - name: c\n      securityContext: {}\n      volumeMounts: []\n",
        "    unread: a\n      b c\n      d\n",
        "    unread: 'a\n\n      b''c: d'\n    hostPID: true\n",
        "    unread: \"a\\\n      \\ b\\\"\"\n    hostPID: true\n",
        "    unread: |\n      #!/bin/sh\n\n        x: y\n      z\n    hostPID: true\n",
        "    unread: >-\n      a\n      b\n\n    hostPID: true\n",
        "    unread: |2-\n       a\n      b\n    hostPID: true\n",
        "    unread:\n    - - a\n      - b\n    - f:x:\n        k:{\"a\":\"b\"}: {}\n        .: {}\n",
        "    unread: 1.5\n    other: Yes\n    third: 12:30:00\n    zero: 010\n",
        "    serviceAccountName: \"\\u00e4\\x41\\n\"\n    nodeName: 'it''s'\n",
        "    serviceAccountName: \u{e4}\n".replace('\u{e4}', "r\u{e4}").as_str(),
    ] {
        assert!(accepts(&pod_with(lines)), "{lines}");
    }
}

#[test]
fn literal_annotations_are_read() {
    let text = "- apiVersion: v1\n  kind: Pod\n  metadata:\n    annotations:\n      kubernetes.io/psp: |\n        a\n\n          b\n    name: a\n";
    assert!(accepts(text));
    let stripped = text.replace('|', "|-");
    assert!(accepts(&stripped));
    assert_ne!(fast(text), fast(&stripped));
}

#[test]
fn what_is_unusual_is_declined() {
    for lines in [
        "    hostNetwork: yes\n",
        "    hostNetwork: True\n",
        "    priority: 0644\n    securityContext:\n      runAsUser: 0644\n",
        "    unread: .inf\n",
        "    unread: 1e999\n",
        "    unread: {a: b}\n",
        "    unread: [a]\n",
        "    unread: &a b\n",
        "    unread: *a\n",
        "    unread: !!str 1\n",
        "    unread: a # comment\n",
        "    # comment\n    unread: a\n",
        "    unread: a\tb\n",
        "    unread: a: b\n",
        "    unread: a:\n",
        "    unread: \"a\n    b\"\n",
        "    unread: \"a\\q\"\n",
        "    unread: \"a\" b\n",
        "    unread: 'a\n",
        "    unread: |\n     a\n    b: c\n   d: e\n",
        "    unread: |\n\n         \n      a\n",
        "    unread: |\n    hostPID: true\n",
        "    <<: {}\n",
        "    \"<<\": {}\n",
        "    ? a\n    : b\n",
        "    null: b\n",
        "    a : b\n",
        "    a:  b\n",
        "    a: b \n",
        "    a:\n      - b\n     - c\n",
        "    a:\n      b: c\n     d: e\n",
        "    serviceAccountName: a\n      b\n",
        "    serviceAccountName: 'a\n      b'\n",
        "    unread: a\u{85}b\n",
        "    unread: a\u{2028}b\n",
        "    unread: a",
        "    unread: a\r\n",
        "    containers:\n    -  name: a\n",
        "    containers:\n    -\n      name: a\n",
        "    containers: x\n",
    ] {
        assert!(fast(&pod_with(lines)).is_none(), "{lines}");
    }
}

#[test]
fn documents() {
    let text =
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  containers:\n  - name: c\n";
    assert!(accepts_document(text));
    for text in ["- a\n", " a: b\n", "a: b\nc\n", "a\n", "--- a: b\n", "kind: List\nitems: []\n"] {
        assert_eq!(document(text.as_bytes(), &Expected::Unknown), None, "{text}");
    }
}

const KEYS: [&str; 30] = [
    "spec",
    "metadata",
    "labels",
    "annotations",
    "containers",
    "name",
    "securityContext",
    "volumes",
    "hostPID",
    "kind",
    "apiVersion",
    "env",
    "value",
    "emptyDir",
    "runAsUser",
    "kubernetes.io/psp",
    "ports",
    "hostPort",
    "managedFields",
    "f:a",
    "k:{\"a\":1}",
    ".",
    "y",
    "1",
    "\"q: r\"",
    "'s'",
    "template",
    "status",
    "-a",
    "~",
];

const VALUES: [&str; 62] = [
    "",
    "",
    "",
    "",
    " a",
    " b c",
    " 1",
    " -1",
    " 0",
    " 007",
    " 1e3",
    " 1.0",
    " 0x1f",
    " 1_0",
    " 1:2",
    " true",
    " yes",
    " null",
    " ~",
    " {}",
    " []",
    " \"a\"",
    " 'a'",
    " \"a",
    " 'a",
    " a\"",
    " |",
    " |-",
    " >",
    " |2",
    " |+",
    " a: b",
    " a:",
    " #c",
    " a #c",
    " a#c",
    " - a",
    " -",
    " --a",
    " &a",
    " *a",
    " !a",
    " %a",
    " @a",
    " \"\\n\"",
    " \"\\\"",
    " 'a''b'",
    " \u{e4}",
    " http://a:1/",
    " <none>",
    " .inf",
    " -.5",
    " .5",
    " 12345678901234567890",
    " 2020-01-01T00:00:00Z",
    " 0b1",
    " 1-1-1",
    " 9a",
    " 0a",
    " ''",
    " \"\\u00e4\\x41\\ud800\"",
    " a\\",
];

const ODD: [&str; 14] =
    ["", "   ", "a", "\"", "'", "\\", "# c", "---", "...", "}", "b\"", "b'", "- - a", "? a"];

/// A line of a text that is near to being YAML.
fn line() -> impl Strategy<Value = String> {
    let indent = prop_oneof![6 => (0..6_usize).prop_map(|n| n * 2), 1 => 0..10_usize];
    let dashes = prop::sample::select(vec!["", "", "", "- ", "- - "]);
    let entry = (prop::sample::select(&KEYS[..]), prop::sample::select(&VALUES[..]))
        .prop_map(|(key, value)| format!("{key}:{value}"));
    let scalar = prop::sample::select(&VALUES[..]).prop_map(|value| value.trim_start().to_owned());
    let odd = prop::sample::select(&ODD[..]).prop_map(str::to_owned);
    let content = prop_oneof![8 => entry, 2 => scalar, 1 => odd];
    (indent, dashes, content)
        .prop_map(|(indent, dashes, content)| format!("{}{dashes}{content}\n", " ".repeat(indent)))
}

/// Lines in which each is indented as some line before, or a little deeper.
fn near_yaml() -> impl Strategy<Value = String> {
    prop::collection::vec(line(), 1..8).prop_map(|lines| {
        let mut text = String::from("- apiVersion: v1\n  kind: Pod\n");
        let mut deepest = 2;
        for line in lines {
            let content = line.trim_start_matches(' ');
            let indent = (line.len() - content.len()).min(deepest + 2);
            text.push_str(&" ".repeat(indent.max(2)));
            text.push_str(content);
            deepest = indent.max(2) + if content.starts_with("- ") { 2 } else { 0 };
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 4_000, failure_persistence: None, ..Default::default()
    })]

    #[test]
    fn what_is_near_yaml_is_read_right_or_declined(text in near_yaml()) {
        accepts(&text);
    }

    #[test]
    fn a_plain_scalar_is_what_the_full_parser_says(
        text in "[-+.0-9eExXobnaifyY_:/~<]{1,5}",
        is_key: bool,
    ) {
        let line = if is_key { format!("{text}: a") } else { format!("a: {text}") };
        accepts(&format!("- apiVersion: v1\n  kind: Namespace\n  metadata:\n    labels:\n      {line}\n"));
        accepts(&pod_with(&format!("    {line}\n")));
    }
}

/// Changes something about a text.
fn mutate(text: &mut Vec<u8>, others: &[String], rng: &mut fastrand::Rng) {
    const BYTES: &[u8] = b"\"'\\:#-{}[]|>&*!%@ \n\t?,~<.0e";
    const SNIPPETS: [&str; 18] = [
        ": ", " #", "- ", "''", "\\\"", "\n\n", "\n  ", "  ", "|-", ">", "null", "yes", "<<: ",
        "{}", "[]", "\u{2028}", "\\x4", "...",
    ];
    let at = rng.usize(..=text.len());
    let starts: Vec<usize> =
        std::iter::once(0).chain(memchr::memchr_iter(b'\n', text).map(|at| at + 1)).collect();
    let line = rng.usize(1..starts.len().max(2)).min(starts.len() - 1);
    let (start, end) = (starts[line], starts.get(line + 1).copied().unwrap_or(text.len()));
    match rng.u8(..11) {
        0 if at < text.len() => text[at] = BYTES[rng.usize(..BYTES.len())],
        1 => text.insert(at, BYTES[rng.usize(..BYTES.len())]),
        2 if at < text.len() => drop(text.remove(at)),
        3 => {
            let snippet = SNIPPETS[rng.usize(..SNIPPETS.len())];
            text.splice(at..at, snippet.bytes());
        }
        4 => drop(text.drain(start..end)),
        5 => {
            let copy = text[start..end].to_vec();
            let to = starts[rng.usize(..starts.len())];
            text.splice(to..to, copy);
        }
        6 => text.insert(start, b' '),
        7 if text.get(start) == Some(&b' ') => drop(text.remove(start)),
        8 => {
            let colon = memchr::memchr(b':', &text[start..end]).map(|at| start + at + 1);
            let value = VALUES[rng.usize(..VALUES.len())];
            if let Some(colon) = colon {
                text.splice(colon..end.saturating_sub(1).max(colon), value.bytes());
            }
        }
        9 => {
            // Several lines of another object.
            let other = &others[rng.usize(..others.len())];
            let lines: Vec<&str> = other.split_inclusive('\n').skip(1).collect();
            let from = rng.usize(..lines.len().max(1)).min(lines.len());
            let to = (from + rng.usize(..6)).min(lines.len());
            text.splice(start..start, lines[from..to].concat().into_bytes());
        }
        _ => text.truncate(end),
    }
}

/// Mutates the demo clusters' objects for that long; how many texts were accepted.
fn fuzz(seed: u64, time: Duration, n_texts: usize) -> usize {
    let items: Vec<String> = ["demo-1.21.yaml", "demo2-1.21.yaml.gz"]
        .into_iter()
        .flat_map(demo_items)
        .filter(|item| item.len() < 6_000)
        .collect();
    let mut rng = fastrand::Rng::with_seed(seed);
    let start = Instant::now();
    let mut n_accepted = 0;
    for _ in 0..n_texts {
        if start.elapsed() > time {
            break;
        }
        let mut text = items[rng.usize(..items.len())].clone().into_bytes();
        for _ in 0..=rng.usize(..3) {
            mutate(&mut text, &items, &mut rng);
        }
        let Ok(text) = String::from_utf8(text) else { continue };
        n_accepted += usize::from(accepts(&text));
    }
    n_accepted
}

#[test]
fn mutated_objects_are_read_right_or_declined() {
    assert!(fuzz(1, Duration::from_secs(5), 4_000) > 0);
}

/// `cargo test --release --lib -- --ignored for_long`
#[test]
#[ignore = "takes five minutes"]
fn mutated_objects_are_read_right_or_declined_for_long() {
    assert!(fuzz(fastrand::u64(..), Duration::from_mins(5), usize::MAX) > 0);
}
