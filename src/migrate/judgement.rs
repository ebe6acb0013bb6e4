//! What do the workloads of a namespace pass together, and what holds each of them back?

use std::iter;
use std::sync::Arc;

use super::plan::{OtherVersion, StateViolation, WorkloadLevels, WorkloadPlan};
use super::recommend::{Passes, both};
use super::states::States;
use crate::level::Level;
use crate::lookup::{HashMap, HashSet};
use crate::objects::pod::PodTemplateSpec;
use crate::psa;
use crate::psa::LevelsEvaluation;
use crate::psa::configuration::Exemptions;
use crate::version::Version;

/// By what pods are judged.
#[derive(Debug, Clone, Copy)]
pub struct Judge<'c> {
    /// The version of the standards.
    pub version: Version,
    /// What is not judged; only runtime classes matter for pods.
    pub exemptions: &'c Exemptions,
}

impl Judge<'_> {
    /// What pods pass together, without those that are exempt; `None` for no pods.
    #[must_use]
    pub fn of_all<'p>(
        self,
        pods: impl IntoIterator<Item = &'p Arc<PodTemplateSpec>>,
    ) -> Option<Passes> {
        self.of_more(None, pods)
    }

    /// As [`Self::of_all`], with what other pods pass (`None` for no others).
    #[must_use]
    pub fn of_more<'p>(
        self,
        others: Option<Passes>,
        pods: impl IntoIterator<Item = &'p Arc<PodTemplateSpec>>,
    ) -> Option<Passes> {
        let judged = pods.into_iter().filter(|pod| self.is_judged(pod));
        Passes::of_more(others, judged, self.version)
    }

    /// Whether a pod is not exempt.
    #[must_use]
    pub fn is_judged(self, pod: &PodTemplateSpec) -> bool {
        self.exemptions.runtime_class_of(pod).is_none()
    }
}

/// What the counted workloads of a namespace pass together, state by state.
#[derive(Debug, Clone, Copy)]
pub struct Judgement {
    /// The live, unfinished pods of every workload.
    pub running: Option<Passes>,
    /// What today's admission makes of the counted templates.
    pub admitted: Option<Passes>,
    /// What will be made of them once PSP is gone.
    pub future: Option<Passes>,
    /// As `future`, with what PSP wrote written down.
    pub kept: Option<Passes>,
    /// As `kept`, with what the next levels still need.
    pub raised: Option<Passes>,
}

impl Judgement {
    /// Judges the workloads of a namespace.
    #[must_use]
    pub fn of(workloads: &[WorkloadPlan], judge: Judge<'_>) -> Self {
        let counted = || workloads.iter().filter(|workload| workload.counted);
        Self {
            running: judge.of_all(workloads.iter().flat_map(|workload| &workload.states.running)),
            admitted: judge.of_all(counted().flat_map(|workload| &workload.states.admitted)),
            future: judge.of_all(counted().flat_map(|workload| &workload.states.future)),
            kept: judge.of_all(counted().flat_map(|workload| &workload.states.kept)),
            raised: judge.of_all(counted().flat_map(|workload| &workload.states.raised)),
        }
    }

    /// The strictest level that is safe before and after the upgrade.
    #[must_use]
    pub fn enforce(&self) -> Option<Level> {
        both(both(self.running, self.admitted), self.future).map(Passes::strictest)
    }

    /// The strictest level that is safe after the upgrade.
    #[must_use]
    pub fn enforce_after(&self) -> Option<Level> {
        self.future.map(Passes::strictest)
    }
}

/// What the checks say of one workload's pods.
#[derive(Debug)]
pub struct Evaluated<'s> {
    states: &'s States,
    judge: Judge<'s>,
    /// The pods that are not exempt and whose violations are told, by where they are: states share
    /// those that are equal.
    pods: HashMap<*const PodTemplateSpec, LevelsEvaluation>,
}

impl<'s> Evaluated<'s> {
    /// Evaluates every pod once.
    #[must_use]
    pub fn of(states: &'s States, judge: Judge<'s>) -> Self {
        let mut pods = HashMap::default();
        for pod in [&states.running, &states.admitted, &states.future].into_iter().flatten() {
            if judge.is_judged(pod) {
                pods.entry(Arc::as_ptr(pod))
                    .or_insert_with(|| psa::evaluate_levels(judge.version, pod));
            }
        }
        Self { states, judge, pods }
    }

    fn of_pods(&self, pods: &[Arc<PodTemplateSpec>]) -> impl Iterator<Item = &LevelsEvaluation> {
        pods.iter().filter_map(|pod| self.pods.get(&Arc::as_ptr(pod)))
    }

    /// The strictest level of the pods in each state.
    #[must_use]
    pub fn levels(&self) -> WorkloadLevels {
        let strictest = |pods: &[Arc<PodTemplateSpec>]| {
            let known = |pod: &&Arc<PodTemplateSpec>| self.pods.contains_key(&Arc::as_ptr(pod));
            let together = self.of_pods(pods).map(Passes::by).reduce(Passes::and);
            let others = pods.iter().filter(|pod| !known(pod));
            self.judge.of_more(together, others).map(Passes::strictest)
        };
        let States { running, admitted, future, kept, raised, .. } = self.states;
        WorkloadLevels {
            running: strictest(running),
            admitted: strictest(admitted),
            future: strictest(future),
            kept: strictest(kept),
            raised: strictest(raised),
        }
    }

    /// Every violation of each state's pods at each level, once; exempt pods violate nothing.
    #[must_use]
    pub fn violations(&self) -> Vec<StateViolation> {
        let States { running, admitted, future, .. } = self.states;
        let mut violations: Vec<StateViolation> = Vec::new();
        for (state, pods) in [("running", running), ("admitted", admitted), ("future", future)] {
            for level in [Level::Baseline, Level::Restricted] {
                let start = violations.len();
                for found in self.of_pods(pods).flat_map(|evaluation| evaluation.at(level)) {
                    let psa::Violation { check, reason, ref detail } = *found;
                    // The reason goes by both.
                    let is_same =
                        |known: &StateViolation| known.check == check && *known.detail == **detail;
                    if violations[start..].iter().any(is_same) {
                        continue;
                    }
                    // Most of it is said of another state as well, and kept once.
                    let said = violations[..start].iter().find(|known| is_same(known));
                    let detail =
                        said.map_or_else(|| detail.as_str().into(), |known| known.detail.clone());
                    violations.push(StateViolation { state, level, check, reason, detail });
                }
            }
        }
        // Most of what a plan keeps.
        violations.shrink_to_fit();
        violations
    }
}

/// The answers at newer versions of the standards than the one that `own` was judged at, where they
/// differ from the one before.
#[must_use]
pub fn other_versions(
    workloads: &[WorkloadPlan],
    own: Judgement,
    judge: Judge<'_>,
) -> Vec<OtherVersion> {
    let newer = psa::versions_that_change().filter(|newer| *newer > judge.version);
    differing(workloads, own, judge, newer)
}

/// As [`other_versions`], at earlier versions: v1.24, the last whose server has PSP, and what lies
/// between it and the version that `own` was judged at.
#[must_use]
pub fn earlier_versions(
    workloads: &[WorkloadPlan],
    own: Judgement,
    judge: Judge<'_>,
) -> Vec<OtherVersion> {
    let first = Version::LAST_WITH_PSP;
    let between = psa::versions_that_change().filter(|change| *change > first);
    let earlier = iter::once(first).chain(between).take_while(|earlier| *earlier < judge.version);
    differing(workloads, own, judge, earlier)
}

fn differing(
    workloads: &[WorkloadPlan],
    own: Judgement,
    judge: Judge<'_>,
    versions: impl Iterator<Item = Version>,
) -> Vec<OtherVersion> {
    let counted = || workloads.iter().filter(|workload| workload.counted);
    let future = in_order_of_doubt(counted().map(|it| (it.levels.future, &*it.states.future)));
    let running = workloads.iter().map(|it| (it.levels.running, &*it.states.running));
    let admitted = counted().map(|it| (it.levels.admitted, &*it.states.admitted));
    let today = in_order_of_doubt(running.chain(admitted));
    let mut last = (own.enforce(), own.enforce_after());
    let mut others = Vec::new();
    for version in versions {
        let judge = Judge { version, ..judge };
        let future = judge.of_all(future.iter().copied());
        // What the future does not pass need not be asked of today's pods.
        let all = judge.of_more(future, today.iter().copied());
        let (enforce, enforce_after) = (all.map(Passes::strictest), future.map(Passes::strictest));
        if (enforce, enforce_after) != last {
            last = (enforce, enforce_after);
            others.push(OtherVersion { version, enforce, enforce_after });
        }
    }
    others
}

/// The pods of workloads, each once, in an order in which it is soon known what they pass together:
/// first those of which a state passes least at the judge's own version.
fn in_order_of_doubt<'p>(
    states: impl Iterator<Item = (Option<Level>, &'p [Arc<PodTemplateSpec>])>,
) -> Vec<&'p Arc<PodTemplateSpec>> {
    let mut states: Vec<_> = states.collect();
    states.sort_by_key(|(level, _)| *level);
    let mut seen = HashSet::default();
    let pods = states.into_iter().flat_map(|(_, pods)| pods);
    pods.filter(|pod| seen.insert(Arc::as_ptr(pod))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::migrate::tests::{options, snapshot};
    use crate::migrate::{Options, assemble};

    #[test]
    fn each_earlier_version_that_answers_otherwise_is_told() {
        // v1.27 takes the first sysctl for safe, v1.29 the second.
        let replica_set = |name: &str, sysctl: &str| {
            let sysctls = [json!({"name": sysctl, "value": "1"})];
            json!({"apiVersion": "apps/v1", "kind": "ReplicaSet",
                "metadata": {"name": name, "namespace": name},
                "spec": {"template": {"spec": {
                    "securityContext": {"sysctls": sysctls},
                    "containers": [{"name": "app"}]}}}})
        };
        let objects = [
            replica_set("a", "net.ipv4.ip_local_reserved_ports"),
            replica_set("b", "net.ipv4.tcp_keepalive_time"),
        ];
        let refused = || vec![("v1.24", "privileged")];
        let taken_since = |version| [refused(), vec![(version, "baseline")]].concat();
        for (minor, answers) in [
            (24, [vec![], vec![]]),
            (26, [vec![], vec![]]),
            (27, [refused(), vec![]]),
            (28, [taken_since("v1.27"), vec![]]),
            (32, [taken_since("v1.27"), taken_since("v1.29")]),
        ] {
            let options = Options { pss_version: Version::v1(minor), ..options() };
            let plan = json!(assemble::plan(&snapshot(&objects), &options, &|_| true));
            for (namespace, expected) in plan["namespaces"].as_array().unwrap().iter().zip(answers)
            {
                let answer = |it: &Value| json!([it["version"], it["enforce"]]);
                let earlier = namespace["earlierVersions"].as_array().unwrap();
                let earlier: Vec<_> = earlier.iter().map(answer).collect();
                assert_eq!(json!(earlier), json!(expected), "v1.{minor}: {}", namespace["name"]);
            }
        }
    }

    #[test]
    fn exempt_pods_have_no_level_and_violate_nothing() {
        let pod = json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "vm", "namespace": "shop"},
            "spec": {"runtimeClassName": "kata", "hostNetwork": true,
                "containers": [{"name": "app"}]},
            "status": {"phase": "Running"}});
        let mut options = options();
        options.configuration.exemptions.runtime_classes.insert("kata".to_owned());
        let plan = json!(assemble::plan(&snapshot([&pod]), &options, &|_| true));
        let namespace = &plan["namespaces"][0];
        let workload = &namespace["workloads"][0];
        assert_eq!(namespace["levels"]["running"], Value::Null);
        assert_eq!(workload["levels"]["running"], Value::Null);
        assert_eq!(workload["levels"]["future"], Value::Null);
        assert_eq!(workload["violations"], json!([]));
    }
}
