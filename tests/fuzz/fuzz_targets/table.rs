//! A table of reference data: its rows, or the line that is wrong.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ensue_tests::fuzz::table(data));
