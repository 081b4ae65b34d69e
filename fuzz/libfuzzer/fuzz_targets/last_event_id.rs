//! `last_event_id` for libfuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| factum_fuzz::run("last_event_id", bytes));
