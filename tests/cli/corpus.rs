//! Does what fuzzing has found still hold? Each target of `fuzz/` reads its whole corpus.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use crate::program::Folder;
use crate::rollout::run_scripts;
use fuzz::cluster::Names;
use fuzz::renderers::{list, reports_of};
use fuzz::reports::Reader;

#[allow(unreachable_pub, reason = "another crate makes targets of these modules")]
#[path = "../../fuzz/src/lib.rs"]
mod fuzz;

/// The inputs of a target, sorted by name.
fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let directory = format!("{}/fuzz/corpus/{target}", env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<_> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!files.is_empty(), "{target}");
    files.sort();
    files.into_iter().map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

#[test]
fn labels() {
    for (_, bytes) in corpus("labels") {
        fuzz::labels::run(&bytes);
    }
}

#[test]
fn plan() {
    for (_, bytes) in corpus("plan") {
        fuzz::plan::run(&bytes);
    }
}

#[test]
fn psp() {
    for (_, bytes) in corpus("psp") {
        fuzz::psp::run(&bytes);
    }
}

#[test]
fn renderers() {
    for (_, bytes) in corpus("renderers") {
        fuzz::renderers::run(&bytes);
    }
}

#[test]
fn a_shell_can_read_every_script() {
    let mut scripts = BTreeSet::new();
    for (_, bytes) in corpus("renderers") {
        let reports = reports_of(&Names::new(&bytes)).into_iter();
        scripts.extend(reports.filter(|it| it.reader == Reader::Shell).map(|it| it.text));
    }
    let folder = Folder::with(&[]);
    for (n, script) in scripts.iter().enumerate() {
        folder.write(&format!("{n}.sh"), script);
    }
    let read = Command::new("sh")
        .args(["-c", "for file in *.sh; do sh -n \"$file\" || exit; done"])
        .current_dir(folder.path(""))
        .output()
        .unwrap();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
}

#[test]
fn names_of_the_corpus_are_never_run() {
    let mut n_run = 0;
    for (_, bytes) in corpus("renderers") {
        if bytes.windows(9).any(|window| window == b"touch run") {
            n_run += run_scripts(&list(&Names::new(&bytes))).len();
        }
    }
    assert!(n_run > 0);
}
