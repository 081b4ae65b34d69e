//! Values from bytes to JSON, in Protobuf's JSON mapping.

use std::io;

use factum_base::steps::Steps;
use prost_reflect::{DynamicMessage, MessageDescriptor};
use serde::Serialize as _;

use super::json::{KnownFields, MessageJson};
use crate::ValueError;

/// Bytes of a value as JSON at most: fields that are not set are written too, so a few bytes can stand for many.
const MAX_JSON_BYTES: usize = 16 << 20;

/// Appends the JSON of a message.
pub(super) fn decode(message: MessageDescriptor, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), ValueError> {
    let name = message.full_name().to_owned();
    let invalid = |error| ValueError { path: None, reason: format!("no value of {name}: {error}") };
    let value = DynamicMessage::decode(message, bytes).map_err(invalid)?;
    let start = out.len();
    let known = KnownFields::default();
    let mut writer = JsonWriter { out, left: MAX_JSON_BYTES };
    let mut serializer = serde_json::Serializer::new(&mut writer);
    let written = MessageJson::new(&value, &known).serialize(&mut serializer);
    written.map_err(|error| {
        out.truncate(start);
        ValueError { path: None, reason: format!("{name} cannot be written as JSON: {error}") }
    })
}

/// Whether bytes are a message; takes a step for each of them, as the least of messages is two.
pub(super) fn judge(message: MessageDescriptor, bytes: &[u8], steps: &mut Steps) -> Result<(), ValueError> {
    let name = message.full_name().to_owned();
    if !steps.take(bytes.len()) {
        return Err(ValueError { path: None, reason: "too much work".to_owned() });
    }
    let invalid = |error| ValueError { path: None, reason: format!("no value of {name}: {error}") };
    DynamicMessage::decode(message, bytes).map(drop).map_err(invalid)
}

/// Appends up to a limit.
struct JsonWriter<'a> {
    out: &'a mut Vec<u8>,
    left: usize,
}

impl io::Write for JsonWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let left = self.left.checked_sub(bytes.len());
        self.left =
            left.ok_or_else(|| io::Error::other(format!("too large: at most {MAX_JSON_BYTES} bytes")))?;
        self.out.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
