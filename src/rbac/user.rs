//! Whom does the authorizer take a requester for?

/// The group of every service account.
pub const ALL_SERVICE_ACCOUNTS: &str = "system:serviceaccounts";
/// The group of every requester that the API server has authenticated.
pub const AUTHENTICATED: &str = "system:authenticated";

/// A requester: a name and the groups it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct User {
    /// The name, such as `jane` or `system:serviceaccount:shop:default`.
    pub name: String,
    /// The groups, in any order.
    pub groups: Vec<String>,
}

impl User {
    /// A service account as admission plugins ask about it: a member of the two groups of service
    /// accounts only, *not* of `system:authenticated`.
    ///
    /// Upstream: `staging/src/k8s.io/apiserver/pkg/authentication/serviceaccount/util.go`,
    /// `UserInfo` (v1.21).
    #[must_use]
    pub fn service_account(namespace: &str, name: &str) -> Self {
        Self {
            name: service_account_username(namespace, name),
            groups: vec![
                ALL_SERVICE_ACCOUNTS.to_owned(),
                format!("{ALL_SERVICE_ACCOUNTS}:{namespace}"),
            ],
        }
    }

    /// A service account that makes a request itself, as controllers do: a member of
    /// `system:authenticated` too.
    #[must_use]
    pub fn authenticated_service_account(namespace: &str, name: &str) -> Self {
        let mut user = Self::service_account(namespace, name);
        user.groups.push(AUTHENTICATED.to_owned());
        user
    }

    /// A user of that name, of whom nothing else is known than that the API server has
    /// authenticated them.
    #[must_use]
    pub fn authenticated(name: &str) -> Self {
        Self { name: name.to_owned(), groups: vec![AUTHENTICATED.to_owned()] }
    }

    /// A built-in controller, which makes requests by the service account of that name in
    /// `kube-system`; see [`WorkloadKind::controller_account`].
    ///
    /// [`WorkloadKind::controller_account`]: crate::objects::workload::WorkloadKind::controller_account
    #[must_use]
    pub fn controller(account: &str) -> Self {
        Self::authenticated_service_account("kube-system", account)
    }
}

/// The name by which the API server knows a service account.
pub(super) fn service_account_username(namespace: &str, name: &str) -> String {
    format!("system:serviceaccount:{namespace}:{name}")
}
