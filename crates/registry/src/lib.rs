//! The schema registry: what the events of a topic look like, in versions that stay readable.
//!
//! ```text
//!   text + references ──▶ avro │ json_schema │ protobuf ──▶ canonical text, incompatibilities, codec, example
//!                              │
//!   subject ──▶ Registry ──▶ ParsedSchema, compared with the versions before it
//!                  │
//!                  └──▶ topic _schemas, in the record layout of Confluent's registry
//! ```
//!
//! Invariants: reading a schema, comparing two and reading a value take bounded time and memory, and never a network or a
//! file; text that cannot be read is an error with its place.
//!
//! Not here: HTTP and its error codes (`factum-http-api`).

pub mod avro;
mod config;
mod framing;
mod given_ids;
mod group_name;
mod incompatibility;
mod invalid_schema;
pub mod json_schema;
mod json_size;
mod metadata;
mod metrics;
mod mode;
mod parsed;
mod parsed_schemas;
pub mod protobuf;
mod referenced_schema;
mod registry;
mod rule_set;
mod schema;
mod schema_type;
mod store;
mod subject;
mod value_error;
mod version;
mod version_id;
mod work;

pub use config::{CompatibilityLevel, CompatibilityPolicy, Config, InvalidCompatibilityLevel};
pub use framing::{FramedValue, SchemaId, VALUE_SCHEMA_HEADER};
pub use given_ids::GivenIds;
pub use group_name::{DEFAULT_GROUP, GroupName, InvalidGroupName, is_schema_name};
pub use incompatibility::Incompatibility;
pub use invalid_schema::{InvalidSchema, MAX_DEPTH, MAX_SCHEMA_BYTES};
pub use metadata::Metadata;
pub use mode::{InvalidMode, Mode};
pub use parsed::ParsedSchema;
pub use protobuf::MessageIndexes;
pub use referenced_schema::ReferencedSchema;
pub use registry::{
    CheckError, CodecError, CreateGroupError, DecodedValue, DeleteError, LookUpError, MAX_GROUPS,
    MAX_SCHEMAS, NewSchema, PreparedVersion, ReferenceError, RegisterError, Registry, SchemaFilter,
    SchemaGroup, SettingsError, SubjectVersion, VersionFilter, VersionVerdict,
};
pub use rule_set::{Rule, RuleKind, RuleMode, RuleSet};
pub use schema::{Guid, InvalidGuid, Reference, Schema};
pub use schema_type::{SchemaType, UnknownSchemaType};
pub use store::{StoreError, TOPIC};
pub use subject::{DEFAULT_CONTEXT, InvalidSubject, MAX_SUBJECT_BYTES, Subject};
pub use value_error::ValueError;
pub use version::{InvalidVersion, VersionSelector};
pub use version_id::{InvalidVersionId, VersionId};
pub use work::WorkError;
