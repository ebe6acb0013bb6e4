//! Step 0: can the rollout begin?

use super::Rollout;
use super::steps::{Step, script};
use crate::reports::workload_patches::{File, Keeping};

/// What the steps ask of the server, as `kubectl auth can-i` has it.
fn permissions(rollout: &Rollout<'_>) -> Vec<String> {
    let mut permissions: Vec<String> = [
        "get namespaces",
        "list namespaces",
        "patch namespaces",
        "create namespaces",
        "delete namespaces",
        "create serviceaccounts",
        "create pods",
        "create podsecuritypolicies.policy",
        "delete podsecuritypolicies.policy",
    ]
    .map(str::to_owned)
    .to_vec();
    let rbac = ["clusterroles", "roles", "clusterrolebindings", "rolebindings"];
    permissions.extend(rbac.iter().flat_map(|resource| {
        ["create", "delete", "patch"]
            .map(|verb| format!("{verb} {resource}.rbac.authorization.k8s.io"))
    }));
    let mut patched: Vec<String> =
        rollout.keeping.iter().filter(|it| it.obstacle.is_none()).map(Keeping::resource).collect();
    patched.sort();
    patched.dedup();
    permissions.extend(patched.iter().map(|resource| format!("patch {resource}")));
    permissions
}

pub(super) fn file(rollout: &Rollout<'_>) -> File {
    let permissions: String =
        permissions(rollout).iter().map(|words| ["may ", words, "\n"].concat()).collect();
    let body = format!(
        "need_pod_security\nrefuses_violations\n\n\
         # What the steps ask of the server; a step that you leave out needs nothing.\n\
         {permissions}need_permissions\n\n\
         need_fresh {scope}\n",
        scope = rollout.scope(),
    );
    let step = Step {
        name: "0-preflight",
        title: "see whether the rollout can begin",
        about: &[
            "Pod Security admission must be on, the permissions there, and the cluster as the plan has",
            "seen it. Makes a namespace psp2psa-preflight-N and deletes it again, unless a namespace",
            "enforces restricted already, and unless it is a dry run; changes nothing else.",
        ],
        libraries: &["pod-security", "permissions", "labels", "fresh"],
    };
    File { path: "0-preflight.sh".to_owned(), text: script(&step, &body) }
}
