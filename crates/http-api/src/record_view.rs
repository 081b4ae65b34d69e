//! How a record is shown as JSON: decoded as far as can be without a contract.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use factum_types::{Event, Header, PartitionId, Record, Timestamp};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

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
    key: Shown<'a>,
    /// How `key` is written: `text`, `base64` or `null`.
    key_encoding: &'static str,
    /// The value: JSON as it is, else text, else base64.
    #[schema(value_type = Value)]
    value: Shown<'a>,
    /// How `value` is written: `json`, `text`, `base64` or `null` for a tombstone.
    value_encoding: &'static str,
    /// The headers, in order.
    headers: Vec<HeaderView<'a>>,
    /// The attributes of the CloudEvent that the record carries.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    event: Option<Event>,
    /// Why the record is no CloudEvent although it says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    event_error: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct HeaderView<'a> {
    key: &'a str,
    /// The value, as text or else in base64.
    #[schema(value_type = Option<String>)]
    value: Shown<'a>,
    /// How `value` is written: `text`, `base64` or `null`.
    encoding: &'static str,
}

/// Bytes in the most readable form that loses nothing.
#[derive(Serialize)]
#[serde(untagged)]
enum Shown<'a> {
    Null,
    Json(&'a RawValue),
    Text(&'a str),
    Base64(String),
}

impl<'a> RecordView<'a> {
    pub(crate) fn of(partition: PartitionId, record: &'a Record) -> Self {
        let (key, value) = (Shown::text(record.key.as_ref()), Shown::json(record.value.as_ref()));
        let (event, event_error) = match Event::from_kafka(&record.headers, record.value.clone()) {
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
            value_encoding: value.encoding(),
            value,
            headers: record.headers.iter().map(HeaderView::of).collect(),
            event,
            event_error,
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

impl<'a> HeaderView<'a> {
    fn of(header: &'a Header) -> Self {
        let value = Shown::text(header.value.as_ref());
        Self { key: &header.key, encoding: value.encoding(), value }
    }
}

impl<'a> Shown<'a> {
    fn json(bytes: Option<&'a Bytes>) -> Self {
        let parsed = bytes.and_then(|bytes| serde_json::from_slice(bytes).ok());
        parsed.map_or_else(|| Self::text(bytes), Self::Json)
    }

    fn text(bytes: Option<&'a Bytes>) -> Self {
        let Some(bytes) = bytes else { return Self::Null };
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text),
            Err(_) => Self::Base64(BASE64.encode(bytes)),
        }
    }

    fn encoding(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Json(_) => "json",
            Self::Text(_) => "text",
            Self::Base64(_) => "base64",
        }
    }
}
