//! `verify`: does the cluster agree with the plan?

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};

use super::admission_args::AdmissionArgs;
use super::cluster_args::ClusterArgs;
use super::errors::{CliError, Outcome};
use super::input::{InputArgs, read_file, read_snapshot_with_events};
use super::judge_args::JudgeArgs;
use crate::migrate::assemble;
use crate::migrate::{Options, plan::Plan};
use crate::objects::snapshot::Snapshot;
use crate::reports::{self, Document, StructuredFormat};
use crate::rollout::Labelling;
use crate::rollout::verify::reference::{KIND, Reference};
use crate::rollout::verify::{Comparison, Target, verify};

/// Look whether the cluster agrees with the plan, after any stage of the rollout
///
/// Reads the present state, from the cluster or by -f, and compares it with the state before
/// (--before), with the plan as `plan -o json` or --out-dir wrote it (--plan), or with both. Finds
/// labels that are missing, looser, stricter, unpinned or invalid; pods that admission refuses, by
/// events, conditions and counts; live pods that have lost what PSP wrote; policies that are still in
/// use; levels that would refuse the next pods; and what has changed since the plan. Without either it
/// looks at the present state by itself.
///
/// The exit code is 1 where something asks for action. What is only worth knowing, such as a new
/// workload or pods that were missing before, does not count.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    # Before a stage, a snapshot; after it, the comparison with the current cluster\n  \
    psp2psa collect --events -o before.json.gz\n  \
    sh plan/rollout/4-enforce.sh\n  \
    psp2psa verify --before before.json.gz --stage enforce\n\n  \
    # With the plan that the rollout goes by\n  \
    psp2psa verify --plan plan/plan.json\n\n  \
    # Two snapshots, without the cluster\n  \
    psp2psa verify -f after.json.gz --before before.json.gz -o markdown\n\n  \
    # The pods that are refused\n  \
    psp2psa verify -o json | jq '.findings[] | select(.kind == \"podsRefused\")'")]
pub(super) struct Args {
    #[command(flatten)]
    input: InputArgs,

    #[command(flatten)]
    cluster: ClusterArgs,

    /// Compare with this dump or snapshot, taken before the stage
    #[arg(long, value_name = "FILE")]
    before: Option<PathBuf>,

    /// Compare with this plan, as `plan -o json` wrote it; beside --before it says what was planned
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,

    /// Expect this stage everywhere, instead of what the labels of each namespace show
    #[arg(long, value_name = "STAGE")]
    stage: Option<StageName>,

    /// Look only at this namespace, instead of all; may be given several times
    #[arg(short, long, value_name = "NAME")]
    namespace: Vec<String>,

    #[command(flatten)]
    judge: JudgeArgs,

    #[command(flatten)]
    admission: AdmissionArgs,

    /// Expect labels in system namespaces too, as with `plan --include-system`
    #[arg(long)]
    include_system: bool,

    /// Expect labels where the plan is uncertain too, as with `plan --allow-incomplete`
    #[arg(long)]
    allow_incomplete: bool,

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

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum StageName {
    /// Namespaces warn and audit (step 1)
    Warn,
    /// They enforce (step 4)
    Enforce,
    /// And their pods get past PSP (step 5)
    Bypass,
    /// And enforce what is safe without PSP (step 6)
    After,
    /// And no policy is left (step 8)
    Removed,
}

impl From<StageName> for Target {
    fn from(name: StageName) -> Self {
        match name {
            StageName::Warn => Self::Warn,
            StageName::Enforce => Self::Enforce,
            StageName::Bypass => Self::Bypass,
            StageName::After => Self::After,
            StageName::Removed => Self::Removed,
        }
    }
}

pub(super) fn run(args: &Args, out: &mut impl Write) -> Result<Outcome, CliError> {
    // What cannot be read is said before minutes of reading a cluster.
    let reference = args.plan.as_deref().map(read_plan).transpose()?;
    let before = args.before.as_deref().map(read_file).transpose()?;
    let reference = match (reference, &before) {
        (None, Some(before)) => Some(Reference::from(&args.plan_of(before, None)?)),
        (reference, _) => reference.map(|mut reference| {
            reference.namespaces.retain(|namespace| args.is_meant(&namespace.name));
            reference
        }),
    };
    let snapshot = read_snapshot_with_events(&args.input, &args.cluster, &args.namespace)?;
    let plan = args.plan_of(&snapshot, reference.as_ref())?;
    let report = verify(&Comparison {
        plan: &plan,
        snapshot: &snapshot,
        reference: reference.as_ref(),
        before: before.as_ref(),
        target: args.stage.map(Into::into),
        labelling: Labelling {
            includes_system: args.include_system,
            includes_incomplete: args.allow_incomplete,
        },
    });
    let document =
        Document { api_version: reports::API_VERSION, kind: "Verification", body: &report };
    let outline = || reports::verify::outline(&report);
    match args.output {
        Format::Table => out.write_all(outline().text().as_bytes()),
        Format::Markdown => out.write_all(outline().markdown().as_bytes()),
        Format::Json => reports::write_structured(&document, StructuredFormat::Json, out),
        Format::Yaml => reports::write_structured(&document, StructuredFormat::Yaml, out),
    }
    .map_err(CliError::Output)?;
    Ok(match (report.summary.findings, report.complete) {
        (1.., _) => Outcome::Findings,
        (0, false) => Outcome::Incomplete,
        (0, true) => Outcome::Clean,
    })
}

impl Args {
    fn is_meant(&self, namespace: &str) -> bool {
        self.namespace.is_empty() || self.namespace.iter().any(|name| name == namespace)
    }

    /// The plan of a state, by the standards of the one that it is compared with.
    fn plan_of(&self, snapshot: &Snapshot, with: Option<&Reference>) -> Result<Plan, CliError> {
        let options = self.admission.over(self.judge.options(snapshot))?;
        let version = with.and_then(|with| with.pss_version.parse().ok());
        let pss_version = match version {
            Some(version) if !self.judge.names_pss_version() => version,
            _ => options.pss_version,
        };
        let options = Options { pss_version, ..options };
        let names: BTreeSet<&str> = self.namespace.iter().map(String::as_str).collect();
        let is_selected = |name: &str| names.is_empty() || names.contains(name);
        Ok(assemble::plan(snapshot, &options, &is_selected))
    }
}

/// Reads what `plan -o json` wrote.
fn read_plan(path: &Path) -> Result<Reference, CliError> {
    let file = File::open(path)
        .map_err(|source| CliError::PlanFile { path: path.to_owned(), why: source.to_string() })?;
    let reference: Reference = serde_json::from_reader(BufReader::new(file))
        .map_err(|error| CliError::PlanFile { path: path.to_owned(), why: error.to_string() })?;
    if reference.kind != KIND {
        let why = format!("it is a {}, and no {KIND}", reference.kind);
        return Err(CliError::PlanFile { path: path.to_owned(), why });
    }
    Ok(reference)
}
