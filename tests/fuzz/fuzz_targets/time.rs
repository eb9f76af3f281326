//! Any bytes as times and durations: what is read is written, and read as the same.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ensue_tests::fuzz::time(data));
