//! Is every message of the program explained, and every kind of finding?
//!
//! The texts are taken from the source, where each stands once; what differs from run to run is `…` in
//! the documents.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::document;

#[test]
fn every_message_is_explained() {
    let explained = document("docs/troubleshooting.md");
    let mut n_messages = 0;
    let mut missing = Vec::new();
    for (path, text) in sources(&["src"]) {
        let begins: &[&str] = if path.starts_with("src/cli") {
            &["#[error(", "message: ", "let message = ", "\"warning: "]
        } else if path.starts_with("src/sources") {
            // What is wrong with a document, or with an object of it.
            &["#[error(", "Fault::new(", " => \"", ": &str = \""]
        } else {
            &["#[error("]
        };
        for message in messages(&text, begins) {
            n_messages += 1;
            if !explained.contains(&message) {
                missing.push(format!("{}: {message}", path.display()));
            }
        }
    }
    assert!(n_messages > 100, "{n_messages}");
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_message_of_the_rollout_is_explained() {
    let explained = document("docs/troubleshooting.md");
    let mut n_messages = 0;
    let mut missing = Vec::new();
    for (path, text) in sources(&["templates/rollout/lib", "src/reports/rollout"]) {
        for message in messages(&text, &["die \"", "die \\\""]) {
            n_messages += 1;
            if !explained.contains(&message) {
                missing.push(format!("{}: {message}", path.display()));
            }
        }
    }
    assert!(n_messages > 30, "{n_messages}");
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_kind_of_finding_is_explained() {
    for (path, name, explained) in [
        ("src/migrate/findings.rs", "FindingKind", "docs/reports.md"),
        ("src/rollout/verify/finding.rs", "Kind", "docs/verify.md"),
    ] {
        let explained = document(explained);
        let text = document(path);
        let (_, kinds) = text.split_once(&format!("pub enum {name} {{\n")).unwrap();
        let (kinds, _) = kinds.split_once("\n}").unwrap();
        let kinds: Vec<_> =
            kinds.lines().filter_map(|line| line.trim().strip_suffix(',')).collect();
        assert!(kinds.len() > 15, "{path}: {kinds:?}");
        for kind in kinds {
            let word = format!("`{}{}`", kind[..1].to_lowercase(), &kind[1..]);
            assert!(explained.contains(&word), "{path}: {word}");
        }
    }
}

/// The files below folders, with their texts up to their tests.
fn sources(folders: &[&str]) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut todo: Vec<PathBuf> = folders.iter().map(PathBuf::from).collect();
    let mut sources = Vec::new();
    while let Some(path) = todo.pop() {
        if root.join(&path).is_dir() {
            let entries = fs::read_dir(root.join(&path)).unwrap();
            todo.extend(entries.map(|entry| path.join(entry.unwrap().file_name())));
        } else if !path.to_str().unwrap().contains("/tests") {
            let text = fs::read_to_string(root.join(&path)).unwrap();
            let text = text.split("#[cfg(test)]").next().unwrap();
            sources.push((path, text.to_owned()));
        }
    }
    sources
}

/// The literals that stand behind one of these beginnings, as far as they say anything.
fn messages(text: &str, begins: &[&str]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for begin in begins {
        for (at, _) in text.match_indices(begin) {
            let rest = &text[at + begin.len()..];
            // What opens the literal is in the beginning, or stands on its line or the next.
            let literal = match begin.rfind('"') {
                Some(quote) => Some(&text[at + quote + 1..]),
                None => rest.split_once('"').and_then(|(before, literal)| {
                    let before = before.trim().trim_start_matches('&').trim_end_matches('(');
                    ["", "format!"].contains(&before).then_some(literal)
                }),
            };
            let Some(literal) = literal else { continue };
            let message =
                if begin.starts_with("die") { of_shell(literal) } else { of_rust(literal) };
            if message.chars().any(char::is_alphabetic) {
                found.insert(message);
            }
        }
    }
    found
}

/// A literal from behind its quote to its end, with what is filled in as `…`.
fn of_rust(text: &str) -> String {
    let mut message = String::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' => break,
            '\\' if characters.peek() == Some(&'\n') => {
                while characters.next_if(|it| it.is_whitespace()).is_some() {}
            }
            '\\' => message.extend(characters.next()),
            '{' | '}' if characters.next_if_eq(&character).is_some() => message.push(character),
            '{' => {
                characters.by_ref().find(|it| *it == '}');
                message.push('…');
            }
            character => message.push(character),
        }
    }
    message.replace("……", "…")
}

/// As [`of_rust`], of a word of shell.
fn of_shell(text: &str) -> String {
    let text = text.split(['"', '\\']).next().unwrap();
    let mut message = String::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if character == '$' {
            let is_name = |it: &char| it.is_ascii_alphanumeric() || *it == '_';
            while characters.next_if(is_name).is_some() {}
            message.push('…');
        } else {
            message.push(character);
        }
    }
    message
}
