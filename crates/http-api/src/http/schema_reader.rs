//! Values of records read with the schemas that they name, as far as a caller may see those.
//!
//! Invariant: a value that names a schema which is hidden from the caller looks as one whose schema is not there. Who writes a
//! hidden schema's id before bytes of its own learns nothing of the schema.

use std::collections::HashMap;

use factum_registry::{
    CodecError, DecodedValue, FramedValue, LookUpError, Registry, SchemaId, SubjectVersion,
};

use super::extract::Caller;
use super::subject_access::{seen_by_guid, seen_by_id};

/// Schemas that are remembered between records, at most.
const MAX_KNOWN: usize = 256;

/// Reads values for one caller, for as long as one response or one part of it is written.
pub(crate) struct SchemaReader {
    registry: Registry,
    caller: Caller,
    known: HashMap<SchemaId, Option<SubjectVersion>>,
}

impl SchemaReader {
    pub(crate) fn new(registry: Registry, caller: Caller) -> Self {
        Self { registry, caller, known: HashMap::new() }
    }

    /// Reads a value, with the header beside it, as JSON. `None` if it names no schema.
    ///
    /// # Errors
    /// [`CodecError`].
    pub(crate) fn read(
        &mut self,
        value: &[u8],
        header: Option<&[u8]>,
    ) -> Option<Result<DecodedValue, CodecError>> {
        let framed = FramedValue::read(value, header)?;
        Some(self.decode(framed))
    }

    fn decode(&mut self, framed: FramedValue<'_>) -> Result<DecodedValue, CodecError> {
        let version = self.version(framed.schema)?;
        let json = self.registry.parsed(&version)?.decode(framed.payload)?;
        Ok(DecodedValue { version, json })
    }

    fn version(&mut self, schema: SchemaId) -> Result<SubjectVersion, LookUpError> {
        let (registry, caller) = (&self.registry, &self.caller);
        if self.known.len() >= MAX_KNOWN {
            self.known.clear();
        }
        let known = self.known.entry(schema).or_insert_with(|| match schema {
            SchemaId::Id(id) => seen_by_id(registry, caller, id, None).ok(),
            SchemaId::Guid(guid) => seen_by_guid(registry, caller, guid).ok(),
        });
        known.clone().ok_or_else(|| LookUpError::UnknownSchema { id: schema.to_string() })
    }
}
