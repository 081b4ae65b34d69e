//! Settings of a topic.

use std::collections::BTreeMap;
use std::fmt;

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

/// What becomes of old records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CleanupPolicy {
    /// Segments are deleted when their retention is over.
    Delete,
    /// The latest record of each key stays, forever.
    Compact,
    /// Both.
    CompactAndDelete,
}

/// Which part of a partition must be dirty for a compaction, in millionths: 0 to 1 when it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DirtyRatio(u32);

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

impl CleanupPolicy {
    /// Kafka's list.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::Compact => "compact",
            Self::CompactAndDelete => "compact,delete",
        }
    }

    /// The policy of this list of Kafka's, in any order.
    pub fn from_name(list: &str) -> Option<Self> {
        let (mut compacts, mut deletes) = (false, false);
        for name in list.split(',').map(str::trim) {
            match name {
                "compact" => compacts = true,
                "delete" => deletes = true,
                _ => return None,
            }
        }
        Some(match (compacts, deletes) {
            (true, true) => Self::CompactAndDelete,
            (true, false) => Self::Compact,
            (false, _) => Self::Delete,
        })
    }

    /// Whether the latest record of each key is all that has to stay.
    pub fn compacts(self) -> bool {
        self != Self::Delete
    }

    /// Whether segments are deleted when their retention is over.
    pub fn deletes(self) -> bool {
        self != Self::Compact
    }
}

impl DirtyRatio {
    /// In millionths.
    pub fn as_millionths(self) -> u32 {
        self.0
    }

    /// The ratio that a number from 0 to 1 says, to six digits.
    pub fn from_name(number: &str) -> Option<Self> {
        let ratio = number.parse::<f64>().ok().filter(|ratio| (0.0..=1.0).contains(ratio))?;
        Some(Self((ratio * 1e6).round() as u32))
    }
}

impl fmt::Display for DirtyRatio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", f64::from(self.0) / 1e6)
    }
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

impl Serialize for CleanupPolicy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for CleanupPolicy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        named(deserializer, Self::from_name, "delete, compact or compact,delete")
    }
}

impl Serialize for DirtyRatio {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DirtyRatio {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        named(deserializer, Self::from_name, "the numbers from 0 to 1")
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
