//! `simulate`: what would PSP admission answer?

use std::io::Write;
use std::path::PathBuf;

use super::errors::{self, CliError, Outcome};
use super::input::{self, InputArgs, Known};
use super::items::Items;
use super::output::Output;
use crate::migrate::known;
use crate::migrate::simulation::Simulation;
use crate::objects::Object;
use crate::objects::meta::Name;
use crate::objects::snapshot::{Snapshot, SnapshotBuilder};
use crate::objects::source::{ObjectError, Source};
use crate::objects::workload::Workload;
use crate::prepare;
use crate::rbac::User;
use crate::reports::item::Subject;
use crate::reports::simulate::{self, SimulationItem, SimulationReport};
use crate::reports::{self, StructuredFormat};
use crate::sources::Input;
use crate::version::Version;

/// Answer for pods and pod templates what PodSecurityPolicy admission would
///
/// The input holds the PodSecurityPolicies, the RBAC objects that grant them, and the pods and
/// workloads to ask about. For each the answer is the policy that admits it with the patch that the
/// policy applies, or the API server's message. A Pod is taken as it reaches PSP, a template is made
/// a pod first, with its service account's token mounted.
///
/// With `--policies` the input holds the pods and workloads alone, and each is answered as it comes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    # Would these workloads be admitted, by which policy, and what would it change?\n  \
    psp2psa simulate -f policies.yaml -f deployment.yaml\n\n  \
    # May alice create this pod?\n  \
    psp2psa simulate -f cluster.json -f pod.yaml --requester alice --requester-group dev\n\n  \
    # As data\n  \
    psp2psa simulate -f cluster.json -o json\n\n  \
    # Pods as they come, by the policies of a snapshot\n  \
    psp2psa collect -o cluster.json.gz\n  \
    kubectl get pods -A --watch -o json | psp2psa simulate --policies cluster.json.gz -f - -o jsonl")]
pub(super) struct Args {
    #[command(flatten)]
    input: InputArgs,

    /// Take policies, RBAC objects and service accounts from this file or directory alone; may be
    /// given several times
    ///
    /// It is read first, in the forms that `-f` takes; pods in it are passed over, so that it can be a
    /// dump of the whole cluster. What `-f` says besides of policies, of who may use them, or of mounted
    /// tokens, does not count: it is named on standard error, and the exit code is 3.
    #[arg(long, value_name = "FILE")]
    policies: Vec<PathBuf>,

    /// Take this namespace for objects that name none
    #[arg(short, long, value_name = "NAME", default_value = "default")]
    namespace: String,

    /// Ask as this user for every item, instead of as each workload's controller
    #[arg(long, value_name = "USER")]
    requester: Option<String>,

    /// Put the requester into this group; may be given several times
    #[arg(long, value_name = "GROUP", requires = "requester")]
    requester_group: Vec<String>,

    /// Ask as this user for every controller's pods, where the controller manager runs without
    /// --use-service-account-credentials; without this each controller has an account of its own
    #[arg(long, value_name = "USER")]
    controllers_user: Option<String>,

    /// Answer as a cluster of this version: v1.N
    ///
    /// The default is the version of the server that the input, or `--policies` where it is given,
    /// names, and v1.24 where it names none.
    #[arg(long, value_name = "VERSION")]
    cluster_version: Option<Version>,

    /// Give Pods too what ServiceAccount admission gives before PSP: an account, and its token's volume
    #[arg(long)]
    prepare: bool,

    /// Exit with 1 if an item is refused
    #[arg(long)]
    exit_code: bool,

    /// Print in this form; jsonl is an item a line
    ///
    /// With `--policies`, jsonl gives each answer as soon as its object is read. Without, a policy could
    /// still come last, so that the whole input is read before the first answer.
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    output: Format,
}

#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum Format {
    #[default]
    Text,
    Json,
    Yaml,
    Jsonl,
}

/// After how many answers it is forgotten who may use which policies.
const MAX_REMEMBERED: usize = 1 << 10;

/// An item of the input that the report answers for.
enum Question {
    Pod(Subject),
    Template(Subject, Box<Workload>),
    Unreadable(ObjectError),
}

pub(super) fn run(args: &Args, out: &mut Output) -> Result<Outcome, CliError> {
    let mut questions = Vec::new();
    let (snapshot, mut outcome) = if args.policies.is_empty() {
        args.read_all(&mut questions)?
    } else {
        (args.read_policies()?, Outcome::Clean)
    };
    if !snapshot.reading.is_complete() {
        outcome = Outcome::Incomplete;
    }

    let mut admission = Admission::new(args, &snapshot);
    let mut items = match args.output {
        Format::Jsonl => Items::lines(out),
        _ => Items::kept(),
    };
    let mut is_refused = false;
    let mut answer = |index, source, question| {
        let item = admission.answer(index, source, question);
        is_refused |= item.is_refused();
        items.take(item);
    };
    for (index, source, question) in questions {
        answer(index, source, question);
    }
    if !args.policies.is_empty() && args.read_pods(&snapshot, &mut answer)? == Outcome::Incomplete {
        outcome = Outcome::Incomplete;
    }

    if admission.n_answers == 0 {
        errors::say("warning: nothing is answered for: the input holds no pod and no workload");
        // A check that has nothing to check has not passed.
        if args.exit_code {
            outcome = Outcome::Incomplete;
        }
    }

    let report = SimulationReport::new(items.into_kept());
    match args.output {
        Format::Jsonl => Ok(()),
        Format::Text => out.write_all(simulate::text(&report).as_bytes()),
        Format::Json => reports::write_structured(&report, StructuredFormat::Json, out),
        Format::Yaml => reports::write_structured(&report, StructuredFormat::Yaml, out),
    }
    .map_err(CliError::Output)?;
    Ok(if args.exit_code && is_refused { Outcome::Findings } else { outcome })
}

impl Args {
    /// Reads the whole input: what is asked about, and the snapshot of all else.
    fn read_all(
        &self,
        questions: &mut Vec<(usize, Source, Question)>,
    ) -> Result<(Snapshot, Outcome), CliError> {
        let mut builder = SnapshotBuilder::new(&self.namespace);
        let outcome = self.input.read(&mut |index, source, object| match Question::of(
            object,
            &self.namespace,
        ) {
            Ok(question) => questions.push((index, source, question)),
            Err(object) => builder.add(*object, &source),
        })?;
        let snapshot = builder.finish();
        input::report_reading(&snapshot);
        Ok((snapshot, outcome))
    }

    /// Reads what admission goes by from where it is given apart.
    fn read_policies(&self) -> Result<Snapshot, CliError> {
        // Before what may take long.
        let input = self.input.inputs()?;
        let apart = self.input.of_files(&self.policies);
        if apart.inputs()?.contains(&Input::Stdin) && input.contains(&Input::Stdin) {
            return Err(CliError::Usage {
                message: "standard input cannot be read for both `--policies` and `-f`".to_owned(),
                hint: "give the policies as a file".to_owned(),
            });
        }
        input::read_dumps(&apart, SnapshotBuilder::new(&self.namespace).without_pods())
    }

    /// Reads pods and templates, each to be answered before the next is read. What speaks of admission
    /// as the snapshot does not, and what is missing among the pods, is named on standard error, and
    /// makes the outcome incomplete.
    fn read_pods(
        &self,
        snapshot: &Snapshot,
        answer: &mut dyn FnMut(usize, Source, Question),
    ) -> Result<Outcome, CliError> {
        let namespace = Name::from(self.namespace.as_str());
        let mut is_all_known = true;
        // What `collect` says of its own reading.
        let mut accounts = SnapshotBuilder::new(&self.namespace);
        let outcome = self.input.read(&mut |index, source, object| {
            let mut object = match Question::of(object, &namespace) {
                Ok(question) => return answer(index, source, question),
                Err(object) => object,
            };
            object.fill_namespace(&namespace);
            if let Object::Collection(_) = *object {
                accounts.add(*object, &source);
                return;
            }
            if let Some(unknown) = known::unknown(snapshot, &object) {
                is_all_known = false;
                errors::say(&format!(
                    "warning: {source}: {unknown} does not count, as `--policies` does not say the same"
                ));
            }
        })?;
        let accounts = accounts.finish();
        input::report_reading(&accounts);
        let known = snapshot.server_version();
        if let Some(other) = accounts.server_version().filter(|other| Some(*other) != known)
            && self.cluster_version.is_none()
        {
            is_all_known = false;
            errors::say(&format!(
                "warning: that the server is of {other} does not count, as `--policies` does not say the same"
            ));
        }
        let is_complete = is_all_known && accounts.reading.is_complete();
        Ok(if is_complete { outcome } else { Outcome::Incomplete })
    }
}

impl Question {
    /// What is asked about; other objects come back.
    fn of(object: Result<Known, ObjectError>, namespace: &str) -> Result<Self, Box<Object>> {
        let Known { api_version, kind, object } = match object {
            Ok(known) => known,
            Err(error) => return Ok(Self::Unreadable(error)),
        };
        match (Subject::of(&object, api_version, kind, namespace), object) {
            (Some(subject), Object::Workload(workload)) => {
                Ok(Self::Template(subject, Box::new(workload)))
            }
            (Some(subject), _) => Ok(Self::Pod(subject)),
            (None, object) => Err(Box::new(object)),
        }
    }
}

/// Who answers, and for whom.
struct Admission<'s> {
    simulation: Simulation<'s>,
    requester: Option<User>,
    is_prepared: bool,
    n_answers: usize,
}

impl<'s> Admission<'s> {
    fn new(args: &Args, snapshot: &'s Snapshot) -> Self {
        let version = args.cluster_version.or_else(|| snapshot.server_version());
        let version = version.unwrap_or(Version::LAST_WITH_PSP);
        let requester = args.requester.as_ref();
        Self {
            simulation: Simulation::new(snapshot, version, args.controllers_user.as_deref()),
            requester: requester
                .map(|name| User { name: name.clone(), groups: args.requester_group.clone() }),
            is_prepared: args.prepare,
            n_answers: 0,
        }
    }

    fn answer(&mut self, index: usize, source: Source, question: Question) -> SimulationItem {
        // Pods without end may come from namespaces without end.
        self.n_answers += 1;
        if self.n_answers.is_multiple_of(MAX_REMEMBERED) {
            self.simulation.forget();
        }
        let simulation = &self.simulation;
        let requester = self.requester.clone();
        let (subject, pod, requester) = match question {
            Question::Unreadable(error) => {
                return SimulationItem::unreadable(index, source, &error);
            }
            Question::Pod(subject) => {
                let namespace = Name::from(subject.namespace.as_str());
                let pod = if self.is_prepared {
                    simulation.created_pod(&namespace, &subject.template)
                } else {
                    prepare::defaulted_pod(&subject.template)
                };
                (subject, pod, requester)
            }
            Question::Template(subject, workload) => {
                let namespace = Name::from(subject.namespace.as_str());
                let template = prepare::template_of(&workload);
                let template = template.as_deref().unwrap_or(&subject.template);
                let pod = simulation.pod_of_template(&namespace, template);
                (subject, pod, requester.or_else(|| simulation.requester_of(workload.kind)))
            }
        };
        let verdict =
            simulation.verdict(&subject.namespace, &subject.pod_name(), &pod, requester.as_ref());
        SimulationItem::of(index, source, &subject, &subject.template, &verdict)
    }
}
