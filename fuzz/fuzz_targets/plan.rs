//! Fuzzes what `psp2psa_fuzz::plan` says.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| psp2psa_fuzz::plan::run(bytes));
