//! `check`: which level of the Pod Security Standards do these pods satisfy?

use std::io::Write;

use super::errors::{self, CliError, Outcome};
use super::input::{self, InputArgs, Known};
use super::items::Items;
use super::output::Output;
use crate::level::Level;
use crate::objects::Object;
use crate::objects::snapshot::SnapshotBuilder;
use crate::reports::check::{self, CheckItem, CheckReport};
use crate::reports::item::Subject;
use crate::reports::{self, StructuredFormat};
use crate::version::Version;

/// Judge pods and workload manifests by the Pod Security Standards
///
/// Gives for each pod and pod template the strictest level that it satisfies, and the API server's
/// own text for what stands against the stricter ones. A workload is judged by its template, as the
/// API server does when it warns; `--prepare` judges the pod that the API server would make of it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    # What is the strictest level of each manifest?\n  \
    psp2psa check -f manifests/ -R\n\n  \
    # Fail a pipeline if a pod would be refused in a restricted namespace\n  \
    helm template . | psp2psa check -f - --level restricted\n\n  \
    # By the rules of another version, for scripts\n  \
    psp2psa check -f pod.yaml --pss-version v1.30 -o json\n\n  \
    # Pods as they come\n  \
    kubectl get pods -A --watch -o json | psp2psa check -f - -o jsonl")]
pub(super) struct Args {
    #[command(flatten)]
    input: InputArgs,

    /// Take this namespace for objects that name none
    #[arg(short, long, value_name = "NAME", default_value = "default")]
    namespace: String,

    /// Judge by this version of the standards: v1.N or latest
    #[arg(long, value_name = "VERSION", default_value = "v1.25")]
    pss_version: Version,

    /// Exit with 1 if a pod does not satisfy this level: privileged, baseline or restricted
    #[arg(long)]
    level: Option<Level>,

    /// Judge the pod that the API server would make of each object
    #[arg(long)]
    prepare: bool,

    /// Print in this form; jsonl is an item a line, as soon as it is read
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    output: Format,
}

#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum Format {
    #[default]
    Table,
    Wide,
    Json,
    Yaml,
    Jsonl,
}

pub(super) fn run(args: &Args, out: &mut Output) -> Result<Outcome, CliError> {
    let mut items = match args.output {
        Format::Jsonl => Items::lines(out),
        _ => Items::kept(),
    };
    let mut has_findings = false;
    let mut n_items = 0;
    // What `collect` says of its own reading.
    let mut accounts = SnapshotBuilder::new(&args.namespace);
    let mut outcome = args.input.read(&mut |index, source, object| match object {
        Ok(Known { api_version, kind, object }) => {
            if let Object::Collection(_) = object {
                return accounts.add(object, &source);
            }
            let subject = Subject::of(&object, api_version, kind, &args.namespace);
            let Some(subject) = subject else { return };
            n_items += 1;
            let item = CheckItem::judge(index, source, &subject, args.pss_version, args.prepare);
            has_findings |= args.level.is_some_and(|level| !item.allows(level));
            items.take(item);
        }
        Err(error) => {
            n_items += 1;
            items.take(CheckItem::unreadable(index, source, &error));
        }
    })?;
    let accounts = accounts.finish();
    input::report_reading(&accounts);
    if !accounts.reading.is_complete() {
        outcome = Outcome::Incomplete;
    }
    if n_items == 0 {
        errors::say("warning: nothing is judged: the input holds no pod and no workload");
        // A check that has nothing to check has not passed.
        if args.level.is_some() {
            outcome = Outcome::Incomplete;
        }
    }
    let report = CheckReport::new(args.pss_version, items.into_kept());
    match args.output {
        Format::Jsonl => Ok(()),
        Format::Table => out.write_all(check::table(&report, false).as_bytes()),
        Format::Wide => out.write_all(check::table(&report, true).as_bytes()),
        Format::Json => reports::write_structured(&report, StructuredFormat::Json, out),
        Format::Yaml => reports::write_structured(&report, StructuredFormat::Yaml, out),
    }
    .map_err(CliError::Output)?;
    // A finding is certain, whatever else could not be read.
    Ok(if has_findings { Outcome::Findings } else { outcome })
}
