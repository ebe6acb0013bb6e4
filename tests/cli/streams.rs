//! What happens where the output goes nowhere?

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};

use crate::program::binary;

const DEMO: &str = "testdata/clusters/demo-1.21.json.gz";

#[test]
fn a_closed_pipe_ends_quietly() {
    for arguments in [
        &["plan", "-f", DEMO, "-o", "json"][..],
        &["plan", "-f", DEMO],
        &["check", "-f", DEMO, "-o", "json"],
        &["simulate", "-f", DEMO, "-o", "yaml"],
        &["completion", "zsh"],
        &["--help"],
    ] {
        let mut child = Command::new(binary())
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        drop(stdout);
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        let status = child.wait().unwrap();
        assert_eq!((status.code(), stderr.as_str()), (Some(0), ""), "{arguments:?}");
        assert!(!line.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_closed_pipe_changes_no_verdict() {
    for arguments in [
        &["check", "-f", DEMO, "--level", "restricted"][..],
        &["check", "-f", DEMO, "--level", "restricted", "-o", "json"],
        &["plan", "-f", DEMO, "--exit-code", "-o", "json"],
        &["simulate", "-f", DEMO, "--exit-code"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = Command::new(binary()).args(arguments).stdout(writer).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), stderr.as_str()), (Some(1), ""), "{arguments:?}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_a_failure() {
    for arguments in [
        &["plan", "-f", DEMO][..],
        &["check", "-f", DEMO, "-o", "json"],
        &["simulate", "-f", DEMO],
        &["completion", "bash"],
        &["--help"],
        &["--version"],
    ] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = Command::new(binary()).args(arguments).stdout(full).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(4), "{arguments:?}");
        assert_eq!(
            stderr,
            "error: standard output cannot be written: No space left on device (os error 28)\n",
            "{arguments:?}"
        );
    }
}

const POD: &str =
    "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"web\"},\"spec\":{}}\n";

/// The subcommands that answer what comes on their standard input as it comes, with what the answer to
/// [`POD`] says.
const ANSWERING: [(&[&str], &str); 2] = [
    (&["check", "-f", "-", "-o", "jsonl"], "\"level\":\"restricted\""),
    (&["simulate", "--policies", DEMO, "-f", "-", "-o", "jsonl"], "\"allowed\":false"),
];

/// A subcommand that answers what comes on its standard input.
fn answering(arguments: &[&str]) -> Child {
    Command::new(binary())
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn an_answer_does_not_wait_for_the_next_question() {
    for (arguments, want) in ANSWERING {
        let mut child = answering(arguments);
        let mut stdin = child.stdin.take().unwrap();
        let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
        // The last in two parts: what is not whole has no answer yet.
        for question in [POD, POD, "{\"kind\":\"Pod\",", "\"apiVersion\":\"v1\"}\n"] {
            stdin.write_all(question.as_bytes()).unwrap();
            if question.ends_with('\n') {
                let answer = answers.next().unwrap().unwrap();
                assert!(answer.contains(want), "{answer}");
            }
        }
        drop(stdin);
        assert!(answers.next().is_none());
        assert!(child.wait().unwrap().success());
    }
}

#[test]
fn questions_without_end_end_with_the_reader() {
    for (arguments, _) in ANSWERING {
        let mut child = answering(arguments);
        let mut stdin = child.stdin.take().unwrap();
        let asking = std::thread::spawn(move || while stdin.write_all(POD.as_bytes()).is_ok() {});
        let mut answers = BufReader::new(child.stdout.take().unwrap());
        let mut answer = String::new();
        answers.read_line(&mut answer).unwrap();
        drop(answers);
        // What a shell gives for SIGPIPE: whether all would have passed is not known.
        assert_eq!(child.wait().unwrap().code(), Some(141));
        asking.join().unwrap();
    }
}
