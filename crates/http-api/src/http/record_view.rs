//! Records as JSON: values that were written with a schema of the registry are read with it, others as far as can be without.
//!
//! Invariant: what is shown of a record is bounded, whatever it holds; `omitted` says what was left out, and the Kafka
//! API gives it whole.

use crate::http::schema_reader::SchemaReader;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use factum_registry::{CodecError, LookUpError, SchemaType, VALUE_SCHEMA_HEADER};
use factum_types::{Event, Header, PartitionId, Record, Timestamp};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// The most bytes of a value that are shown: what a batch holds by default, so that only larger limits and compression
/// bring more.
const MAX_VALUE_BYTES: usize = 1 << 20;
/// The most bytes of a key that are shown.
const MAX_KEY_BYTES: usize = 64 << 10;
/// The most headers, and the most bytes of all their names and values, that are shown.
const MAX_HEADERS: usize = 1_000;
const MAX_HEADER_BYTES: usize = 256 << 10;

/// A record: its place, its key and value decoded, and the event that it carries, if any.
#[derive(Serialize, ToSchema)]
pub(crate) struct RecordView<'a> {
    /// The partition.
    #[schema(value_type = i32)]
    partition: PartitionId,
    /// The offset, a 64-bit number as text.
    #[schema(example = "41")]
    offset: String,
    /// When it was created, or appended where the topic says so; absent if its producer gave no time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2026-11-20T10:15:30.123Z")]
    timestamp: Option<String>,
    /// The key, as text or else in base64.
    #[schema(value_type = Option<String>)]
    key: ShownValue<'a>,
    /// How `key` is written: `text`, `base64` or `null`.
    key_encoding: &'static str,
    /// The value: JSON as it is, else text, else base64.
    #[schema(value_type = Value)]
    value: ShownValue<'a>,
    /// How `value` is written: `json`, `text`, `base64` or `null` for a tombstone; `avro` or `protobuf` where it is the JSON of
    /// what was written with `schema`.
    value_encoding: &'static str,
    /// The schema that the value was written with.
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<SchemaView>,
    /// Why the value is shown as it was written although it names a schema.
    #[serde(skip_serializing_if = "Option::is_none")]
    schema_error: Option<String>,
    /// The headers, in order.
    headers: Vec<HeaderView<'a>>,
    /// The attributes of the CloudEvent that the record carries.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    event: Option<Event>,
    /// Why the record is no CloudEvent although it says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    event_error: Option<String>,
    /// What is not shown because it is too large; absent if everything is.
    #[serde(skip_serializing_if = "Option::is_none")]
    omitted: Option<FullSizes>,
}

/// The schema of a value: a version of the registry that has it.
#[derive(Serialize, ToSchema)]
struct SchemaView {
    /// Its id.
    id: i32,
    /// `AVRO`, `JSON` or `PROTOBUF`.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "AVRO")]
    kind: &'static str,
    /// A subject that has it.
    #[schema(example = "store.orders-value")]
    subject: String,
    /// The version of that subject.
    version: i32,
}

/// The full sizes of what is shown in part. The Kafka API gives the whole record.
#[derive(Default, PartialEq, Serialize, ToSchema)]
struct FullSizes {
    /// Bytes of the key, of which the first 64 KiB are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    key_bytes: Option<usize>,
    /// Bytes of the value, of which the first MiB is shown, as text or in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    value_bytes: Option<usize>,
    /// Headers, of which the first 1,000 are shown, up to 256 KiB of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<usize>,
}

#[derive(Serialize, ToSchema)]
struct HeaderView<'a> {
    key: &'a str,
    /// The value, as text or else in base64.
    #[schema(value_type = Option<String>)]
    value: ShownValue<'a>,
    /// How `value` is written: `text`, `base64` or `null`.
    encoding: &'static str,
}

/// Bytes in the most readable form that loses nothing.
#[derive(Serialize)]
#[serde(untagged)]
enum ShownValue<'a> {
    Null,
    Json(&'a RawValue),
    Decoded(Box<RawValue>),
    Text(&'a str),
    Base64(String),
}

impl<'a> RecordView<'a> {
    pub(crate) fn of(partition: PartitionId, record: &'a Record, schemas: &mut SchemaReader) -> Self {
        let (key, key_bytes) = within(record.key.as_ref(), MAX_KEY_BYTES);
        let (value, value_bytes) = within(record.value.as_ref(), MAX_VALUE_BYTES);
        let headers = shown_headers(&record.headers);
        let headers_left = (headers.len() < record.headers.len()).then_some(record.headers.len());
        let omitted = FullSizes { key_bytes, value_bytes, headers: headers_left };
        let key = ShownValue::text(key, key_bytes.is_some());
        let written = written_value(record, value_bytes.is_none().then_some(value).flatten(), schemas);
        let value = match (written.value, value_bytes) {
            (Some(decoded), _) => decoded,
            (None, None) => ShownValue::json(value),
            // A part of a JSON document is no JSON.
            (None, Some(_)) => ShownValue::text(value, true),
        };
        let (event, event_error) = match Event::from_kafka(headers, record.value.clone()) {
            None => (None, None),
            Some(Ok(event)) => (Some(Event { data: None, ..event }), None),
            Some(Err(error)) => (None, Some(error.to_string())),
        };
        Self {
            partition,
            offset: record.offset.to_string(),
            timestamp: (record.timestamp != Timestamp::NONE).then(|| record.timestamp.to_string()),
            key_encoding: key.encoding(),
            key,
            value_encoding: written.encoding.unwrap_or(value.encoding()),
            value,
            schema: written.schema,
            schema_error: written.error,
            headers: headers.iter().map(HeaderView::of).collect(),
            event,
            event_error,
            omitted: (omitted != FullSizes::default()).then_some(omitted),
        }
    }

    /// The view as one line of JSON.
    pub(crate) fn to_line(&self) -> Vec<u8> {
        let mut line = serde_json::to_vec(self).expect("text and raw JSON serialise");
        // A raw value may be spread over lines; between JSON's tokens a space says the same.
        line.iter_mut().filter(|byte| matches!(byte, b'\n' | b'\r')).for_each(|byte| *byte = b' ');
        line
    }
}

/// What a value says when it is read with the schema that it names.
#[derive(Default)]
struct WrittenValue<'a> {
    value: Option<ShownValue<'a>>,
    encoding: Option<&'static str>,
    schema: Option<SchemaView>,
    error: Option<String>,
}

/// Reads a value that names a schema; one whose JSON is longer than what is shown of a value stays as it was written.
fn written_value<'a>(record: &Record, value: Option<&[u8]>, schemas: &mut SchemaReader) -> WrittenValue<'a> {
    let header = record.headers.iter().find(|header| header.key == VALUE_SCHEMA_HEADER);
    let header = header.and_then(|header| header.value.as_deref());
    let decoded = match value.and_then(|value| schemas.read(value, header)) {
        None => return WrittenValue::default(),
        Some(Ok(decoded)) => decoded,
        // Five bytes that look like the name of a schema are most often something else.
        Some(Err(CodecError::Schema(LookUpError::UnknownSchema { .. }))) if header.is_none() => {
            return WrittenValue::default();
        }
        Some(Err(error)) => {
            return WrittenValue { error: Some(error.to_string()), ..WrittenValue::default() };
        }
    };
    let (version, length) = (decoded.version, decoded.json.len());
    let kind = version.schema().schema_type;
    let schema = SchemaView {
        id: version.id(),
        kind: kind.as_str(),
        subject: version.subject.to_string(),
        version: version.version,
    };
    let json = String::from_utf8(decoded.json).ok().filter(|_| length <= MAX_VALUE_BYTES);
    let value = json.and_then(|json| RawValue::from_string(json).ok()).map(ShownValue::Decoded);
    let encoding = value.as_ref().map(|_| match kind {
        SchemaType::Avro => "avro",
        SchemaType::Json => "json",
        SchemaType::Protobuf => "protobuf",
    });
    let error = value.is_none().then(|| format!("its JSON has {length} bytes, more than are shown"));
    WrittenValue { value, encoding, schema: Some(schema), error }
}

impl<'a> HeaderView<'a> {
    fn of(header: &'a Header) -> Self {
        let value = ShownValue::text(header.value.as_deref(), false);
        Self { key: &header.key, encoding: value.encoding(), value }
    }
}

impl<'a> ShownValue<'a> {
    fn json(bytes: Option<&'a [u8]>) -> Self {
        let parsed = bytes.and_then(|bytes| serde_json::from_slice(bytes).ok());
        parsed.map_or_else(|| Self::text(bytes, false), Self::Json)
    }

    /// Text, or else base64. Where the bytes were cut, a character that was cut with them is left out.
    fn text(bytes: Option<&'a [u8]>, is_cut: bool) -> Self {
        let Some(bytes) = bytes else { return Self::Null };
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text),
            Err(error) if is_cut && error.error_len().is_none() => {
                let whole = std::str::from_utf8(&bytes[..error.valid_up_to()]);
                Self::Text(whole.expect("valid up to there"))
            }
            Err(_) => Self::Base64(BASE64.encode(bytes)),
        }
    }

    fn encoding(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Json(_) | Self::Decoded(_) => "json",
            Self::Text(_) => "text",
            Self::Base64(_) => "base64",
        }
    }
}

/// The front of `bytes`, and how many there are if that is not all.
fn within(bytes: Option<&Bytes>, limit: usize) -> (Option<&[u8]>, Option<usize>) {
    let length = bytes.map_or(0, Bytes::len);
    (bytes.map(|bytes| &bytes[..length.min(limit)]), (length > limit).then_some(length))
}

/// The headers that are shown.
fn shown_headers(headers: &[Header]) -> &[Header] {
    let mut bytes = 0;
    let fits = |header: &&Header| {
        bytes += header.key.len() + header.value.as_ref().map_or(0, Bytes::len);
        bytes <= MAX_HEADER_BYTES
    };
    let count = headers.iter().take(MAX_HEADERS).take_while(fits).count();
    &headers[..count]
}
