//! Schemas, subjects and their settings, in the shapes of Confluent's Schema Registry.
//!
//! Invariants: names, and which members are left out when they are empty, are Confluent's; members that this version does not know
//! are passed over.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::RequestBody;

/// An error, with the code that clients go by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorMessage {
    /// The HTTP status, and two digits that say more: 40401 is an unknown subject.
    #[schema(example = 40401)]
    pub error_code: u32,
    /// What is wrong.
    #[schema(example = "Subject 'orders-value' not found.")]
    pub message: String,
}

/// A schema that another one refers to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SchemaReference {
    /// The name in the referring schema.
    #[schema(example = "com.example.Money")]
    pub name: String,
    /// The subject that has it.
    #[schema(example = "money-value")]
    pub subject: String,
    /// The version.
    #[schema(example = 1)]
    pub version: i32,
}

/// A schema to register, look up or check.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SchemaRequest {
    /// Its text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "{\"type\":\"string\"}")]
    pub schema: Option<String>,
    /// `AVRO` (the default), `JSON` or `PROTOBUF`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema_type: Option<String>,
    /// What it refers to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub references: Option<Vec<SchemaReference>>,
    /// Tags and properties.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Value>,
    /// Rules that clients carry out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule_set: Option<Value>,
    /// The id that it is to have, in mode IMPORT.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<i32>,
    /// The version that it is to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<i32>,
}

impl RequestBody for SchemaRequest {
    const EXAMPLE: &'static str = r#"{"schema": "{\"type\":\"string\"}", "schemaType": "AVRO"}"#;
}

/// A version of a subject and its schema. Responses about a schema alone leave out what is a version's.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RegisteredSchema {
    /// The subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<i32>,
    /// The id of its schema in its context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<i32>,
    /// The fingerprint of its schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guid: Option<String>,
    /// `JSON` or `PROTOBUF`; left out for Avro.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema_type: Option<String>,
    /// What it refers to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub references: Option<Vec<SchemaReference>>,
    /// Tags and properties.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Value>,
    /// Rules that clients carry out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule_set: Option<Value>,
    /// The schema's text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// The highest id in its context, where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_id: Option<i32>,
    /// Whether it is deleted, but not for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<bool>,
}

/// A subject and one of its versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SubjectVersion {
    /// The subject.
    pub subject: String,
    /// The version.
    pub version: i32,
}

/// A context and an id in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ContextId {
    /// The context.
    #[schema(example = ".")]
    pub context: String,
    /// The id.
    pub id: i32,
}

/// Whether a schema is compatible.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CompatibilityCheck {
    /// Whether it is.
    pub is_compatible: bool,
    /// Why not, where reasons were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messages: Option<Vec<String>>,
}

/// A mode: `READWRITE`, `READONLY`, `IMPORT` …
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ModeSetting {
    /// The mode.
    #[schema(example = "READWRITE")]
    pub mode: String,
}

/// An error, as Azure's clients read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AzureError {
    /// The error.
    pub error: AzureErrorBody,
}

/// What is wrong, as Azure's clients read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AzureErrorBody {
    /// What kind of error.
    #[schema(example = "ItemNotFound")]
    pub code: String,
    /// What is wrong.
    #[schema(example = "Subject ':.orders:example.User' not found.")]
    pub message: String,
}

/// Names of schema groups, under each of the names that versions of Azure's API and its clients read them by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SchemaGroupNames {
    /// The names.
    #[serde(rename = "schemaGroups")]
    #[schema(example = json!(["$default", "orders"]))]
    pub schema_groups: Vec<String>,
    /// The same.
    pub value: Vec<String>,
    /// The same.
    #[serde(rename = "Value")]
    pub capital_value: Vec<String>,
}

impl SchemaGroupNames {
    /// These.
    pub fn new(names: Vec<String>) -> Self {
        Self { value: names.clone(), capital_value: names.clone(), schema_groups: names }
    }
}

/// Versions of a schema, under each of the names that versions of Azure's API and its clients read them by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SchemaVersionNumbers {
    /// The versions.
    #[serde(rename = "schemaVersions")]
    #[schema(example = json!([1, 2]))]
    pub schema_versions: Vec<i32>,
    /// The same.
    pub value: Vec<i32>,
    /// The same.
    #[serde(rename = "Value")]
    pub capital_value: Vec<i32>,
}

impl SchemaVersionNumbers {
    /// These.
    pub fn new(versions: Vec<i32>) -> Self {
        Self { value: versions.clone(), capital_value: versions.clone(), schema_versions: versions }
    }
}
