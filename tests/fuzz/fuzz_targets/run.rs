//! A pattern and a stream: the engine gives what the reference gives.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ensue_tests::fuzz::run(data));
