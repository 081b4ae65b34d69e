//! A schema that another one refers to, found and ready to be read.

use std::sync::Arc;

/// The text behind a reference.
///
/// Readers are given all schemas that are referred to, directly or not, those first that the others refer to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferencedSchema {
    /// The name in the referring schema: a full name in Avro, a `$ref` in JSON Schema, an import's path in Protobuf.
    pub name: String,
    /// Its text.
    pub text: Arc<str>,
}
