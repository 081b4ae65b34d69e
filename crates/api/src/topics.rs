//! Topics and their settings.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::transactions::HeldPartitionView;
use crate::{Int64, RequestBody};

/// A topic in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TopicLine {
    /// Its name.
    #[schema(example = "store.orders")]
    pub name: String,
    /// How many partitions it has.
    pub partitions: usize,
    /// Records kept, a 64-bit number as text.
    #[schema(value_type = String, example = "1200")]
    pub records: Int64,
    /// Bytes on disk, where known.
    pub bytes: Option<u64>,
    /// Whether Factum keeps its own records in it.
    pub internal: bool,
    /// The team that owns it, if a project says so.
    pub team: Option<String>,
    /// What its event means, in the team's words.
    pub summary: Option<String>,
}

/// Every topic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TopicList {
    /// Every topic, by name.
    pub topics: Vec<TopicLine>,
}

/// One topic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TopicView {
    /// Its name.
    #[schema(example = "store.orders")]
    pub name: String,
    /// Its identity over its whole life.
    pub id: String,
    /// Whether Factum keeps its own records in it.
    pub internal: bool,
    /// The team that owns it, if a project says so.
    pub team: Option<String>,
    /// What its event means, in the team's words.
    pub summary: Option<String>,
    /// Its partitions, in order.
    pub partitions: Vec<PartitionView>,
    /// Its settings.
    pub config: TopicSettings,
}

impl TopicView {
    /// Records kept.
    pub fn records(&self) -> i64 {
        self.partitions.iter().map(|partition| partition.high_watermark.0 - partition.log_start.0).sum()
    }
}

/// What a partition holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PartitionView {
    /// The partition.
    pub partition: i32,
    /// The first offset kept, a 64-bit number as text.
    #[schema(value_type = String, example = "0")]
    pub log_start: Int64,
    /// Behind the last durable record, a 64-bit number as text.
    #[schema(value_type = String, example = "42")]
    pub high_watermark: Int64,
    /// Bytes on disk, where known.
    pub bytes: Option<u64>,
    /// Whether it takes writes; false in quarantine.
    pub is_writable: bool,
    /// The open transaction that readers of committed records wait for, if they do; not in answers to changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_back: Option<HeldPartitionView>,
}

/// A topic to create.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateTopic {
    /// Its name.
    #[schema(example = "store.orders")]
    pub name: String,
    /// How many; without it, the server's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 4)]
    pub partitions: Option<i32>,
    /// Its settings; what is absent or `null` follows the server's default.
    #[serde(default)]
    pub config: TopicSettingsPatch,
}

impl RequestBody for CreateTopic {
    const EXAMPLE: &'static str =
        r#"{"name": "store.orders", "partitions": 4, "config": {"retention": "30d"}}"#;
}

/// Settings of a topic to change, and partitions to create.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AlterTopic {
    /// How many partitions it is to have, at least as many as it has. Records stay where they are; those to come are spread
    /// over all partitions, so that a key may go to another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 8)]
    pub partitions: Option<i32>,
    /// What is absent stays, `null` goes back to the server's default.
    #[serde(default)]
    pub config: TopicSettingsPatch,
}

impl RequestBody for AlterTopic {
    const EXAMPLE: &'static str =
        r#"{"partitions": 8, "config": {"retention": "30d", "retention_bytes": null}}"#;
}

/// [`TopicSettings`] and [`TopicSettingsPatch`], of one list of settings.
macro_rules! settings {
    ($($(#[doc = $doc:literal])* $name:ident, like $example:literal;)*) => {
        /// Settings of a topic; what is absent follows the server's default.
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
        pub struct TopicSettings {
            $(
                $(#[doc = $doc])*
                #[serde(default, skip_serializing_if = "Option::is_none")]
                #[schema(example = $example)]
                pub $name: Option<String>,
            )*
            /// Settings that Kafka clients made and that have no effect here, by Kafka's names.
            #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
            pub without_effect: BTreeMap<String, String>,
        }

        /// Settings of a topic to change: `null` goes back to the server's default, what is absent stays (RFC 7396).
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
        #[serde(deny_unknown_fields, default)]
        pub struct TopicSettingsPatch {
            $(
                $(#[doc = $doc])*
                #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
                #[schema(value_type = Option<String>, example = $example)]
                pub $name: Option<Option<String>>,
            )*
        }
    };
}

settings! {
    /// How long records are kept, such as `7d`, or `forever`.
    retention, like "7d";
    /// The size above which a partition drops its oldest segments.
    retention_bytes, like "1GiB";
    /// The size at which a segment is sealed.
    segment_bytes, like "128MiB";
    /// How old a segment becomes before the next append seals it, or `forever`.
    segment_age, like "1d";
    /// The largest batch taken.
    max_message_bytes, like "1MiB";
    /// What becomes of old records: `delete` (segments go when their retention is over), `compact` (the latest
    /// record of each key stays) or `compact,delete`.
    cleanup_policy, like "delete";
    /// How long a compacted topic keeps a tombstone after the records that it removed, such as `1d`.
    delete_retention, like "1d";
    /// How old a record becomes before it is compacted.
    min_compaction_lag, like "0s";
    /// How old a record may become before it is compacted, or `forever`.
    max_compaction_lag, like "forever";
    /// Which part of a partition must not be compacted yet before it is compacted again, 0 to 1.
    min_dirty_ratio, like "0.5";
    /// How records are compressed in the log: `producer` (as they were sent), `uncompressed`, `gzip`, `snappy`,
    /// `lz4` or `zstd`.
    compression, like "producer";
    /// Whose clock a record's timestamp is by: `CreateTime` (the producer's) or `LogAppendTime` (the server's).
    timestamp_type, like "CreateTime";
    /// How old a record's timestamp may be, or `forever`.
    timestamp_before_max, like "forever";
    /// How far ahead a record's timestamp may be, or `forever`.
    timestamp_after_max, like "1h";
}

/// Tells `null` from absence.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
