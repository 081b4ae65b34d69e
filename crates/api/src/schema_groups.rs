//! Schema groups: contexts of the schema registry, as Azure's clients know them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::RequestBody;

/// The schema groups that there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SchemaGroupList {
    /// The groups, by name.
    pub groups: Vec<SchemaGroupView>,
}

/// A schema group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SchemaGroupView {
    /// Its name; `$default` is the default context.
    #[schema(example = "orders")]
    pub name: String,
    /// The context that Confluent's clients know it as.
    #[schema(example = ".orders")]
    pub context: String,
    /// The format of all its schemas, `AVRO`, `JSON` or `PROTOBUF`; left out where each may have another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "AVRO")]
    pub schema_type: Option<String>,
    /// The compatibility level in effect.
    #[schema(example = "BACKWARD")]
    pub compatibility: String,
    /// How many schemas have a version that is not deleted.
    #[schema(example = 2)]
    pub schemas: usize,
}

/// A schema group to create.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSchemaGroup {
    /// Its name: a letter or digit, then anything but `/`, `\`, `$` and `:`.
    #[schema(example = "orders")]
    pub name: String,
    /// The format of all its schemas, `AVRO`, `JSON` or `PROTOBUF`; any where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "AVRO")]
    pub schema_type: Option<String>,
    /// Its compatibility level; that of all subjects where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "FORWARD")]
    pub compatibility: Option<String>,
}

impl RequestBody for NewSchemaGroup {
    const EXAMPLE: &'static str = r#"{"name": "orders", "schema_type": "AVRO", "compatibility": "BACKWARD"}"#;
}
