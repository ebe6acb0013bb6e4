//! Who may do what, and through which binding?
//!
//! The RBAC authorizer, over the roles and bindings of a snapshot. It answers with the whole chain
//! (binding, subject, role, rule), because a report that says "may use" must say why.

mod authorizer;
mod rules;
#[cfg(test)]
mod tests;
mod user;

pub use authorizer::{Authorizer, Grant, Holder, Rights, role_of};
pub use rules::{Attributes, allows};
pub use user::{ALL_SERVICE_ACCOUNTS, AUTHENTICATED, User};
