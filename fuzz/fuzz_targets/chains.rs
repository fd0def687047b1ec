//! See `fuzz::chains`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::chains(data));
