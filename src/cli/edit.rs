//! `plan --edit`: how do the labels get into the manifests of a checkout?

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use super::checkout;
use super::errors::{self, CliError, Outcome};
use super::output::Output;
use crate::manifests::{Edits, edits};
use crate::migrate::plan::Plan;
use crate::objects::source::printable;
use crate::reports::edits::{EditReport, diff, extent, notes};
use crate::reports::{API_VERSION, Document, StructuredFormat, write_structured};
use crate::rollout::Labelling;

/// The flags of editing.
#[derive(Debug, clap::Args)]
pub(super) struct EditArgs {
    /// Write the labels into the namespace manifests below this directory, such as a Git checkout
    ///
    /// Prints the changes as a diff (-o json and yaml: as data) and writes nothing without --yes, or
    /// your word on a terminal. Only lines of labels change; a label that is stricter than the plan's
    /// stays. A file that cannot be edited line by line, such as a template, JSON or flow style, is
    /// left alone and named, and the exit code is 3.
    #[arg(long, value_name = "DIR", conflicts_with = "out_dir")]
    edit: Option<PathBuf>,

    /// Write the files of --edit without asking
    #[arg(long, requires = "edit")]
    yes: bool,
}

/// What the run prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Diff,
    Data(StructuredFormat),
}

impl EditArgs {
    /// The directory to be edited; `None` where nothing is.
    pub(super) fn directory(&self) -> Option<&Path> {
        self.edit.as_deref()
    }
}

/// A plan for a checkout.
#[derive(Debug, Clone, Copy)]
pub(super) struct Planned<'p> {
    pub(super) plan: &'p Plan,
    pub(super) labelling: Labelling,
    /// Whether the plan is of some of the cluster's namespaces only.
    pub(super) is_partial: bool,
}

/// Shows what changes in the checkout, and writes it where that is wanted.
///
/// # Errors
/// Where the directory cannot be read, or a file not be written.
pub(super) fn run(
    args: &EditArgs,
    directory: &Path,
    form: Form,
    planned: Planned<'_>,
    out: &mut Output,
) -> Result<Outcome, CliError> {
    let files = checkout::read(directory)?;
    let mut edits = edits(planned.plan, &planned.labelling, planned.is_partial, &files);
    drop(files);
    if form == Form::Diff {
        out.write_all(shown(&diff(&edits)).as_bytes()).map_err(CliError::Output)?;
        out.flush().map_err(CliError::Output)?;
    }
    for note in notes(&edits) {
        errors::say(&note);
    }
    // Nobody is asked about a diff that nobody sees.
    let is_agreed = args.yes || out.has_reader() && is_confirmed(form, &edits);
    let is_wanted = !edits.files.is_empty() && is_agreed;
    if is_wanted {
        checkout::write(directory, &mut edits)?;
    }
    errors::say(&match (edits.files.is_empty(), edits.left_alone.is_empty()) {
        (true, true) => "nothing to change".to_owned(),
        (true, false) => "nothing that can be changed".to_owned(),
        (false, _) if is_wanted => format!("wrote {}", extent(&edits)),
        (false, _) => format!("{} to change; nothing is written without --yes", extent(&edits)),
    });
    if let Form::Data(format) = form {
        let report = EditReport { written: is_wanted, edits: &edits };
        let document = Document { api_version: API_VERSION, kind: "LabelEdits", body: &report };
        write_structured(&document, format, out).map_err(CliError::Output)?;
    }
    let is_complete = planned.plan.complete && edits.left_alone.is_empty();
    Ok(if is_complete { Outcome::Clean } else { Outcome::Incomplete })
}

/// Asks on a terminal.
fn is_confirmed(form: Form, edits: &Edits) -> bool {
    let is_terminal = io::stdin().is_terminal() && io::stderr().is_terminal();
    if form != Form::Diff || !is_terminal {
        return false;
    }
    let _ = write!(io::stderr(), "write {}? [y/N] ", extent(edits));
    let mut answer = String::new();
    let is_read = io::stdin().read_line(&mut answer).is_ok();
    is_read && matches!(answer.trim(), "y" | "Y" | "yes")
}

/// A diff as it is to be printed: for a program byte for byte, for a person without what a terminal
/// would act on.
fn shown(diff: &str) -> String {
    if !io::stdout().is_terminal() {
        return diff.to_owned();
    }
    let line = |line: &str| {
        let content = line.trim_end_matches(['\r', '\n']);
        let content: Vec<_> = content.split('\t').map(printable).collect();
        content.join("\t") + "\n"
    };
    diff.split_inclusive('\n').map(line).collect()
}
