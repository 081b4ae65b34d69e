//! Records as they are browsed and tailed.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use utoipa::openapi::Ref;
use utoipa::openapi::schema::{Array, ArrayBuilder};

use crate::{Int64, RequestBody};

/// Records, in order of time and then of place.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Records {
    /// Each reads as a [`Record`].
    #[schema(schema_with = record_views)]
    pub records: Vec<Box<RawValue>>,
    /// What lies among them and cannot be read.
    pub unreadable: Vec<UnreadableView>,
    /// Where to read on, one for each partition.
    pub partitions: Vec<ReadOn>,
}

/// What the server writes of each record has a description of its own, `RecordView`.
fn record_views() -> Array {
    ArrayBuilder::new().items(Ref::from_schema_name("RecordView")).build()
}

/// Where to read on in a partition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReadOn {
    /// The partition.
    pub partition: i32,
    /// The next offset to ask for, a 64-bit number as text.
    #[schema(value_type = String, example = "42")]
    pub next: Int64,
    /// The first offset kept, a 64-bit number as text.
    #[schema(value_type = String, example = "0")]
    pub log_start: Int64,
    /// Behind the last durable record, a 64-bit number as text.
    #[schema(value_type = String, example = "42")]
    pub high_watermark: Int64,
}

/// A stored record that is to be sent again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResendRecord {
    /// The partition.
    #[schema(example = 0)]
    pub partition: i32,
    /// The offset, a 64-bit number as text.
    #[schema(value_type = String, example = "41")]
    pub offset: Int64,
    /// The topic that it goes to; without it, its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

impl RequestBody for ResendRecord {
    const EXAMPLE: &'static str = r#"{"partition": 0, "offset": "41"}"#;
}

/// A range of a partition that cannot be read: damaged on disk, or never a batch that can be opened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UnreadableView {
    /// The partition.
    #[schema(example = 0)]
    pub partition: i32,
    /// The first offset that cannot be read, a 64-bit number as text.
    #[schema(value_type = String, example = "7")]
    pub from: Int64,
    /// Where reading goes on, a 64-bit number as text.
    #[schema(value_type = String, example = "9")]
    pub next: Int64,
    /// What is wrong.
    pub reason: String,
}

/// A record as clients read it; the server writes more of it, straight from the log. The value stays as written, so that
/// no number is rounded.
#[derive(Debug, Clone, Deserialize)]
pub struct Record {
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: Int64,
    /// When it was created, or appended where the topic says so; absent if its producer gave no time.
    #[serde(default)]
    pub timestamp: Option<String>,
    /// The key, as text or else in base64.
    pub key: Option<String>,
    /// The value, as `value_encoding` says.
    pub value: Box<RawValue>,
    /// `json`, `text`, `base64` or `null` for a tombstone.
    pub value_encoding: String,
}

impl Record {
    /// The value as text: JSON as it was written, bytes in base64, nothing for a tombstone.
    pub fn value_text(&self) -> String {
        match self.value_encoding.as_str() {
            "json" => self.value.get().to_owned(),
            _ => serde_json::from_str::<Option<String>>(self.value.get()).ok().flatten().unwrap_or_default(),
        }
    }
}
