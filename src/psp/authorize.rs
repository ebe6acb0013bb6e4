//! Who may `use` which policy?

use crate::objects::rbac::PolicyRule;
use crate::objects::snapshot::Snapshot;
use crate::rbac::{self, Attributes, Authorizer, Grant, Holder, User};

/// The API groups in which PodSecurityPolicies stood over time; a grant in either counts.
const GROUPS: [&str; 2] = ["policy", "extensions"];

/// By whose right a pod may use a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Via {
    /// The service account that the pod names.
    ServiceAccount,
    /// The user that makes the pod: a controller's account, or a person.
    Requester,
}

impl Via {
    /// The name in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ServiceAccount => "serviceAccount",
            Self::Requester => "requester",
        }
    }
}

/// On whose behalf a pod is made, and where.
#[derive(Debug, Clone)]
pub struct Subjects<'a> {
    namespace: &'a str,
    service_account: Option<User>,
    requester: Option<&'a User>,
}

impl<'a> Subjects<'a> {
    /// Whoever may count for a pod in a namespace: its service account, unless it names none (an
    /// empty name), and the requesting user, where known.
    #[must_use]
    pub fn new(namespace: &'a str, service_account: &str, requester: Option<&'a User>) -> Self {
        let service_account = (!service_account.is_empty())
            .then(|| User::service_account(namespace, service_account));
        Self { namespace, service_account, requester }
    }

    /// Whether one of them may use a policy: who, the service account first, and through what.
    ///
    /// Upstream: `plugin/pkg/admission/security/podsecuritypolicy/admission.go`,
    /// `isAuthorizedForPolicy` (v1.21).
    #[must_use]
    pub fn grant<'s>(&self, authorizer: &Authorizer<'s>, policy: &str) -> Option<(Via, Grant<'s>)> {
        [(Via::ServiceAccount, self.service_account.as_ref()), (Via::Requester, self.requester)]
            .into_iter()
            .find_map(|(via, user)| {
                use_grant(authorizer, user?, policy, self.namespace).map(|grant| (via, grant))
            })
    }
}

/// An authorizer that knows only rules about the use of policies; the one to ask here.
#[must_use]
pub fn authorizer(snapshot: &Snapshot) -> Authorizer<'_> {
    Authorizer::retaining(snapshot, is_about_policies)
}

/// Whether a rule allows the use of some policy.
#[must_use]
pub fn is_about_policies(rule: &PolicyRule) -> bool {
    // With a name of its own the rule allows whatever its names allow.
    let name = rule.resource_names.first().map_or("", String::as_str);
    requests(name, "").iter().any(|request| rbac::allows(rule, request))
}

/// Why a user may use a policy in a namespace; `None` where it may not.
#[must_use]
pub fn use_grant<'s>(
    authorizer: &Authorizer<'s>,
    user: &User,
    policy: &str,
    namespace: &str,
) -> Option<Grant<'s>> {
    requests(policy, namespace).iter().find_map(|request| authorizer.authorize(user, request))
}

/// Everybody who may use a policy, and where; see [`Authorizer::holders`].
#[must_use]
pub fn holders<'s>(authorizer: &Authorizer<'s>, policy: &str) -> Vec<Holder<'s>> {
    authorizer.holders(&requests(policy, ""))
}

fn requests<'a>(name: &'a str, namespace: &'a str) -> [Attributes<'a>; 2] {
    GROUPS.map(|api_group| Attributes {
        verb: "use",
        api_group,
        resource: "podsecuritypolicies",
        subresource: None,
        name,
        namespace,
    })
}
