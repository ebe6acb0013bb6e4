//! What should be known before the upgrade, all over the cluster?

use std::collections::BTreeSet;

use crate::migrate::plan::Plan;
use crate::reports::findings::{short_title, title, token};

/// The findings of a kind, in namespaces that are not Kubernetes' own.
pub(super) struct OfKind {
    /// What they say of the workloads or namespaces.
    pub(super) title: &'static str,
    /// The same in a few words, and the word that filters by it.
    pub(super) choice: (&'static str, String),
    pub(super) n_namespaces: usize,
    /// 0 where they are about namespaces.
    pub(super) n_workloads: usize,
    /// How many pods are at stake.
    pub(super) n_pods: usize,
}

/// The kinds of which there are findings, the most urgent first.
pub(super) fn of_kinds(plan: &Plan) -> Vec<OfKind> {
    let own: Vec<_> = plan.findings.iter().filter(|finding| !finding.system).collect();
    own.chunk_by(|a, b| a.kind == b.kind)
        .filter_map(|findings| {
            let kind = findings.first()?.kind;
            let namespaces: BTreeSet<_> =
                findings.iter().map(|finding| &finding.namespace).collect();
            Some(OfKind {
                title: title(kind),
                choice: (short_title(kind), token(kind)),
                n_namespaces: namespaces.len(),
                n_workloads: findings.iter().map(|finding| finding.workloads.len()).sum(),
                n_pods: findings.iter().map(|finding| finding.pods).sum(),
            })
        })
        .collect()
}
