//! A reason why data of one schema cannot be read by another.

use std::fmt;

/// One difference between two schemas that keeps the reader from reading the writer's data.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Incompatibility {
    /// The kind of difference, as Confluent's registry names it: `READER_FIELD_MISSING_DEFAULT_VALUE`.
    pub kind: &'static str,
    /// Its place, a JSON pointer: into the reader's schema for Avro (`/fields/1`), of the difference for JSON Schema
    /// (`#/properties/price`) and Protobuf (`#/Order/2`).
    pub path: String,
    /// A sentence that a person understands, with the names of both sides.
    pub message: String,
    /// What the format's own checker adds, where it adds something: the name of the field, the types of both sides.
    pub detail: Option<String>,
}

impl fmt::Display for Incompatibility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}
