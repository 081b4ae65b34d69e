//! What is set for a topic, as JSON: shown, given when it is made, and changed.
//!
//! Not here: Kafka's names of the same settings, which are the Kafka listener's.

use std::collections::BTreeMap;
use std::time::Duration;

use factum_eventlog::{CompressionType, TimestampType, TopicConfig};
use factum_types::ByteSize;
use factum_types::units::duration;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

/// What is set for a topic; what is absent follows the server's default.
#[derive(Serialize, Deserialize, Default, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// How long records are kept, such as `7d`, or `forever`.
    #[serde(with = "duration::option", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "7d")]
    retention: Option<Duration>,
    /// The size above which a partition drops its oldest segments.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "1GiB")]
    retention_bytes: Option<ByteSize>,
    /// The size at which a segment is sealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "128MiB")]
    segment_bytes: Option<ByteSize>,
    /// How old a segment becomes before the next append seals it, or `forever`.
    #[serde(with = "duration::option", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "1d")]
    segment_age: Option<Duration>,
    /// The largest batch taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "1MiB")]
    max_message_bytes: Option<ByteSize>,
    /// How records are compressed in the log: `producer` (as they were sent), `uncompressed`, `gzip`, `snappy`, `lz4`
    /// or `zstd`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "producer")]
    compression: Option<CompressionType>,
    /// Whose clock a record's timestamp is by: `CreateTime` (the producer's) or `LogAppendTime` (the server's).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "CreateTime")]
    timestamp_type: Option<TimestampType>,
    /// How old a record's timestamp may be, or `forever`.
    #[serde(with = "duration::option", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "forever")]
    timestamp_before_max: Option<Duration>,
    /// How far ahead a record's timestamp may be, or `forever`.
    #[serde(with = "duration::option", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "1h")]
    timestamp_after_max: Option<Duration>,
    /// Settings that Kafka clients made and that have no effect here, by Kafka's names; only shown.
    #[serde(skip_deserializing, skip_serializing_if = "BTreeMap::is_empty")]
    without_effect: BTreeMap<String, String>,
}

/// Settings that are to change; `null` goes back to the server's default, what is absent stays.
#[derive(Deserialize, Default, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ConfigPatch {
    #[serde(deserialize_with = "given_duration")]
    #[schema(value_type = Option<String>, example = "30d")]
    retention: Option<Option<Duration>>,
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    retention_bytes: Option<Option<ByteSize>>,
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    segment_bytes: Option<Option<ByteSize>>,
    #[serde(deserialize_with = "given_duration")]
    #[schema(value_type = Option<String>)]
    segment_age: Option<Option<Duration>>,
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    max_message_bytes: Option<Option<ByteSize>>,
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    compression: Option<Option<CompressionType>>,
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    timestamp_type: Option<Option<TimestampType>>,
    #[serde(deserialize_with = "given_duration")]
    #[schema(value_type = Option<String>)]
    timestamp_before_max: Option<Option<Duration>>,
    #[serde(deserialize_with = "given_duration")]
    #[schema(value_type = Option<String>)]
    timestamp_after_max: Option<Option<Duration>>,
}

impl From<TopicConfig> for Config {
    fn from(config: TopicConfig) -> Self {
        let TopicConfig {
            retention,
            retention_bytes,
            segment_bytes,
            segment_age,
            max_message_bytes,
            compression,
            timestamp_type,
            timestamp_before_max,
            timestamp_after_max,
            without_effect,
        } = config;
        Self {
            retention,
            retention_bytes,
            segment_bytes,
            segment_age,
            max_message_bytes,
            compression,
            timestamp_type,
            timestamp_before_max,
            timestamp_after_max,
            without_effect,
        }
    }
}

impl From<Config> for TopicConfig {
    fn from(config: Config) -> Self {
        Self {
            retention: config.retention,
            retention_bytes: config.retention_bytes,
            segment_bytes: config.segment_bytes,
            segment_age: config.segment_age,
            max_message_bytes: config.max_message_bytes,
            compression: config.compression,
            timestamp_type: config.timestamp_type,
            timestamp_before_max: config.timestamp_before_max,
            timestamp_after_max: config.timestamp_after_max,
            without_effect: config.without_effect,
        }
    }
}

impl ConfigPatch {
    /// What `config` is with these changes.
    pub(crate) fn over(self, config: TopicConfig) -> TopicConfig {
        TopicConfig {
            retention: self.retention.unwrap_or(config.retention),
            retention_bytes: self.retention_bytes.unwrap_or(config.retention_bytes),
            segment_bytes: self.segment_bytes.unwrap_or(config.segment_bytes),
            segment_age: self.segment_age.unwrap_or(config.segment_age),
            max_message_bytes: self.max_message_bytes.unwrap_or(config.max_message_bytes),
            compression: self.compression.unwrap_or(config.compression),
            timestamp_type: self.timestamp_type.unwrap_or(config.timestamp_type),
            timestamp_before_max: self.timestamp_before_max.unwrap_or(config.timestamp_before_max),
            timestamp_after_max: self.timestamp_after_max.unwrap_or(config.timestamp_after_max),
            without_effect: config.without_effect,
        }
    }
}

/// Tells `null` from absence, as JSON Merge Patch (RFC 7396) does.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

fn given_duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<Duration>>, D::Error> {
    duration::option::deserialize(deserializer).map(Some)
}
