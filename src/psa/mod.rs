//! What does Pod Security admission say of a pod?
//!
//! ```text
//! namespace labels → policy → level and version ─┐
//!                                                ├→ evaluate → violations, in upstream's order
//!                             the pod, as given ─┘      ↑
//!                                                     checks: one file each, one table
//! ```
//!
//! The checks judge exactly the pod they are given. The API server asks them after its own
//! defaulting, so a manifest has to go through [`prepare`](crate::prepare) first.

pub mod admission;
pub mod checks;
pub mod configuration;
mod evaluate;
#[cfg(test)]
mod fixtures;
pub mod policy;
#[cfg(test)]
mod testing;
mod wording;

pub use evaluate::{
    Evaluation, LevelsEvaluation, Violation, allows, evaluate, evaluate_levels, has_violation,
    versions_that_change,
};
