//! Fuzzes the fast readers of YAML and JSON against the full parsers.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    psp2psa::sources::agreement::assert_agreement(&String::from_utf8_lossy(bytes));
});
