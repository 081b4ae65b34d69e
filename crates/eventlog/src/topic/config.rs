//! Settings of a topic.

use std::collections::BTreeMap;

use factum_types::Compression;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

macro_rules! config {
    ($($(#[doc = $doc:tt])* $name:ident: $type:ty, as $written:tt, or $given:tt, like $example:tt;)*) => {
        /// What may be set for a topic; what is `None` follows the log's own default.
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        pub struct TopicConfig {
            $($(#[doc = $doc])* pub $name: Option<$type>,)*
            /// Settings of Kafka that are kept and shown and have no effect here, by their names.
            pub without_effect: BTreeMap<String, String>,
        }
    };
}

crate::topic_settings!(config);

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
