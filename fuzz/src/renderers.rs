//! Can a name of the input act in a report, instead of being shown?
//!
//! Each cluster is reported twice: with the names that the bytes make, and with the same names in
//! which every character that a shell, a browser or Markdown could act on is another one that stands
//! for nothing. Both must have the same commands, elements and tables; only their texts may differ.

use std::collections::BTreeMap;

use psp2psa::rollout::Labelling;
use psp2psa::sources::read_from;
use serde_json::{Value, json};

use super::cluster::Names;
use super::reports::{self, Reader, Report};
use super::skeleton::{html, markdown, shell};
use super::{plan, printed};

/// Reports the cluster whose names the bytes make.
pub fn run(bytes: &[u8]) {
    let names = Names::new(bytes).map(usual_control);
    let made = reports_of(&names);
    for report in &made {
        assert_shows_safely(report);
    }
    let harmless = reports_of(&names.map(harmless));
    assert_acts_alike(&skeletons(&made), &skeletons(&harmless), &names);
    assert_says_the_same(&made);
}

/// The reports that the program makes of the names' cluster.
#[must_use]
pub fn reports_of(names: &Names) -> Vec<Report> {
    let mut items = Vec::new();
    read_from("input", list(names).as_bytes(), &mut |item| items.push(item));
    reports::of(
        &plan::snapshot(items),
        Labelling { includes_system: true, includes_incomplete: true },
    )
}

/// The names' cluster as a dump.
#[must_use]
pub fn list(names: &Names) -> String {
    json!({"apiVersion": "v1", "kind": "List", "items": names.objects()}).to_string()
}

/// What stands for a character that acts: of the private use area, or a control character where it
/// is one.
const STAND_INS: &[(char, char)] = &[('\n', '\u{1}'), ('\t', '\u{3}'), ('\r', '\u{4}')];

/// What a shell, HTML or Markdown acts on.
const ACTING: &str = "<>&\"'`$;|()\\?[]#~={}! *_+^@%";

/// The name without what [`harmless`] makes of others, so that different names stay so.
fn usual_control(name: &str) -> String {
    let is_taken = |c: char| {
        STAND_INS.iter().any(|(_, it)| *it == c) || ('\u{e000}'..='\u{f8ff}').contains(&c)
    };
    name.replace(is_taken, "\u{2}")
}

fn harmless(name: &str) -> String {
    name.chars()
        .map(|c| match STAND_INS.iter().find(|(acting, _)| *acting == c) {
            Some((_, instead)) => *instead,
            None if ACTING.contains(c) => char::from_u32(0xe000 + u32::from(c)).unwrap_or(c),
            None => c,
        })
        .collect()
}

/// No report holds a byte that a terminal acts on, but data of which programs are the readers.
fn assert_shows_safely(report: &Report) {
    let is_bad = |c: char| match report.reader {
        Reader::Data | Reader::Shell => c < ' ' && c != '\n' && c != '\t',
        _ => c != '\n' && printed::acts_on_a_terminal(c),
    };
    if let Some(at) = report.text.find(is_bad) {
        panic!("{} {:?}: {:?}", report.name, report.reader, around(&report.text, at));
    }
}

fn around(text: &str, at: usize) -> String {
    text[..at]
        .chars()
        .rev()
        .take(80)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .chain(text[at..].chars().take(80))
        .collect()
}

/// What acts in the reports of each name, counted.
type Skeletons = BTreeMap<(Reader, String), BTreeMap<String, usize>>;

fn assert_acts_alike(made: &Skeletons, harmless: &Skeletons, names: &Names) {
    assert!(made.keys().eq(harmless.keys()), "{:?} {:?}", made.keys(), harmless.keys());
    for (report, parts) in made {
        for part in parts.keys().chain(harmless[report].keys()) {
            let (n, wanted) = (parts.get(part), harmless[report].get(part));
            assert_eq!(n, wanted, "{report:?}: {part}\n{}", list(names));
        }
    }
}

fn skeletons(reports: &[Report]) -> Skeletons {
    let mut skeletons = Skeletons::new();
    for report in reports {
        let parts = match report.reader {
            Reader::Browser => html(&report.text),
            Reader::Markdown => markdown(&report.text),
            Reader::Shell => shell(&report.text),
            // That they can be read as what they were is asserted elsewhere.
            Reader::Terminal | Reader::Json | Reader::Data => continue,
        };
        let counts = skeletons.entry((report.reader, report.name.clone())).or_default();
        for part in parts {
            *counts.entry(part).or_default() += 1;
        }
    }
    skeletons
}

/// What is written as JSON and as YAML is the same.
fn assert_says_the_same(reports: &[Report]) {
    for pair in reports.windows(2) {
        let [one, other] = pair else { continue };
        if (one.reader, other.reader) == (Reader::Json, Reader::Data) && one.name == other.name {
            let json: Value = serde_json::from_str(&one.text).expect("it is JSON");
            let yaml: Value = serde_yaml::from_str(&other.text).expect("it is YAML");
            assert_eq!(json, yaml, "{}", one.name);
        }
    }
}
