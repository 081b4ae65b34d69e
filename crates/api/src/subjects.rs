//! Subjects of the schema registry, as tools for people show them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A part of the subjects that were asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SubjectList {
    /// The subjects, by context and name.
    pub subjects: Vec<SubjectLine>,
    /// How many there are, of which `subjects` is a part.
    pub total: usize,
}

/// A subject, by its latest version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SubjectLine {
    /// Its name, with its context where that is not the default one.
    #[schema(example = "store.orders-value")]
    pub subject: String,
    /// The format of the latest version: `AVRO`, `JSON` or `PROTOBUF`.
    #[schema(example = "AVRO")]
    pub schema_type: String,
    /// How many versions it has that are not deleted.
    pub versions: usize,
    /// The latest version.
    #[schema(example = 2)]
    pub latest_version: i32,
    /// The id of the latest version's schema in its context.
    #[schema(example = 7)]
    pub latest_id: i32,
    /// The compatibility level in effect.
    #[schema(example = "BACKWARD")]
    pub compatibility: String,
}

/// A subject with its versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SubjectView {
    /// Its name, with its context where that is not the default one.
    #[schema(example = "store.orders-value")]
    pub subject: String,
    /// The compatibility level in effect.
    #[schema(example = "BACKWARD")]
    pub compatibility: String,
    /// Whether the level is set for the subject itself, and not for its context or for all subjects.
    pub sets_compatibility: bool,
    /// Versions that are not deleted, the oldest first.
    pub versions: Vec<VersionLine>,
}

/// A version of a subject, without its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VersionLine {
    /// The version.
    #[schema(example = 2)]
    pub version: i32,
    /// The id of its schema in the subject's context.
    #[schema(example = 7)]
    pub id: i32,
    /// The format: `AVRO`, `JSON` or `PROTOBUF`.
    #[schema(example = "AVRO")]
    pub schema_type: String,
}
