//! What could the cluster ask of namespaces without labels, and what must be exempt from it?
//!
//! The default is for new namespaces, which nobody has looked at. Those that are there keep what they
//! need: by the labels that the plan sets, or else by an exemption.

use serde::Serialize;

use super::findings::counted;
use super::plan::{Evidence, NamespacePlan, Plan};
use crate::level::Level;
use crate::psa::configuration::{Exemptions, is_namespace_name};
use crate::psa::policy::{ENFORCE_LABEL, LevelVersion, Policy, PolicyVersion};

/// A configuration for the cluster, with the reasons for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// What shall hold where labels say nothing.
    pub defaults: Policy,
    /// Why the enforced level is no other.
    pub why: String,
    /// The namespaces to exempt, sorted by name.
    pub exempt: Vec<Exempt>,
    /// The users who are exempt already, and stay so.
    pub usernames: Vec<String>,
    /// The runtime classes that are exempt already, and stay so.
    pub runtime_classes: Vec<String>,
    /// Namespaces in which no workload was seen and that the plan gives no enforce label: the default
    /// holds there. Sorted by name.
    pub unknown: Vec<String>,
    /// Namespaces that the plan's labels keep below the default, with their level; sorted by name.
    pub labelled_below: Vec<(String, Level)>,
}

/// A namespace to exempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Exempt {
    /// The name.
    pub name: String,
    /// Why.
    pub reason: String,
}

impl Proposal {
    /// The exemptions, without their reasons.
    #[must_use]
    pub fn exemptions(&self) -> Exemptions {
        Exemptions {
            usernames: self.usernames.iter().cloned().collect(),
            namespaces: self.exempt.iter().map(|exempt| exempt.name.clone()).collect(),
            runtime_classes: self.runtime_classes.iter().cloned().collect(),
        }
    }
}

/// Proposes a configuration by a plan of the whole cluster.
///
/// `default` is the level to enforce; `None` for the strictest that fits. `reason_to_skip` says why the
/// plan's labels are not set in a namespace.
#[must_use]
pub fn propose(
    plan: &Plan,
    default: Option<Level>,
    reason_to_skip: impl Fn(&NamespacePlan) -> Option<String>,
) -> Proposal {
    let (level, why) = match default {
        Some(level) => (level, "as asked for by --default".to_owned()),
        None => fitting(plan),
    };
    let mut proposal = Proposal {
        defaults: defaults(plan, level),
        why,
        exempt: Vec::new(),
        usernames: Vec::new(),
        runtime_classes: Vec::new(),
        unknown: Vec::new(),
        labelled_below: Vec::new(),
    };
    if let Some(present) = &plan.configuration {
        proposal.usernames.extend(present.exemptions.usernames.iter().cloned());
        proposal.runtime_classes.extend(present.exemptions.runtime_classes.iter().cloned());
        // What is exempt and not in the input may be made again.
        let is_planned = |name: &str| plan.namespaces.iter().any(|it| *it.name == *name);
        let reason = "exempt already";
        let gone = present.exemptions.namespaces.iter().filter(|name| !is_planned(name));
        proposal.exempt.extend(gone.map(|name| exempt(name, reason)));
    }
    for namespace in &plan.namespaces {
        place(namespace, level, reason_to_skip(namespace), &mut proposal);
    }
    proposal.exempt.sort_by(|a, b| a.name.cmp(&b.name));
    proposal
}

fn exempt(name: &str, reason: impl Into<String>) -> Exempt {
    Exempt { name: name.to_owned(), reason: reason.into() }
}

/// Says of one namespace how it keeps what it needs.
fn place(
    namespace: &NamespacePlan,
    level: Level,
    skipped: Option<String>,
    proposal: &mut Proposal,
) {
    let name = &*namespace.name;
    if namespace.exempt {
        proposal.exempt.push(exempt(name, "exempt already"));
        return;
    }
    let known = namespace.enforce.filter(|_| namespace.evidence == Evidence::Workloads);
    let Some(skipped) = skipped else {
        match namespace.enforce {
            Some(enforce) if enforce < level => {
                proposal.labelled_below.push((name.to_owned(), enforce));
            }
            Some(_) => {}
            None => proposal.unknown.push(name.to_owned()),
        }
        return;
    };
    // A label that is there holds whatever the default is.
    let label = namespace.current_labels.get(ENFORCE_LABEL);
    let has_label = label.is_some_and(|label| label.parse::<Level>().is_ok());
    if has_label || !is_namespace_name(name) {
        return;
    }
    let needs = match known {
        Some(enforce) => format!("needs {enforce}"),
        None => "no workloads seen".to_owned(),
    };
    let is_certain = known.is_some_and(|enforce| enforce >= level) && namespace.complete;
    if level > Level::Privileged && (namespace.system || !is_certain) {
        proposal.exempt.push(exempt(name, format!("{needs}; not labelled: {skipped}")));
    }
}

/// Pinned as the labels are, so that an upgrade of Kubernetes changes nothing by itself. Warnings and
/// the audit log ask for the most, as they refuse nothing.
fn defaults(plan: &Plan, enforce: Level) -> Policy {
    let version = PolicyVersion::Version(plan.pss_version);
    let pinned = |level| LevelVersion { level, version };
    Policy {
        enforce: pinned(enforce),
        audit: pinned(Level::Restricted),
        warn: pinned(Level::Restricted),
    }
}

/// The strictest level that new namespaces can be asked for, and why: restricted where every namespace
/// satisfies it, as its demands have to be written into each template; else baseline, as what it refuses
/// is an exception that a label can make. Nothing that was seen breaks by it, as that is labelled or
/// exempt. Never less than the present default.
fn fitting(plan: &Plan) -> (Level, String) {
    let levels: Vec<Level> = plan
        .namespaces
        .iter()
        .filter(|it| !it.system && !it.exempt && it.evidence == Evidence::Workloads)
        .filter_map(|it| it.enforce.min(it.enforce_after))
        .collect();
    let n = levels.len();
    let at_least = |level: Level| levels.iter().filter(|it| **it >= level).count();
    let (n_restricted, n_baseline) = (at_least(Level::Restricted), at_least(Level::Baseline));
    let is_restricted = n > 0 && n_restricted == n;
    let level = if is_restricted { Level::Restricted } else { Level::Baseline };
    let present = plan.configuration.as_ref().map(|it| it.defaults.enforce.level);
    if let Some(present) = present.filter(|present| *present > level) {
        return (present, "the present default, which is not loosened".to_owned());
    }
    let counts = format!(
        "of {} {n_restricted} satisfy restricted and {n_baseline} baseline at least",
        counted(n, "namespace with workloads", "namespaces with workloads")
    );
    let why = match level {
        _ if n == 0 => "no namespace with workloads was seen; baseline refuses only what few \
                        workloads need"
            .to_owned(),
        Level::Restricted => format!("{counts}, so a new one can be asked for the same"),
        _ => format!(
            "{counts}. In a new namespace, restricted would refuse pods that are as those of most \
             others; what needs more than baseline is host access and the like, for which somebody \
             should decide and set a label"
        ),
    };
    (level, why)
}
