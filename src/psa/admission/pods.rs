//! What does the server answer to a request for a pod, or for a controller with a pod template?

use std::collections::BTreeMap;

use super::aggregated;
use crate::level::Level;
use crate::objects::pod::PodTemplateSpec;
use crate::psa::configuration::Configuration;
use crate::psa::policy::{LevelVersion, Mode};
use crate::psa::{Evaluation, evaluate};
use crate::quote::quoted;

/// What is made or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A pod, which may be refused.
    Pod,
    /// A controller, or a PodTemplate: it is warned of and audited by its template, and never
    /// refused.
    Controller,
}

/// A request.
#[derive(Debug, Clone, Copy)]
pub struct PodRequest<'a> {
    /// What it is about.
    pub target: Target,
    /// The namespace.
    pub namespace: &'a str,
    /// The object's name; empty where only a `generateName` is given.
    pub name: &'a str,
    /// Who asks.
    pub username: &'a str,
    /// The subresource, such as `ephemeralcontainers`; empty for the object itself.
    pub subresource: &'a str,
    /// The namespace's labels; the reason where they could not be had.
    pub labels: Result<&'a BTreeMap<String, String>, &'a str>,
    /// The pod, or the template; `None` for a controller without one.
    pub pod: Option<&'a PodTemplateSpec>,
    /// Whether a change of a pod is one that is judged: of an image, or of the number of containers
    /// or init containers, or an ephemeral container that is new or has another image. True for new
    /// objects; not asked of controllers, which are judged at every change.
    ///
    /// Upstream: `admission/admission.go`, `isSignificantPodUpdate` (v1.37).
    pub is_significant: bool,
}

/// What the server answers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PodAnswer {
    /// The server's message where it refuses; `None` where it does not.
    pub refusal: Option<String>,
    /// What the user is warned of.
    pub warnings: Vec<String>,
    /// What the audit log gets, by the annotation's name without its prefix
    /// (`pod-security.kubernetes.io/`).
    pub audit: BTreeMap<&'static str, String>,
}

impl PodAnswer {
    fn noting(annotation: &'static str, value: impl Into<String>) -> Self {
        Self { audit: BTreeMap::from([(annotation, value.into())]), ..Self::default() }
    }
}

/// The subresources of pods that are not judged.
const IGNORED_SUBRESOURCES: [&str; 8] =
    ["attach", "binding", "eviction", "exec", "log", "portforward", "proxy", "status"];

/// Answers a request for a pod or a controller.
///
/// Upstream: `admission/admission.go`, `ValidatePod`, `ValidatePodController` and `EvaluatePod`
/// (v1.37).
#[must_use]
pub fn pod_answer(request: &PodRequest<'_>, configuration: &Configuration) -> PodAnswer {
    let is_ignored = match request.target {
        Target::Pod => IGNORED_SUBRESOURCES.contains(&request.subresource),
        Target::Controller => !request.subresource.is_empty(),
    };
    if is_ignored {
        return PodAnswer::default();
    }
    let exemptions = &configuration.exemptions;
    if exemptions.namespaces.contains(request.namespace) {
        return PodAnswer::noting("exempt", "namespace");
    }
    if exemptions.usernames.contains(request.username) {
        return PodAnswer::noting("exempt", "user");
    }
    let labels = match request.labels {
        Ok(labels) => labels,
        Err(why) => return without_namespace(request, why),
    };
    let (policy, errors) = configuration.policy_of(labels);
    let is_privileged = |mode: Mode| policy.of(mode).level == Level::Privileged;
    let modes: &[Mode] = match request.target {
        Target::Pod => &Mode::ALL,
        Target::Controller => &[Mode::Audit, Mode::Warn],
    };
    if errors.is_empty() && modes.iter().all(|mode| is_privileged(*mode)) {
        return match request.target {
            Target::Pod => PodAnswer::noting("enforce-policy", "privileged:latest"),
            Target::Controller => PodAnswer::default(),
        };
    }
    let Some(pod) = request.pod else { return PodAnswer::default() };
    if request.target == Target::Pod && !request.is_significant {
        return PodAnswer::default();
    }
    if exemptions.runtime_class_of(pod).is_some() {
        return PodAnswer::noting("exempt", "runtimeClass");
    }

    let mut answer = PodAnswer::default();
    if !errors.is_empty() {
        let errors = aggregated(&errors);
        answer.audit.insert("error", format!("Failed to parse policy: {errors}"));
    }
    let found = |mode: Mode| Found::of(pod, policy.of(mode), configuration);
    if request.target == Target::Pod {
        answer.audit.insert("enforce-policy", policy.enforce.to_string());
        let violation = found(Mode::Enforce).map(|found| found.in_words("violates"));
        answer.refusal = violation.map(|violation| forbidden(request.name, &violation));
    }
    if let Some(found) = found(Mode::Audit) {
        answer.audit.insert("audit-violations", found.in_words("would violate"));
    }
    // Who is refused is not warned besides.
    if answer.refusal.is_none() {
        answer.warnings.extend(found(Mode::Warn).map(|found| found.in_words("would violate")));
    }
    answer
}

/// What a pod violates.
struct Found {
    policy: LevelVersion,
    evaluation: Evaluation,
}

impl Found {
    /// `None` where the pod violates nothing.
    fn of(
        pod: &PodTemplateSpec,
        policy: LevelVersion,
        configuration: &Configuration,
    ) -> Option<Self> {
        let version = configuration.judges_by(policy.version);
        let evaluation = evaluate(policy.level, version, pod);
        (!evaluation.is_allowed()).then_some(Self { policy, evaluation })
    }

    fn in_words(&self, verb: &str) -> String {
        let policy = quoted(&self.policy.to_string());
        format!("{verb} PodSecurity {policy}: {}", self.evaluation.detail())
    }
}

/// Upstream: `staging/src/k8s.io/apimachinery/pkg/api/errors/errors.go`, `NewForbidden`.
fn forbidden(name: &str, reason: &str) -> String {
    match name {
        "" => format!("pods is forbidden: {reason}"),
        name => format!("pods {} is forbidden: {reason}", quoted(name)),
    }
}

/// Where the namespace cannot be had, pods are refused and controllers are not.
fn without_namespace(request: &PodRequest<'_>, why: &str) -> PodAnswer {
    let failed = format!("failed to lookup namespace {}", quoted(request.namespace));
    match request.target {
        Target::Pod => {
            let message = format!("Internal error occurred: {failed}");
            let answer = PodAnswer::noting("error", format!("{message}: {why}"));
            PodAnswer { refusal: Some(message), ..answer }
        }
        Target::Controller => PodAnswer::noting("error", format!("{failed}: {why}")),
    }
}
