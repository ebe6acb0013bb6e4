//! Does every link of a document lead somewhere?

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use super::documents;

#[test]
fn links_lead_to_files_and_headings() {
    let documents = documents();
    let anchors: BTreeMap<&Path, BTreeSet<String>> =
        documents.iter().map(|it| (it.path.as_path(), anchors(&it.text))).collect();
    let mut n_links = 0;
    for document in &documents {
        for link in links(&document.text) {
            if link.starts_with("https://") {
                continue;
            }
            n_links += 1;
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = match path {
                "" => document.path.clone(),
                path => resolved(&document.path.with_file_name(path)),
            };
            let from = document.path.display();
            let root = Path::new(env!("CARGO_MANIFEST_DIR"));
            assert!(root.join(&target).exists(), "{from}: {link}");
            if !anchor.is_empty() {
                let known = anchors.get(target.as_path());
                assert!(known.is_some_and(|it| it.contains(anchor)), "{from}: {link}");
            }
        }
    }
    assert!(n_links > 100, "{n_links}");
}

/// The lines of a text that are not code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

fn links(text: &str) -> Vec<String> {
    let mut links = Vec::new();
    for line in prose(text) {
        // Odd pieces are code.
        let line: String = line.split('`').step_by(2).collect();
        let ends = line.split("](").skip(1);
        links.extend(ends.filter_map(|rest| Some(rest.split_once(')')?.0.to_owned())));
    }
    links
}

/// What GitHub makes of the headings.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    for line in prose(text).filter(|line| line.starts_with('#')) {
        let heading = line.trim_start_matches('#').trim().to_lowercase();
        let is_kept = |c: &char| c.is_alphanumeric() || [' ', '-', '_'].contains(c);
        let anchor = heading.chars().filter(is_kept).collect::<String>().replace(' ', "-");
        assert!(anchors.insert(anchor.clone()), "two headings are `{anchor}`");
    }
    anchors
}

/// The path without `..`.
fn resolved(path: &Path) -> PathBuf {
    let mut resolved = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => assert!(resolved.pop(), "{}", path.display()),
            component => resolved.push(component),
        }
    }
    resolved
}
