//! How does the plan come together, namespace by namespace?

use std::collections::{BTreeMap, BTreeSet};
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::findings::{self, Finding};
use super::gaps;
use super::judgement::{self, Judge, Judgement};
use super::lineage::{self, Unit};
use super::plan::{
    ByEnforce, ConfigurationPlan, Evidence, LevelIgnoring, NamespaceLevels, NamespacePlan, Plan,
    PolicyPlan, ServerPlan, Summary, UsableBy, WorkloadPlan,
};
use super::recommend::{self, Levels, Passes};
use super::sightings;
use super::simulation::{Rules, Simulation};
use super::translate;
use super::workload;
use super::{Options, SYSTEM_NAMESPACES};
use crate::level::Level;
use crate::objects::meta::Name;
use crate::objects::namespace::Namespace;
use crate::objects::snapshot::Snapshot;
use crate::psa::admission::{
    ExistingPod, NamespaceAnswer, NamespaceChange, arriving, namespace_answer,
};
use crate::psa::configuration::Configuration;

/// Plans every namespace of a snapshot for which `is_selected` holds.
#[must_use]
pub fn plan<'s>(
    snapshot: &'s Snapshot,
    options: &Options,
    is_selected: &dyn Fn(&str) -> bool,
) -> Plan {
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
    units.retain(|name, _| is_selected(name));
    let units: Vec<_> = units.into_iter().collect();
    let plans = planner.namespaces(&units, missing.is_empty());
    let (namespaces, findings): (Vec<_>, Vec<_>) = plans.into_iter().unzip();
    let mut findings: Vec<_> = findings.into_iter().flatten().collect();
    findings::sort(&mut findings);
    let complete = missing.is_empty() && namespaces.iter().all(|namespace| namespace.complete);
    let summary = summary(&namespaces);
    Plan {
        pss_version: options.pss_version,
        server: snapshot.server.as_ref().map(ServerPlan::of),
        configuration: options.is_configured.then(|| ConfigurationPlan {
            defaults: options.configuration.defaults,
            exemptions: options.configuration.exemptions.clone(),
        }),
        inputs: snapshot.inputs.clone(),
        complete,
        missing,
        findings,
        policies: planner.policies(&namespaces),
        bypass_policy: planner.rules.bypass_policy().clone(),
        namespaces,
        summary,
    }
}

struct Planner<'s, 'o> {
    snapshot: &'s Snapshot,
    options: &'o Options,
    rules: Arc<Rules<'s>>,
    gaps: gaps::OfNamespaces<'s>,
    translations: BTreeMap<Name, translate::Translation>,
}

impl<'s, 'o> Planner<'s, 'o> {
    fn new(snapshot: &'s Snapshot, options: &'o Options) -> Self {
        let controllers_user = options.controllers_user.as_deref();
        let rules = Arc::new(Rules::new(snapshot, options.cluster_version, controllers_user));
        let translations = snapshot
            .policies
            .iter()
            .map(|(name, policy)| (name.clone(), translate::translate(policy, options.pss_version)))
            .collect();
        let gaps = gaps::OfNamespaces::new(snapshot);
        Self { snapshot, options, rules, gaps, translations }
    }

    /// Plans namespaces with their units, and says what is found in each, on as many threads as are
    /// wanted; each takes the next namespace when it is done with one.
    fn namespaces(
        &self,
        units: &[(Name, Vec<Unit<'s>>)],
        is_cluster_complete: bool,
    ) -> Vec<(NamespacePlan, Vec<Finding>)> {
        let next = AtomicUsize::new(0);
        let work = || {
            let simulation = Simulation::of(Arc::clone(&self.rules));
            let mut done = Vec::new();
            while let Some((name, units)) = units.get(next.fetch_add(1, Ordering::Relaxed)) {
                let namespace = self.namespace(name, units, &simulation, is_cluster_complete);
                let findings = findings::of(&namespace, self.options);
                done.push((namespace, findings));
                // No other namespace has the same templates or accounts.
                simulation.forget();
            }
            done
        };
        let n_threads = self.options.n_threads.min(units.len());
        let mut namespaces = thread::scope(|scope| {
            let threads: Vec<_> = (1..n_threads).map(|_| scope.spawn(work)).collect();
            let mut done = work();
            for thread in threads {
                done.extend(thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
            }
            done
        });
        namespaces.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name));
        namespaces
    }

    fn namespace(
        &self,
        name: &Name,
        units: &[Unit<'s>],
        simulation: &Simulation<'s>,
        is_cluster_complete: bool,
    ) -> NamespacePlan {
        let missing = self.gaps.of(name);
        let Options { pss_version: version, ref configuration, is_configured, .. } = *self.options;
        let judge = Judge { version, exemptions: &configuration.exemptions };
        let exempt = configuration.exemptions.namespaces.contains(&**name);
        let mut workloads: Vec<_> =
            units.iter().map(|unit| workload::plan(unit, simulation, judge)).collect();
        sightings::note(&self.snapshot.inputs, units, &mut workloads);
        let states = Judgement::of(&workloads, judge);
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
        let levels = Levels { enforce, audit, warn };
        let labels = if exempt {
            recommend::labels_of_exempt(&current_labels, configuration)
        } else {
            recommend::labels(levels, version, &current_labels, configuration)
        };
        let change = (&current_labels, &labels.to_set);
        let label_warnings = label_warnings(name, units, change, configuration);
        let effective_policy =
            (is_configured && !exempt).then(|| configuration.policy_of(&current_labels).0);
        NamespacePlan {
            name: name.clone(),
            system: self.is_system(name),
            evidence,
            complete: is_cluster_complete && missing.is_empty(),
            missing,
            current_labels,
            exempt,
            effective_policy,
            enforce,
            enforce_after,
            warn,
            audit,
            labels: labels.to_set,
            conflict: labels.conflict,
            label_warnings,
            levels: NamespaceLevels {
                running: states.running.map(Passes::strictest),
                admitted: states.admitted.map(Passes::strictest),
                future: states.future.map(Passes::strictest),
                kept: states.kept.map(Passes::strictest),
                raised: states.raised.map(Passes::strictest),
                allowed_by_policies: self.allowed_by_policies(name, &workloads, simulation),
            },
            other_versions: judgement::other_versions(&workloads, states, judge),
            earlier_versions: judgement::earlier_versions(&workloads, states, judge),
            workloads,
        }
    }

    fn is_system(&self, name: &str) -> bool {
        SYSTEM_NAMESPACES.contains(&name) || self.options.system_namespaces.contains(name)
    }

    fn allowed_by_policies(
        &self,
        namespace: &Name,
        workloads: &[WorkloadPlan],
        simulation: &Simulation<'s>,
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
        simulation
            .usable_policies(namespace, &accounts)
            .into_iter()
            .filter_map(|policy| self.translations.get(&policy))
            .map(translate::Translation::level)
            .min()
    }

    fn policies(&self, namespaces: &[NamespacePlan]) -> Vec<PolicyPlan> {
        let mut pods: BTreeMap<&str, usize> = BTreeMap::new();
        let selected: BTreeSet<&str> =
            namespaces.iter().map(|namespace| &*namespace.name).collect();
        for pod in self.snapshot.pods.iter().filter(|pod| !pod.is_finished()) {
            if let Some(policy) = pod.psp.as_deref().filter(|_| selected.contains(&*pod.namespace))
            {
                *pods.entry(policy).or_default() += 1;
            }
        }
        let simulation = Simulation::of(Arc::clone(&self.rules));
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
                broken: broken(name, &simulation),
                usable_by: usable_by(name, &simulation),
                pods: pods.get(&**name).copied().unwrap_or(0),
            })
            .collect()
    }
}

fn broken(policy: &Name, simulation: &Simulation<'_>) -> Option<String> {
    let unusable = simulation.admission().unusable();
    let broken = unusable.iter().find(|unusable| unusable.name == *policy)?;
    Some(broken.reason.to_string())
}

fn usable_by(policy: &Name, simulation: &Simulation<'_>) -> Vec<UsableBy> {
    let mut subjects: Vec<UsableBy> = simulation
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

/// What the server says when labels are set besides those that are there.
fn label_warnings(
    name: &Name,
    units: &[Unit<'_>],
    (current, to_set): (&BTreeMap<String, String>, &BTreeMap<String, String>),
    configuration: &Configuration,
) -> Vec<String> {
    let mut labels = current.clone();
    labels.extend(to_set.clone());
    let change = NamespaceChange { name, labels: &labels, old_labels: Some(current) };
    let pods = units.iter().flat_map(|unit| &unit.pods);
    let pods = pods.map(|member| ExistingPod {
        name: &member.pod.name,
        controller: member.pod.controller.as_ref().map_or("", |owner| owner.uid.as_str()),
        pod: &member.pod.template,
    });
    match namespace_answer(&change, configuration, || pods) {
        NamespaceAnswer::Allowed(warnings) => arriving(&warnings),
        NamespaceAnswer::Invalid(invalid) => vec![invalid.to_string()],
    }
}

fn summary(namespaces: &[NamespacePlan]) -> Summary {
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
