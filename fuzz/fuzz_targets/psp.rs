//! Fuzzes what `psp2psa_fuzz::psp` says.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| psp2psa_fuzz::psp::run(bytes));
