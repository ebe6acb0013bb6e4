//! Which permission is missing, and which kubectl lines would grant it?

use std::collections::BTreeMap;

use super::kinds::{EVENTS, KINDS, ListedKind};

/// The smallest ClusterRole that lets the program read everything, as a manifest.
#[must_use]
pub fn cluster_role() -> String {
    use std::fmt::Write as _;

    let mut by_group: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for kind in KINDS.iter().chain([&EVENTS]) {
        by_group.entry(kind.group).or_default().push(kind.resource);
    }
    let mut text = String::from(
        "# The smallest ClusterRole with which `psp2psa` reads everything; only `verify` and
# `collect --events` need events.
# Discovery and /version are open to every user that has logged in (system:discovery).
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: psp2psa
rules:
",
    );
    for (group, mut resources) in by_group {
        resources.sort_unstable();
        let resources = resources.join(", ");
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "  - apiGroups: [\"{group}\"]\n    resources: [{resources}]\n    verbs: [list]"
        );
    }
    text
}

/// The kubectl lines that let the refused user list a kind.
///
/// The user is taken from the server's text, as the program cannot know what name a token or
/// certificate stands for.
pub(super) fn grant(kind: &ListedKind, namespace: Option<&str>, refusal: &str) -> String {
    let name = format!("psp2psa-list-{}", kind.resource);
    let resource = kind.qualified_resource();
    let subject = subject(refusal);
    match namespace {
        None => format!(
            "kubectl create clusterrole {name} --verb=list --resource={resource} && \
             kubectl create clusterrolebinding {name} --clusterrole={name} {subject}"
        ),
        Some(namespace) => format!(
            "kubectl create role {name} -n {namespace} --verb=list --resource={resource} && \
             kubectl create rolebinding {name} -n {namespace} --role={name} {subject}"
        ),
    }
}

/// Whom to bind the role to, as a flag of kubectl.
///
/// Upstream: `staging/src/k8s.io/apiserver/pkg/endpoints/handlers/responsewriters/errors.go`,
/// `forbiddenMessage` (v1.24): `User "NAME" cannot list resource …`.
fn subject(refusal: &str) -> String {
    let user = refusal.split_once("User \"").and_then(|(_, rest)| rest.split_once("\" cannot "));
    let Some((user, _)) = user else { return "--user=USER".to_owned() };
    if let Some(account) = user.strip_prefix("system:serviceaccount:")
        && let Some((namespace, name)) = account.split_once(':')
    {
        return format!("--serviceaccount={}", quoted(&format!("{namespace}:{name}")));
    }
    format!("--user={}", quoted(user))
}

fn quoted(word: &str) -> String {
    // Only a NUL cannot be quoted, and JSON text from a server that holds one is not to be run.
    shlex::try_quote(word).map_or_else(|_| "USER".to_owned(), std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::KINDS;

    #[test]
    fn the_refused_user_is_bound() {
        let deployments = KINDS.iter().find(|kind| kind.kind == "Deployment").unwrap();
        let refusal = "deployments.apps is forbidden: User \"jo's\" cannot list resource";
        assert_eq!(
            grant(deployments, None, refusal),
            "kubectl create clusterrole psp2psa-list-deployments --verb=list \
             --resource=deployments.apps && kubectl create clusterrolebinding \
             psp2psa-list-deployments --clusterrole=psp2psa-list-deployments --user=\"jo's\""
        );
        let refusal = "x: User \"system:serviceaccount:ops:robot\" cannot list resource";
        assert!(grant(deployments, Some("shop"), refusal).ends_with(
            "kubectl create rolebinding psp2psa-list-deployments -n shop \
             --role=psp2psa-list-deployments --serviceaccount=ops:robot"
        ));
        assert!(grant(deployments, None, "no").ends_with("--user=USER"));
    }
}
