//! `__complete`: what may come next on the command line, for kubectl's completion.
//!
//! kubectl completes its plugins by running `kubectl_complete-NAME` with the words so far, the last
//! one being the word to complete, and reads what cobra's own `__complete` prints: a candidate per
//! line, its description behind a tab, then a colon with a number that says what the shell should do
//! with them.
//!
//! Upstream: `staging/src/k8s.io/kubectl/pkg/cmd/plugin/plugin_completion.go` (v1.26).

use std::ffi::OsString;
use std::io::Write;
use std::iter;

use clap_complete::engine::complete;

use super::errors::{CliError, Outcome};

/// The shell shall not complete file names by itself.
const NO_FILES: u8 = 4;
/// The shell shall put no blank behind the only candidate.
const NO_BLANK: u8 = 2;

/// How kubectl's completion is answered; no subcommand, as completion scripts name those that help
/// hides, too.
pub(super) const COMMAND: &str = "__complete";

/// Answers with what may stand in the place of the last of the words behind the program's name.
pub(super) fn run(
    words: impl Iterator<Item = OsString>,
    command: &mut clap::Command,
    out: &mut impl Write,
) -> Result<Outcome, CliError> {
    let mut words: Vec<_> = iter::once("psp2psa".into()).chain(words).collect();
    if words.len() == 1 {
        words.push(OsString::new());
    }
    let last = words.len() - 1;
    let directory = std::env::current_dir().ok();
    let candidates = complete(command, words, last, directory.as_deref()).unwrap_or_default();
    let mut directive = NO_FILES;
    let mut text = String::new();
    for candidate in &candidates {
        let value = candidate.get_value().to_string_lossy();
        if value.ends_with('/') {
            directive = NO_FILES | NO_BLANK;
        }
        text.push_str(&value);
        if let Some(help) = candidate.get_help() {
            let help = help.to_string();
            text.push('\t');
            text.push_str(help.lines().next().unwrap_or_default());
        }
        text.push('\n');
    }
    text.push_str(&format_directive(directive));
    out.write_all(text.as_bytes()).map_err(CliError::Output)?;
    Ok(Outcome::Clean)
}

fn format_directive(directive: u8) -> String {
    format!(":{directive}\n")
}
