//! What is to be done to a cluster, step by step, and how is each step undone?
//!
//! Data in, data out: nothing here reads or changes a cluster. `reports` makes scripts of it, and
//! `cli` carries it out on a live cluster.

pub mod clones;
pub mod label_access;
pub mod labelling;
pub mod object_ref;
pub mod owners;
pub mod removal;
pub mod review;
pub mod stage;
pub mod template_drift;
pub mod undo;
pub mod verify;
pub mod warnings;
pub mod waves;

#[cfg(test)]
mod testing;

pub use labelling::Labelling;
pub use stage::{Stage, Wishes};
pub use undo::Undo;
pub use waves::{Step, Wave, waves};
