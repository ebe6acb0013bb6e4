//! In which order does a cluster take the plan's labels, and what does each step set?
//!
//! Data only: `reports` makes scripts of it, and `cli` carries it out on a live cluster.

pub mod labelling;
pub mod stage;
pub mod waves;

#[cfg(test)]
mod testing;

pub use labelling::Labelling;
pub use stage::Stage;
pub use waves::{Step, Wave, waves};
