//! How does a run end: which exit code, which message, which hint?

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use super::files::shown;
use super::interrupt;
use super::program::Program;
use crate::sources::printable;

/// Done, nothing to report.
pub const EXIT_CLEAN: u8 = 0;
/// Findings, where they were asked for.
pub const EXIT_FINDINGS: u8 = 1;
/// Wrong usage of the command line.
pub const EXIT_USAGE: u8 = 2;
/// Done, but the input was incomplete.
pub const EXIT_INCOMPLETE: u8 = 3;
/// Failure.
pub const EXIT_FAILURE: u8 = 4;
/// Interrupted by the user, as shells give it; other signals have codes of their own.
pub const EXIT_INTERRUPTED: u8 = 130;
/// Nobody reads the stream any more, so that its end is not known; as shells give it for SIGPIPE.
pub const EXIT_UNREAD: u8 = 141;

pub(super) const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  findings, where asked for (check --level, --exit-code, verify)
  2  wrong usage
  3  done, but the input was incomplete, or had nothing to check, or something was left alone
  4  failure
  130  interrupted (143 by SIGTERM, 129 by SIGHUP)
  141  nobody reads what -o jsonl prints any more";

pub(super) const EXAMPLES: &str = "\
Examples:
  # What can each namespace of the current context's cluster enforce?
  psp2psa plan

  # Take a snapshot of it, for plans elsewhere
  psp2psa collect -o cluster.json.gz

  # The same from a dump of the cluster
  kinds=psp,ns,sa,roles,rolebindings,clusterroles,clusterrolebindings,pods,podtemplates
  kinds=$kinds,rc,rs,deploy,sts,ds,jobs,cronjobs
  kubectl get $kinds -A -o json > cluster.json
  psp2psa plan -f cluster.json

  # The kubectl script that sets the labels
  psp2psa plan -f cluster.json -o script > labels.sh";

/// How a run that did its work ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing to report.
    Clean,
    /// Findings, where they were asked for.
    Findings,
    /// The input was incomplete.
    Incomplete,
    /// The user has interrupted what can be gone on with.
    Interrupted,
}

/// Why a run could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// There was nothing to read.
    #[error("no input was given")]
    NoInput,
    /// Standard input was asked for and is a terminal.
    #[error("standard input is a terminal")]
    TerminalInput,
    /// No input could be read.
    #[error("nothing could be read from the input")]
    NothingRead,
    /// The command line asks for what does not go together.
    #[error("{message}")]
    Usage {
        /// What is wrong.
        message: String,
        /// What to type instead.
        hint: String,
    },
    /// The cluster cannot be read.
    #[error(transparent)]
    Cluster(#[from] crate::cluster::ClusterError),
    /// The configuration of the admission plugin cannot be read.
    #[error(transparent)]
    AdmissionConfig(#[from] crate::sources::AdmissionConfigError),
    /// A plan cannot be read.
    #[error("`{}` is no plan: {}", shown(path), printable(why))]
    PlanFile {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// Standard output failed.
    #[error("standard output cannot be written")]
    Output(#[source] io::Error),
    /// A file or directory cannot be written.
    #[error("`{}` cannot be written", shown(path))]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file cannot be read.
    #[error("`{}` cannot be read: {reason}", shown(path))]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A change of the cluster is not begun, or not gone on with.
    #[error("{message}")]
    Stopped {
        /// Why.
        message: String,
        /// What to do about it.
        hint: String,
    },
    /// The directory of manifests cannot be read.
    #[error("`{}` cannot be read", shown(path))]
    Checkout {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The output directory holds files already.
    #[error("`{}` is not empty", shown(path))]
    NotEmpty {
        /// The directory.
        path: PathBuf,
    },
}

impl CliError {
    fn code(&self) -> u8 {
        match self {
            Self::NoInput | Self::TerminalInput | Self::Usage { .. } => EXIT_USAGE,
            _ => EXIT_FAILURE,
        }
    }

    /// What to type next.
    fn hint(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(match self {
            Self::NoInput => {
                "give a dump with `-f FILE`, or `-f -` to read standard input; see `psp2psa --help` for \
                 the kubectl lines that make one"
            }
            Self::TerminalInput => "pipe a dump into the command, or give a file with `-f FILE`",
            Self::NothingRead => "check the files named above",
            Self::Usage { hint, .. } | Self::Stopped { hint, .. } => hint,
            Self::Read { .. } => "check the file named above",
            Self::AdmissionConfig(_) => {
                "give the file of the API server's --admission-control-config-file, or a \
                 PodSecurityConfiguration; `psp2psa admission-config` prints one to start from"
            }
            Self::Checkout { .. } => "give the directory of a checkout with `--edit DIR`",
            Self::PlanFile { .. } => {
                "give the file that `psp2psa plan -o json` or `plan --out-dir` (plan.json) wrote"
            }
            Self::NotEmpty { .. } => "give another directory, or `--force` to write into this one",
            Self::Cluster(error) => return Some(Cow::Owned(error.hint())),
            Self::Output(_) | Self::Write { .. } => return None,
        }))
    }
}

/// Reports how a run ended, and gives its exit code.
pub(super) fn exit(result: Result<Outcome, CliError>) -> ExitCode {
    ExitCode::from(report(result))
}

/// Ends the program where it cannot print: its input may have no end.
pub(super) fn end(output: io::Error) -> ! {
    std::process::exit(report(Err(CliError::Output(output))).into())
}

/// Ends the program where nobody reads what it prints any more, without a word: what it would have
/// found is not known.
pub(super) fn end_unread() -> ! {
    std::process::exit(EXIT_UNREAD.into())
}

fn report(result: Result<Outcome, CliError>) -> u8 {
    match result {
        Ok(Outcome::Clean) => EXIT_CLEAN,
        Ok(Outcome::Findings) => EXIT_FINDINGS,
        Ok(Outcome::Incomplete) => EXIT_INCOMPLETE,
        Ok(Outcome::Interrupted) => interrupt::exit_code(),
        Err(error) => {
            let mut text = format!("error: {}", with_causes(&error));
            if let Some(hint) = error.hint() {
                let _ = write!(text, "\nhint: {hint}");
            }
            say(&text);
            error.code()
        }
    }
}

/// The text of an error and of what caused it, on one line.
pub(super) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        // Writing to a String cannot fail.
        let _ = write!(text, ": {cause}");
        source = cause.source();
    }
    text
}

/// Reports what clap says of the command line.
pub(super) fn report_usage(error: &clap::Error) -> ExitCode {
    // Help and version come as errors too; they belong on standard output, and are no failure.
    match error.print() {
        _ if error.use_stderr() => ExitCode::from(EXIT_USAGE),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        printed => exit(printed.map(|()| Outcome::Clean).map_err(CliError::Output)),
    }
}

/// Writes lines to standard error, with nothing in them that a terminal acts on; where that fails there
/// is nobody left to tell.
pub(super) fn say(text: &str) {
    let lines: Vec<_> = text.split('\n').map(printable).collect();
    let _ = writeln!(io::stderr(), "{}", Program::current().say(&lines.join("\n")));
}
