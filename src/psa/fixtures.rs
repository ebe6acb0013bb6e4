//! The pods under `testdata/psa`: one that passes and one that fails each revision of each check.
//!
//! They stand at `<level>/<version>/{pass,fail}/<check>.yaml`. Both directions are walked: every
//! revision has its two files, and every file has its revision.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::checks::{CHECKS, Check, Revision};
use super::evaluate::evaluate;
use crate::level::Level;
use crate::objects::pod::PodTemplateSpec;
use crate::version::Version;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/psa");

fn path(check: &Check, revision: &Revision, outcome: &str) -> PathBuf {
    let folder = format!("{ROOT}/{}/{}/{outcome}", check.level, revision.from);
    Path::new(&folder).join(check.id).with_extension("yaml")
}

fn revisions() -> impl Iterator<Item = (&'static Check, &'static Revision)> {
    CHECKS.iter().flat_map(|check| check.revisions.iter().map(move |revision| (check, revision)))
}

fn read(path: &Path) -> PodTemplateSpec {
    #[expect(clippy::disallowed_methods, reason = "a test reads its fixtures")]
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let manifest: serde_json::Value = serde_yaml::from_str(&text).unwrap();
    assert_eq!(manifest["kind"], "Pod", "{}", path.display());
    serde_json::from_value(manifest).unwrap()
}

/// The ids of the checks that a pod fails.
fn failed(level: Level, version: Version, pod: &PodTemplateSpec) -> Vec<&'static str> {
    evaluate(level, version, pod).violations.iter().map(|violation| violation.check).collect()
}

fn collect_files(folder: &Path, files: &mut BTreeSet<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect_files(&path, files);
        } else {
            files.insert(path);
        }
    }
}

#[test]
fn every_revision_has_its_files_and_every_file_its_revision() {
    let mut files = BTreeSet::new();
    collect_files(Path::new(ROOT), &mut files);
    let expected: BTreeSet<_> = revisions()
        .flat_map(|(check, it)| ["pass", "fail"].map(|outcome| path(check, it, outcome)))
        .collect();
    assert_eq!(files, expected);
}

#[test]
fn each_fixture_fails_its_check_and_no_other() {
    for (check, revision) in revisions() {
        let of =
            |outcome| failed(check.level, revision.from, &read(&path(check, revision, outcome)));
        assert_eq!(of("pass"), [""; 0], "{} {}", check.id, revision.from);
        assert_eq!(of("fail"), [check.id], "{} {}", check.id, revision.from);
    }
}

/// One of the two pods is judged otherwise at the version before, so the fixtures show what the
/// revision changed.
#[test]
fn fixtures_show_what_changed() {
    for (check, revision) in revisions() {
        let Some(before) = revision.from.minor().checked_sub(1).map(Version::v1) else {
            continue;
        };
        let is_changed = ["pass", "fail"].iter().any(|outcome| {
            let pod = read(&path(check, revision, outcome));
            failed(check.level, before, &pod) != failed(check.level, revision.from, &pod)
        });
        assert!(is_changed, "{} {}", check.id, revision.from);
    }
}
