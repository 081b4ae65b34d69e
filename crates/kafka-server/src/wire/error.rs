//! Decoding errors: where bytes are not the message that their header promises, and why.

/// Why a request could not be decoded. Offsets count from the first byte after the frame's length prefix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The frame ends inside the field.
    #[error("field {field} at byte {at} needs {needed} bytes, {available} are left")]
    Truncated {
        /// The field being read.
        field: &'static str,
        /// Where it begins.
        at: usize,
        /// Bytes that it needs.
        needed: usize,
        /// Bytes left in the frame, or in the tagged field that holds it.
        available: usize,
    },
    /// A length or a count that no valid field has.
    #[error("field {field} at byte {at} has impossible length {length}")]
    BadLength {
        /// The field being read.
        field: &'static str,
        /// Where it begins.
        at: usize,
        /// The length found.
        length: i64,
    },
    /// A null where the protocol allows none.
    #[error("field {field} at byte {at} must not be null")]
    Null {
        /// The field being read.
        field: &'static str,
        /// Where it begins.
        at: usize,
    },
    /// Text that is not UTF-8.
    #[error("field {field} at byte {at} is not valid UTF-8")]
    NotUtf8 {
        /// The field being read.
        field: &'static str,
        /// Where it begins.
        at: usize,
    },
    /// A variable-length integer that does not fit 32 bits.
    #[error("field {field} at byte {at} is a variable-length integer over 32 bits")]
    BadVarint {
        /// The field being read.
        field: &'static str,
        /// Where it begins.
        at: usize,
    },
    /// Decoded, the frame would take far more memory than it has bytes.
    #[error("field {field} at byte {at} would take {needed} bytes of memory, {allowed} are allowed")]
    Bloated {
        /// The field being read.
        field: &'static str,
        /// Where it begins.
        at: usize,
        /// Bytes of memory that it would take.
        needed: usize,
        /// What is left of the frame's allowance.
        allowed: usize,
    },
}
