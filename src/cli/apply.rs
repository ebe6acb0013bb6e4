//! `apply`: a stage of the rollout on a live cluster, and back.

mod bypass;
mod labels;
mod record;
mod server;
mod session;
mod undo;

use std::io::{IsTerminal, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;

use super::cluster_args::ClusterArgs;
use super::errors::{self, CliError, Outcome};
use super::input::read_cluster;
use super::plan_args::PlanArgs;
use crate::reports::apply::{self, ApplyReport};
use crate::reports::quoting::shell_word;
use crate::reports::{Document, StructuredFormat, write_structured};
use crate::rollout::waves::DEFAULT_SIZE;
use record::RecordFile;
use session::Session;

/// Carry a stage of the rollout out on a cluster, wave by wave, or undo it
///
/// Makes the plan from the cluster first, as `plan` does. Then, wave by wave, least risk first: the
/// server is asked what it would say (a dry run); what it warns of is compared with the plan; you
/// are asked; what is there is recorded in a file; and then it is changed. A warning that the plan
/// did not foresee, a refusal, or a namespace whose pod-security labels somebody has changed since
/// stops it before anything of that wave is changed. What is as it should be is left alone, so that a
/// run that broke off is gone on with by the same command.
///
/// Stages: `warn` sets the warn and audit labels, `enforce` the enforce labels, and `bypass` lets the
/// service accounts of each namespace that enforces its level already use a policy that passes every
/// pod as it is, ahead of all others. `--undo FILE` puts back exactly what was there, and deletes exactly what
/// was made.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    # What would be done, and what does the server say to it?\n  \
    psp2psa apply --stage warn --dry-run\n\n  \
    # Warn and audit everywhere, asked for each wave of ten namespaces\n  \
    psp2psa apply --stage warn\n\n  \
    # Enforce in one namespace, without questions\n  \
    psp2psa apply --stage enforce -n shop --yes\n\n  \
    # And back\n  \
    psp2psa apply --undo psp2psa-undo-enforce.json")]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(super) struct Args {
    /// Apply this stage of the rollout
    #[arg(long, value_enum, required_unless_present = "undo")]
    stage: Option<StageName>,

    /// Put back what this file says was there
    #[arg(long, value_name = "FILE", conflicts_with_all = ["stage", "undo_file"])]
    undo: Option<PathBuf>,

    /// Change so many namespaces at a time
    #[arg(long, value_name = "N", default_value_t = DEFAULT_SIZE)]
    wave_size: NonZeroUsize,

    /// Change without asking
    #[arg(short, long)]
    yes: bool,

    /// Let the server say what it would do, and change nothing
    #[arg(long)]
    dry_run: bool,

    /// Go on where the server warns of what the plan did not foresee
    #[arg(long)]
    accept_warnings: bool,

    /// Record here what was there; psp2psa-undo-STAGE.json without this
    ///
    /// A record that is there already is added to, and what it knows stays.
    #[arg(long, value_name = "FILE")]
    undo_file: Option<PathBuf>,

    /// With --undo, put back also what somebody else has changed since, and where PSP is bypassed
    #[arg(long, requires = "undo")]
    force: bool,

    #[command(flatten)]
    plan: PlanArgs,

    #[command(flatten)]
    cluster: ClusterArgs,

    /// Print in this form
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    output: Format,
}

/// What is said of a run that stops between two requests.
const INTERRUPTED: &str = "interrupted; the same command goes on from here";

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum StageName {
    Warn,
    Enforce,
    Bypass,
}

impl StageName {
    fn as_str(self) -> &'static str {
        match self {
            Self::Warn => "warn",
            Self::Enforce => "enforce",
            Self::Bypass => "bypass",
        }
    }
}

#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum Format {
    #[default]
    Text,
    Json,
    Yaml,
}

pub(super) fn run(args: &Args, out: &mut impl Write) -> Result<Outcome, CliError> {
    if !args.yes && !args.dry_run && !std::io::stdin().is_terminal() {
        return Err(CliError::Usage {
            message: "standard input is no terminal, so nobody can be asked".to_owned(),
            hint: "add `--yes` to go on without questions, or `--dry-run` to change nothing"
                .to_owned(),
        });
    }
    let target = args.cluster.request(&[]).target;
    if let Some(path) = &args.undo {
        let record = RecordFile::open(path, args.dry_run)?;
        let mut session = Session::begin(args, &target, record.undo.stage.clone())?;
        let result = undo::run(&mut session, record);
        return finish(args, session.report, result, out);
    }
    let Some(stage) = args.stage else {
        return Err(CliError::Usage {
            message: "neither a stage nor an undo file is given".to_owned(),
            hint: "give `--stage warn`, or see `psp2psa apply --help`".to_owned(),
        });
    };
    let snapshot = read_cluster(&args.cluster, args.plan.namespaces())?;
    let plan = args.plan.plan(&snapshot)?;
    let mut session = Session::begin(args, &target, stage.as_str().to_owned())?;
    let default = PathBuf::from(format!("psp2psa-undo-{}.json", stage.as_str()));
    let path = args.undo_file.as_ref().unwrap_or(&default);
    let server = session.writer.server();
    let mut record =
        RecordFile::begin(path, stage.as_str(), server, &session.cluster, args.dry_run)?;
    let stage_of = match stage {
        StageName::Warn => crate::rollout::Stage::Warn,
        StageName::Enforce | StageName::Bypass => crate::rollout::Stage::Enforce,
    };
    let is_whole = session.skip_left_out(&plan, stage_of);
    let result = if stage == StageName::Bypass {
        bypass::run(&mut session, &snapshot, &plan, &mut record)
    } else {
        labels::run(&mut session, &snapshot, &plan, stage_of, &mut record)
    };
    let result = result.map(|outcome| match outcome {
        Outcome::Clean if !is_whole || !plan.complete => Outcome::Incomplete,
        outcome => outcome,
    });
    finish(args, session.report, result, out)
}

/// Prints the report, which is worth most where something went wrong.
fn finish(
    args: &Args,
    mut report: ApplyReport,
    result: Result<Outcome, CliError>,
    out: &mut impl Write,
) -> Result<Outcome, CliError> {
    if matches!(result, Ok(Outcome::Interrupted)) {
        errors::say(INTERRUPTED);
    }
    report.complete = matches!(result, Ok(Outcome::Clean | Outcome::Incomplete));
    let document =
        Document { api_version: crate::reports::API_VERSION, kind: "ApplyReport", body: &report };
    let printed = match args.output {
        Format::Text => out.write_all(apply::text(&report).as_bytes()),
        Format::Json => write_structured(&document, StructuredFormat::Json, out),
        Format::Yaml => write_structured(&document, StructuredFormat::Yaml, out),
    };
    let printed = printed.and_then(|()| out.flush());
    if let (Some(path), false) = (&report.undo_file, report.undo) {
        let path = shell_word(path).unwrap_or_else(|| path.clone());
        errors::say(&format!("`psp2psa apply --undo {path}` puts back what was there"));
    }
    // Why the run has stopped matters more than that nobody reads its report.
    let outcome = result?;
    printed.map_err(CliError::Output)?;
    Ok(outcome)
}
