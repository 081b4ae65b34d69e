//! `topic.json`: a topic as it is kept on disk.

use std::collections::BTreeMap;
use std::time::Duration;

use factum_eventlog::{CleanupPolicy, CompressionType, DirtyRatio, TimestampType, TopicConfig};
use factum_types::{ByteSize, TopicId, TopicName};
use serde::{Deserialize, Serialize};

use crate::json_file::VersionedFile;

/// Kafka's way to write "forever".
const FOR_EVER: i64 = -1;

/// Settings of compaction, which were kept to be shown before there was any.
const ONCE_WITHOUT_EFFECT: [&str; 4] =
    ["delete.retention.ms", "min.compaction.lag.ms", "max.compaction.lag.ms", "min.cleanable.dirty.ratio"];

/// The content of `topic.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TopicFile {
    format: u32,
    pub(crate) name: TopicName,
    pub(crate) id: TopicId,
    pub(crate) partitions: i32,
    config: Settings,
}

/// What was set for the topic, under Kafka's names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Settings {
    #[serde(rename = "retention.ms", skip_serializing_if = "Option::is_none")]
    retention_ms: Option<i64>,
    #[serde(rename = "retention.bytes", skip_serializing_if = "Option::is_none")]
    retention_bytes: Option<u64>,
    #[serde(rename = "segment.bytes", skip_serializing_if = "Option::is_none")]
    segment_bytes: Option<u64>,
    #[serde(rename = "segment.ms", skip_serializing_if = "Option::is_none")]
    segment_ms: Option<i64>,
    #[serde(rename = "max.message.bytes", skip_serializing_if = "Option::is_none")]
    max_message_bytes: Option<u64>,
    #[serde(rename = "cleanup.policy", skip_serializing_if = "Option::is_none")]
    cleanup_policy: Option<String>,
    #[serde(rename = "delete.retention.ms", skip_serializing_if = "Option::is_none")]
    delete_retention_ms: Option<i64>,
    #[serde(rename = "min.compaction.lag.ms", skip_serializing_if = "Option::is_none")]
    min_compaction_lag_ms: Option<i64>,
    #[serde(rename = "max.compaction.lag.ms", skip_serializing_if = "Option::is_none")]
    max_compaction_lag_ms: Option<i64>,
    #[serde(rename = "min.cleanable.dirty.ratio", skip_serializing_if = "Option::is_none")]
    min_dirty_ratio: Option<String>,
    #[serde(rename = "compression.type", skip_serializing_if = "Option::is_none")]
    compression_type: Option<String>,
    #[serde(rename = "message.timestamp.type", skip_serializing_if = "Option::is_none")]
    timestamp_type: Option<String>,
    #[serde(rename = "message.timestamp.before.max.ms", skip_serializing_if = "Option::is_none")]
    timestamp_before_max_ms: Option<i64>,
    #[serde(rename = "message.timestamp.after.max.ms", skip_serializing_if = "Option::is_none")]
    timestamp_after_max_ms: Option<i64>,
    /// What is kept to be shown, by Kafka's names.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    without_effect: BTreeMap<String, String>,
}

impl VersionedFile for TopicFile {
    const FORMAT: u32 = 1;

    fn format(&self) -> u32 {
        self.format
    }
}

impl TopicFile {
    pub(crate) fn new(name: TopicName, id: TopicId, partitions: i32, config: &TopicConfig) -> Self {
        Self { format: Self::FORMAT, name, id, partitions, config: Settings::of(config) }
    }

    pub(crate) fn config(&self) -> TopicConfig {
        let duration = |millis: i64| match millis {
            FOR_EVER => Duration::MAX,
            millis => Duration::from_millis(u64::try_from(millis).unwrap_or(0)),
        };
        // They had no effect once, and were kept all the same.
        let kept = |name: &str| self.config.without_effect.get(name);
        let lag = |set: Option<i64>, name: &str| {
            let millis = set.or_else(|| {
                kept(name)?.parse().ok().map(|millis| if millis == i64::MAX { FOR_EVER } else { millis })
            });
            millis.map(duration)
        };
        let ratio = self.config.min_dirty_ratio.as_ref().or_else(|| kept("min.cleanable.dirty.ratio"));
        let mut without_effect = self.config.without_effect.clone();
        without_effect.retain(|name, _| !ONCE_WITHOUT_EFFECT.contains(&name.as_str()));
        TopicConfig {
            retention: self.config.retention_ms.map(duration),
            retention_bytes: self.config.retention_bytes.map(ByteSize),
            segment_bytes: self.config.segment_bytes.map(ByteSize),
            segment_age: self.config.segment_ms.map(duration),
            max_message_bytes: self.config.max_message_bytes.map(ByteSize),
            cleanup_policy: self.config.cleanup_policy.as_deref().and_then(CleanupPolicy::from_name),
            delete_retention: lag(self.config.delete_retention_ms, "delete.retention.ms"),
            min_compaction_lag: lag(self.config.min_compaction_lag_ms, "min.compaction.lag.ms"),
            max_compaction_lag: lag(self.config.max_compaction_lag_ms, "max.compaction.lag.ms"),
            min_dirty_ratio: ratio.and_then(|ratio| DirtyRatio::from_name(ratio)),
            compression: self.config.compression_type.as_deref().and_then(CompressionType::from_name),
            timestamp_type: self.config.timestamp_type.as_deref().and_then(TimestampType::from_name),
            timestamp_before_max: self.config.timestamp_before_max_ms.map(duration),
            timestamp_after_max: self.config.timestamp_after_max_ms.map(duration),
            without_effect,
        }
    }
}

impl Settings {
    fn of(config: &TopicConfig) -> Self {
        let millis = |kept: Duration| match kept {
            Duration::MAX => FOR_EVER,
            kept => i64::try_from(kept.as_millis()).unwrap_or(i64::MAX),
        };
        Self {
            retention_ms: config.retention.map(millis),
            retention_bytes: config.retention_bytes.map(|bytes| bytes.0),
            segment_bytes: config.segment_bytes.map(|bytes| bytes.0),
            segment_ms: config.segment_age.map(millis),
            max_message_bytes: config.max_message_bytes.map(|bytes| bytes.0),
            cleanup_policy: config.cleanup_policy.map(|each| each.as_str().to_owned()),
            delete_retention_ms: config.delete_retention.map(millis),
            min_compaction_lag_ms: config.min_compaction_lag.map(millis),
            max_compaction_lag_ms: config.max_compaction_lag.map(millis),
            min_dirty_ratio: config.min_dirty_ratio.map(|ratio| ratio.to_string()),
            compression_type: config.compression.map(|each| each.as_str().to_owned()),
            timestamp_type: config.timestamp_type.map(|each| each.as_str().to_owned()),
            timestamp_before_max_ms: config.timestamp_before_max.map(millis),
            timestamp_after_max_ms: config.timestamp_after_max.map(millis),
            without_effect: config.without_effect.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn the_file_reads_as_kafka_names_things() {
        let config = TopicConfig {
            retention: Some(Duration::MAX),
            segment_bytes: Some(ByteSize(1 << 20)),
            ..TopicConfig::default()
        };
        let name = TopicName::new("store.orders").expect("valid");
        let file = TopicFile::new(name, TopicId::new(Uuid::from_u128(7)), 4, &config);
        let text = serde_json::to_string_pretty(&file).expect("plain data");
        expect![[r#"
            {
              "format": 1,
              "name": "store.orders",
              "id": "00000000-0000-0000-0000-000000000007",
              "partitions": 4,
              "config": {
                "retention.ms": -1,
                "segment.bytes": 1048576
              }
            }"#]]
        .assert_eq(&text);
        let read: TopicFile = serde_json::from_str(&text).expect("its own format");
        assert_eq!(read.config(), config);
    }
}
