//! What does the API server make of a pod before admission judges it?

pub mod defaults;
