//! In which order are namespaces labelled, and how many at a time?

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use super::{Labelling, Stage};
use crate::level::Level;
use crate::migrate::plan::{NamespacePlan, Plan};

/// How many namespaces a wave takes where nothing else is asked for.
pub const DEFAULT_SIZE: NonZeroUsize = NonZeroUsize::new(10).unwrap();

/// Namespaces that are labelled together, before the admin looks again.
pub type Wave<'p> = Vec<Step<'p>>;

/// What a stage does with one namespace.
#[derive(Debug, Clone)]
pub struct Step<'p> {
    /// The namespace.
    pub namespace: &'p NamespacePlan,
    /// The labels to be set; never empty. Some may be there already.
    pub labels: BTreeMap<String, String>,
}

/// A stage in waves of at most `size` namespaces, least risk first: those that the plan leaves
/// out, and those for which the stage has nothing to do, are not among them.
#[must_use]
pub fn waves<'p>(
    plan: &'p Plan,
    labelling: &Labelling,
    stage: Stage,
    size: NonZeroUsize,
) -> Vec<Wave<'p>> {
    let mut steps: Vec<Step<'p>> = plan
        .namespaces
        .iter()
        .filter(|namespace| labelling.reason_to_stay_out(plan, namespace).is_none())
        .map(|namespace| Step { namespace, labels: stage.labels(namespace) })
        .filter(|step| !step.labels.is_empty())
        .collect();
    steps.sort_by(|a, b| risk(a.namespace).cmp(&risk(b.namespace)));
    steps.chunks(size.get()).map(<[_]>::to_vec).collect()
}

/// How much may go wrong when a namespace is labelled, and for how many. System namespaces come
/// last; those where nothing can be refused come first; of the others, those with something in the
/// way, or with webhooks of which no pod shows what they do, come after those without; and the more
/// pods, the later.
fn risk(namespace: &NamespacePlan) -> impl Ord {
    let is_unsure = !namespace.complete || namespace.conflict.is_some() || {
        let mut counted = namespace.workloads.iter().filter(|workload| workload.counted);
        counted.any(|workload| workload.injection == "unknown")
    };
    let n_pods: usize = namespace.workloads.iter().map(|workload| workload.pods).sum();
    let refuses = namespace.enforce > Some(Level::Privileged);
    (namespace.system, refuses, is_unsure, n_pods, namespace.name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migrate::plan::{ByEnforce, Missing, Summary};
    use crate::rollout::testing::namespace;
    use crate::version::Version;

    fn plan(namespaces: Vec<NamespacePlan>) -> Plan {
        Plan {
            pss_version: Version::v1(25),
            server: None,
            configuration: None,
            inputs: Vec::new(),
            complete: true,
            missing: Vec::new(),
            namespaces,
            findings: Vec::new(),
            policies: Vec::new(),
            bypass_policy: "0000-psp2psa-bypass".into(),
            summary: Summary {
                namespaces: 0,
                system: 0,
                by_enforce: ByEnforce::default(),
                workloads: 0,
                pods: 0,
            },
        }
    }

    fn names(plan: &Plan, labelling: Labelling, stage: Stage, size: usize) -> Vec<Vec<String>> {
        let names = |wave: &Wave<'_>| wave.iter().map(|it| it.namespace.name.to_string()).collect();
        let size = NonZeroUsize::new(size).unwrap();
        waves(plan, &labelling, stage, size).iter().map(names).collect()
    }

    #[test]
    fn waves_go_from_the_least_risk_to_the_greatest() {
        let restricted = Some(Level::Restricted);
        let system = NamespacePlan { system: true, ..namespace("a-system", restricted) };
        let conflict =
            NamespacePlan { conflict: Some("x".to_owned()), ..namespace("b", restricted) };
        let plan =
            plan(vec![system, conflict, namespace("c", restricted), namespace("d", restricted)]);
        let everything = Labelling { includes_system: true, includes_incomplete: true };
        assert_eq!(
            names(&plan, everything, Stage::Enforce, 3),
            [vec!["c", "d", "b"], vec!["a-system"]]
        );
        assert_eq!(
            names(&plan, Labelling::default(), Stage::Enforce, 2),
            [vec!["c", "d"], vec!["b"]]
        );
    }

    #[test]
    fn what_is_left_out_or_has_nothing_to_do_is_in_no_wave() {
        let missing = vec![Missing { what: "Pods".to_owned(), why: String::new() }];
        let incomplete =
            NamespacePlan { complete: false, missing, ..namespace("a", Some(Level::Baseline)) };
        let plan = plan(vec![incomplete, namespace("b", None), namespace("$(x)", None)]);
        assert_eq!(
            names(&plan, Labelling::default(), Stage::Enforce, 1),
            Vec::<Vec<String>>::new()
        );
        assert_eq!(names(&plan, Labelling::default(), Stage::Warn, 1), [["b"]]);
    }
}
