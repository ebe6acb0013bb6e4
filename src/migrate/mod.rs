//! What level can each namespace take once PSP is gone, and what must change first?
//!
//! PSP mutates pods and Pod Security admission never does, so that a live pod which satisfies a
//! level proves nothing about the one that its Deployment makes tomorrow. Every workload is
//! therefore judged in several [`states`], and a namespace by all of its workloads.

pub mod admission_config;
pub mod agreement;
pub mod assemble;
pub mod attribution;
pub mod explain;
pub mod findings;
pub mod gaps;
pub mod grant;
pub mod harden;
pub mod injection;
pub mod judgement;
pub mod known;
pub mod lineage;
pub mod lost;
mod places;
pub mod plan;
pub mod policies;
pub mod recommend;
pub mod remedy;
mod sightings;
pub mod simulation;
pub mod states;
pub mod translate;
pub mod workload;

use std::collections::BTreeSet;

use crate::level::Level;
use crate::psa::configuration::Configuration;
use crate::version::Version;

/// Namespaces of Kubernetes itself, which are planned but not labelled.
pub const SYSTEM_NAMESPACES: &[&str] = &["kube-system", "kube-public", "kube-node-lease"];

/// What the admin decides about a plan.
#[derive(Debug, Clone)]
pub struct Options {
    /// The version of the Pod Security Standards to judge by and to pin in labels.
    pub pss_version: Version,
    /// How Pod Security admission is set up where labels will be set.
    pub configuration: Configuration,
    /// Whether that is known; else it is taken for a cluster's without any configuration.
    pub is_configured: bool,
    /// The version of the cluster with PSP.
    pub cluster_version: Version,
    /// The user that makes every controller's pods, in clusters whose controller manager runs
    /// without `--use-service-account-credentials`; `None` for an account per controller.
    pub controllers_user: Option<String>,
    /// Further namespaces to treat as those of [`SYSTEM_NAMESPACES`].
    pub system_namespaces: BTreeSet<String>,
    /// The `warn` level of every namespace; `None` for the next stricter than `enforce`.
    pub warn: Option<Level>,
    /// The `audit` level of every namespace; `None` for the next stricter than `enforce`.
    pub audit: Option<Level>,
    /// The `enforce` level of namespaces without workloads; `None` sets none.
    pub empty_namespaces: Option<Level>,
    /// How many namespaces to plan at a time, on threads; says nothing about the answer.
    pub n_threads: usize,
}

#[cfg(test)]
pub(crate) mod tests;
