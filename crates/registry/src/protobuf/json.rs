//! Messages written as JSON, in Protobuf's JSON mapping.
//!
//! Types that have a form of their own there are written by the library; everything else here, so that entries of maps
//! are in the order of their keys and the same bytes give the same JSON.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use base64::display::Base64Display;
use base64::prelude::BASE64_STANDARD;
use prost_reflect::{
    DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, ReflectMessage, SerializeOptions, Value,
};
use serde::ser::{Error as _, Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::MAX_DEPTH;

/// Fields that are not set and cannot be told from their default are written with it.
const OPTIONS: SerializeOptions = SerializeOptions::new().skip_default_fields(false);

/// Whether the JSON mapping has a form of its own for a message.
pub(super) fn has_own_form(message: &MessageDescriptor) -> bool {
    let Some(name) = message.full_name().strip_prefix("google.protobuf.") else { return false };
    matches!(
        name,
        "Any"
            | "Timestamp"
            | "Duration"
            | "Struct"
            | "Value"
            | "ListValue"
            | "FieldMask"
            | "FloatValue"
            | "DoubleValue"
            | "Int32Value"
            | "Int64Value"
            | "UInt32Value"
            | "UInt64Value"
            | "BoolValue"
            | "StringValue"
            | "BytesValue"
    )
}

/// Fields without presence of the messages that were met: they are written also where they are not set. Looking through
/// all fields of each message would let a few bytes ask for a lot of work.
#[derive(Default)]
pub(super) struct KnownFields(RefCell<HashMap<String, Rc<[FieldDescriptor]>>>);

impl KnownFields {
    fn without_presence(&self, message: &MessageDescriptor) -> Rc<[FieldDescriptor]> {
        if let Some(known) = self.0.borrow().get(message.full_name()) {
            return Rc::clone(known);
        }
        let fields: Rc<[_]> = message.fields().filter(|field| !field.supports_presence()).collect();
        self.0.borrow_mut().insert(message.full_name().to_owned(), Rc::clone(&fields));
        fields
    }
}

/// A message to be written, and how many messages are around it: the decoder has a limit of depth, but the bytes in an
/// `Any` are decoded by themselves.
pub(super) struct MessageJson<'a> {
    message: &'a DynamicMessage,
    depth: usize,
    known: &'a KnownFields,
}

impl<'a> MessageJson<'a> {
    pub(super) fn new(message: &'a DynamicMessage, known: &'a KnownFields) -> Self {
        Self { message, depth: 0, known }
    }

    /// The fields, as members of an object that is begun.
    fn write_fields<M: SerializeMap>(&self, members: &mut M) -> Result<(), M::Error> {
        let (depth, known) = (self.depth, self.known);
        let mut fields: BTreeMap<u32, FieldDescriptor> = BTreeMap::new();
        fields.extend(
            known
                .without_presence(&self.message.descriptor())
                .iter()
                .map(|field| (field.number(), field.clone())),
        );
        fields.extend(self.message.fields().map(|(field, _)| (field.number(), field)));
        for field in fields.values() {
            let value = self.message.get_field(field);
            let value = ValueJson { value: &value, kind: &field.kind(), depth, known };
            members.serialize_entry(field.json_name(), &value)?;
        }
        for (field, value) in self.message.extensions() {
            members.serialize_entry(
                field.json_name(),
                &ValueJson { value, kind: &field.kind(), depth, known },
            )?;
        }
        Ok(())
    }

    /// A message with its type. One that the schema does not have is left in base64.
    fn write_any<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (url, bytes) =
            (self.message.get_field_by_name("type_url"), self.message.get_field_by_name("value"));
        let url = url.as_deref().and_then(Value::as_str).unwrap_or_default();
        let bytes = bytes.as_deref().and_then(Value::as_bytes).cloned().unwrap_or_default();
        let mut members = serializer.serialize_map(None)?;
        if url.is_empty() && bytes.is_empty() {
            return members.end();
        }
        members.serialize_entry("@type", url)?;
        let name = url.rsplit('/').next().unwrap_or_default();
        let Some(kind) = self.message.descriptor().parent_pool().get_message_by_name(name) else {
            members.serialize_entry("value", &Base64Display::new(&bytes, &BASE64_STANDARD).to_string())?;
            return members.end();
        };
        let is_whole = has_own_form(&kind);
        let inner = DynamicMessage::decode(kind, bytes)
            .map_err(|error| S::Error::custom(format!("an Any that is no {name}: {error}")))?;
        let inner = MessageJson { message: &inner, depth: self.depth + 1, known: self.known };
        if is_whole {
            members.serialize_entry("value", &inner)?;
        } else if inner.depth > MAX_DEPTH {
            return Err(S::Error::custom(TOO_DEEP));
        } else {
            inner.write_fields(&mut members)?;
        }
        members.end()
    }
}

const TOO_DEEP: &str = "nested too deeply: at most 64 messages in one another";

impl Serialize for MessageJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.depth > MAX_DEPTH {
            return Err(S::Error::custom(TOO_DEEP));
        }
        let message = self.message.descriptor();
        if message.full_name() == "google.protobuf.Any" {
            return self.write_any(serializer);
        }
        if has_own_form(&message) {
            return self.message.serialize_with_options(serializer, &OPTIONS);
        }
        let mut members = serializer.serialize_map(None)?;
        self.write_fields(&mut members)?;
        members.end()
    }
}

struct ValueJson<'a> {
    value: &'a Value,
    kind: &'a Kind,
    depth: usize,
    known: &'a KnownFields,
}

impl Serialize for ValueJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.value {
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::I32(value) => serializer.serialize_i32(*value),
            Value::U32(value) => serializer.serialize_u32(*value),
            Value::I64(value) => serializer.collect_str(value),
            Value::U64(value) => serializer.collect_str(value),
            Value::F32(value) if value.is_finite() => serializer.serialize_f32(*value),
            Value::F32(value) => serializer.serialize_str(not_finite(f64::from(*value))),
            Value::F64(value) if value.is_finite() => serializer.serialize_f64(*value),
            Value::F64(value) => serializer.serialize_str(not_finite(*value)),
            Value::String(value) => serializer.serialize_str(value),
            Value::Bytes(value) => serializer.collect_str(&Base64Display::new(value, &BASE64_STANDARD)),
            Value::EnumNumber(number) => self.serialize_enum(*number, serializer),
            Value::Message(message) => {
                MessageJson { message, depth: self.depth + 1, known: self.known }.serialize(serializer)
            }
            Value::List(values) => {
                let mut list = serializer.serialize_seq(Some(values.len()))?;
                for value in values {
                    list.serialize_element(&ValueJson {
                        value,
                        kind: self.kind,
                        depth: self.depth,
                        known: self.known,
                    })?;
                }
                list.end()
            }
            Value::Map(entries) => {
                let kind = self.kind.as_message().map(|entry| entry.map_entry_value_field().kind());
                let kind = kind.unwrap_or(Kind::Bool);
                let mut sorted: Vec<_> = entries.iter().collect();
                sorted.sort_by_key(|(key, _)| *key);
                let mut members = serializer.serialize_map(Some(sorted.len()))?;
                for (key, value) in sorted {
                    members.serialize_entry(
                        &key_text(key),
                        &ValueJson { value, kind: &kind, depth: self.depth, known: self.known },
                    )?;
                }
                members.end()
            }
        }
    }
}

impl ValueJson<'_> {
    fn serialize_enum<S: Serializer>(&self, number: i32, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(declared) = self.kind.as_enum() else { return serializer.serialize_i32(number) };
        if declared.full_name() == "google.protobuf.NullValue" {
            return serializer.serialize_none();
        }
        match declared.get_value(number) {
            Some(value) => serializer.serialize_str(value.name()),
            None => serializer.serialize_i32(number),
        }
    }
}

fn not_finite(number: f64) -> &'static str {
    if number.is_nan() {
        "NaN"
    } else if number > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    }
}

fn key_text(key: &MapKey) -> String {
    match key {
        MapKey::Bool(key) => key.to_string(),
        MapKey::I32(key) => key.to_string(),
        MapKey::I64(key) => key.to_string(),
        MapKey::U32(key) => key.to_string(),
        MapKey::U64(key) => key.to_string(),
        MapKey::String(key) => key.clone(),
    }
}
