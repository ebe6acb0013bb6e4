//! Which dumps shall be read?

use std::io::IsTerminal;
use std::path::PathBuf;

use super::errors::{self, CliError, Outcome};
use crate::objects::Object;
use crate::objects::meta::Name;
use crate::sources::{self, Content, Input, ObjectError, Source};

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
    /// Whether no file is given, so that a cluster is meant where the subcommand reads one.
    pub(super) fn is_empty(&self) -> bool {
        self.filename.is_empty()
    }

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

    /// Reads the inputs object by object, and says on standard error what cannot be read.
    ///
    /// `take` gets every object of a kind that the program knows, and every one that cannot be
    /// read, with its ordinal in the whole input; other kinds count too. The outcome is
    /// [`Outcome::Incomplete`] if anything could not be read.
    pub(super) fn read(
        &self,
        take: &mut dyn FnMut(usize, Source, Result<Known, ObjectError>),
    ) -> Result<Outcome, CliError> {
        let mut outcome = Outcome::Clean;
        let mut index = 0;
        sources::read(&self.inputs()?, &mut |item| match item {
            Ok(item) => {
                match item.content {
                    Ok(Content::Object { api_version, kind, object }) => {
                        take(index, item.source, Ok(Known { api_version, kind, object }));
                    }
                    Ok(Content::Skipped { .. }) => {}
                    Err(error) => {
                        outcome = Outcome::Incomplete;
                        errors::say(&format!("error: {error}"));
                        take(index, item.source, Err(error));
                    }
                }
                index += 1;
            }
            Err(error) => {
                outcome = Outcome::Incomplete;
                errors::say(&format!("error: {}", errors::with_causes(&error)));
            }
        });
        if index == 0 && outcome == Outcome::Incomplete {
            return Err(CliError::NothingRead);
        }
        Ok(outcome)
    }
}

/// An object of a kind that the program knows.
pub(super) struct Known {
    pub(super) api_version: Name,
    pub(super) kind: Name,
    pub(super) object: Object,
}
