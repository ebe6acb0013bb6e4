//! The program as a user meets it: arguments and files in, bytes and an exit code out.

#![allow(clippy::disallowed_methods, reason = "these tests read and write files")]
#![allow(clippy::unwrap_used, reason = "what fails in a test shall stop it")]

mod admission_config;
mod browser;
mod check;
mod corpus;
mod docs;
mod edit;
mod explain;
mod faults;
mod findings;
mod help;
mod html;
mod input;
mod inputs;
mod limits;
mod man;
mod patches;
mod plan;
mod policies;
mod program;
mod review;
mod rollout;
mod script;
mod simulate;
mod simulate_apart;
mod streams;
mod vectors;
mod verify;
