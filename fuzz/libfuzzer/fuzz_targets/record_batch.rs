//! `record_batch` for libfuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| factum_fuzz::run("record_batch", bytes));
