//! `simulate`: what would PSP admission answer?

use std::io::Write;

use super::errors::{self, CliError, Outcome};
use super::input::{InputArgs, Known};
use crate::migrate::simulation::Simulation;
use crate::objects::Object;
use crate::objects::meta::Name;
use crate::objects::snapshot::SnapshotBuilder;
use crate::objects::source::{ObjectError, Source};
use crate::objects::workload::Workload;
use crate::prepare;
use crate::rbac::User;
use crate::reports::item::Subject;
use crate::reports::simulate::{self, SimulationItem, SimulationReport};
use crate::reports::{self, StructuredFormat};
use crate::version::Version;

/// Answer for pods and pod templates what PodSecurityPolicy admission would
///
/// The input holds the PodSecurityPolicies, the RBAC objects that grant them, and the pods and
/// workloads to ask about. For each the answer is the policy that admits it with the patch that the
/// policy applies, or the API server's message. A Pod is taken as it reaches PSP, a template is made
/// a pod first, with its service account's token mounted.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    # Would these workloads be admitted, by which policy, and what would it change?\n  \
    psp2psa simulate -f policies.yaml -f deployment.yaml\n\n  \
    # May alice create this pod?\n  \
    psp2psa simulate -f cluster.json -f pod.yaml \\\n    \
      --requester alice --requester-group system:authenticated\n\n  \
    # As data\n  \
    psp2psa simulate -f cluster.json -o json")]
pub(super) struct Args {
    #[command(flatten)]
    input: InputArgs,

    /// Take this namespace for objects that name none
    #[arg(short, long, default_value = "default")]
    namespace: String,

    /// Ask as this user for every item, instead of as each workload's controller
    #[arg(long, value_name = "USER")]
    requester: Option<String>,

    /// Put the requester into this group; may be given several times
    #[arg(long, value_name = "GROUP", requires = "requester")]
    requester_group: Vec<String>,

    /// Ask as this user for every controller's pods, where controllers have no accounts of their own
    #[arg(long, value_name = "USER")]
    controllers_user: Option<String>,

    /// Answer as a cluster of this version
    #[arg(long, value_name = "VERSION", default_value = "v1.24")]
    cluster_version: Version,

    /// Do to Pods too what the ServiceAccount admission does before PSP
    #[arg(long)]
    prepare: bool,

    /// Exit with 1 if an item is refused
    #[arg(long)]
    exit_code: bool,

    /// Print as text, json or yaml
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum Format {
    #[default]
    Text,
    Json,
    Yaml,
}

/// An item of the input that the report answers for.
enum Question {
    Pod(usize, Source, Subject),
    Template(usize, Source, Subject, Box<Workload>),
    Unreadable(usize, Source, ObjectError),
}

pub(super) fn run(args: &Args, out: &mut impl Write) -> Result<Outcome, CliError> {
    let mut builder = SnapshotBuilder::new(&args.namespace);
    let mut questions = Vec::new();
    let mut outcome = args.input.read(&mut |index, source, object| match object {
        Ok(Known { api_version, kind, object }) => {
            let subject = Subject::of(&object, api_version, kind, &args.namespace);
            match (subject, object) {
                (Some(subject), Object::Workload(workload)) => {
                    let workload = Box::new(workload);
                    questions.push(Question::Template(index, source, subject, workload));
                }
                (Some(subject), _) => questions.push(Question::Pod(index, source, subject)),
                (None, object) => builder.add(object, &source),
            }
        }
        Err(error) => questions.push(Question::Unreadable(index, source, error)),
    })?;
    let snapshot = builder.finish();
    for conflict in &snapshot.reading.conflicts {
        outcome = Outcome::Incomplete;
        errors::say(&format!("warning: {conflict}"));
    }

    let controllers_user = args.controllers_user.as_deref();
    let simulation = Simulation::new(&snapshot, args.cluster_version, controllers_user);
    let requester = args
        .requester
        .as_ref()
        .map(|name| User { name: name.clone(), groups: args.requester_group.clone() });
    let items: Vec<_> = questions
        .into_iter()
        .map(|question| answer(question, &simulation, requester.as_ref(), args.prepare))
        .collect();
    let is_refused = items.iter().any(SimulationItem::is_refused);
    let report = SimulationReport::new(items);
    match args.output {
        Format::Text => out.write_all(simulate::text(&report).as_bytes()),
        Format::Json => reports::write_structured(&report, StructuredFormat::Json, out),
        Format::Yaml => reports::write_structured(&report, StructuredFormat::Yaml, out),
    }
    .map_err(CliError::Output)?;
    Ok(if args.exit_code && is_refused { Outcome::Findings } else { outcome })
}

fn answer(
    question: Question,
    simulation: &Simulation<'_>,
    requester: Option<&User>,
    is_prepared: bool,
) -> SimulationItem {
    let (index, source, subject, pod, requester) = match question {
        Question::Unreadable(index, source, error) => {
            return SimulationItem::unreadable(index, source, &error);
        }
        Question::Pod(index, source, subject) => {
            let namespace = Name::from(subject.namespace.as_str());
            let pod = if is_prepared {
                simulation.created_pod(&namespace, &subject.template)
            } else {
                prepare::defaulted_pod(&subject.template)
            };
            (index, source, subject, pod, requester.cloned())
        }
        Question::Template(index, source, subject, workload) => {
            let namespace = Name::from(subject.namespace.as_str());
            let template = prepare::template_of(&workload);
            let template = template.as_deref().unwrap_or(&subject.template);
            let pod = simulation.pod_of_template(&namespace, template);
            let requester = requester.cloned().or_else(|| simulation.requester_of(workload.kind));
            (index, source, subject, pod, requester)
        }
    };
    let verdict =
        simulation.verdict(&subject.namespace, &subject.pod_name(), &pod, requester.as_ref());
    SimulationItem::of(index, source, &subject, &subject.template, &verdict)
}
