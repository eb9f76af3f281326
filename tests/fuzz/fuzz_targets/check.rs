//! Pattern texts through the compiler: patterns, or errors that can be shown.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ensue_tests::fuzz::check(data));
