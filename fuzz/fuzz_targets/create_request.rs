//! See `fuzz::create_request`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::create_request(data));
