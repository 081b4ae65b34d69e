//! Avro: schemas of the 1.12 specification, their texts, their compatibility, and their values.
//!
//! ```text
//!   text + references ──parser──▶ types ──▶ canonical: Confluent's text, normalized, parsing canonical form
//!                                       ──▶ compatibility: incompatibilities
//!                                       ──▶ decode, encode: binary ◀──▶ JSON;  example
//! ```
//!
//! **Values in JSON** are as a person expects them, and come back as they were:
//!
//! | type | JSON |
//! |---|---|
//! | `null`, `boolean`, `string`, enum, array, map, record | the same of JSON |
//! | `int`, `long`, `float`, `double` | number, exact; what is no number: `"NaN"`, `"Infinity"`, `"-Infinity"` |
//! | `bytes`, fixed | base64 |
//! | `decimal` | `"12.50"` |
//! | `uuid` | `"0192f1e4-7c1a-7d3e-9b7e-3a2f6c5d4e1b"` |
//! | `date`, `time-*` | `"2026-12-01"`, `"12:30:00.250"` |
//! | `timestamp-*`, `local-timestamp-*` | `"2026-12-01T12:30:00.250Z"`, `"2026-12-01T12:30:00.250"`; a number outside of the years 0 to 9999 |
//! | `duration` | `"P1M2DT3.004S"` |
//! | union | the value alone if each branch has another form of JSON (`["null", "string"]`), else `{"branch": value}` |
//!
//! A record's absent field has its default.
//!
//! Invariants: reading a text, comparing two and reading a value take time and memory by their sizes and by limits that are
//! constants here; text and bytes that cannot be read are an error with its place.

mod binary;
mod canonical;
mod civil;
mod compatibility;
mod decimal;
mod decode;
mod defaults;
mod encode;
mod equality;
mod example;
mod incompatibilities;
mod json;
mod judge;
mod logical;
mod name;
mod parser;
mod place;
#[cfg(test)]
mod tests;
mod types;
mod unions;
mod value_path;
mod value_schema;

use factum_base::steps::Steps;

use crate::work::Work;
use crate::{Incompatibility, InvalidSchema, MAX_DEPTH, MAX_SCHEMA_BYTES, ReferencedSchema, ValueError};
use canonical::Form;
use parser::Parser;
use types::{TypeId, Types};

pub use incompatibilities::confluent_line;

/// The bytes that a value in single-object encoding begins with.
const SINGLE_OBJECT: [u8; 2] = [0xc3, 0x01];

/// An Avro schema.
#[derive(Debug, Clone)]
pub struct Schema {
    types: Types,
    root: TypeId,
    /// Full names of the references' types, which texts do not repeat.
    references: Vec<String>,
}

impl Schema {
    /// Reads a schema; `references` have the types that it may name beside its own.
    ///
    /// # Errors
    ///
    /// The texts have more than [`MAX_SCHEMA_BYTES`], one is no JSON or no schema, or a name is not defined or defined
    /// twice; types are nested more than [`MAX_DEPTH`] deep. Defaults are checked; that of a union may be one of any branch.
    pub fn parse(text: &str, references: &[ReferencedSchema]) -> Result<Self, InvalidSchema> {
        let bytes =
            references.iter().fold(text.len(), |sum, reference| sum.saturating_add(reference.text.len()));
        if bytes > MAX_SCHEMA_BYTES {
            let reason = format!("schema too large: at most {MAX_SCHEMA_BYTES} bytes with its references");
            return Err(InvalidSchema::new(reason));
        }
        let mut parser = Parser::default();
        let mut roots = Vec::with_capacity(references.len());
        for reference in references {
            let root = parser.read(&reference.text).map_err(|error| {
                let place = error.place.unwrap_or_default();
                InvalidSchema::new(format!("reference {:?}: {place}: {}", reference.name, error.reason))
            })?;
            roots.push(root);
        }
        let root = parser.read(text)?;
        let (types, root) = parser.finish(root)?;
        let references: Vec<String> =
            roots.into_iter().map(|root| types.kind(root).full_name().to_owned()).collect();
        if canonical::nesting(&types, root, &references) > MAX_DEPTH {
            let reason = format!(
                "nested too deeply with each type where it is used first: the limit is {MAX_DEPTH}; define types before \
                 their use"
            );
            return Err(InvalidSchema::new(reason));
        }
        Ok(Self { types, root, references })
    }

    /// The full names that a text uses and does not define, in the order of their use.
    ///
    /// # Errors
    ///
    /// It is no schema, apart from such names.
    pub fn references(text: &str) -> Result<Vec<String>, InvalidSchema> {
        if text.len() > MAX_SCHEMA_BYTES {
            return Err(InvalidSchema::new(format!("schema too large: at most {MAX_SCHEMA_BYTES} bytes")));
        }
        let mut parser = Parser::default();
        parser.read(text)?;
        Ok(parser.undefined())
    }

    /// The text that Confluent's registry keeps, which is Java Avro's `Schema.toString`: types of references by their
    /// names, attributes in Java's order.
    pub fn canonical(&self) -> String {
        canonical::write(&self.types, self.root, &self.references, Form::Canonical)
    }

    /// The text of `normalize=true` of Confluent's registry: properties and aliases by their names, and what has no
    /// meaning left out.
    pub fn normalized(&self) -> String {
        canonical::write(&self.types, self.root, &self.references, Form::Normal)
    }

    /// The text with the types of references in it, which `format=resolved` of Confluent's registry gives.
    pub fn resolved(&self) -> String {
        canonical::write(&self.types, self.root, &[], Form::Canonical)
    }

    /// The parsing canonical form of the specification: what matters to readers, references included.
    pub fn parsing_canonical_form(&self) -> String {
        canonical::write(&self.types, self.root, &[], Form::Parsing)
    }

    /// The `CRC-64-AVRO` fingerprint of [`Self::parsing_canonical_form`].
    pub fn fingerprint(&self) -> u64 {
        canonical::fingerprint(self.parsing_canonical_form().as_bytes())
    }

    /// The full name of a record, an enum or a fixed.
    pub fn name(&self) -> Option<&str> {
        self.types.kind(self.root).naming().map(|naming| naming.name.full())
    }

    /// Every reason why `reader` cannot read what `writer` wrote, at most 100; none if it can read all of it.
    pub fn incompatibilities(reader: &Self, writer: &Self) -> Vec<Incompatibility> {
        Self::incompatibilities_within(reader, writer, &Work::default())
    }

    /// The same as a part of `work`; not all of them where that is used up.
    pub(crate) fn incompatibilities_within(
        reader: &Self,
        writer: &Self,
        work: &Work,
    ) -> Vec<Incompatibility> {
        compatibility::compare(&reader.types, reader.root, &writer.types, writer.root, work)
    }

    /// Appends the JSON of one value in Avro's binary encoding to `out`, which on an error stays as it was.
    ///
    /// # Errors
    ///
    /// The bytes are no such value, or more than one; or its JSON has more than 64 KiB and 256 bytes for each of its own.
    pub fn decode(&self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), ValueError> {
        decode::decode(&self.types, self.root, bytes, out)
    }

    /// Whether bytes are one value, which [`Self::decode`] then reads; takes a step for each part that has bytes.
    ///
    /// # Errors
    ///
    /// As [`Self::decode`]; where steps are spent it means nothing.
    pub fn judge(&self, bytes: &[u8], steps: &mut Steps) -> Result<(), ValueError> {
        judge::judge(&self.types, self.root, bytes, steps)
    }

    /// The binary encoding of a value in JSON, of the form that [`Self::decode`] gives.
    ///
    /// # Errors
    ///
    /// It is no JSON, or no value of this schema: the error has the path of the part that is not.
    pub fn encode(&self, json: &[u8]) -> Result<Vec<u8>, ValueError> {
        encode::encode(&self.types, self.root, json)
    }

    /// A plausible value, always the same: defaults that tell something, the first symbols of enums, the first branches
    /// of unions that are not null. Null where every value is too large, or has itself as a part.
    pub fn example(&self) -> serde_json::Value {
        let mut json = Vec::new();
        let written = example::example(&self.types, self.root).map(|bytes| self.decode(&bytes, &mut json));
        match written {
            Some(Ok(())) => serde_json::from_slice(&json).unwrap_or_default(),
            _ => serde_json::Value::Null,
        }
    }
}

/// The fingerprint and the value of bytes in Avro's single-object encoding; nothing where they are not.
pub fn single_object(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (fingerprint, value) = bytes.strip_prefix(&SINGLE_OBJECT)?.split_first_chunk()?;
    Some((u64::from_le_bytes(*fingerprint), value))
}
