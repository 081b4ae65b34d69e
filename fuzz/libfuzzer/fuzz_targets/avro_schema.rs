//! `avro_schema` for libfuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| factum_fuzz::run("avro_schema", bytes));
