//! Values that are written with a schema: read as JSON, and written from it.

use factum_base::steps::Steps;

use super::{Registry, SubjectVersion};
use crate::framing::{FramedValue, SchemaId};
use crate::store::Memory;
use crate::subject::Subject;
use crate::{
    DEFAULT_CONTEXT, LookUpError, MessageIndexes, ParsedSchema, SchemaType, ValueError, VersionFilter,
    VersionSelector,
};

/// A value as JSON, and the version whose schema it was written with.
#[derive(Debug, Clone)]
pub struct DecodedValue {
    /// A version that has the schema.
    pub version: SubjectVersion,
    /// The value.
    pub json: Vec<u8>,
}

/// Why a value that names a schema cannot be read, or one cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// The schema that it names is not registered, or cannot be read.
    #[error(transparent)]
    Schema(#[from] LookUpError),
    /// It is not of that schema.
    #[error(transparent)]
    Value(#[from] ValueError),
}

impl Registry {
    /// Reads a value, with the header beside it, as JSON. `None` if it names no schema.
    ///
    /// # Errors
    /// [`CodecError`].
    pub fn decode(&self, value: &[u8], header: Option<&[u8]>) -> Option<Result<DecodedValue, CodecError>> {
        let framed = FramedValue::read(value, header)?;
        Some(self.decode_framed(framed))
    }

    /// Whether a value, with the header beside it, is of the schema that it names, which it gives. `None` if it names none. What of
    /// the value is looked at takes a step; where steps are spent the response means nothing.
    ///
    /// # Errors
    /// [`CodecError`].
    pub fn judge(
        &self,
        value: &[u8],
        header: Option<&[u8]>,
        steps: &mut Steps,
    ) -> Option<Result<SubjectVersion, CodecError>> {
        let framed = FramedValue::read(value, header)?;
        let mut judge = || {
            let version = self.written_with(framed.schema)?;
            self.parsed(&version)?.judge(framed.payload, steps)?;
            Ok(version)
        };
        Some(judge())
    }

    fn decode_framed(&self, framed: FramedValue<'_>) -> Result<DecodedValue, CodecError> {
        let version = self.written_with(framed.schema)?;
        let json = self.parsed(&version)?.decode(framed.payload)?;
        Ok(DecodedValue { version, json })
    }

    /// A version that has a schema which a value names.
    ///
    /// # Errors
    /// [`LookUpError::UnknownSchema`].
    pub fn written_with(&self, schema: SchemaId) -> Result<SubjectVersion, LookUpError> {
        match schema {
            SchemaId::Id(id) => self.by_id(id, None),
            SchemaId::Guid(guid) => self.by_guid(guid),
        }
    }

    /// Whether a subject has, or had, the schema that a value names.
    pub fn has_schema(&self, subject: &Subject, schema: SchemaId) -> bool {
        let memory = self.0.store.memory();
        let id = |memory: &Memory| match schema {
            SchemaId::Id(id) => Some(id),
            SchemaId::Guid(guid) => memory.id_of(DEFAULT_CONTEXT, &guid),
        };
        let is_named = subject.is_in_default_context();
        is_named && id(&memory).is_some_and(|id| memory.use_by(subject, id).is_some())
    }

    /// Writes JSON with the latest schema of a subject, as Confluent's serialisers do. `None` if the subject has none.
    ///
    /// # Errors
    /// [`CodecError`].
    pub fn encode(&self, subject: &Subject, json: &[u8]) -> Option<Result<Vec<u8>, CodecError>> {
        let latest = self.version(subject, VersionSelector::Latest, VersionFilter::Live).ok()?;
        let encoded = self.parsed(&latest).map_err(CodecError::from).and_then(|parsed| {
            let mut value = Vec::with_capacity(json.len());
            FramedValue::write_prefix(latest.id(), &mut value);
            parsed.encode(json, &mut value)?;
            Ok(value)
        });
        Some(encoded)
    }
}

impl ParsedSchema {
    /// Reads a payload as JSON.
    ///
    /// # Errors
    /// [`ValueError`] where it is not of this schema.
    pub fn decode(&self, payload: &[u8]) -> Result<Vec<u8>, ValueError> {
        let mut json = Vec::with_capacity(payload.len());
        match self {
            Self::Avro(schema) => schema.decode(payload, &mut json)?,
            Self::Json(schema) => {
                schema.validate(payload)?;
                json.extend_from_slice(payload);
            }
            Self::Protobuf(schema) => {
                let (message, payload) = MessageIndexes::read(payload)?;
                schema.decode_message(&message, payload, &mut json)?;
            }
        }
        Ok(json)
    }

    /// Whether a payload is of this schema. What of it is looked at takes a step.
    ///
    /// # Errors
    /// [`ValueError`]; where steps are spent it means nothing.
    pub fn judge(&self, payload: &[u8], steps: &mut Steps) -> Result<(), ValueError> {
        match self {
            Self::Avro(schema) => schema.judge(payload, steps),
            Self::Json(schema) => {
                steps.take(payload.len() / 16);
                schema.validate(payload)
            }
            Self::Protobuf(schema) => {
                let (message, payload) = MessageIndexes::read(payload)?;
                schema.judge_message(&message, payload, steps)
            }
        }
    }

    /// Writes JSON as a payload behind `out`; in Protobuf as the schema's first message.
    ///
    /// # Errors
    /// [`ValueError`] where it is not of this schema.
    pub fn encode(&self, json: &[u8], out: &mut Vec<u8>) -> Result<(), ValueError> {
        match self {
            Self::Avro(schema) => out.extend(schema.encode(json)?),
            Self::Json(schema) => {
                schema.validate(json)?;
                out.extend_from_slice(json);
            }
            Self::Protobuf(schema) => {
                MessageIndexes::new(&[0]).write(out);
                out.extend(schema.encode(json)?);
            }
        }
        Ok(())
    }

    /// Whether values are JSON, which the schema judges and does not encode.
    pub fn is_json(&self) -> bool {
        self.schema_type() == SchemaType::Json
    }
}
