//! The one list of topic settings: names, types, how they are written, and examples.
//!
//! All that shows, takes or stores settings is made from this list, so that none knows fewer than the others.
//!
//! Not here: Kafka's names of them, which are the Kafka listener's, and what values are possible, which the log says.

/// Gives the list of settings to the macro `$then`, as `name: type, written by serde's with, changed by, such as example;`
/// each with its documentation.
#[macro_export]
macro_rules! topic_settings {
    ($then:ident) => {
        $then! {
            /// How long records are kept, such as `7d`, or `forever`.
            retention: std::time::Duration, as "factum_types::units::duration::option", or "given_duration", like "7d";
            /// The size above which a partition drops its oldest segments.
            retention_bytes: factum_types::ByteSize, as "factum_eventlog::as_it_is", or "given", like "1GiB";
            /// The size at which a segment is sealed.
            segment_bytes: factum_types::ByteSize, as "factum_eventlog::as_it_is", or "given", like "128MiB";
            /// How old a segment becomes before the next append seals it, or `forever`.
            segment_age: std::time::Duration, as "factum_types::units::duration::option", or "given_duration", like "1d";
            /// The largest batch taken.
            max_message_bytes: factum_types::ByteSize, as "factum_eventlog::as_it_is", or "given", like "1MiB";
            /// What becomes of old records: `delete` (segments go when their retention is over), `compact` (the latest
            /// record of each key stays) or `compact,delete`.
            cleanup_policy: $crate::CleanupPolicy, as "factum_eventlog::as_it_is", or "given", like "delete";
            /// How long a compacted topic keeps a tombstone after the records that it removed, such as `1d`.
            delete_retention: std::time::Duration,
                as "factum_types::units::duration::option", or "given_duration", like "1d";
            /// How old a record becomes before it is compacted.
            min_compaction_lag: std::time::Duration,
                as "factum_types::units::duration::option", or "given_duration", like "0s";
            /// How old a record may become before it is compacted, or `forever`.
            max_compaction_lag: std::time::Duration,
                as "factum_types::units::duration::option", or "given_duration", like "forever";
            /// Which part of a partition must not be compacted yet before it is compacted again, 0 to 1.
            min_dirty_ratio: $crate::DirtyRatio, as "factum_eventlog::as_it_is", or "given", like "0.5";
            /// How records are compressed in the log: `producer` (as they were sent), `uncompressed`, `gzip`, `snappy`,
            /// `lz4` or `zstd`.
            compression: $crate::CompressionType, as "factum_eventlog::as_it_is", or "given", like "producer";
            /// Whose clock a record's timestamp is by: `CreateTime` (the producer's) or `LogAppendTime` (the server's).
            timestamp_type: $crate::TimestampType, as "factum_eventlog::as_it_is", or "given", like "CreateTime";
            /// How old a record's timestamp may be, or `forever`.
            timestamp_before_max: std::time::Duration,
                as "factum_types::units::duration::option", or "given_duration", like "forever";
            /// How far ahead a record's timestamp may be, or `forever`.
            timestamp_after_max: std::time::Duration,
                as "factum_types::units::duration::option", or "given_duration", like "1h";
        }
    };
}

/// For serde's `with`: an optional setting that writes and reads itself.
pub mod as_it_is {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    /// Writes it as its type does.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize<T: Serialize, S: Serializer>(
        value: &Option<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.serialize(serializer)
    }

    /// Reads it as its type does.
    ///
    /// # Errors
    /// The deserializer's.
    pub fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<T>, D::Error> {
        Option::deserialize(deserializer)
    }
}
