//! `plan`: the main job.

#[cfg(test)]
mod shuffles;

use std::io::{self, Write};
use std::mem::ManuallyDrop;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use super::bundle;
use super::cluster_args::ClusterArgs;
use super::edit::{self, EditArgs};
use super::errors::{CliError, Outcome};
use super::input::{InputArgs, read_snapshot};
use super::output::Output;
use super::plan_args::PlanArgs;
use crate::cluster;
use crate::migrate::plan::Plan;
use crate::objects::snapshot::Snapshot;
use crate::reports::rollout::{self, Rollout};
use crate::reports::{
    Document, StructuredFormat, diff, gitops, html, markdown, patches, plan_table, script,
    workload_patches, write_structured,
};
use crate::rollout::Labelling;
use crate::rollout::removal::removal;
use crate::rollout::waves::DEFAULT_SIZE;

/// Find the strictest level that each namespace can take once PSP is gone
///
/// For each namespace: the level to enforce before and after the upgrade, the labels to set, what
/// holds it below the next level, what hardening is lost with PSP, and which policy field had
/// written it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    # The plan of the current context's cluster as a table\n  \
    psp2psa plan\n\n  \
    # The same from a dump or snapshot\n  \
    psp2psa plan -f cluster.json\n\n  \
    # The labels as a script: read it, let the server check it, run it\n  \
    psp2psa plan -f cluster.json -o script > labels.sh\n  \
    sh labels.sh --dry-run\n\n  \
    # What PSP writes into the pods of one namespace\n  \
    psp2psa plan -f cluster.json -n shop -o diff\n\n  \
    # By the defaults and exemptions of the cluster, from the API server's configuration\n  \
    psp2psa plan -f cluster.json --admission-config admission.yaml\n\n  \
    # Everything into one directory, with the rollout as scripts\n  \
    psp2psa plan -f cluster.json --out-dir plan/\n\n  \
    # The labels in the namespace manifests of a Git checkout: look, then write\n  \
    psp2psa plan -f cluster.json --edit manifests/\n  \
    psp2psa plan -f cluster.json --edit manifests/ --yes")]
pub(super) struct Args {
    #[command(flatten)]
    input: InputArgs,

    #[command(flatten)]
    cluster: ClusterArgs,

    #[command(flatten)]
    plan: PlanArgs,

    /// Print the smallest ClusterRole that lets the program read everything, and end
    #[arg(long)]
    show_rbac: bool,

    /// Exit with 1 if a finding says that something is refused, breaks or loses hardening
    ///
    /// Findings that only explain the answer, or show what else could be reached, do not count;
    /// docs/reports.md lists them.
    #[arg(long)]
    exit_code: bool,

    /// Print in this form; as table without this, and with --out-dir in every form but wide
    #[arg(short, long, value_enum, value_name = "FORMAT")]
    output: Option<Format>,

    /// Write into this directory instead: every format, or the one of -o; with the script comes the
    /// whole rollout
    #[arg(long, value_name = "DIR")]
    out_dir: Option<PathBuf>,

    /// Enforce in so many namespaces at a time in the rollout of --out-dir
    #[arg(long, value_name = "N", default_value_t = DEFAULT_SIZE, requires = "out_dir")]
    wave_size: NonZeroUsize,

    /// Write into a directory that is not empty; patches of an earlier run are removed
    #[arg(long, requires = "out_dir")]
    force: bool,

    #[command(flatten)]
    edit: EditArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Table,
    Wide,
    Json,
    Yaml,
    Script,
    Patches,
    Diff,
    Html,
    Markdown,
}

impl Format {
    /// Every format with its file in a bundle; of both tables one.
    const BUNDLE: [(Self, &str); 8] = [
        (Self::Table, "plan.txt"),
        (Self::Json, "plan.json"),
        (Self::Yaml, "plan.yaml"),
        (Self::Script, "labels.sh"),
        (Self::Patches, "namespaces.yaml"),
        (Self::Diff, "plan.diff"),
        (Self::Html, "plan.html"),
        (Self::Markdown, "plan.md"),
    ];

    /// The format that its file in a bundle goes by.
    fn in_bundle(self) -> Self {
        if self == Self::Wide { Self::Table } else { self }
    }

    /// The form of what `--edit` prints.
    fn of_edit(wanted: Option<Self>) -> Result<edit::Form, CliError> {
        match wanted {
            None | Some(Self::Diff) => Ok(edit::Form::Diff),
            Some(Self::Json) => Ok(edit::Form::Data(StructuredFormat::Json)),
            Some(Self::Yaml) => Ok(edit::Form::Data(StructuredFormat::Yaml)),
            Some(_) => Err(CliError::Usage {
                message: "--edit prints a diff, json or yaml".to_owned(),
                hint: "give `-o diff`, `-o json` or `-o yaml`, or run it twice".to_owned(),
            }),
        }
    }

    fn write(self, plan: &Plan, labelling: Labelling, out: &mut impl Write) -> io::Result<()> {
        let document = || Document {
            api_version: crate::reports::API_VERSION,
            kind: "MigrationPlan",
            body: plan,
        };
        let text = match self {
            Self::Json => return write_structured(&document(), StructuredFormat::Json, out),
            Self::Yaml => return write_structured(&document(), StructuredFormat::Yaml, out),
            Self::Html => return html::write(plan, labelling, out),
            Self::Markdown => return markdown::write(plan, labelling, out),
            Self::Wide => plan_table::wide(plan),
            Self::Table => plan_table::table(plan),
            Self::Script => script::script(plan, &labelling),
            Self::Patches => patches::patches(plan, &labelling),
            Self::Diff => diff::diff(plan, &labelling),
        };
        out.write_all(text.as_bytes())
    }
}

pub(super) fn run(args: &Args, out: &mut Output) -> Result<Outcome, CliError> {
    if args.show_rbac {
        out.write_all(cluster::cluster_role().as_bytes()).map_err(CliError::Output)?;
        return Ok(Outcome::Clean);
    }
    let edit = match args.edit.directory() {
        Some(directory) => Some((directory, Format::of_edit(args.output)?)),
        None => None,
    };
    // The program ends with this: to free every object of a large cluster would only take time.
    let snapshot =
        ManuallyDrop::new(read_snapshot(&args.input, &args.cluster, args.plan.namespaces())?);
    let plan = ManuallyDrop::new(args.plan.plan(&snapshot)?);
    let labelling = args.plan.labelling();
    let mut outcome = if plan.complete { Outcome::Clean } else { Outcome::Incomplete };
    if let Some((directory, form)) = edit {
        let is_partial = args.plan.is_partial();
        let planned = edit::Planned { plan: &plan, labelling, is_partial };
        outcome = edit::run(&args.edit, directory, form, planned, out)?;
    } else if let Some(directory) = &args.out_dir {
        bundle::prepare(directory, args.force)?;
        let is_wanted = |format| args.output.is_none_or(|wanted| wanted.in_bundle() == format);
        for (format, name) in Format::BUNDLE {
            if is_wanted(format) {
                let format = args.output.unwrap_or(format);
                bundle::write(directory, name, |out| format.write(&plan, labelling, out))?;
            }
        }
        if is_wanted(Format::Patches) {
            bundle::write_gitops(directory, &gitops::component(&plan, &labelling))?;
        }
        if is_wanted(Format::Script) {
            write_rollout(args, directory, &plan, &snapshot)?;
        }
    } else {
        let format = args.output.unwrap_or(Format::Table);
        format.write(&plan, labelling, out).map_err(CliError::Output)?;
    }
    let has_faults = plan.findings.iter().any(|finding| finding.kind.is_fault());
    Ok(if args.exit_code && has_faults { Outcome::Findings } else { outcome })
}

/// Writes the scripts that carry the plan out, with the patches that they apply.
fn write_rollout(
    args: &Args,
    directory: &Path,
    plan: &Plan,
    snapshot: &Snapshot,
) -> Result<(), CliError> {
    let labelling = args.plan.labelling();
    let (patches, keeping) = workload_patches::bundle(plan, &labelling);
    bundle::write_patches(directory, &patches)?;
    let rollout = Rollout {
        plan,
        labelling,
        server: args.plan.judge.server_version(snapshot),
        is_partial: args.plan.is_partial(),
        wave_size: args.wave_size,
        keeping: &keeping,
        removal: &removal(snapshot),
    };
    bundle::write_rollout(directory, &rollout::files(&rollout))
}
