//! What do the workloads of a namespace pass together, and what holds each of them back?

use std::iter;
use std::sync::Arc;

use super::plan::{OtherVersion, StateViolation, WorkloadLevels, WorkloadPlan};
use super::recommend::{Passes, both};
use super::states::States;
use crate::level::Level;
use crate::objects::pod::PodTemplateSpec;
use crate::psa;
use crate::version::Version;

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
    pub fn of(workloads: &[WorkloadPlan], version: Version) -> Self {
        let counted = || workloads.iter().filter(|workload| workload.counted);
        Self {
            running: Passes::of_all(
                workloads.iter().flat_map(|workload| &workload.states.running),
                version,
            ),
            admitted: Passes::of_all(
                counted().flat_map(|workload| &workload.states.admitted),
                version,
            ),
            future: Passes::of_all(counted().flat_map(|workload| &workload.states.future), version),
            kept: Passes::of_all(counted().flat_map(|workload| &workload.states.kept), version),
            raised: Passes::of_all(counted().flat_map(|workload| &workload.states.raised), version),
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
pub fn levels(states: &States, version: Version) -> WorkloadLevels {
    WorkloadLevels {
        running: strictest(&states.running, version),
        admitted: strictest(&states.admitted, version),
        future: strictest(&states.future, version),
        kept: strictest(&states.kept, version),
        raised: strictest(&states.raised, version),
    }
}

fn strictest<'p>(
    pods: impl IntoIterator<Item = &'p Arc<PodTemplateSpec>>,
    version: Version,
) -> Option<Level> {
    Passes::of_all(pods, version).map(Passes::strictest)
}

/// The answers at newer versions of the standards than the one that `own` was judged at, where they
/// differ from the one before.
#[must_use]
pub fn other_versions(
    workloads: &[WorkloadPlan],
    own: Judgement,
    version: Version,
) -> Vec<OtherVersion> {
    let newer = psa::versions_that_change().filter(|newer| *newer > version);
    differing(workloads, own, newer)
}

/// As [`other_versions`], at earlier versions: v1.24, the last whose server has PSP, and what lies
/// between it and the version that `own` was judged at.
#[must_use]
pub fn earlier_versions(
    workloads: &[WorkloadPlan],
    own: Judgement,
    version: Version,
) -> Vec<OtherVersion> {
    let first = Version::v1(24);
    let between = psa::versions_that_change().filter(|change| *change > first);
    let earlier = iter::once(first).chain(between).take_while(|earlier| *earlier < version);
    differing(workloads, own, earlier)
}

fn differing(
    workloads: &[WorkloadPlan],
    own: Judgement,
    versions: impl Iterator<Item = Version>,
) -> Vec<OtherVersion> {
    let mut last = (own.enforce(), own.enforce_after());
    let mut others = Vec::new();
    for version in versions {
        let answer = Judgement::of(workloads, version);
        let (enforce, enforce_after) = (answer.enforce(), answer.enforce_after());
        if (enforce, enforce_after) != last {
            last = (enforce, enforce_after);
            others.push(OtherVersion { version, enforce, enforce_after });
        }
    }
    others
}

/// Every violation of each state's pods at each level, once.
#[must_use]
pub fn violations(states: &States, version: Version) -> Vec<StateViolation> {
    let groups =
        [("running", &states.running), ("admitted", &states.admitted), ("future", &states.future)];
    let mut violations: Vec<StateViolation> = Vec::new();
    for (state, pods) in groups {
        for level in [Level::Baseline, Level::Restricted] {
            let start = violations.len();
            for pod in pods {
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
