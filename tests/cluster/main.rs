//! The program against an API server on loopback.
//!
//! [`server`] speaks HTTP, [`fake`] knows what an API server answers, [`run`] starts the program.

mod fake;
mod faults;
mod lists;
mod login;
mod replay;
mod run;
mod server;
