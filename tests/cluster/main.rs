//! The program against an API server on loopback.
//!
//! [`server`] speaks HTTP; [`fake`] knows what an API server answers, of what is in [`store`], by what
//! [`discovery`] says is served, and changes it by [`writes`], if [`access`] and [`admission`] let it.
//! [`run`] starts the program, [`kubectl`] the real kubectl.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::panic,
    reason = "tests write files and end where something is wrong"
)]

mod access;
mod admission;
mod apply;
mod collect;
mod discovery;
mod fake;
mod faults;
mod fields;
mod kubectl;
mod lists;
mod login;
mod patches;
mod plugin;
mod protobuf;
mod reads;
mod replay;
mod rollout;
mod run;
mod server;
mod store;
mod strategy;
mod verify;
mod writes;
