//! `policies`: what is each PodSecurityPolicy worth?

use std::io::Write;

use super::cluster_args::ClusterArgs;
use super::errors::{CliError, Outcome};
use super::input::{InputArgs, read_snapshot};
use super::judge_args::JudgeArgs;
use super::not_found::nearest;
use crate::migrate::simulation::Simulation;
use crate::migrate::{assemble, policies};
use crate::objects::source::printable;
use crate::reports::{self, Document, StructuredFormat};
use crate::rollout::clones;

/// Show what each PodSecurityPolicy is worth, who may use it and who does
///
/// Gives for each policy the level that it comes to, by the letter (LEVEL) and leaving SELinux and
/// AppArmor aside, which nearly every policy leaves open (LENIENT); how many of its fields write into
/// pods; which pods and workloads use it; and what stands out. With a name, everything about that
/// policy: the reason for its level field by field, grants with their bindings, service accounts by
/// namespace, and who relies on what no level can ask for.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    # Every policy in a line\n  \
    psp2psa policies\n\n  \
    # Everything about one\n  \
    psp2psa policies restricted -f cluster.json\n\n  \
    # As data\n  \
    psp2psa policies -f cluster.json -o json\n\n  \
    # Simplified clones to try out what breaks, with RBAC\n  \
    psp2psa policies -f cluster.json -o clones > clones.yaml")]
pub(super) struct Args {
    #[command(flatten)]
    input: InputArgs,

    #[command(flatten)]
    cluster: ClusterArgs,

    /// Show this policy alone, in full
    name: Option<String>,

    #[command(flatten)]
    judge: JudgeArgs,

    /// Print in this form
    ///
    /// `clones` prints a simplified copy of each policy, without what only writes into pods and what
    /// no level knows, with the roles and bindings that make it usable, for `kubectl apply`.
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    output: Format,
}

#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum Format {
    #[default]
    Table,
    Wide,
    Markdown,
    Json,
    Yaml,
    Clones,
}

pub(super) fn run(args: &Args, out: &mut impl Write) -> Result<Outcome, CliError> {
    let snapshot = read_snapshot(&args.input, &args.cluster, &[])?;
    if let Some(name) = args.name.as_deref().filter(|name| !snapshot.policies.contains_key(*name)) {
        let names = snapshot.policies.keys().map(ToString::to_string).collect();
        let near = nearest(name, &names).into_iter().next();
        return Err(CliError::Usage {
            message: format!("PodSecurityPolicy `{}` is not in the input", printable(name)),
            hint: match near {
                Some(near) => format!("did you mean `{}`?", printable(&near)),
                None => "`psp2psa policies` without a name lists them".to_owned(),
            },
        });
    }
    let options = args.judge.options(&snapshot);
    let plan = assemble::plan(&snapshot, &options, &|_| true);
    let simulation =
        Simulation::new(&snapshot, options.cluster_version, options.controllers_user.as_deref());
    if let Format::Clones = args.output {
        let clones = clones::clones(&plan, &snapshot, &simulation, &options, args.name.as_deref());
        let documents = reports::clones::documents(&clones);
        out.write_all(documents.as_bytes()).map_err(CliError::Output)?;
        return Ok(if plan.complete { Outcome::Clean } else { Outcome::Incomplete });
    }
    let report = policies::report(&plan, &snapshot, &simulation, args.name.as_deref());
    let document =
        Document { api_version: reports::API_VERSION, kind: "PolicyReport", body: &report };
    let outline = || reports::policies::outline(&report);
    match args.output {
        Format::Table if args.name.is_some() => out.write_all(outline().text().as_bytes()),
        Format::Table => out.write_all(reports::policies::table(&report, false).as_bytes()),
        Format::Wide => out.write_all(reports::policies::table(&report, true).as_bytes()),
        Format::Markdown => out.write_all(outline().markdown().as_bytes()),
        Format::Json => reports::write_structured(&document, StructuredFormat::Json, out),
        Format::Yaml | Format::Clones => {
            reports::write_structured(&document, StructuredFormat::Yaml, out)
        }
    }
    .map_err(CliError::Output)?;
    Ok(if plan.complete { Outcome::Clean } else { Outcome::Incomplete })
}
