//! `http_events` for libfuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| factum_fuzz::run("http_events", bytes));
