//! `review`: what does the migration guide leave to the admin?

use std::io::Write;

use super::cluster_args::ClusterArgs;
use super::errors::{CliError, Outcome};
use super::input::{InputArgs, read_snapshot};
use super::judge_args::JudgeArgs;
use crate::migrate::assemble;
use crate::migrate::simulation::Simulation;
use crate::reports::{self, Document, StructuredFormat};
use crate::rollout::review;

/// Review by hand what the migration guide leaves to you
///
/// Prints, in the order of the guide's steps: who may change the labels of namespaces, with the
/// binding, role and rule that allow it; pods that differ from their templates, with the policy field
/// that wrote each value, or that something else did; policies that nothing is made by, with their
/// owners; and which policies, roles and bindings go with PSP: those about nothing else, those that
/// only lose a rule, and those that Helm, an operator, an add-on or the provider would put back.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    # Everything, of the current cluster\n  \
    psp2psa review\n\n  \
    # For a ticket\n  \
    psp2psa review -f cluster.json -o markdown\n\n  \
    # The roles that only lose a rule, with their patches\n  \
    psp2psa review -f cluster.json -o json | jq '.removal.mixedRoles'")]
pub(super) struct Args {
    #[command(flatten)]
    input: InputArgs,

    #[command(flatten)]
    cluster: ClusterArgs,

    #[command(flatten)]
    judge: JudgeArgs,

    /// Print in this form
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    output: Format,
}

#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum Format {
    #[default]
    Table,
    Markdown,
    Json,
    Yaml,
}

pub(super) fn run(args: &Args, out: &mut impl Write) -> Result<Outcome, CliError> {
    let snapshot = read_snapshot(&args.input, &args.cluster, &[])?;
    let options = args.judge.options(&snapshot);
    let plan = assemble::plan(&snapshot, &options, &|_| true);
    let simulation =
        Simulation::new(&snapshot, options.cluster_version, options.controllers_user.as_deref());
    let review = review::review(&plan, &snapshot, &simulation);
    let document = Document { api_version: reports::API_VERSION, kind: "Review", body: &review };
    let outline = || reports::review::outline(&review);
    match args.output {
        Format::Table => out.write_all(outline().text().as_bytes()),
        Format::Markdown => out.write_all(outline().markdown().as_bytes()),
        Format::Json => reports::write_structured(&document, StructuredFormat::Json, out),
        Format::Yaml => reports::write_structured(&document, StructuredFormat::Yaml, out),
    }
    .map_err(CliError::Output)?;
    Ok(if review.complete { Outcome::Clean } else { Outcome::Incomplete })
}
