//! Is every object that is accepted the one that `serde_json` gives?

use std::io::Read as _;
use std::path::Path;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::Value;

use super::agreement::{accepts, full, passes};
use super::read;

/// The objects of a demo cluster, as kubectl prints them and on one line.
fn demo_objects(file: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/clusters").join(file);
    #[expect(clippy::disallowed_methods, reason = "a test reads its data")]
    let bytes = std::fs::read(path).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(bytes.as_slice()).read_to_string(&mut text).unwrap();
    let list: Value = serde_json::from_str(&text).unwrap();
    let items = list["items"].as_array().unwrap();
    items
        .iter()
        .flat_map(|item| [serde_json::to_string_pretty(item).unwrap(), item.to_string()])
        .collect()
}

#[test]
fn the_demo_clusters_are_read_fast() {
    // docs/PERFORMANCE.md gives these figures. The others say their kind behind other fields.
    for (file, n_objects, n_fast) in
        [("demo-1.21.json.gz", 397, 393), ("demo2-1.21.json.gz", 610, 605)]
    {
        let objects = demo_objects(file);
        assert_eq!(objects.len(), 2 * n_objects);
        let (fast, others): (Vec<_>, Vec<_>) = objects.iter().partition(|text| accepts(text));
        assert_eq!(fast.len(), 2 * n_fast, "{file}");
        let is_late = |text: &str| text.find("\"kind\"") > text.find("\"data\"");
        assert!(others.iter().all(|text| is_late(text)), "{file}");
        assert!(objects.iter().all(|text| passes(text)), "{file}");
    }
}

#[test]
fn values_are_what_they_are_for_the_full_parser() {
    for value in [
        r#""""#,
        r#""plain""#,
        r#""a\"b\\c\/d\b\f\n\r\t""#,
        r#""\u00e9\u003c\u20AC""#,
        "\"é€😀 and more than eight bytes\"",
        r#""eight by\"""#,
        "0",
        "-1",
        "18446744073709551615",
        "-9223372036854775808",
        "true",
        "false",
        "null",
        "{}",
        "[]",
        "[ ]",
        "{ \t\r\n }",
        "[1, 2 ,3]",
        r#"{"a": [{"b": {}}, []], "a": 2}"#,
    ] {
        let read = read(value, std::marker::PhantomData::<Value>).map(|(value, _)| value);
        assert_eq!(read.ok(), serde_json::from_str(value).ok(), "{value}");
        assert!(passes(value), "{value}");
    }
}

#[test]
fn what_is_rare_is_left_to_the_full_parser() {
    for value in
        ["-0", "1.0", "1e3", "18446744073709551616", "-9223372036854775809", r#""\ud83d\ude00""#]
    {
        assert!(read(value, std::marker::PhantomData::<Value>).is_err(), "{value}");
        assert!(passes(value), "{value}");
    }
    let deep = format!("{}{}", "[".repeat(65), "]".repeat(65));
    assert!(!passes(&deep));
    assert!(passes(&deep[1..129]));
}

#[test]
fn what_is_no_json_is_not_read() {
    for value in [
        "",
        " ",
        "{",
        "[",
        "]",
        "}",
        ":",
        ",",
        "\"",
        "\"a",
        "\"\\\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u+123\"",
        "\"a\nb\"",
        "\"longer than eight\tbytes\"",
        "01",
        "-",
        "-a",
        "1.",
        ".5",
        "1e",
        "1e+",
        "+1",
        "tru",
        "nul",
        "fals",
        "True",
        "'a'",
        "[1,]",
        "[,]",
        "[1 2]",
        "[1}",
        "{]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{,}",
        "{a:1}",
        "{1:1}",
        "{\"a\" 1}",
        "{\"a\":1 \"b\":2}",
        "{\"a\":1",
        "[[]",
        "\u{feff}1",
        "\u{a0}1",
    ] {
        assert!(!passes(value), "{value}");
        assert!(read(value, std::marker::PhantomData::<Value>).is_err(), "{value}");
    }
}

#[test]
fn keys_that_nobody_asks_for_are_strings_all_the_same() {
    let job = |key: &str| {
        format!(
            r#"{{"apiVersion":"batch/v1","kind":"Job","metadata":{{"name":"j"}},"status":{{"active":{{"{key}":0}}}}}}"#
        )
    };
    assert!(accepts(&job("a")));
    assert!(!accepts(&job(r"\ud800")));
    assert!(full(&job(r"\ud800")).is_none());
}

/// Strings and blanks are looked at in blocks, so that it matters where in one something stands.
#[test]
fn every_place_in_a_block_is_looked_at() {
    for n_before in 0..70 {
        let before = "x".repeat(n_before);
        for middle in ["", "\\n", "\\\"", "\u{7f}", "é", "😀", "\u{1f}", "\n", "\\q"] {
            for n_behind in [0, 1, 7, 15, 16, 17, 33] {
                let behind = "y".repeat(n_behind);
                let text = format!("[\"{before}{middle}{behind}\"]");
                let wanted: Option<Value> = serde_json::from_str(&text).ok();
                let read = read(&text, std::marker::PhantomData::<Value>).ok();
                assert_eq!(read.map(|(value, _)| value), wanted, "{text}");
                assert_eq!(passes(&text), wanted.is_some(), "{text}");
            }
        }
        let blanks = " ".repeat(n_before);
        let text = format!("[\n{blanks}1,\r\n{blanks}\t{blanks}2\n{blanks}]");
        let read = read(&text, std::marker::PhantomData::<Value>).ok();
        assert_eq!(read.map(|(value, _)| value), Some(serde_json::json!([1, 2])), "{text}");
        assert!(passes(&text), "{text}");
    }
}

/// One change of a text.
#[derive(Debug, Clone)]
struct Change {
    at: prop::sample::Index,
    n_removed: usize,
    inserted: &'static str,
}

fn change() -> impl Strategy<Value = Change> {
    let inserted = prop::sample::select(vec![
        "",
        "\"",
        "\\",
        "\\\"",
        "\\u00e9",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        " ",
        "\n",
        "\n        ",
        "0",
        "-",
        "1.5",
        "null",
        "true",
        "\"kind\": \"Pod\",",
        "\"items\": [],",
        "\u{1}",
        "é",
        "\t",
    ]);
    (any::<prop::sample::Index>(), 0..3_usize, inserted)
        .prop_map(|(at, n_removed, inserted)| Change { at, n_removed, inserted })
}

fn changed(text: &str, changes: &[Change]) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for change in changes {
        let at = change.at.index(characters.len() + 1);
        let behind = (at + change.n_removed).min(characters.len());
        characters.splice(at..behind, change.inserted.chars());
    }
    characters.into_iter().collect()
}

fn check_changed(objects: &[String], n_cases: u32) {
    let config = ProptestConfig { cases: n_cases, failure_persistence: None, ..Default::default() };
    let text = (any::<prop::sample::Index>(), prop::collection::vec(change(), 1..4))
        .prop_map(|(which, changes)| changed(which.get::<String>(objects), &changes));
    proptest!(config, |(text in text)| {
        accepts(&text);
        passes(&text);
    });
}

#[test]
fn changed_objects_are_read_alike() {
    check_changed(&demo_objects("demo-1.21.json.gz"), 400);
}

/// For `cargo test --release --lib -- --ignored for_long`.
#[test]
#[ignore = "takes a minute"]
fn changed_objects_are_read_alike_for_long() {
    let objects = demo_objects("demo2-1.21.json.gz");
    let start = Instant::now();
    while start.elapsed() < Duration::from_mins(1) {
        check_changed(&objects, 10_000);
    }
}
