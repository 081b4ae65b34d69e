//! Protocol Buffers: schemas of syntax `proto2` and `proto3`, compared and encoded as Confluent's registry does.
//!
//! ```text
//!   text or base64 ──▶ source ──▶ check ──▶ link (references, imports) ──▶ Schema ──▶ print │ compare │ decode, encode
//! ```
//!
//! Invariants: what a schema imports is in its references or built in (`imports`). Text is scanned for its depth and size
//! before the parser walks into it, and a serialized descriptor is counted before it is decoded.
//!
//! Not here: the magic byte and the id in front of a record; editions, which the parser does not know.

mod check;
mod compare;
mod decode;
mod encode;
mod example;
mod imports;
mod interpreted;
mod json;
mod link;
mod message_indexes;
mod messages;
mod normal;
mod options;
mod print;
mod ranges;
mod scalars;
mod serialized;
mod shapes;
mod source;
mod text;
mod text_format;
mod value_schema;

#[cfg(test)]
mod tests;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use factum_base::steps::Steps;
use prost_reflect::prost::Message as _;
use prost_reflect::prost_types::FileDescriptorProto;
use prost_reflect::{DynamicMessage, FileDescriptor, MessageDescriptor, ReflectMessage, Value};

pub use message_indexes::MessageIndexes;
pub use messages::MessageName;

use crate::work::Work;
use crate::{Incompatibility, InvalidSchema, MAX_SCHEMA_BYTES, ReferencedSchema, ValueError};
use link::OWN_NAME;
use print::Form;

/// Bytes of memory for each message or enum, field, value of an enum, and byte of text.
const PER_MESSAGE: usize = 1_600;
const PER_FIELD: usize = 1_500;
const PER_VALUE: usize = 600;
const PER_BYTE: usize = 4;

/// A `.proto` file, with all that it imports.
#[derive(Debug, Clone)]
pub struct Schema {
    /// As it was written: names as they stand there, options uninterpreted.
    proto: FileDescriptorProto,
    /// The same, linked.
    file: FileDescriptor,
    canonical: String,
    messages: Vec<MessageName>,
}

impl Schema {
    /// Reads the text of a `.proto` file, or a base64 `FileDescriptorProto`. Imports are looked for in the references, by
    /// their paths, and among the built-in files: `google/protobuf/*`, `google/type/*`, `confluent/meta.proto` and
    /// `confluent/type/*`.
    ///
    /// # Errors
    /// With the place, if the text is no schema, if something in it does not resolve, or beyond a limit:
    /// [`MAX_SCHEMA_BYTES`], [`MAX_DEPTH`](crate::MAX_DEPTH) brackets in one another, 20,000 statements with those of the
    /// imports, 256 files, names of 512 bytes.
    pub fn parse(text: &str, references: &[ReferencedSchema]) -> Result<Self, InvalidSchema> {
        let main = source::read(OWN_NAME, text)?;
        check::check(&main.proto)?;
        shapes::check(&main.proto)?;
        let (main, pool) = link::link(main, references)?;
        let file =
            pool.get_file_by_name(OWN_NAME).ok_or_else(|| InvalidSchema::new("a schema without a file"))?;
        let mut proto = main.proto;
        if main.body.is_some() {
            interpreted::spell_out(&mut proto, &file);
        }
        let canonical = print::print(&proto, Form::Canonical, MAX_SCHEMA_BYTES);
        let canonical = canonical.ok_or_else(|| {
            InvalidSchema::new(format!("too large: more than {MAX_SCHEMA_BYTES} bytes in canonical form"))
        })?;
        let messages = messages::all(&proto);
        Ok(Self { proto, file, canonical, messages })
    }

    /// The text that the registry keeps and gives back: without comments, in a fixed order of parts.
    pub fn canonical(&self) -> String {
        self.canonical.clone()
    }

    /// The text under `normalize=true`: sorted, with all names in full. Where that were larger than
    /// [`MAX_SCHEMA_BYTES`], the canonical text.
    pub fn normalized(&self) -> String {
        let normal = normal::normalize(&self.proto, &self.file);
        print::print(&normal, Form::Normal, MAX_SCHEMA_BYTES).unwrap_or_else(|| self.canonical.clone())
    }

    /// The base64 of the schema's `FileDescriptorProto`, under `format=serialized`.
    pub fn serialized(&self) -> String {
        BASE64_STANDARD.encode(self.descriptor())
    }

    /// The linked file with the imports that it was written with: linking spells out public ones.
    fn descriptor(&self) -> Vec<u8> {
        let own = FileDescriptorProto::default();
        let encoded = self.file.encode_to_vec();
        let Ok(mut message) = DynamicMessage::decode(own.descriptor(), encoded.as_slice()) else {
            return encoded;
        };
        let texts = |texts: &[String]| Value::List(texts.iter().cloned().map(Value::String).collect());
        let numbers = |numbers: &[i32]| Value::List(numbers.iter().copied().map(Value::I32).collect());
        message.set_field_by_name("dependency", texts(&self.proto.dependency));
        message.set_field_by_name("public_dependency", numbers(&self.proto.public_dependency));
        message.set_field_by_name("weak_dependency", numbers(&self.proto.weak_dependency));
        message.encode_to_vec()
    }

    /// Imports of a text that need a reference: all but the built-in ones, in their order.
    ///
    /// # Errors
    /// As [`parse`](Self::parse), before imports are looked for.
    pub fn references(text: &str) -> Result<Vec<String>, InvalidSchema> {
        let file = source::read(OWN_NAME, text)?;
        Ok(file.proto.dependency.into_iter().filter(|import| !imports::is_known(import)).collect())
    }

    /// All messages, each before those inside it. The first is the one that records are of unless they say otherwise.
    pub fn messages(&self) -> &[MessageName] {
        &self.messages
    }

    /// The message that a record's indexes name.
    ///
    /// # Errors
    /// If there is none.
    pub fn message(&self, indexes: &MessageIndexes) -> Result<&MessageName, ValueError> {
        let found =
            self.messages.binary_search_by(|message| message.indexes.positions().cmp(indexes.positions()));
        found.ok().and_then(|at| self.messages.get(at)).ok_or_else(|| {
            let reason = match self.messages.len() {
                0 => "the schema has no message".to_owned(),
                _ => format!("the schema has no message with the indexes {:?}", indexes.positions()),
            };
            ValueError { path: None, reason }
        })
    }

    fn message_descriptor(&self, indexes: &MessageIndexes) -> Result<MessageDescriptor, ValueError> {
        let message = self.message(indexes)?;
        let found = self.file.parent_pool().get_message_by_name(&message.full_name);
        found.ok_or_else(|| ValueError { path: None, reason: format!("no message {}", message.full_name) })
    }

    /// About how many bytes of memory it takes: what is counted is small, and many.
    pub(crate) fn weight(&self) -> usize {
        let pool = self.file.parent_pool();
        let enums = pool.all_enums().map(|declared| PER_MESSAGE + PER_VALUE * declared.values().len());
        let messages = pool.all_messages().map(|message| {
            PER_MESSAGE + PER_FIELD * message.fields().len() + PER_MESSAGE * message.oneofs().len()
        });
        messages.chain(enums).sum::<usize>() + PER_BYTE * self.canonical.len()
    }

    /// Every reason why `reader` cannot read what was written by `writer`, at most 100, in the verdicts and with the names of
    /// Confluent's `SchemaDiff`.
    pub fn incompatibilities(reader: &Self, writer: &Self) -> Vec<Incompatibility> {
        Self::incompatibilities_within(reader, writer, &Work::default())
    }

    /// The same as a part of `work`; where that is used up, not all of them, and one that says so.
    pub(crate) fn incompatibilities_within(
        reader: &Self,
        writer: &Self,
        work: &Work,
    ) -> Vec<Incompatibility> {
        compare::incompatibilities(&reader.file, &writer.file, work)
    }

    /// Appends the JSON of one value of the first message. The bytes are the message alone: [`MessageIndexes::read`] takes
    /// off what stands in front of it in a record.
    ///
    /// # Errors
    /// As [`decode_message`](Self::decode_message).
    pub fn decode(&self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), ValueError> {
        self.decode_message(&MessageIndexes::default(), bytes, out)
    }

    /// Appends the JSON of one value of a message, in Protobuf's JSON mapping: names in lowerCamelCase, 64-bit integers as
    /// text, bytes in base64, fields without presence also where they have their default. Unknown fields are skipped.
    ///
    /// # Errors
    /// If there is no such message, the bytes are none of it, are nested too deeply, or would be more than 16 MiB of JSON.
    pub fn decode_message(
        &self,
        indexes: &MessageIndexes,
        bytes: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), ValueError> {
        decode::decode(self.message_descriptor(indexes)?, bytes, out)
    }

    /// Whether bytes are one value of a message; takes a step for each of them.
    ///
    /// # Errors
    /// As [`decode_message`](Self::decode_message), but for the size of its JSON; where steps are spent it means nothing.
    pub fn judge_message(
        &self,
        indexes: &MessageIndexes,
        bytes: &[u8],
        steps: &mut Steps,
    ) -> Result<(), ValueError> {
        decode::judge(self.message_descriptor(indexes)?, bytes, steps)
    }

    /// The bytes of one value of the first message.
    ///
    /// # Errors
    /// As [`encode_message`](Self::encode_message).
    pub fn encode(&self, json: &[u8]) -> Result<Vec<u8>, ValueError> {
        self.encode_message(&MessageIndexes::default(), json)
    }

    /// The bytes of one value of a message. Fields are named as in the schema or in lowerCamelCase.
    ///
    /// # Errors
    /// With the field, if the JSON is no value of the message.
    pub fn encode_message(&self, indexes: &MessageIndexes, json: &[u8]) -> Result<Vec<u8>, ValueError> {
        encode::encode(&self.message_descriptor(indexes)?, json)
    }

    /// The JSON Schema of values of the first message as they are decoded; `None` if there is none.
    pub fn value_schema(&self) -> Option<serde_json::Value> {
        Some(value_schema::of(&self.message_descriptor(&MessageIndexes::default()).ok()?))
    }

    /// A plausible value of the first message, the same at every call. `null` if there is none.
    pub fn example(&self) -> serde_json::Value {
        self.example_of(&MessageIndexes::default()).unwrap_or(serde_json::Value::Null)
    }

    /// A plausible value of a message, the same at every call.
    ///
    /// # Errors
    /// If there is no such message.
    pub fn example_of(&self, indexes: &MessageIndexes) -> Result<serde_json::Value, ValueError> {
        Ok(example::example(&self.message_descriptor(indexes)?))
    }
}
