//! `completion`: the shell's own knowledge of the command line.

use std::io::Write;

use clap_complete::Shell;

use super::errors::{CliError, Outcome};

/// Print a completion script for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    # Complete in the current bash\n  \
    source <(psp2psa completion bash)\n\n  \
    # Complete in every zsh\n  \
    psp2psa completion zsh > \"${fpath[1]}/_psp2psa\"")]
pub(super) struct Args {
    /// The shell
    shell: Shell,
}

pub(super) fn run(
    args: &Args,
    command: &mut clap::Command,
    out: &mut impl Write,
) -> Result<Outcome, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, command, "psp2psa", &mut script);
    out.write_all(&script).map_err(CliError::Output)?;
    Ok(Outcome::Clean)
}
