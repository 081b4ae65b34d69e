//! Rules of a topic's settings for a batch that is appended.

use std::time::Duration;

use factum_eventlog::{CleanupPolicy, CompressionType, TimestampType, TopicConfig};
use factum_types::record::{self, MAX_UNPACKED_BYTES};
use factum_types::{RecordBatch, Timestamp};

use crate::partition::{MAX_TIMESTAMP_AHEAD, ProduceError};

/// The settings of one topic that concern what is appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AppendRules {
    compression: CompressionType,
    timestamp_type: TimestampType,
    /// Whether every record must have a key, by which it is compacted.
    pub(crate) needs_keys: bool,
    /// `None` is without limit.
    before_max: Option<Duration>,
    after_max: Option<Duration>,
}

impl AppendRules {
    pub(crate) fn new(config: &TopicConfig) -> Self {
        let limited = |limit: Duration| Some(limit).filter(|limit| *limit != Duration::MAX);
        Self {
            compression: config.compression.unwrap_or(CompressionType::Producer),
            timestamp_type: config.timestamp_type.unwrap_or(TimestampType::CreateTime),
            needs_keys: config.cleanup_policy.is_some_and(CleanupPolicy::compacts),
            before_max: config.timestamp_before_max.and_then(limited),
            after_max: config.timestamp_after_max.map_or(Some(MAX_TIMESTAMP_AHEAD), limited),
        }
    }

    /// The time that records are given which are appended at `now`; `None` where they keep their own.
    pub(crate) fn append_time(&self, now: Timestamp) -> Option<Timestamp> {
        (self.timestamp_type == TimestampType::LogAppendTime).then_some(now)
    }

    /// Whether [`AppendRules::apply`] unpacks the batch, or recompresses it: much work for an async thread.
    pub(crate) fn unpacks(&self, batch: &RecordBatch) -> bool {
        let is_packed_anew = match self.compression {
            CompressionType::Producer => false,
            CompressionType::Codec(codec) => batch.header().compression() != Ok(codec),
        };
        is_packed_anew || (self.before_max.is_some() && self.timestamp_type == TimestampType::CreateTime)
    }

    /// The batch as the log keeps it. Recompressing records takes about as long as it took their producer, on the
    /// caller's thread. `latest` is the first record with the greatest timestamp, where that is known.
    ///
    /// # Errors
    /// [`ProduceError::FutureTimestamp`], [`ProduceError::OldTimestamp`], or [`ProduceError::Recompress`].
    pub(crate) fn apply(
        &self,
        batch: RecordBatch,
        now: Timestamp,
        latest: Option<i32>,
    ) -> Result<RecordBatch, ProduceError> {
        let append_time = self.append_time(now);
        if append_time.is_none() {
            self.check_times(&batch, now, latest)?;
        }
        let mut batch = match self.compression {
            CompressionType::Producer => batch,
            CompressionType::Codec(codec) => {
                batch.recompress(codec, MAX_UNPACKED_BYTES).map_err(ProduceError::Recompress)?
            }
        };
        if let Some(time) = append_time {
            batch.stamp(time);
        }
        Ok(batch)
    }

    fn check_times(
        &self,
        batch: &RecordBatch,
        now: Timestamp,
        record: Option<i32>,
    ) -> Result<(), ProduceError> {
        let timestamp = batch.header().max_timestamp;
        if let Some(latest) = self.after_max.map(|ahead| now.plus(ahead)).filter(|latest| timestamp > *latest)
        {
            return Err(ProduceError::FutureTimestamp { timestamp, latest, record });
        }
        let Some(before) = self.before_max else { return Ok(()) };
        let earliest = now.minus(before);
        // The header has the greatest timestamp and the first; the least is known to the records alone.
        let undecodable = |error: record::Error| ProduceError::Undecodable { reason: error.to_string() };
        let times = record::times(batch.as_bytes(), MAX_UNPACKED_BYTES as u64).map_err(undecodable)?;
        for (time, record) in times.zip(0..) {
            let (_, timestamp) = time.map_err(undecodable)?;
            if timestamp != Timestamp::NONE && timestamp < earliest {
                return Err(ProduceError::OldTimestamp { timestamp, earliest, record });
            }
        }
        Ok(())
    }
}
