//! Schemas that were read: one type over the formats.

use std::sync::Arc;

use crate::work::Work;
use crate::{
    CompatibilityPolicy, Incompatibility, InvalidSchema, MAX_SCHEMA_BYTES, ReferencedSchema, SchemaType,
    avro, json_schema, protobuf,
};

/// Bytes of memory for each byte of a text in Avro: defaults have two bytes of text and fifty in memory.
const AVRO_WEIGHT: usize = 25;
/// Bytes of memory of every schema.
const BASE_WEIGHT: usize = 4 * 1024;

/// A schema of one of the formats.
#[derive(Debug, Clone)]
pub enum ParsedSchema {
    /// Avro.
    Avro(Arc<avro::Schema>),
    /// JSON Schema.
    Json(Arc<json_schema::Schema>),
    /// Protocol Buffers.
    Protobuf(Arc<protobuf::Schema>),
}

impl ParsedSchema {
    /// Reads `text`; `references` are all schemas that it refers to, those first that the others refer to.
    ///
    /// # Errors
    /// [`InvalidSchema`], also if the text and its references are larger than [`MAX_SCHEMA_BYTES`] together.
    pub fn parse(
        schema_type: SchemaType,
        text: &str,
        references: &[ReferencedSchema],
    ) -> Result<Self, InvalidSchema> {
        let bytes = text.len() + references.iter().map(|reference| reference.text.len()).sum::<usize>();
        if bytes > MAX_SCHEMA_BYTES {
            return Err(InvalidSchema::new(format!(
                "schema too large: {bytes} bytes with its references, at most {MAX_SCHEMA_BYTES} are possible"
            )));
        }
        match schema_type {
            SchemaType::Avro => avro::Schema::parse(text, references).map(Arc::new).map(Self::Avro),
            SchemaType::Json => json_schema::Schema::parse(text, references).map(Arc::new).map(Self::Json),
            SchemaType::Protobuf => {
                protobuf::Schema::parse(text, references).map(Arc::new).map(Self::Protobuf)
            }
        }
    }

    /// Its format.
    pub fn schema_type(&self) -> SchemaType {
        match self {
            Self::Avro(_) => SchemaType::Avro,
            Self::Json(_) => SchemaType::Json,
            Self::Protobuf(_) => SchemaType::Protobuf,
        }
    }

    /// About how many bytes of memory it takes, and rather more; `bytes` is the size of its text with that of its references.
    pub(crate) fn weight(&self, bytes: usize) -> usize {
        let parts = match self {
            Self::Avro(_) => bytes.saturating_mul(AVRO_WEIGHT),
            Self::Json(schema) => schema.weight(),
            Self::Protobuf(schema) => schema.weight(),
        };
        parts.saturating_add(bytes.saturating_mul(2)).saturating_add(BASE_WEIGHT)
    }

    /// The text that the registry keeps.
    pub fn canonical(&self) -> String {
        match self {
            Self::Avro(schema) => schema.canonical(),
            Self::Json(schema) => schema.canonical(),
            Self::Protobuf(schema) => schema.canonical(),
        }
    }

    /// The text in its normal form: the same for schemas that say the same in another order.
    pub fn normalized(&self) -> String {
        match self {
            Self::Avro(schema) => schema.normalized(),
            Self::Json(schema) => schema.normalized(),
            Self::Protobuf(schema) => schema.normalized(),
        }
    }

    /// The text in another form: `resolved` of Avro, with what it refers to written out; `serialized` of Protobuf, its descriptor in
    /// base64. `None` for other forms, which the format does not have.
    pub fn formatted(&self, form: &str) -> Option<String> {
        match (self, form) {
            (Self::Avro(schema), "resolved") => Some(schema.resolved()),
            (Self::Protobuf(schema), "serialized") => Some(schema.serialized()),
            _ => None,
        }
    }

    /// The JSON Schema of values as they are decoded, for readers that go by fields; `None` of values that have none.
    pub fn value_schema(&self) -> Option<serde_json::Value> {
        match self {
            Self::Avro(schema) => schema.value_schema(),
            Self::Json(schema) => Some(schema.value()),
            Self::Protobuf(schema) => schema.value_schema(),
        }
    }

    /// A plausible value, the same each time; null if there is none that could be shown.
    pub fn example(&self) -> serde_json::Value {
        match self {
            Self::Avro(schema) => schema.example(),
            Self::Json(schema) => schema.example(),
            Self::Protobuf(schema) => schema.example(),
        }
    }

    /// Every reason why `reader` cannot read what `writer` wrote, up to a limit of the format, as a part of `work`: where that is used
    /// up, they are not all.
    pub(crate) fn incompatibilities(
        reader: &Self,
        writer: &Self,
        policy: CompatibilityPolicy,
        work: &Work,
    ) -> Vec<Incompatibility> {
        match (reader, writer) {
            (Self::Avro(reader), Self::Avro(writer)) => {
                avro::Schema::incompatibilities_within(reader, writer, work)
            }
            (Self::Json(reader), Self::Json(writer)) => {
                json_schema::Schema::incompatibilities_within(reader, writer, policy.into(), work)
            }
            (Self::Protobuf(reader), Self::Protobuf(writer)) => {
                protobuf::Schema::incompatibilities_within(reader, writer, work)
            }
            (reader, writer) => vec![Incompatibility {
                kind: "SCHEMA_TYPE_MISMATCH",
                path: "/".to_owned(),
                message: format!(
                    "Incompatible because of different schema type: the schema is {}, that of the version is {}",
                    reader.schema_type(),
                    writer.schema_type()
                ),
                detail: None,
            }],
        }
    }
}

impl From<CompatibilityPolicy> for json_schema::Policy {
    fn from(policy: CompatibilityPolicy) -> Self {
        match policy {
            CompatibilityPolicy::Strict => Self::Strict,
            CompatibilityPolicy::Lenient => Self::Lenient,
        }
    }
}
