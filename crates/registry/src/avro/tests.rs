//! Tests of Avro, by what goes in and what comes out.
