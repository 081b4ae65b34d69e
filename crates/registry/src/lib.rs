//! The schema registry: what the events of a topic look like, in versions that stay readable.
//!
//! ```text
//!   text + references ──▶ avro │ json_schema │ protobuf ──▶ canonical text, incompatibilities, codec, example
//! ```
//!
//! Invariants: reading a schema, comparing two and reading a value take bounded time and memory, and never a network or a
//! file; text that cannot be read is an error with its place.
//!
//! Not here: HTTP and its error codes (`factum-http-api`).

mod incompatibility;
mod invalid_schema;
pub mod json_schema;
mod referenced_schema;
mod schema_type;
mod value_error;

pub use incompatibility::Incompatibility;
pub use invalid_schema::{InvalidSchema, MAX_DEPTH, MAX_SCHEMA_BYTES};
pub use referenced_schema::ReferencedSchema;
pub use schema_type::{SchemaType, UnknownSchemaType};
pub use value_error::ValueError;
