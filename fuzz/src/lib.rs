//! What must hold for every input: one function for each target, from the fuzzer's bytes.
//!
//! A function ends without a word, or panics. The tests of the program include these modules and
//! give them the corpus, so that nothing here needs a fuzzer or a nightly compiler.

mod bytes;
pub mod cluster;
mod printed;
pub mod reports;
mod skeleton;
mod workload;

pub mod labels;
pub mod plan;
pub mod psp;
pub mod renderers;
