//! Do we answer as the API server did?

mod attribution;
mod considered;
mod fixtures;
mod properties;
mod table;
mod vectors;

pub(super) use table::{Outcome, in_container, in_pod, outcome};
