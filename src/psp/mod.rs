//! What does PodSecurityPolicy admission do to a pod?
//!
//! For each policy, in order of names, the plugin fills a copy of the pod with the policy's
//! defaults and checks the result. It prefers a policy that leaves the pod as it is; else the first
//! that admits it wins, and the pod is stored with that policy's values.
//!
//! ```text
//!   Request ─► Admission::admit ──► authorize   may the service account or the requester use it?
//!                    │              Policy::mutate     writes values, logged as changes
//!                    ▼              Policy::validate   finds what is not allowed
//!                 Verdict ────────► json_patch         the log as RFC 6902
//! ```

mod admit;
pub mod authorize;
mod container;
mod error;
mod log;
mod patch;
mod policy;
mod strategies;
#[cfg(test)]
mod tests;

pub use admit::{
    Admission, Admitted, Consideration, Granted, PolicyError, Refusal, Refused, Request, Selected,
    Verdict,
};
pub use authorize::{Subjects, Via};
pub use error::{BadValue, ErrorKind, FieldError};
pub use patch::{Operation, OperationKind, json_patch};
pub use policy::{Policy, StrategyError, UnusablePolicy};
