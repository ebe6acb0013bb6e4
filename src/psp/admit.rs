//! Which policy wins for this pod?

use std::collections::BTreeMap;
use std::fmt;

use crate::objects::change::Change;
use crate::objects::meta::Name;
use crate::objects::pod::PodTemplateSpec;
use crate::objects::psp::PodSecurityPolicy;
use crate::quote::quoted;
use crate::rbac::{Authorizer, Grant, User};
use crate::version::Version;

use super::authorize::{Subjects, Via};
use super::error::FieldError;
use super::policy::{Policy, UnusablePolicy};

/// The admission plugin with the policies of a cluster.
///
/// Upstream: `plugin/pkg/admission/security/podsecuritypolicy/admission.go` (v1.21).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admission {
    /// Sorted by name, byte by byte.
    policies: Vec<Policy>,
    unusable: Vec<UnusablePolicy>,
}

/// A policy that may be used, and why.
#[derive(Debug, Clone)]
pub struct Granted<'s> {
    /// The policy.
    pub policy: Name,
    /// By whose right.
    pub via: Via,
    /// Through which binding and role.
    pub grant: Grant<'s>,
}

/// A pod on its way into a cluster.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The namespace.
    pub namespace: &'a str,
    /// The name for messages: the pod's, else its `generateName`; `Unknown` stands for an empty
    /// one.
    pub name: &'a str,
    /// The pod as it reaches the plugin, with the API's defaults in it.
    pub pod: &'a PodTemplateSpec,
    /// The user that makes the pod; `None` where it is not known, and only the pod's service
    /// account counts.
    pub requester: Option<&'a User>,
}

/// The plugin's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict<'s> {
    /// A policy admits the pod.
    Admitted(Box<Admitted<'s>>),
    /// No policy does.
    Refused(Refused),
}

/// A pod that a policy admits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted<'s> {
    /// The policy, which the API server writes into the pod's `kubernetes.io/psp` annotation.
    pub policy: Name,
    /// By whose right it was used.
    pub via: Via,
    /// What gives that right.
    pub grant: Grant<'s>,
    /// The pod as the policy leaves it, without the annotation.
    pub pod: PodTemplateSpec,
    /// What the policy has written.
    pub changes: Vec<Change>,
}

impl Admitted<'_> {
    /// Whether the policy has written anything; the annotation does not count.
    #[must_use]
    pub fn is_mutated(&self) -> bool {
        !self.changes.is_empty()
    }
}

/// A pod that one of several policies takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selected {
    /// Which of the policies.
    pub position: usize,
    /// The pod as the policy leaves it, without the annotation.
    pub pod: PodTemplateSpec,
    /// What the policy has written.
    pub changes: Vec<Change>,
}

/// A pod that no policy admits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The pod's name in the message.
    pub name: String,
    /// Why.
    pub reason: Refusal,
    /// What the policies that might be used hold against the pod, in order of their names; empty
    /// where none might be used.
    pub errors: Vec<PolicyError>,
}

/// Why a pod is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The cluster has no policy that can be carried out.
    NoProviders,
    /// No policy that may be used admits the pod.
    UnableToAdmit,
}

/// What a policy holds against a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyError {
    /// The policy, which the API server's message leaves out.
    pub policy: Name,
    /// What it says.
    pub error: FieldError,
}

/// What came of one policy for a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Consideration {
    /// Neither the service account nor the requester may use it.
    NotAuthorized,
    /// It holds these against the pod.
    Failed(Vec<FieldError>),
    /// It would admit the pod with these changes. One without changes wins, else the first with;
    /// see [`Admission::admit`].
    Admits(Vec<Change>),
}

/// Prints as in the API server's message: without the policy.
impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl Admission {
    /// The plugin of an API server of that version, with these policies. Of two policies with the
    /// same name the later one counts.
    pub fn new<'p>(
        policies: impl IntoIterator<Item = &'p PodSecurityPolicy>,
        version: Version,
    ) -> Self {
        let by_name: BTreeMap<_, _> =
            policies.into_iter().map(|policy| (&policy.name, policy)).collect();
        let mut admission = Self { policies: Vec::new(), unusable: Vec::new() };
        for policy in by_name.into_values() {
            match Policy::new(policy, version) {
                Ok(policy) => admission.policies.push(policy),
                Err(unusable) => admission.unusable.push(unusable),
            }
        }
        admission
    }

    /// The policies that take part, sorted by name.
    #[must_use]
    pub fn policies(&self) -> &[Policy] {
        &self.policies
    }

    /// A policy that takes part, by name.
    #[must_use]
    pub fn policy(&self, name: &str) -> Option<&Policy> {
        let position = self.policies.binary_search_by(|policy| (**policy.name()).cmp(name)).ok()?;
        self.policies.get(position)
    }

    /// The policies that take no part, sorted by name, and why not.
    #[must_use]
    pub fn unusable(&self) -> &[UnusablePolicy] {
        &self.unusable
    }

    /// Decides on the creation of a pod.
    ///
    /// The first policy by name that may be used and leaves the pod as it is wins; failing that,
    /// the first that may be used and admits it with changes. Costs one copy of the pod for each
    /// policy that may be used.
    ///
    /// Differs: the plugin judges the pod first and asks for authorization afterwards; asking first
    /// is cheaper and gives the same answer, since it drops the errors of policies that may not be
    /// used. Its errors come in the order of a Go map, ours in that of the policies' names.
    ///
    /// Upstream: `plugin/pkg/admission/security/podsecuritypolicy/admission.go`,
    /// `computeSecurityContext` (v1.21).
    #[must_use]
    pub fn admit<'s>(&self, request: &Request<'_>, authorizer: &Authorizer<'s>) -> Verdict<'s> {
        let Request { namespace, name, pod, requester } = *request;
        let subjects = Subjects::new(namespace, pod.spec.service_account(), requester);
        self.decide(name, pod, &self.granted(&subjects, authorizer))
    }

    /// The policies that someone may use for a pod, sorted by name; the same for every pod of
    /// theirs.
    #[must_use]
    pub fn granted<'s>(
        &self,
        subjects: &Subjects<'_>,
        authorizer: &Authorizer<'s>,
    ) -> Vec<Granted<'s>> {
        let rights = subjects.rights(authorizer);
        self.policies
            .iter()
            .filter_map(|policy| {
                let (via, grant) = rights.grant(policy.name())?;
                Some(Granted { policy: policy.name().clone(), via, grant })
            })
            .collect()
    }

    /// [`Self::admit`] where the policies that may be used are known already, sorted by name.
    #[must_use]
    pub fn decide<'s>(
        &self,
        name: &str,
        pod: &PodTemplateSpec,
        granted: &[Granted<'s>],
    ) -> Verdict<'s> {
        match self.select(pod, granted.iter().map(|granted| &granted.policy)) {
            Ok(Selected { position, pod, changes }) => {
                let Granted { policy, via, grant } = &granted[position];
                let (policy, via, grant) = (policy.clone(), *via, *grant);
                Verdict::Admitted(Box::new(Admitted { policy, via, grant, pod, changes }))
            }
            Err(errors) => Verdict::Refused(self.refused(name, errors)),
        }
    }

    /// Which of the policies, given in order of their names, takes a pod; as in [`Self::admit`].
    ///
    /// # Errors
    /// What each of them holds against the pod, where none takes it.
    pub fn select<'n>(
        &self,
        pod: &PodTemplateSpec,
        policies: impl IntoIterator<Item = &'n Name>,
    ) -> Result<Selected, Vec<PolicyError>> {
        let mut first_mutating = None;
        let mut errors = Vec::new();
        for (position, policy) in policies.into_iter().enumerate() {
            let Some(policy) = self.policy(policy) else { continue };
            // From now on only a policy that writes nothing can still win.
            if first_mutating.is_some() && !policy.leaves_as_is(pod) {
                continue;
            }
            let mut pod = pod.clone();
            let changes = policy.mutate(&mut pod);
            let found = policy.validate(&pod);
            if !found.is_empty() {
                let policy = policy.name();
                let named = |error| PolicyError { policy: policy.clone(), error };
                errors.extend(found.into_iter().map(named));
                continue;
            }
            let is_mutated = !changes.is_empty();
            let selected = Selected { position, pod, changes };
            if !is_mutated {
                return Ok(selected);
            }
            first_mutating = Some(selected);
        }
        first_mutating.ok_or(errors)
    }

    /// Says of every policy, in order of names, what came of it for a pod. Dearer than
    /// [`Self::admit`], as it stops at none.
    #[must_use]
    pub fn explain(
        &self,
        request: &Request<'_>,
        authorizer: &Authorizer<'_>,
    ) -> Vec<(Name, Consideration)> {
        let Request { namespace, pod, requester, .. } = *request;
        let subjects = Subjects::new(namespace, pod.spec.service_account(), requester);
        let rights = subjects.rights(authorizer);
        let consider = |policy: &Policy| {
            if rights.grant(policy.name()).is_none() {
                return Consideration::NotAuthorized;
            }
            let mut pod = pod.clone();
            let changes = policy.mutate(&mut pod);
            match policy.validate(&pod) {
                errors if !errors.is_empty() => Consideration::Failed(errors),
                _ => Consideration::Admits(changes),
            }
        };
        self.policies.iter().map(|policy| (policy.name().clone(), consider(policy))).collect()
    }

    fn refused(&self, name: &str, errors: Vec<PolicyError>) -> Refused {
        let reason =
            if self.policies.is_empty() { Refusal::NoProviders } else { Refusal::UnableToAdmit };
        let name = if name.is_empty() { "Unknown" } else { name }.to_owned();
        Refused { name, reason, errors }
    }
}

impl Refused {
    /// The API server's message.
    #[must_use]
    pub fn message(&self) -> String {
        let name = quoted(&self.name);
        let reason = match self.reason {
            Refusal::NoProviders => "no providers available to validate pod request".to_owned(),
            Refusal::UnableToAdmit => {
                let errors: Vec<_> = self.errors.iter().map(ToString::to_string).collect();
                format!("unable to admit pod: [{}]", errors.join(" "))
            }
        };
        format!("pods {name} is forbidden: PodSecurityPolicy: {reason}")
    }
}
