//! What do the workloads of a namespace pass together, and what holds each of them back?

use std::iter;
use std::sync::Arc;

use super::plan::{OtherVersion, StateViolation, WorkloadLevels, WorkloadPlan};
use super::recommend::{Passes, both};
use super::states::States;
use crate::level::Level;
use crate::objects::pod::PodTemplateSpec;
use crate::psa;
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
        Passes::of_all(pods.into_iter().filter(|pod| self.is_judged(pod)), self.version)
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

/// The strictest level of one workload's pods in each state.
#[must_use]
pub fn levels(states: &States, judge: Judge<'_>) -> WorkloadLevels {
    let strictest = |pods: &[Arc<PodTemplateSpec>]| judge.of_all(pods).map(Passes::strictest);
    WorkloadLevels {
        running: strictest(&states.running),
        admitted: strictest(&states.admitted),
        future: strictest(&states.future),
        kept: strictest(&states.kept),
        raised: strictest(&states.raised),
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
    let first = Version::v1(24);
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
    let mut last = (own.enforce(), own.enforce_after());
    let mut others = Vec::new();
    for version in versions {
        let answer = Judgement::of(workloads, Judge { version, ..judge });
        let (enforce, enforce_after) = (answer.enforce(), answer.enforce_after());
        if (enforce, enforce_after) != last {
            last = (enforce, enforce_after);
            others.push(OtherVersion { version, enforce, enforce_after });
        }
    }
    others
}

/// Every violation of each state's pods at each level, once; exempt pods violate nothing.
#[must_use]
pub fn violations(states: &States, judge: Judge<'_>) -> Vec<StateViolation> {
    let groups =
        [("running", &states.running), ("admitted", &states.admitted), ("future", &states.future)];
    let mut violations: Vec<StateViolation> = Vec::new();
    for (state, pods) in groups {
        for level in [Level::Baseline, Level::Restricted] {
            let start = violations.len();
            for pod in pods.iter().filter(|pod| judge.is_judged(pod)) {
                for violation in psa::evaluate(level, judge.version, pod).violations {
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
