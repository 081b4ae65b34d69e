//! Shapes of HTTP responses, as far as commands read them. Fields of later versions are skipped.

use std::collections::BTreeMap;

use factum_api::Int64;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// `GET /api/v1/topics`.
#[derive(Debug, Deserialize)]
pub(crate) struct Topics {
    pub(crate) topics: Vec<TopicLine>,
}

/// A topic in a list.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TopicLine {
    pub(crate) name: String,
    pub(crate) partitions: usize,
    pub(crate) records: Int64,
    #[serde(default)]
    pub(crate) bytes: Option<u64>,
    #[serde(default)]
    pub(crate) internal: bool,
    #[serde(default)]
    pub(crate) team: Option<String>,
    #[serde(default)]
    pub(crate) summary: Option<String>,
}

/// A topic.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Topic {
    pub(crate) name: String,
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) internal: bool,
    #[serde(default)]
    pub(crate) team: Option<String>,
    #[serde(default)]
    pub(crate) summary: Option<String>,
    pub(crate) partitions: Vec<Partition>,
    #[serde(default)]
    pub(crate) config: TopicSettings,
}

impl Topic {
    /// Records kept.
    pub(crate) fn records(&self) -> i64 {
        self.partitions.iter().map(|partition| partition.high_watermark.0 - partition.log_start.0).sum()
    }
}

/// A partition of a topic.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Partition {
    pub(crate) partition: i32,
    pub(crate) log_start: Int64,
    pub(crate) high_watermark: Int64,
    #[serde(default)]
    pub(crate) bytes: Option<u64>,
    pub(crate) is_writable: bool,
}

/// What is set for a topic; what is absent follows the server's default.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct TopicSettings {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) retention: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) retention_bytes: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) segment_bytes: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) segment_age: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_message_bytes: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) compression: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) timestamp_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) timestamp_before_max: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) timestamp_after_max: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) without_effect: BTreeMap<String, String>,
}

/// `POST /api/v1/topics`.
#[derive(Debug, Serialize)]
pub(crate) struct NewTopic {
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) partitions: Option<i32>,
    pub(crate) config: TopicSettings,
}

/// A record as it is browsed and tailed. The value stays as written, so that no number is rounded.
#[derive(Debug, Deserialize)]
pub(crate) struct Record {
    pub(crate) partition: i32,
    pub(crate) offset: Int64,
    #[serde(default)]
    pub(crate) timestamp: Option<String>,
    #[serde(default)]
    pub(crate) key: Option<String>,
    pub(crate) value: Box<RawValue>,
    #[serde(default)]
    pub(crate) value_encoding: String,
}

impl Record {
    /// The value as text: JSON as it was written, bytes in base64, nothing for a tombstone.
    pub(crate) fn value_text(&self) -> String {
        match self.value_encoding.as_str() {
            "json" => self.value.get().to_owned(),
            _ => serde_json::from_str::<Option<String>>(self.value.get()).ok().flatten().unwrap_or_default(),
        }
    }
}

/// `POST /events/{topic}`: where each event was put, in order.
#[derive(Debug, Deserialize)]
pub(crate) struct Acknowledged {
    pub(crate) offsets: Vec<Placed>,
}

/// The place of one event.
#[derive(Debug, Deserialize)]
pub(crate) struct Placed {
    pub(crate) partition: i32,
    pub(crate) offset: Int64,
}

/// One JSON object, its members in the order in which they came.
pub(crate) type JsonRow = serde_json::Map<String, serde_json::Value>;

/// Rows of a view or a query.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Rows {
    pub(crate) rows: Vec<JsonRow>,
    #[serde(flatten)]
    pub(crate) freshness: Freshness,
    #[serde(default)]
    pub(crate) left_out: LeftOut,
    #[serde(default)]
    pub(crate) errors: Vec<RowError>,
}

/// How far rows are behind the log.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Freshness {
    #[serde(default)]
    pub(crate) as_of: String,
    #[serde(default)]
    pub(crate) lag: String,
    #[serde(default)]
    pub(crate) state: String,
    #[serde(default)]
    pub(crate) reason: Option<String>,
}

/// What rows do not contain, counted.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct LeftOut {
    #[serde(default)]
    pub(crate) undecodable: String,
    #[serde(default)]
    pub(crate) unreadable: String,
}

/// A value that is null because it cannot be computed.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct RowError {
    pub(crate) view: String,
    pub(crate) key: JsonRow,
    pub(crate) column: String,
    pub(crate) reason: String,
}

/// What changed in a view.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Changed {
    pub(crate) removed: Vec<JsonRow>,
    pub(crate) added: Vec<JsonRow>,
}
