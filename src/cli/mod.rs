//! What did the user ask for, and how does the answer reach the terminal?
//!
//! One file per subcommand; [`errors`] alone decides about exit codes and hints. Data goes to
//! standard output, everything else to standard error.

// The one place where the program meets files and the environment, besides `sources`.
#![allow(clippy::disallowed_methods, reason = "the edge of the program, which may do I/O")]

mod admission_args;
mod admission_config;
mod apply;
mod bundle;
mod check;
mod checkout;
mod cluster_args;
mod collect;
mod completion;
mod edit;
pub mod errors;
mod explain;
mod files;
mod input;
mod interrupt;
mod items;
mod judge_args;
mod not_found;
mod output;
mod plan;
mod plan_args;
mod policies;
mod program;
mod progress;
mod review;
mod simulate;
mod verify;
mod words;

use std::io::Write;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use errors::{CliError, Outcome};
use output::Output;
use program::Program;

/// Takes a Kubernetes cluster from PodSecurityPolicy to Pod Security Admission
///
/// Simulates what PodSecurityPolicy admission does to each pod, judges each pod by the Pod Security
/// Standards, and finds for every namespace the strictest level that its workloads still satisfy
/// once PSP is gone. Reads clusters and dumps; only `apply` changes a cluster.
#[derive(Debug, Parser)]
#[command(
    name = "psp2psa",
    version,
    max_term_width = 100,
    after_help = errors::EXIT_CODES,
    after_long_help = format!("{}\n\n{}", errors::EXAMPLES, errors::EXIT_CODES)
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Plan(Box<plan::Args>),
    Explain(Box<explain::Args>),
    Policies(Box<policies::Args>),
    AdmissionConfig(Box<admission_config::Args>),
    Review(Box<review::Args>),
    Verify(Box<verify::Args>),
    Simulate(simulate::Args),
    Check(check::Args),
    Collect(Box<collect::Args>),
    Apply(Box<apply::Args>),
    Completion(completion::Args),
}

/// The command line as a whole, from which help, completion and the man pages are made.
#[must_use]
pub fn command() -> clap::Command {
    Cli::command()
}

/// Runs the program with the arguments of the process.
#[must_use]
pub fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == words::COMMAND) {
        return errors::exit(answer(|out| words::run(arguments, &mut Cli::command(), out)));
    }
    let parsed = Program::current()
        .named(Cli::command())
        .try_get_matches()
        .and_then(|mut matches| Cli::from_arg_matches_mut(&mut matches));
    let result = match parsed {
        Ok(cli) => answer(|out| run(cli.command, out)),
        Err(error) => return errors::report_usage(&error),
    };
    errors::exit(result)
}

/// Runs a command and sees to it that all it has written arrives.
fn answer(
    command: impl FnOnce(&mut Output) -> Result<Outcome, CliError>,
) -> Result<Outcome, CliError> {
    let mut out = Output::new();
    let outcome = command(&mut out)?;
    out.flush().map_err(CliError::Output)?;
    Ok(outcome)
}

fn run(command: Command, out: &mut Output) -> Result<Outcome, CliError> {
    match command {
        Command::Plan(args) => plan::run(&args, out),
        Command::Explain(args) => explain::run(&args, out),
        Command::Policies(args) => policies::run(&args, out),
        Command::AdmissionConfig(args) => admission_config::run(&args, out),
        Command::Review(args) => review::run(&args, out),
        Command::Verify(args) => verify::run(&args, out),
        Command::Simulate(args) => simulate::run(&args, out),
        Command::Check(args) => check::run(&args, out),
        Command::Collect(args) => collect::run(&args, out),
        Command::Apply(args) => apply::run(&args, out),
        Command::Completion(args) => completion::run(&args, &mut Cli::command(), out),
    }
}
