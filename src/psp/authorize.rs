//! Who may `use` which policy?

use crate::objects::rbac::PolicyRule;
use crate::objects::snapshot::Snapshot;
use crate::rbac::{self, Attributes, Authorizer, Grant, Holder, Rights, User};

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

    /// What each of them may do, the service account first.
    #[must_use]
    pub fn rights<'r, 's>(&self, authorizer: &'r Authorizer<'s>) -> UseRights<'_, 'r, 's> {
        let users = [
            (Via::ServiceAccount, self.service_account.as_ref()),
            (Via::Requester, self.requester),
        ];
        let rights = users.into_iter().filter_map(|(via, user)| {
            let rights = authorizer.rights(user?, self.namespace);
            (!rights.is_empty()).then_some((via, rights))
        });
        UseRights { namespace: self.namespace, rights: rights.collect() }
    }
}

/// What the subjects of a pod may do in its namespace.
#[derive(Debug, Clone)]
pub struct UseRights<'n, 'r, 's> {
    namespace: &'n str,
    /// Those who have any.
    rights: Vec<(Via, Rights<'r, 's>)>,
}

impl<'s> UseRights<'_, '_, 's> {
    /// Whether one of them may use a policy: who, the service account first, and through what.
    ///
    /// Upstream: `plugin/pkg/admission/security/podsecuritypolicy/admission.go`,
    /// `isAuthorizedForPolicy` (v1.21).
    #[must_use]
    pub fn grant(&self, policy: &str) -> Option<(Via, Grant<'s>)> {
        self.rights.iter().find_map(|(via, rights)| {
            let requests = requests(policy, self.namespace);
            let grant = requests.iter().find_map(|request| rights.grant(request))?;
            Some((*via, grant))
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
