//! `state_files` for libfuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| factum_fuzz::run("state_files", bytes));
