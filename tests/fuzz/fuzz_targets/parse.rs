//! Any bytes as a pattern text: what is printed of it is read as it was.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ensue_tests::fuzz::parse(data));
