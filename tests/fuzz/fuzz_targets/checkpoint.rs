//! Any bytes as a checkpoint, and as changes to the state of an engine: refused, or the engine goes on.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ensue_tests::fuzz::checkpoint(data));
