//! `admission-config`: what holds in namespaces that nobody labels?

use std::io::Write;

use super::admission_args::AdmissionArgs;
use super::cluster_args::ClusterArgs;
use super::errors::{CliError, Outcome};
use super::input::{InputArgs, read_snapshot};
use super::judge_args::JudgeArgs;
use crate::level::Level;
use crate::migrate::admission_config::propose;
use crate::migrate::{Options, assemble};
use crate::reports::admission_config::{AdmissionConfiguration, commented};
use crate::reports::guard::guard;
use crate::reports::{StructuredFormat, write_structured};
use crate::rollout::Labelling;

/// Print the cluster's defaults and exemptions of Pod Security admission
///
/// An AdmissionConfiguration for the API server, with the reason for each value: the level that
/// namespaces without labels enforce, and the namespaces that must be exempt from it because the plan's
/// script does not label them. With --managed, what to do instead where the API server cannot be
/// configured.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    # Defaults and exemptions for the cluster of a dump\n  \
    psp2psa admission-config -f cluster.json > admission.yaml\n\n  \
    # What the plan is with them\n  \
    psp2psa plan -f cluster.json --admission-config admission.yaml\n\n  \
    # For a server of v1.24, with the strictest default\n  \
    psp2psa admission-config -f cluster.json --cluster-version v1.24 --default restricted\n\n  \
    # For a managed cluster: a ValidatingAdmissionPolicy for namespaces\n  \
    psp2psa admission-config -f cluster.json --managed --cluster-version v1.30")]
pub(super) struct Args {
    #[command(flatten)]
    input: InputArgs,

    #[command(flatten)]
    cluster: ClusterArgs,

    #[command(flatten)]
    judge: JudgeArgs,

    #[command(flatten)]
    admission: AdmissionArgs,

    /// Enforce this level where labels say nothing, instead of the strictest that fits
    #[arg(long, value_name = "LEVEL")]
    default: Option<Level>,

    /// Treat this namespace as a system namespace, as kube-system, kube-public and kube-node-lease
    /// are; may be given several times
    #[arg(long, value_name = "NAME")]
    system_namespace: Vec<String>,

    /// Count on labels of system namespaces too, as plan's --include-system sets them
    #[arg(long)]
    include_system: bool,

    /// Count on labels of uncertain namespaces too, as plan's --allow-incomplete sets them
    #[arg(long)]
    allow_incomplete: bool,

    /// Print what to do where the API server cannot be configured, as in managed clouds
    #[arg(long, conflicts_with = "output")]
    managed: bool,

    /// Print in this form; yaml has comments
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    output: Format,
}

#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum Format {
    #[default]
    Yaml,
    Json,
}

pub(super) fn run(args: &Args, out: &mut impl Write) -> Result<Outcome, CliError> {
    let snapshot = read_snapshot(&args.input, &args.cluster, &[])?;
    let options = Options {
        system_namespaces: args.system_namespace.iter().cloned().collect(),
        ..args.admission.over(args.judge.options(&snapshot))?
    };
    // A configuration is for all namespaces.
    let plan = assemble::plan(&snapshot, &options, &|_| true);
    let labelling = Labelling {
        includes_system: args.include_system,
        includes_incomplete: args.allow_incomplete,
    };
    let skipped = |namespace: &_| labelling.reason_to_skip(&plan, namespace);
    let proposal = propose(&plan, args.default, skipped);
    let server = args.judge.server_version(&snapshot);
    match args.output {
        _ if args.managed => out.write_all(guard(&proposal, server).as_bytes()),
        Format::Yaml => out.write_all(commented(&plan, &proposal, server).as_bytes()),
        Format::Json => {
            let configuration = AdmissionConfiguration::of(&proposal, server);
            write_structured(&configuration, StructuredFormat::Json, out)
        }
    }
    .map_err(CliError::Output)?;
    Ok(if plan.complete { Outcome::Clean } else { Outcome::Incomplete })
}
