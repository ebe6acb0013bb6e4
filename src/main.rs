//! The program `psp2psa`.

fn main() {}
