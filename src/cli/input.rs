//! Which dumps shall be read?

use std::io::IsTerminal;
use std::path::PathBuf;

use super::errors::CliError;
use crate::sources::Input;

/// Where objects come from, the same for every subcommand.
#[derive(Debug, clap::Args)]
pub(super) struct InputArgs {
    /// Read this file, directory or (`-`) standard input; may be given several times
    ///
    /// YAML documents, JSON values one after another, Lists, and an API server's list responses are
    /// told apart by what they are, also within gzip.
    #[arg(short, long, value_name = "FILE")]
    filename: Vec<PathBuf>,

    /// Read the directories within a directory too
    #[arg(short = 'R', long)]
    recursive: bool,
}

impl InputArgs {
    /// The inputs.
    pub(super) fn inputs(&self) -> Result<Vec<Input>, CliError> {
        if self.filename.is_empty() {
            return Err(CliError::NoInput);
        }
        let inputs: Vec<Input> =
            self.filename.iter().map(|path| Input::new(path, self.recursive)).collect();
        if inputs.contains(&Input::Stdin) && std::io::stdin().is_terminal() {
            return Err(CliError::TerminalInput);
        }
        Ok(inputs)
    }
}
