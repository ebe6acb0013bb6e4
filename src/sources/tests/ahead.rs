//! Is what is read on several threads the same as what is read object by object?

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Item, items, line};
use crate::sources::buffer::Buffer;
use crate::sources::emit::Emitter;
use crate::sources::{SourceError, json};

/// Enough for several chunks.
const N_OBJECTS: usize = 4_000;

fn pod(index: usize) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"namespace": "web", "name": format!("pod-{index}")},
        "spec": {"containers": [{"name": "app", "args": ["x".repeat(index * 7 % 1_500)]}]}})
}

/// An object as it stands in the input: whole lines, without the comma behind it.
#[derive(Debug, Clone, Copy)]
enum Odd {
    /// A fault of the object.
    Bad,
    /// It has no kind.
    Kindless,
    /// It is all on one line.
    Compact,
    /// Within it, something looks like the border of two objects.
    Deceiving,
    /// A blank line is before it.
    Spaced,
    /// A list in the list.
    List,
}

impl Odd {
    fn text(self, index: usize, indent: &str) -> String {
        let pod = pod(index);
        match self {
            Self::Bad => indented(
                &json!({"apiVersion": "v1", "kind": "Pod",
                "metadata": {"name": format!("bad-{index}")}, "spec": {"containers": 7}}),
                indent,
            ),
            Self::Kindless => {
                indented(&json!({"metadata": {"name": format!("odd-{index}")}}), indent)
            }
            Self::Compact => format!("{indent}{pod}"),
            Self::Deceiving => format!(
                "{indent}{{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"status\": [\n{indent}{{\n{indent}}},\n\
                 {indent}{{\n{indent}}}\n], \"metadata\": {{\"name\": \"deceiving-{index}\"}}}}"
            ),
            Self::Spaced => format!("\n{}", indented(&pod, indent)),
            Self::List => {
                indented(&json!({"apiVersion": "v1", "kind": "List", "items": [pod, pod]}), indent)
            }
        }
    }
}

fn indented(object: &Value, indent: &str) -> String {
    let text = serde_json::to_string_pretty(object).unwrap();
    text.lines().map(|line| format!("{indent}{line}")).collect::<Vec<_>>().join("\n")
}

fn texts(odd: &[(usize, Odd)], indent: &str) -> Vec<String> {
    let text = |index| match odd.iter().find(|(place, _)| *place == index) {
        Some((_, odd)) => odd.text(index, indent),
        None => indented(&pod(index), indent),
    };
    (0..N_OBJECTS).map(text).collect()
}

/// What was read, each with its line.
fn read(text: &str) -> Vec<(Option<usize>, String)> {
    items(text)
        .iter()
        .map(|item| (item.as_ref().ok().and_then(|item: &Item| item.source.line), line(item)))
        .collect()
}

/// As [`read`], on one thread.
fn read_one_by_one(text: &str) -> Vec<(Option<usize>, String)> {
    let mut items = Vec::new();
    let mut sink = |item: Result<Item, SourceError>| {
        let item = item.map_err(|error| error.to_string());
        items.push((item.as_ref().ok().and_then(|item| item.source.line), line(&item)));
    };
    let mut buffer = Buffer::new(text.as_bytes());
    let ending = json::read_one_by_one(&mut buffer, &mut Emitter::new("f".into(), &mut sink));
    assert_eq!(ending.unwrap(), json::Ending::End);
    items
}

fn odd() -> impl Strategy<Value = Vec<(usize, Odd)>> {
    let kind = prop::sample::select(vec![
        Odd::Bad,
        Odd::Kindless,
        Odd::Compact,
        Odd::Deceiving,
        Odd::Spaced,
        Odd::List,
    ]);
    prop::collection::vec((0..N_OBJECTS, kind), 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..Default::default() })]

    #[test]
    fn lists_are_the_same(odd in odd(), depth in 0..9_usize, kind_first: bool) {
        let indent = " ".repeat(depth);
        let items = texts(&odd, &indent).join(",\n");
        let list = if kind_first {
            format!("{{\n\"apiVersion\": \"v1\",\n\"kind\": \"PodList\",\n\"items\": [\n{items}\n]\n}}\n")
        } else {
            format!("{{\n\"items\": [\n{items}\n],\n\"apiVersion\": \"v1\", \"kind\": \"List\"\n}}\n")
        };
        let read = read(&list);
        prop_assert!(read.len() >= N_OBJECTS);
        prop_assert_eq!(&read, &read_one_by_one(&list));
    }

    #[test]
    fn lists_on_one_line_are_the_same(odd in odd(), is_truncated: bool, has_ends: bool) {
        let objects: Vec<_> =
            texts(&odd, "").iter().map(|text| text.replace('\n', "")).collect();
        let between = if has_ends { "\n\n , " } else { "," };
        let items = objects.join(between);
        let mut list = format!("{{\"kind\":\"List\",\"apiVersion\":\"v1\",\"items\":[{items}]}}");
        if is_truncated {
            list.truncate(list.len() * 9 / 10);
        }
        let read = read(&list);
        prop_assert!(read.len() >= N_OBJECTS / 2);
        prop_assert_eq!(&read, &read_one_by_one(&list));
    }

    #[test]
    fn values_one_after_another_are_the_same(odd in odd(), is_truncated: bool) {
        let mut text = texts(&odd, "").join("\n");
        if is_truncated {
            text.truncate(text.len() * 9 / 10);
        }
        let read = read(&text);
        prop_assert!(read.len() >= N_OBJECTS / 2);
        prop_assert_eq!(&read, &read_one_by_one(&text));
    }
}

#[test]
fn yaml_may_follow_what_is_read_ahead() {
    let objects: String = (0..N_OBJECTS).map(|index| pod(index).to_string() + "\n").collect();
    let text = objects + "---\napiVersion: v1\nkind: Pod\nmetadata: {name: last}\n";
    let lines = super::read_text(text);
    assert_eq!((lines.len(), lines.last().unwrap().as_str()), (N_OBJECTS + 1, "Pod /last"));
}
