//! Any bytes as a job file: a job, or the place where it is wrong.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ensue_tests::fuzz::job(data));
