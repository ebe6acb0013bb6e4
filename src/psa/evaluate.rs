//! What does a level of the Pod Security Standards say of a pod, at a version?

use super::checks::{CHECKS, Check, CheckResult, find};
use crate::level::Level;
use crate::objects::pod::PodTemplateSpec;
use crate::version::Version;

#[cfg(test)]
mod vectors;

/// The answer of a level for one pod.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evaluation {
    /// What the pod violates, in upstream's order; empty where the pod is allowed.
    pub violations: Vec<Violation>,
}

/// A check that a pod fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The id of the check.
    pub check: &'static str,
    /// What was found, in a few words, such as `host namespaces`.
    pub reason: &'static str,
    /// Values and the names of containers, such as `hostPID=true`.
    pub detail: String,
}

impl Violation {
    /// The violation as the API server prints it: `host namespaces (hostPID=true)`.
    ///
    /// Upstream: `policy/checks.go`, `ForbiddenDetail` (v1.37).
    #[must_use]
    pub fn text(&self) -> String {
        format!("{} ({})", self.reason, self.detail)
    }
}

impl Evaluation {
    /// Whether the level admits the pod.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.violations.is_empty()
    }

    /// The reasons, by which the API server groups a namespace's pods; empty where allowed.
    ///
    /// Upstream: `policy/checks.go`, `ForbiddenReason` (v1.37).
    #[must_use]
    pub fn reason(&self) -> String {
        let reasons: Vec<_> = self.violations.iter().map(|violation| violation.reason).collect();
        reasons.join(", ")
    }

    /// The violations as the API server prints them after `violates PodSecurity "…": `; empty
    /// where allowed.
    ///
    /// Upstream: `policy/checks.go`, `ForbiddenDetail` (v1.37).
    #[must_use]
    pub fn detail(&self) -> String {
        let texts: Vec<_> = self.violations.iter().map(Violation::text).collect();
        texts.join(", ")
    }
}

/// Evaluates a pod, exactly as given, against a level.
///
/// Versions newer than [`Version::LATEST`] are judged as that; `privileged` allows everything.
///
/// Upstream: `policy/registry.go`, `EvaluatePod` (v1.37).
#[must_use]
pub fn evaluate(level: Level, version: Version, pod: &PodTemplateSpec) -> Evaluation {
    Evaluation { violations: violations(level, version, pod).collect() }
}

/// What every level says of one pod: each check is asked once for all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LevelsEvaluation {
    /// What the pod violates, in upstream's order, and which levels ask for it.
    violations: Vec<(Levels, Violation)>,
}

/// Which levels a violation counts at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Levels {
    /// The most lenient.
    first: Level,
    /// Whether restricted leaves the check out.
    is_overridden: bool,
}

impl LevelsEvaluation {
    /// What the pod violates at a level: the violations of [`evaluate`].
    pub fn at(&self, level: Level) -> impl Iterator<Item = &Violation> {
        let counts = move |levels: &Levels| {
            levels.first <= level && (level != Level::Restricted || !levels.is_overridden)
        };
        let found = self.violations.iter().filter(move |(levels, _)| counts(levels));
        found.map(|(_, violation)| violation)
    }

    /// Whether a level admits the pod: the answer of [`allows`].
    #[must_use]
    pub fn allows(&self, level: Level) -> bool {
        self.at(level).next().is_none()
    }
}

/// Evaluates a pod, exactly as given, against every level; see [`evaluate`].
#[must_use]
pub fn evaluate_levels(version: Version, pod: &PodTemplateSpec) -> LevelsEvaluation {
    let failed = CHECKS.iter().filter_map(|check| {
        let violation = failure(check, version, pod)?;
        let is_overridden = is_overridden(check.id, version);
        Some((Levels { first: check.level, is_overridden }, violation))
    });
    LevelsEvaluation { violations: failed.collect() }
}

/// Whether a pod has a violation at a version, word for word, that another was found to have: asks
/// only the check that found it.
#[must_use]
pub fn has_violation(violation: &Violation, version: Version, pod: &PodTemplateSpec) -> bool {
    find(violation.check).and_then(|check| failure(check, version, pod)).as_ref() == Some(violation)
}

/// Whether a level admits a pod: [`evaluate`], ended by the first violation.
///
/// Cheap enough to be asked for every level and version. A pod that fails no check costs no
/// allocation; security annotations are an exception before v1.19, where they are looked up by
/// container.
#[must_use]
pub fn allows(level: Level, version: Version, pod: &PodTemplateSpec) -> bool {
    violations(level, version, pod).next().is_none()
}

/// The versions at which some check appears or changes, in order, from v1.0 on; between two of
/// them every answer is the same.
pub fn versions_that_change() -> impl Iterator<Item = Version> {
    (0..=Version::LATEST.minor()).map(Version::v1).filter(|version| {
        CHECKS.iter().flat_map(|check| check.revisions).any(|revision| revision.from == *version)
    })
}

/// What a pod violates, in order, found as it is asked for.
fn violations(
    level: Level,
    version: Version,
    pod: &PodTemplateSpec,
) -> impl Iterator<Item = Violation> {
    CHECKS
        .iter()
        .filter(move |check| check.level <= level)
        .filter_map(move |check| failure(check, version, pod))
        // Asked last, as few checks fail and the question takes a walk through the table.
        .filter(move |violation| {
            level != Level::Restricted || !is_overridden(violation.check, version)
        })
}

/// What a check holds against a pod at a version.
fn failure(check: &Check, version: Version, pod: &PodTemplateSpec) -> Option<Violation> {
    match (check.revision_at(version)?.run)(pod) {
        CheckResult::Passed => None,
        CheckResult::Failed { reason, detail } => {
            Some(Violation { check: check.id, reason, detail })
        }
    }
}

/// Whether restricted leaves a check out at a version, in favour of one of its own.
///
/// This is why restricted is not always stricter than baseline: the check that takes over may pass
/// a Windows pod, or a volume with two sources, that the baseline check fails.
fn is_overridden(id: &str, version: Version) -> bool {
    CHECKS
        .iter()
        .filter_map(|check| check.revision_at(version))
        .any(|revision| revision.overrides.contains(&id))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::pod;
    use super::*;

    #[test]
    fn privileged_allows_everything() {
        let pod = pod(&json!({ "hostPID": true }));
        assert!(evaluate(Level::Privileged, Version::LATEST, &pod).is_allowed());
        assert!(allows(Level::Privileged, Version::LATEST, &pod));
    }

    #[test]
    fn texts_are_joined_in_order() {
        let pod = pod(&json!({
            "hostPID": true,
            "volumes": [{ "name": "v", "hostPath": { "path": "/" } }],
        }));
        let evaluation = evaluate(Level::Baseline, Version::LATEST, &pod);
        assert_eq!(evaluation.reason(), "host namespaces, hostPath volumes");
        assert_eq!(
            evaluation.detail(),
            r#"host namespaces (hostPID=true), hostPath volumes (volume "v")"#
        );
        assert!(!allows(Level::Baseline, Version::LATEST, &pod));
    }

    #[test]
    fn later_versions_are_judged_as_the_latest() {
        let pod = pod(&json!({ "containers": [{ "name": "a" }] }));
        for level in Level::ALL {
            assert_eq!(
                evaluate(level, Version::v1(999), &pod),
                evaluate(level, Version::LATEST, &pod),
            );
        }
    }

    #[test]
    fn all_levels_at_once_are_each_level_alone() {
        let other = pod(&json!({ "hostIPC": true, "securityContext": { "runAsUser": 1 } }));
        let pod = pod(&json!({
            "hostPID": true,
            "hostUsers": false,
            "containers": [{ "name": "a", "securityContext": { "procMount": "Unmasked" } }],
        }));
        for version in versions_that_change() {
            let levels = evaluate_levels(version, &pod);
            for level in Level::ALL {
                let alone = evaluate(level, version, &pod).violations;
                assert!(levels.at(level).eq(&alone), "{level} {version}");
                assert_eq!(levels.allows(level), allows(level, version, &pod));
                assert!(alone.iter().all(|violation| has_violation(violation, version, &pod)));
                let has_none = |violation| !has_violation(violation, version, &other);
                assert!(alone.iter().all(has_none), "the other's are none, or read otherwise");
            }
        }
    }

    #[test]
    fn overriding_moves_a_check_to_the_place_of_its_successor() {
        let pod = pod(&json!({
            "hostUsers": false,
            "containers": [{ "name": "a", "securityContext": { "procMount": "Unmasked" } }],
        }));
        let checks = |level, minor| -> Vec<_> {
            let evaluation = evaluate(level, Version::v1(minor), &pod);
            evaluation.violations.iter().map(|violation| violation.check).collect()
        };
        assert_eq!(checks(Level::Restricted, 34)[0], "procMount");
        assert_eq!(checks(Level::Restricted, 35)[2], "procMount_restricted");
        assert_eq!(checks(Level::Baseline, 35), [""; 0]);
    }

    #[test]
    fn knows_when_answers_change() {
        let minors: Vec<_> = versions_that_change().map(Version::minor).collect();
        assert_eq!(minors, [0, 8, 19, 22, 23, 25, 27, 29, 31, 32, 34, 35, 37]);
    }
}
