//! What does the program say of itself, and of wrong usage?

use insta::assert_snapshot;

use crate::program::{Folder, psp2psa};

#[test]
fn short_help_of_the_program() {
    assert_snapshot!(psp2psa("-h").run());
}

#[test]
fn version() {
    let version = concat!("psp2psa ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(psp2psa("--version").stdout(), version);
}

#[test]
fn every_shell_gets_a_completion() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = psp2psa("completion").arg(shell).stdout();
        assert!(script.contains("pss-version"), "{shell}");
        assert!(!script.contains("__complete"), "{shell} offers what is not for people");
    }
}

#[test]
fn wrong_usage_ends_with_2_and_prints_no_data() {
    for arguments in [
        "",
        "plann",
        "plan --nope",
        "plan -f x -o toml",
        "plan -f x --warn Restricted",
        "plan -f x --selector ==",
        "plan -f x --force",
        "check -f x --pss-version 1.25",
        "check -f x --level strict",
        "simulate -f x --requester-group g",
        "admission-config --managed -o json",
        "admission-config --default strict",
        "completion tcsh",
    ] {
        let run = psp2psa(arguments).run();
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{arguments}");
        assert!(!run.stderr.is_empty(), "{arguments}");
    }
}

#[test]
fn an_unknown_flag_is_named() {
    assert_snapshot!(psp2psa("plan --nope").run());
}

#[test]
fn a_bad_version_says_what_a_version_is() {
    assert_snapshot!(psp2psa("check -f pod.yaml --pss-version 1.25").run());
}

#[test]
fn a_bad_level_says_which_there_are() {
    assert_snapshot!(psp2psa("plan -f dump.yaml --warn Restricted").run());
}

#[test]
fn a_bad_selector_is_wrong_usage() {
    assert_snapshot!(psp2psa("plan -f dump.yaml -l team=(").run());
}

#[test]
fn without_input_there_is_a_hint() {
    // plan would read a cluster, and there is none.
    for (command, code) in [("plan", 4), ("simulate", 2), ("check", 2)] {
        let run = psp2psa(command).run();
        assert_eq!((run.code, run.stdout.as_str()), (code, ""), "{command}");
        assert!(run.stderr.contains("\nhint: give a dump with `-f FILE`"), "{}", run.stderr);
    }
    assert_snapshot!(psp2psa("plan").run());
}

#[test]
fn an_unreadable_file_is_a_failure() {
    let folder = Folder::new();
    for command in ["plan", "explain ns/x", "policies", "review", "verify", "simulate", "check"] {
        let run = folder.psp2psa(command).arg("-f").arg("nope.yaml").run();
        assert_eq!((run.code, run.stdout.as_str()), (4, ""), "{command}");
    }
    assert_snapshot!(folder.psp2psa("plan -f nope.yaml").run());
}
