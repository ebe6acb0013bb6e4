//! `explain`: why is the answer for a namespace or a workload what it is?

use std::io::Write;

use super::admission_args::AdmissionArgs;
use super::cluster_args::ClusterArgs;
use super::errors::{CliError, Outcome};
use super::input::{InputArgs, read_snapshot};
use super::judge_args::JudgeArgs;
use super::not_found::not_found;
use crate::migrate::explain::{self, Part};
use crate::migrate::simulation::Simulation;
use crate::migrate::{assemble, lineage};
use crate::objects::meta::Name;
use crate::objects::pod::Pod;
use crate::objects::snapshot::Snapshot;
use crate::objects::source::printable;
use crate::objects::workload::WorkloadKind;
use crate::reports::{self, Document, StructuredFormat};

/// Show how a namespace, a workload or a pod comes to its answer
///
/// For a workload every step is shown: who makes its pods, which policies may be used and through
/// which binding, why each is passed over or wins, each value that PSP writes and the policy field
/// behind it, each violation with the field to change, the patch that keeps and raises it with what
/// may break, and the pods as diffs. Kinds are spelled as kubectl takes them.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    # What decides the level of a namespace?\n  \
    psp2psa explain ns/shop\n\n  \
    # How does a Deployment come to its policy and its level?\n  \
    psp2psa explain -f cluster.json deploy/web -n shop\n\n  \
    # The same for a ticket\n  \
    psp2psa explain -f cluster.json cronjob report -n shop -o markdown")]
pub(super) struct Args {
    #[command(flatten)]
    input: InputArgs,

    #[command(flatten)]
    cluster: ClusterArgs,

    /// What to explain: ns/NAME, KIND/NAME or KIND NAME
    #[arg(required = true, num_args = 1..=2, value_name = "KIND/NAME")]
    target: Vec<String>,

    /// The namespace of the workload or pod
    #[arg(short, long, default_value = "default", value_name = "NAME")]
    namespace: String,

    #[command(flatten)]
    judge: JudgeArgs,

    #[command(flatten)]
    admission: AdmissionArgs,

    /// Print in this form
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    output: Format,
}

#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum Format {
    #[default]
    Text,
    Markdown,
    Json,
    Yaml,
}

/// A kind that can be explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Namespace,
    Pod,
    Workload(WorkloadKind),
}

/// The kinds with their plural and short names, as kubectl has them.
const KINDS: [(Kind, &str, &[&str]); 10] = [
    (Kind::Namespace, "Namespace", &["namespaces", "ns"]),
    (Kind::Pod, "Pod", &["pods", "po"]),
    (Kind::Workload(WorkloadKind::CronJob), "CronJob", &["cronjobs", "cj"]),
    (Kind::Workload(WorkloadKind::DaemonSet), "DaemonSet", &["daemonsets", "ds"]),
    (Kind::Workload(WorkloadKind::Deployment), "Deployment", &["deployments", "deploy"]),
    (Kind::Workload(WorkloadKind::Job), "Job", &["jobs"]),
    (Kind::Workload(WorkloadKind::PodTemplate), "PodTemplate", &["podtemplates"]),
    (Kind::Workload(WorkloadKind::ReplicaSet), "ReplicaSet", &["replicasets", "rs"]),
    (
        Kind::Workload(WorkloadKind::ReplicationController),
        "ReplicationController",
        &["replicationcontrollers", "rc"],
    ),
    (Kind::Workload(WorkloadKind::StatefulSet), "StatefulSet", &["statefulsets", "sts"]),
];

impl Kind {
    /// The kind that kubectl would take a word for; a group or version behind it (`deployments.apps`)
    /// does not matter here.
    fn parse(word: &str) -> Option<Self> {
        let word = word.split('.').next().unwrap_or(word).to_lowercase();
        let is_named = |(_, name, others): &&(Self, &str, &[&str])| {
            name.to_lowercase() == word || others.contains(&word.as_str())
        };
        KINDS.iter().find(is_named).map(|(kind, ..)| *kind)
    }

    pub(super) fn name(self) -> &'static str {
        KINDS.iter().find(|(kind, ..)| *kind == self).map_or("object", |(_, name, _)| name)
    }
}

pub(super) fn run(args: &Args, out: &mut impl Write) -> Result<Outcome, CliError> {
    let (kind, name) = target(&args.target)?;
    let namespace = if kind == Kind::Namespace { name } else { &args.namespace };
    let snapshot = read_snapshot(&args.input, &args.cluster, &[namespace.to_owned()])?;
    // What is not there is said before anything is worked out.
    let part = match kind {
        Kind::Namespace => Part::Everything,
        Kind::Workload(kind) => workload_part(&snapshot, namespace, kind, name)?,
        Kind::Pod => pod_part(&snapshot, namespace, name)?,
    };
    let options = args.admission.over(args.judge.options(&snapshot))?;
    let plan = assemble::plan(&snapshot, &options, &|planned| planned == namespace);
    let is_complete = plan.complete;
    let simulation =
        Simulation::new(&snapshot, options.cluster_version, options.controllers_user.as_deref());
    let explanation = explain::explain(plan, &simulation, part)
        .ok_or_else(|| not_found(&snapshot, kind, &args.namespace, name))?;

    let outline = || match part {
        Part::Everything => reports::explain::namespace(&explanation),
        Part::Workload(..) | Part::Pod(..) => reports::explain::workload(&explanation),
    };
    let document =
        Document { api_version: reports::API_VERSION, kind: "Explanation", body: &explanation };
    match args.output {
        Format::Text => out.write_all(outline().text().as_bytes()),
        Format::Markdown => out.write_all(outline().markdown().as_bytes()),
        Format::Json => reports::write_structured(&document, StructuredFormat::Json, out),
        Format::Yaml => reports::write_structured(&document, StructuredFormat::Yaml, out),
    }
    .map_err(CliError::Output)?;
    Ok(if is_complete { Outcome::Clean } else { Outcome::Incomplete })
}

/// Reads `KIND/NAME` or `KIND NAME`.
fn target(words: &[String]) -> Result<(Kind, &str), CliError> {
    let (kind, name) = match words {
        [kind, name] if !kind.contains('/') => (kind.as_str(), name.as_str()),
        [both] => both.split_once('/').unwrap_or((both, "")),
        _ => ("", ""),
    };
    let known = Kind::parse(kind);
    if let (Some(kind), false) = (known, name.is_empty()) {
        return Ok((kind, name));
    }
    let message = match known {
        None => format!("`{}` is no kind that can be explained", printable(kind)),
        Some(kind) => format!("the name of the {} is missing", kind.name()),
    };
    let names: Vec<String> = KINDS.iter().map(|(_, name, _)| name.to_lowercase()).collect();
    let hint = format!("give KIND/NAME, where KIND is one of {}", names.join(", "));
    Err(CliError::Usage { message, hint })
}

/// The workload of that name, under which the plan may have another: a ReplicaSet stands under its
/// Deployment.
fn workload_part<'s>(
    snapshot: &'s Snapshot,
    namespace: &str,
    kind: WorkloadKind,
    name: &str,
) -> Result<Part<'s>, CliError> {
    let key = (Name::from(namespace), kind, name.into());
    let workload = snapshot
        .workloads
        .get(&key)
        .ok_or_else(|| not_found(snapshot, Kind::Workload(kind), namespace, name))?;
    let top = lineage::top_of(snapshot, workload);
    let name = if top.name.is_empty() { &top.generate_name } else { &top.name };
    Ok(Part::Workload(top.kind.as_str(), name))
}

fn pod_part<'s>(snapshot: &'s Snapshot, namespace: &str, name: &str) -> Result<Part<'s>, CliError> {
    let is_asked = |pod: &&Pod| *pod.namespace == *namespace && *pod.name == *name;
    let pod = snapshot
        .pods
        .iter()
        .find(is_asked)
        .ok_or_else(|| not_found(snapshot, Kind::Pod, namespace, name))?;
    Ok(match lineage::workload_of(snapshot, pod) {
        Some(top) => Part::Pod(pod, top.kind.as_str(), &top.name),
        None => Part::Pod(pod, "Pod", &pod.name),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_spelled_as_kubectl_takes_them() {
        for (word, kind) in [
            ("deploy", WorkloadKind::Deployment),
            ("Deployment", WorkloadKind::Deployment),
            ("deployments.apps", WorkloadKind::Deployment),
            ("deployments.v1.apps", WorkloadKind::Deployment),
            ("sts", WorkloadKind::StatefulSet),
            ("ds", WorkloadKind::DaemonSet),
            ("rs", WorkloadKind::ReplicaSet),
            ("rc", WorkloadKind::ReplicationController),
            ("cj", WorkloadKind::CronJob),
            ("jobs", WorkloadKind::Job),
        ] {
            assert_eq!(Kind::parse(word), Some(Kind::Workload(kind)), "{word}");
        }
        assert_eq!(Kind::parse("po"), Some(Kind::Pod));
        assert_eq!(Kind::parse("ns"), Some(Kind::Namespace));
        assert_eq!(Kind::parse("svc"), None);
    }
}
