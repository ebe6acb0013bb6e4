//! How does the plan come together, namespace by namespace?

use std::collections::{BTreeMap, BTreeSet};

use super::agreement;
use super::gaps;
use super::injection::Injection;
use super::lineage::{self, Top, Unit};
use super::lost;
use super::plan::{
    ByEnforce, Evidence, LevelIgnoring, NamespaceLevels, NamespacePlan, Note, OtherVersion, Plan,
    PolicyPlan, Refusal, StateViolation, Summary, UsableBy, WorkloadLevels, WorkloadPlan,
};
use super::recommend::{self, Levels, Passes, both};
use super::simulation::Simulation;
use super::states::{self, States};
use super::translate;
use super::{Options, SYSTEM_NAMESPACES};
use crate::level::Level;
use crate::objects::meta::Name;
use crate::objects::namespace::Namespace;
use crate::objects::pod::PodTemplateSpec;
use crate::objects::snapshot::Snapshot;
use crate::objects::workload::WorkloadKind;
use crate::psa;
use crate::psp::Verdict;
use crate::version::Version;

/// Plans every namespace of a snapshot for which `is_selected` holds.
#[must_use]
pub fn plan<'s>(
    snapshot: &'s Snapshot,
    options: &Options,
    is_selected: &dyn Fn(&str) -> bool,
) -> Plan<'s> {
    let planner = Planner::new(snapshot, options);
    let mut missing = gaps::of_cluster(snapshot);
    missing.sort();
    missing.dedup();

    let mut units: BTreeMap<Name, Vec<Unit<'_>>> =
        snapshot.namespaces.keys().map(|name| (name.clone(), Vec::new())).collect();
    for name in gaps::namespaces_named(snapshot) {
        units.entry(name).or_default();
    }
    for unit in lineage::units(snapshot) {
        units.entry(unit.namespace().clone()).or_default().push(unit);
    }
    let namespaces: Vec<_> = units
        .iter()
        .filter(|(name, _)| is_selected(name))
        .map(|(name, units)| planner.namespace(name, units, missing.is_empty()))
        .collect();
    let complete = missing.is_empty() && namespaces.iter().all(|namespace| namespace.complete);
    let summary = summary(&namespaces);
    Plan {
        pss_version: options.pss_version,
        complete,
        missing,
        policies: planner.policies(&namespaces),
        namespaces,
        summary,
    }
}

struct Planner<'s, 'o> {
    snapshot: &'s Snapshot,
    options: &'o Options,
    simulation: Simulation<'s>,
    translations: BTreeMap<Name, translate::Translation>,
}

impl<'s, 'o> Planner<'s, 'o> {
    fn new(snapshot: &'s Snapshot, options: &'o Options) -> Self {
        let simulation =
            Simulation::new(snapshot, options.cluster_version, options.controllers_user.as_deref());
        let translations = snapshot
            .policies
            .iter()
            .map(|(name, policy)| (name.clone(), translate::translate(policy, options.pss_version)))
            .collect();
        Self { snapshot, options, simulation, translations }
    }

    fn namespace(
        &self,
        name: &Name,
        units: &[Unit<'s>],
        is_cluster_complete: bool,
    ) -> NamespacePlan<'s> {
        let missing = gaps::of_namespace(self.snapshot, name);
        let version = self.options.pss_version;
        let workloads: Vec<_> = units.iter().map(|unit| self.workload(unit)).collect();
        let states = Judgement::of(&workloads, version);
        let has_evidence = workloads.iter().any(|workload| workload.counted);
        let evidence = if has_evidence { Evidence::Workloads } else { Evidence::None };
        let (enforce, enforce_after) = match evidence {
            Evidence::Workloads => (states.enforce(), states.enforce_after()),
            Evidence::None => (self.options.empty_namespaces, self.options.empty_namespaces),
        };
        let stricter = enforce.map_or(Level::Restricted, Level::next_stricter);
        let stricter = if has_evidence { stricter } else { Level::Restricted };
        let warn = self.options.warn.unwrap_or(stricter);
        let audit = self.options.audit.unwrap_or(stricter);
        let current_labels: BTreeMap<String, String> = self
            .snapshot
            .namespaces
            .get(name)
            .into_iter()
            .flat_map(Namespace::pod_security_labels)
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        let labels = recommend::labels(Levels { enforce, audit, warn }, version, &current_labels);
        NamespacePlan {
            name: name.clone(),
            system: self.is_system(name),
            evidence,
            complete: is_cluster_complete && missing.is_empty(),
            missing,
            current_labels,
            enforce,
            enforce_after,
            warn,
            audit,
            labels: labels.to_set,
            conflict: labels.conflict,
            levels: NamespaceLevels {
                running: states.running.map(Passes::strictest),
                admitted: states.admitted.map(Passes::strictest),
                future: states.future.map(Passes::strictest),
                kept: states.kept.map(Passes::strictest),
                allowed_by_policies: self.allowed_by_policies(name, &workloads),
            },
            other_versions: other_versions(&workloads, version),
            workloads,
        }
    }

    fn is_system(&self, name: &str) -> bool {
        SYSTEM_NAMESPACES.contains(&name) || self.options.system_namespaces.contains(name)
    }

    fn workload(&self, unit: &Unit<'s>) -> WorkloadPlan<'s> {
        let version = self.options.pss_version;
        let states = states::of(unit, &self.simulation);
        let (policy_simulated, refusal) = match &states.verdict {
            Some(Verdict::Admitted(admitted)) => (Some(admitted.policy.clone()), Vec::new()),
            Some(Verdict::Refused(refused)) => (None, refusals(refused)),
            None => (None, Vec::new()),
        };
        let n_pods = unit.unfinished_pods().count();
        let is_refused = matches!(states.verdict, Some(Verdict::Refused(_)));
        let refused_today = is_refused && n_pods == 0;
        let mut policy_in_use: Vec<Name> =
            unit.unfinished_pods().filter_map(|member| member.pod.psp.clone()).collect();
        policy_in_use.sort();
        policy_in_use.dedup();
        let levels = WorkloadLevels {
            running: strictest(states.running.iter().map(AsRef::as_ref), version),
            admitted: strictest(&states.admitted, version),
            future: strictest(&states.future, version),
            kept: strictest(&states.kept, version),
        };
        let (injection, injected_containers) = match &states.injection {
            Injection::Unknown => ("unknown", Vec::new()),
            Injection::None => ("none", Vec::new()),
            Injection::Seen(containers) => ("seen", containers.clone()),
        };
        let mut plan = WorkloadPlan {
            api_version: "v1".into(),
            kind: "Pod",
            name: String::new(),
            managed_by: None,
            service_account: service_account(&states.authored),
            pods: n_pods,
            replicas: None,
            suspended: false,
            policy_in_use,
            disagreements: agreement::disagreements(
                unit,
                policy_simulated.as_ref(),
                &self.simulation,
            ),
            policy_simulated,
            refused_today,
            refusal,
            counted: !refused_today && !states.future.is_empty(),
            injection,
            injected_containers,
            notes: Vec::new(),
            levels,
            lost: lost::of(unit, &states),
            violations: violations(&states, version),
            states,
        };
        if plan.states.has_seccomp_annotation {
            plan.notes.push(Note::AnnotationStopsWorking);
        }
        if is_refused && !refused_today {
            plan.notes.push(Note::RunsThoughRefused);
        }
        match unit.top {
            Top::Workload(workload) => {
                plan.api_version = workload.api_version.clone();
                plan.kind = workload.kind.as_str();
                plan.name =
                    if workload.name.is_empty() { &workload.generate_name } else { &workload.name }
                        .to_string();
                plan.managed_by =
                    managed_by(workload.controller.as_deref(), workload.managed_by.as_ref());
                plan.replicas = workload.replicas;
                plan.suspended = workload.is_suspended;
                plan.counted &= workload.kind != WorkloadKind::PodTemplate;
            }
            Top::Pod(pod) => {
                plan.name = if pod.name.is_empty() {
                    pod.generate_name.to_string()
                } else {
                    pod.name.to_string()
                };
                plan.managed_by = managed_by(pod.controller.as_deref(), pod.managed_by.as_ref());
                if pod.is_mirror() {
                    plan.notes.push(Note::MirrorPod);
                }
                if plan.states.is_assumed {
                    plan.notes.push(Note::AssumedAuthorship);
                }
                if pod.is_finished() {
                    plan.notes.push(Note::FinishedPod);
                    // Like a finished Job's, a controller's next pod will be of the same kind.
                    plan.counted &= pod.controller.is_some();
                }
            }
        }
        plan
    }

    fn allowed_by_policies(
        &self,
        namespace: &Name,
        workloads: &[WorkloadPlan<'_>],
    ) -> Option<Level> {
        let mut accounts: BTreeSet<&str> = self
            .snapshot
            .service_accounts
            .range((namespace.clone(), Name::from(""))..)
            .take_while(|((of, _), _)| of == namespace)
            .map(|((_, account), _)| &**account)
            .collect();
        accounts.insert("default");
        accounts.extend(workloads.iter().map(|workload| workload.service_account.as_str()));
        self.simulation
            .usable_policies(namespace, &accounts)
            .into_iter()
            .filter_map(|policy| self.translations.get(&policy))
            .map(translate::Translation::level)
            .min()
    }

    fn policies(&self, namespaces: &[NamespacePlan<'_>]) -> Vec<PolicyPlan> {
        let mut pods: BTreeMap<&str, usize> = BTreeMap::new();
        let selected: BTreeSet<&str> =
            namespaces.iter().map(|namespace| &*namespace.name).collect();
        for pod in self.snapshot.pods.iter().filter(|pod| !pod.is_finished()) {
            if let Some(policy) = pod.psp.as_deref().filter(|_| selected.contains(&*pod.namespace))
            {
                *pods.entry(policy).or_default() += 1;
            }
        }
        let fields = translate::USUALLY_OPEN_FIELDS;
        self.translations
            .iter()
            .map(|(name, translation)| PolicyPlan {
                name: name.clone(),
                level: translation.level(),
                level_ignoring: LevelIgnoring { fields, level: translation.level_ignoring(fields) },
                reasons: translation.fields.clone(),
                mutates: translation.mutates.clone(),
                not_expressible: translation.not_expressible.clone(),
                broken: self.broken(name),
                usable_by: self.usable_by(name),
                pods: pods.get(&**name).copied().unwrap_or(0),
            })
            .collect()
    }

    fn broken(&self, policy: &Name) -> Option<String> {
        let unusable = self.simulation.admission().unusable();
        let broken = unusable.iter().find(|unusable| unusable.name == *policy)?;
        Some(broken.reason.to_string())
    }

    fn usable_by(&self, policy: &Name) -> Vec<UsableBy> {
        let mut subjects: Vec<UsableBy> = self
            .simulation
            .holders_of(policy)
            .into_iter()
            .map(|holder| UsableBy {
                kind: holder.subject.kind.clone(),
                name: match holder.subject_namespace {
                    Some(namespace) => format!("{namespace}:{}", holder.subject.name),
                    None => holder.subject.name.clone(),
                },
                namespace: holder.namespace.cloned(),
            })
            .collect();
        subjects.sort();
        subjects.dedup();
        subjects
    }
}

fn service_account(pod: &PodTemplateSpec) -> String {
    match pod.spec.service_account() {
        "" => "default".to_owned(),
        account => account.to_owned(),
    }
}

fn managed_by(
    controller: Option<&crate::objects::meta::OwnerReference>,
    tool: Option<&Name>,
) -> Option<String> {
    controller
        .map(|owner| format!("{} {}", owner.kind, owner.name))
        .or_else(|| tool.map(ToString::to_string))
}

/// What the counted workloads of a namespace pass together, state by state.
struct Judgement {
    running: Option<Passes>,
    admitted: Option<Passes>,
    future: Option<Passes>,
    kept: Option<Passes>,
}

impl Judgement {
    fn of(workloads: &[WorkloadPlan<'_>], version: Version) -> Self {
        let counted = || workloads.iter().filter(|workload| workload.counted);
        Self {
            running: Passes::of_all(
                workloads.iter().flat_map(|workload| &workload.states.running).map(AsRef::as_ref),
                version,
            ),
            admitted: Passes::of_all(
                counted().flat_map(|workload| &workload.states.admitted),
                version,
            ),
            future: Passes::of_all(counted().flat_map(|workload| &workload.states.future), version),
            kept: Passes::of_all(counted().flat_map(|workload| &workload.states.kept), version),
        }
    }

    fn enforce(&self) -> Option<Level> {
        both(both(self.running, self.admitted), self.future).map(Passes::strictest)
    }

    fn enforce_after(&self) -> Option<Level> {
        self.future.map(Passes::strictest)
    }
}

fn strictest<'p>(
    pods: impl IntoIterator<Item = &'p PodTemplateSpec>,
    version: Version,
) -> Option<Level> {
    Passes::of_all(pods, version).map(Passes::strictest)
}

/// The answers at newer versions of the standards, where they differ from the one before.
fn other_versions(workloads: &[WorkloadPlan<'_>], version: Version) -> Vec<OtherVersion> {
    let answer = |version| {
        let judgement = Judgement::of(workloads, version);
        (judgement.enforce(), judgement.enforce_after())
    };
    let mut last = answer(version);
    let mut others = Vec::new();
    for version in psa::versions_that_change().filter(|newer| *newer > version) {
        let (enforce, enforce_after) = answer(version);
        if (enforce, enforce_after) != last {
            last = (enforce, enforce_after);
            others.push(OtherVersion { version, enforce, enforce_after });
        }
    }
    others
}

fn refusals(refused: &crate::psp::Refused) -> Vec<Refusal> {
    if refused.errors.is_empty() {
        return vec![Refusal { policy: None, message: refused.message() }];
    }
    let mut refusals: Vec<Refusal> = Vec::new();
    for error in &refused.errors {
        let refusal =
            Refusal { policy: Some(error.policy.clone()), message: error.error.to_string() };
        if !refusals.contains(&refusal) {
            refusals.push(refusal);
        }
    }
    refusals
}

/// Every violation of each state's pods at each level, once.
fn violations(states: &States<'_>, version: Version) -> Vec<StateViolation> {
    let running: Vec<&PodTemplateSpec> = states.running.iter().map(AsRef::as_ref).collect();
    let groups = [
        ("running", running),
        ("admitted", states.admitted.iter().collect()),
        ("future", states.future.iter().collect()),
    ];
    let mut violations: Vec<StateViolation> = Vec::new();
    for (state, pods) in groups {
        for level in [Level::Baseline, Level::Restricted] {
            let start = violations.len();
            for pod in &pods {
                for violation in psa::evaluate(level, version, pod).violations {
                    let violation = StateViolation {
                        state,
                        level,
                        check: violation.check,
                        reason: violation.reason.to_string(),
                        detail: violation.detail,
                    };
                    if !violations[start..].contains(&violation) {
                        violations.push(violation);
                    }
                }
            }
        }
    }
    violations
}

fn summary(namespaces: &[NamespacePlan<'_>]) -> Summary {
    let mut summary = Summary::default();
    for namespace in namespaces {
        if namespace.system {
            summary.system += 1;
            continue;
        }
        summary.namespaces += 1;
        summary.workloads += namespace.workloads.len();
        summary.pods += namespace.workloads.iter().map(|workload| workload.pods).sum::<usize>();
        let ByEnforce { privileged, baseline, restricted, none } = &mut summary.by_enforce;
        *match namespace.enforce {
            Some(Level::Privileged) => privileged,
            Some(Level::Baseline) => baseline,
            Some(Level::Restricted) => restricted,
            None => none,
        } += 1;
    }
    summary
}
