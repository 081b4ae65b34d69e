//! What may be set for a topic.

use std::collections::BTreeMap;
use std::time::Duration;

use factum_types::{ByteSize, Compression};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// What may be set for a topic; what is `None` follows the log's own default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TopicConfig {
    /// Records older than this may be dropped (`retention.ms`); [`Duration::MAX`] keeps them for ever.
    pub retention: Option<Duration>,
    /// A partition larger than this drops its oldest segments (`retention.bytes`).
    pub retention_bytes: Option<ByteSize>,
    /// The size at which a segment is sealed (`segment.bytes`).
    pub segment_bytes: Option<ByteSize>,
    /// A segment that was begun so long ago is sealed by the next append (`segment.ms`).
    pub segment_age: Option<Duration>,
    /// The largest batch taken (`max.message.bytes`).
    pub max_message_bytes: Option<ByteSize>,
    /// How records are compressed in the log (`compression.type`).
    pub compression: Option<CompressionType>,
    /// Whose clock a record's timestamp is by (`message.timestamp.type`).
    pub timestamp_type: Option<TimestampType>,
    /// How old a record's timestamp may be (`message.timestamp.before.max.ms`); [`Duration::MAX`] is without limit.
    pub timestamp_before_max: Option<Duration>,
    /// How far ahead a record's timestamp may be (`message.timestamp.after.max.ms`); [`Duration::MAX`] is without
    /// limit.
    pub timestamp_after_max: Option<Duration>,
    /// Settings of Kafka that are kept and shown and have no effect here, by their names.
    pub without_effect: BTreeMap<String, String>,
}

/// A change of a topic's configuration: it is given what is in force, and gives what is to be.
pub type TopicEdit = Box<dyn FnOnce(TopicConfig) -> TopicConfig + Send>;

/// How records are compressed in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompressionType {
    /// As their producer sent them.
    Producer,
    /// By this codec, whatever their producer chose.
    Codec(Compression),
}

/// Whose clock a record's timestamp is by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimestampType {
    /// The producer's.
    CreateTime,
    /// The log's, when the record is appended.
    LogAppendTime,
}

impl CompressionType {
    /// Kafka's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Producer => "producer",
            Self::Codec(Compression::None) => "uncompressed",
            Self::Codec(codec) => codec.as_str(),
        }
    }

    /// The type with this name of Kafka's, or with that of a codec.
    pub fn from_name(name: &str) -> Option<Self> {
        if name == "producer" {
            return Some(Self::Producer);
        }
        let codec = |codec: &Compression| codec.as_str() == name || Self::Codec(*codec).as_str() == name;
        Compression::ALL.into_iter().find(codec).map(Self::Codec)
    }
}

impl TimestampType {
    /// Kafka's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CreateTime => "CreateTime",
            Self::LogAppendTime => "LogAppendTime",
        }
    }

    /// The type with this name of Kafka's.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::CreateTime, Self::LogAppendTime].into_iter().find(|each| each.as_str() == name)
    }
}

impl Serialize for CompressionType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for CompressionType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        named(deserializer, Self::from_name, "producer, uncompressed, gzip, snappy, lz4 or zstd")
    }
}

impl Serialize for TimestampType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for TimestampType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        named(deserializer, Self::from_name, "CreateTime or LogAppendTime")
    }
}

/// Reads a name; `known` is what there is, in words.
fn named<'de, T, D: Deserializer<'de>>(
    deserializer: D,
    from_name: impl FnOnce(&str) -> Option<T>,
    known: &str,
) -> Result<T, D::Error> {
    let name = String::deserialize(deserializer)?;
    from_name(&name).ok_or_else(|| de::Error::custom(format_args!("{name:?} is not one of {known}")))
}
