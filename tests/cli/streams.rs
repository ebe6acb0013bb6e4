//! What happens where the output goes nowhere?

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

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
