//! The program against an API server on loopback.
//!
//! [`server`] speaks HTTP, [`fake`] knows what an API server answers, [`run`] starts the program.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::panic,
    reason = "tests write files and end where something is wrong"
)]

mod collect;
mod fake;
mod faults;
mod lists;
mod login;
mod plugin;
mod replay;
mod run;
mod server;
