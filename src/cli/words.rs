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

use clap_complete::engine::complete;

use super::errors::{CliError, Outcome};

/// The shell shall not complete file names by itself.
const NO_FILES: u8 = 4;
/// The shell shall put no blank behind the only candidate.
const NO_BLANK: u8 = 2;

/// Complete a command line for kubectl
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub(super) struct Args {
    /// The words behind the program's name, the last one to be completed
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "WORD")]
    words: Vec<OsString>,
}

pub(super) fn run(
    args: &Args,
    command: &mut clap::Command,
    out: &mut impl Write,
) -> Result<Outcome, CliError> {
    let mut words = vec![OsString::from("psp2psa")];
    words.extend(args.words.iter().cloned());
    if words.len() == 1 {
        words.push(OsString::new());
    }
    let last = words.len() - 1;
    let directory = std::env::current_dir().ok();
    let candidates = complete(command, words, last, directory.as_deref()).unwrap_or_default();
    let mut directive = NO_FILES;
    let mut text = String::new();
    for candidate in candidates.iter().filter(|candidate| !candidate.is_hide_set()) {
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
