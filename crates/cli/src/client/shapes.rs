//! Shapes of HTTP responses, as far as commands read them. Fields of later versions are skipped.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A 64-bit integer as text: beyond 2^53 a browser's numbers would round it.
pub(crate) type Offset = String;

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
    pub(crate) records: Offset,
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
        self.partitions
            .iter()
            .map(|partition| number(&partition.high_watermark) - number(&partition.log_start))
            .sum()
    }
}

/// An offset as a number; a server of ours sends nothing else.
pub(crate) fn number(offset: &str) -> i64 {
    offset.parse().unwrap_or_default()
}

/// A partition of a topic.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Partition {
    pub(crate) partition: i32,
    pub(crate) log_start: Offset,
    pub(crate) high_watermark: Offset,
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
    pub(crate) offset: Offset,
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

/// `GET /api/v1/groups`.
#[derive(Debug, Deserialize)]
pub(crate) struct Groups {
    pub(crate) groups: Vec<GroupLine>,
}

/// A consumer group in a list.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct GroupLine {
    pub(crate) id: String,
    pub(crate) state: String,
    pub(crate) members: usize,
    pub(crate) lag: Offset,
}

/// A consumer group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) id: String,
    pub(crate) state: String,
    #[serde(default)]
    pub(crate) protocol_type: String,
    #[serde(default)]
    pub(crate) protocol: String,
    pub(crate) members: Vec<Member>,
    pub(crate) offsets: Vec<Committed>,
}

/// A member of a group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Member {
    pub(crate) id: String,
    pub(crate) client_id: String,
    pub(crate) client_host: String,
    #[serde(default)]
    pub(crate) assignment: Vec<TopicPartition>,
}

/// A partition by name.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TopicPartition {
    pub(crate) topic: String,
    pub(crate) partition: i32,
}

/// A committed offset.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Committed {
    pub(crate) topic: String,
    pub(crate) partition: i32,
    pub(crate) offset: Offset,
    #[serde(default)]
    pub(crate) lag: Option<Offset>,
}

/// `POST /api/v1/groups/{group}/offsets`.
#[derive(Debug, Serialize)]
pub(crate) struct Reset {
    pub(crate) topic: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) partitions: Option<Vec<i32>>,
    pub(crate) to: String,
    pub(crate) dry_run: bool,
}

/// What was moved, or would be.
#[derive(Debug, Deserialize)]
pub(crate) struct ResetDone {
    pub(crate) offsets: Vec<Moved>,
}

/// A committed offset that moved.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Moved {
    pub(crate) topic: String,
    pub(crate) partition: i32,
    #[serde(default)]
    pub(crate) from: Option<Offset>,
    pub(crate) to: Offset,
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
    pub(crate) offset: Offset,
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

/// `POST /api/v1/sql`.
#[derive(Debug, Serialize)]
pub(crate) struct SqlRequest<'a> {
    pub(crate) query: &'a str,
}

/// `POST /api/v1/sql/explain`.
#[derive(Debug, Deserialize)]
pub(crate) struct Explanation {
    pub(crate) plan: String,
}

/// `GET /api/v1/views`.
#[derive(Debug, Deserialize)]
pub(crate) struct Views {
    pub(crate) views: Vec<ViewLine>,
}

/// A view in a list.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ViewLine {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) team: String,
    pub(crate) state: String,
    #[serde(default)]
    pub(crate) reason: Option<String>,
    #[serde(default)]
    pub(crate) columns: Vec<ViewColumn>,
    #[serde(default)]
    pub(crate) depends_on: Vec<String>,
    /// None if no one has read it since the server started.
    #[serde(default)]
    pub(crate) rows: Option<u64>,
    /// That it has nearly as many rows as can be followed.
    #[serde(default)]
    pub(crate) warning: Option<String>,
}

/// A column of a view.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ViewColumn {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) nullable: bool,
}

/// `GET /api/v1/pipelines`.
#[derive(Debug, Deserialize)]
pub(crate) struct Pipelines {
    pub(crate) pipelines: Vec<PipelineLine>,
}

/// A pipeline in a list.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PipelineLine {
    pub(crate) name: String,
    pub(crate) state: String,
    #[serde(default)]
    pub(crate) reason: Option<String>,
    #[serde(default)]
    pub(crate) progress: Option<Progress>,
    pub(crate) lag: Offset,
    pub(crate) rate: f64,
    #[serde(default)]
    pub(crate) watermark: Option<String>,
    pub(crate) state_bytes: u64,
    #[serde(default)]
    pub(crate) poisoned: Offset,
    #[serde(default)]
    pub(crate) late: Offset,
    #[serde(default)]
    pub(crate) unreadable: Offset,
    #[serde(default)]
    pub(crate) letters_waiting: Offset,
    #[serde(default)]
    pub(crate) letters_lost: Offset,
    #[serde(default)]
    pub(crate) last_error: Option<String>,
}

/// How far a view is that is being built.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Progress {
    pub(crate) done: Offset,
    pub(crate) total: Offset,
}

/// A pipeline.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Pipeline {
    #[serde(flatten)]
    pub(crate) line: PipelineLine,
    pub(crate) sql: String,
    #[serde(default)]
    pub(crate) columns: Vec<ViewColumn>,
    #[serde(default)]
    pub(crate) depends_on: Vec<String>,
    #[serde(default)]
    pub(crate) partitions: Vec<PipelinePartition>,
}

/// Where a pipeline stands in a partition.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PipelinePartition {
    pub(crate) topic: String,
    pub(crate) partition: i32,
    pub(crate) next: Offset,
    pub(crate) end: Offset,
    #[serde(default)]
    pub(crate) watermark: Option<String>,
}
