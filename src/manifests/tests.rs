use std::collections::BTreeMap;

use proptest::prelude::*;
use similar::{ChangeTag, TextDiff};

use super::*;

const ENFORCE: &str = "pod-security.kubernetes.io/enforce";
const WARN: &str = "pod-security.kubernetes.io/warn";

fn labels() -> BTreeMap<String, String> {
    BTreeMap::from([
        (ENFORCE.to_owned(), "baseline".to_owned()),
        (WARN.to_owned(), "restricted".to_owned()),
    ])
}

fn of_text(text: &str) -> Result<String, Reason> {
    let document = documents(text).into_iter().find(|document| !document.is_blank());
    edited(&document.unwrap(), &labels())
}

#[test]
fn labels_come_in_by_as_few_lines_as_possible() {
    for (name, before, after) in [
        (
            "no labels",
            "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop # ours\n",
            "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop # ours\n  labels:\n    \
             pod-security.kubernetes.io/enforce: baseline\n    \
             pod-security.kubernetes.io/warn: restricted\n",
        ),
        (
            "four blanks, no newline at the end, what comes behind the name",
            "kind: Namespace\nmetadata:\n    name: shop\n\n    # why\n    annotations:\n        a: b",
            "kind: Namespace\nmetadata:\n    name: shop\n    labels:\n        \
             pod-security.kubernetes.io/enforce: baseline\n        \
             pod-security.kubernetes.io/warn: restricted\n\n    # why\n    annotations:\n        a: b",
        ),
        (
            "no newline at the end",
            "kind: Namespace\nmetadata:\n  labels:\n    a: b\n  name: shop\n  labels2: # none",
            "kind: Namespace\nmetadata:\n  labels:\n    a: b\n    \
             pod-security.kubernetes.io/enforce: baseline\n    \
             pod-security.kubernetes.io/warn: restricted\n  name: shop\n  labels2: # none",
        ),
        (
            "the last line",
            "kind: Namespace\r\nmetadata:\r\n  name: shop",
            "kind: Namespace\r\nmetadata:\r\n  name: shop\r\n  labels:\r\n    \
             pod-security.kubernetes.io/enforce: baseline\r\n    \
             pod-security.kubernetes.io/warn: restricted",
        ),
        (
            "an empty map",
            "metadata:\n  labels: {} # none yet\n  name: shop\n",
            "metadata:\n  labels: # none yet\n    pod-security.kubernetes.io/enforce: baseline\n    \
             pod-security.kubernetes.io/warn: restricted\n  name: shop\n",
        ),
        (
            "nothing, and null",
            "metadata:\n  labels: ~\n  name: shop\n",
            "metadata:\n  labels:\n    pod-security.kubernetes.io/enforce: baseline\n    \
             pod-security.kubernetes.io/warn: restricted\n  name: shop\n",
        ),
        (
            "other values, in quotes and not, with comments",
            "metadata:\n  name: shop\n  labels:\n    # first\n    \
             pod-security.kubernetes.io/warn: \"baseline\"  # soon more\n    \
             'pod-security.kubernetes.io/enforce': 'privileged'\n    team: web\n    # last\n",
            "metadata:\n  name: shop\n  labels:\n    # first\n    \
             pod-security.kubernetes.io/warn: \"restricted\"  # soon more\n    \
             'pod-security.kubernetes.io/enforce': 'baseline'\n    team: web\n    # last\n",
        ),
        (
            "one is there, one is not",
            "metadata:\n  labels:\n      pod-security.kubernetes.io/enforce: privileged\t# x\n\n      \
             team: web\n  name: shop\n",
            "metadata:\n  labels:\n      pod-security.kubernetes.io/enforce: baseline\t# x\n      \
             pod-security.kubernetes.io/warn: restricted\n\n      team: web\n  name: shop\n",
        ),
        (
            "a value that is missing",
            "metadata:\n  labels:\n    pod-security.kubernetes.io/enforce: # what?\n    \
             pod-security.kubernetes.io/warn: null\n  name: shop\n",
            "metadata:\n  labels:\n    pod-security.kubernetes.io/enforce: baseline # what?\n    \
             pod-security.kubernetes.io/warn: restricted\n  name: shop\n",
        ),
        (
            "lists and blocks of text",
            "metadata:\n  finalizers:\n  - a\n  name: shop\n  annotations:\n    text: |\n      \
             labels: {}\n\n      # no comment\nspec:\n  finalizers: [kubernetes]\n",
            "metadata:\n  finalizers:\n  - a\n  name: shop\n  labels:\n    \
             pod-security.kubernetes.io/enforce: baseline\n    \
             pod-security.kubernetes.io/warn: restricted\n  annotations:\n    text: |\n      \
             labels: {}\n\n      # no comment\nspec:\n  finalizers: [kubernetes]\n",
        ),
    ] {
        assert_eq!(of_text(before).as_deref(), Ok(after), "{name}");
        assert_eq!(of_text(after).as_deref(), Ok(after), "{name}, again");
    }
}

#[test]
fn what_cannot_be_edited_safely_is_refused() {
    for (text, want) in [
        ("kind: Namespace\nmetadata: {name: shop}\n", "line 2: it is in flow style (`{…}`)"),
        ("--- {metadata: {name: shop}}\n", "line 1: it is laid out in a way that is not edited"),
        ("---\nmetadata:\n  name: shop\n  labels: {a: b}\n", "line 4: it is in flow style (`{…}`)"),
        ("metadata:\n  name: shop\n\tlabels:\n", "line 3: "),
        (
            "metadata:\n  name: shop\n  labels: &l\n    a: b\n",
            "line 3: an anchor, alias, tag or merge key",
        ),
        (
            "x: &l {a: b}\nmetadata:\n  name: shop\n  labels:\n    <<: *l\n",
            "line 1: an anchor, alias, tag or merge key",
        ),
        (
            "metadata:\n  name: shop\n  labels:\n    ? pod-security.kubernetes.io/enforce\n    : baseline\n",
            "line 4: it is laid out in a way that is not edited",
        ),
        (
            "metadata:\n  name: shop\n  labels:\n    pod-security.kubernetes.io/enforce: |-\n      baseline\n",
            "line 4: it is laid out in a way that is not edited",
        ),
        (
            "metadata:\n  name: shop\n  labels:\n    pod-security.kubernetes.io/enforce: base\n      line\n",
            "line 4: it is laid out in a way that is not edited",
        ),
        ("metadata:\n  name: \"{{ .Release.Name }}\"\n", "line 2: it is a template (`{{ }}`)"),
        ("metadata:\n  name: shop # a\rb\n", "line 2: a carriage return stands alone"),
        ("metadata:\n  name: shop\n  labels:\n    team: web\n    team: db\n", "line 5: "),
        (
            " kind: Namespace\n metadata:\n  name: shop\n",
            "line 1: it is laid out in a way that is not edited",
        ),
        (
            "metadata:\n  name: shop\n  labels: none\n",
            "line 3: it is laid out in a way that is not edited",
        ),
        (
            "metadata:\n  name: shop\n  annotations:\n    a: \"x\n  labels: \n    y\"\n",
            "line 5: it is not valid YAML",
        ),
        (
            "metadata:\n  name: shop\n  labels:\n    a: |\n      x\n      # no comment\n",
            "line 1: edited, it would not be read as the same object with the labels",
        ),
    ] {
        match of_text(text) {
            Err(reason) => {
                let reason = reason.to_string();
                assert!(reason.starts_with(want), "{text}: {reason}");
            }
            Ok(edited) => panic!("{text} became {edited}"),
        }
    }
}

/// How a generated manifest is written.
#[derive(Debug, Clone)]
struct Style {
    indent: usize,
    end: &'static str,
    has_last_end: bool,
    quote: &'static str,
    comment: &'static str,
    gap: &'static str,
    has_marker: bool,
    is_mark_first: bool,
}

fn styles() -> impl Strategy<Value = Style> {
    (
        1..6usize,
        prop::sample::select(vec!["\n", "\r\n"]),
        any::<bool>(),
        prop::sample::select(vec!["", "'", "\""]),
        prop::sample::select(vec!["", " # c", "  # \"'{}: &x", "\t# t"]),
        prop::sample::select(vec!["", "\n", "# c\n", "  # deep\n\n"]),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(
            |(indent, end, has_last_end, quote, comment, gap, has_marker, is_mark_first)| Style {
                indent,
                end,
                has_last_end,
                quote,
                comment,
                gap,
                has_marker,
                is_mark_first,
            },
        )
}

/// What stands for the labels.
#[derive(Debug, Clone)]
enum Present {
    No,
    Empty(&'static str),
    Some(Vec<(&'static str, &'static str)>),
}

fn present() -> impl Strategy<Value = Present> {
    let keys = vec!["team", "app.kubernetes.io/name", ENFORCE, WARN, "istio-injection"];
    let values = vec!["privileged", "web", "yes-no", "v1.25", "latest"];
    let entries = prop::sample::subsequence(keys, 1..=5).prop_flat_map(move |keys| {
        let n = keys.len();
        let values = prop::collection::vec(prop::sample::select(values.clone()), n);
        (Just(keys).prop_shuffle(), values)
    });
    prop_oneof![
        Just(Present::No),
        prop::sample::select(vec!["{}", "{ }", "", "null", "~"]).prop_map(Present::Empty),
        entries.prop_map(|(keys, values)| Present::Some(keys.into_iter().zip(values).collect())),
    ]
}

fn others() -> impl Strategy<Value = Vec<&'static str>> {
    let blocks = vec![
        "name: shop",
        "annotations:\n=note: it's\n=text: |\n==labels: {}\n\n==  # kept\n",
        "finalizers:\n- a\n- b",
        "annotations2: {a: 'b # c', d: [1, 2]}",
        "note: >-\n=two\n=lines",
        "folded: one\n=two",
    ];
    prop::sample::subsequence(blocks.clone(), 0..blocks.len()).prop_shuffle().prop_map(|mut it| {
        if !it.contains(&"name: shop") {
            it.insert(0, "name: shop");
        }
        it
    })
}

fn rendered(style: &Style, present: &Present, others: &[&str]) -> String {
    let Style { quote, comment, gap, .. } = style;
    let step = " ".repeat(style.indent);
    let mut metadata: Vec<String> = others.iter().map(|text| (*text).to_owned()).collect();
    let labels = match present {
        Present::No => None,
        Present::Empty(text) => Some(format!("labels: {text}{comment}")),
        Present::Some(entries) => {
            let entries = entries.iter().map(|(key, value)| {
                format!("\n{}={quote}{key}{quote}: {quote}{value}{quote}{comment}", "")
            });
            Some(format!("labels:{comment}{}", entries.collect::<String>()))
        }
    };
    metadata.extend(labels);
    if style.is_mark_first {
        metadata.reverse();
    }
    let mut text = String::new();
    if style.has_marker {
        text.push_str("---\n");
    }
    text.push_str("apiVersion: v1\nkind: Namespace\n");
    text.push_str(gap);
    text.push_str("metadata:\n");
    for block in metadata {
        for line in block.lines() {
            let line = line.replace('=', &step);
            if !line.is_empty() {
                text.push_str(&step);
            }
            text.push_str(&line);
            text.push('\n');
        }
        text.push_str(gap);
    }
    if !style.has_last_end {
        text.truncate(text.trim_end_matches('\n').len());
    }
    text.replace('\n', style.end)
}

/// The lines without their ends.
fn lines(text: &str) -> Vec<&str> {
    text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn the_object_gets_the_labels_and_no_other_line_changes(
        style in styles(), present in present(), others in others()
    ) {
        let before = rendered(&style, &present, &others);
        // Everything here is written in block style, so that nothing is to be refused.
        let parts = documents(&before);
        let document = parts.last().unwrap();
        let body = edited(document, &labels());
        prop_assert!(body.is_ok(), "{before}\n{body:?}");
        let after = [document.head, &body.unwrap()].concat();

        let read = |text: &str| -> Json { serde_yaml::from_str(text).unwrap() };
        let mut want = read(&before);
        let present = &mut want["metadata"]["labels"];
        if present.is_null() {
            *present = serde_json::json!({});
        }
        for (key, value) in labels() {
            present[key] = value.into();
        }
        prop_assert_eq!(read(&after), want, "{}", after);

        let (old, new) = (lines(&before), lines(&after));
        for change in TextDiff::from_slices(&old, &new).iter_all_changes() {
            let line: &str = change.value();
            let is_ours = line.contains("pod-security.kubernetes.io/")
                || line.trim_start().starts_with("labels:");
            prop_assert!(change.tag() == ChangeTag::Equal || is_ours, "{line:?} in {after}");
        }
        prop_assert_eq!(after.contains("\r\n"), before.contains("\r\n"));
        prop_assert_eq!(after.matches('\n').count(), after.matches(style.end).count());
        prop_assert_eq!(after.ends_with('\n'), before.ends_with('\n'));
        prop_assert_eq!(edited(documents(&after).last().unwrap(), &labels()), Ok(after[document.head.len()..].to_owned()));
    }

    #[test]
    fn whatever_the_text_nothing_panics(text in "[a-z:{}\\[\\]&*!|>'\" #\t\r\n\\-?~é]{0,80}") {
        for document in documents(&text) {
            let _ = edited(&document, &labels());
        }
        let text = format!("metadata:\n  name: x\n  labels:\n{text}");
        for document in documents(&text) {
            if let Ok(after) = edited(&document, &labels()) {
                let read: Json = serde_yaml::from_str(&after).unwrap();
                prop_assert_eq!(read["metadata"]["labels"][ENFORCE].as_str(), Some("baseline"));
            }
        }
    }
}
