//! Takes a Kubernetes cluster from PodSecurityPolicy to Pod Security Admission.
//!
//! In reading order: what objects are, what Kubernetes does to a pod, what that means for a
//! migration, and then the edges where bytes come in and go out.

pub mod level;
mod lookup;
pub mod objects;
pub mod quote;
pub mod version;

pub mod prepare;
pub mod psa;
pub mod psp;
pub mod rbac;

pub mod migrate;
pub mod rollout;

pub mod cli;
pub mod cluster;
pub mod manifests;
pub mod reports;
pub mod sources;
