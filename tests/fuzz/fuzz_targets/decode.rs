//! What a source gives, in each format: rows or reasons, whatever the bytes and however they are cut.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ensue_tests::fuzz::decode(data));
