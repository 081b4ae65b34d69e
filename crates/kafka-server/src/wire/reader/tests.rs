//! Tests will follow below.
