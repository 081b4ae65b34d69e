//! A topic's configuration: bounds, and its effective values over the defaults.

use std::time::Duration;

use factum_eventlog::{CleanupPolicy, DirtyRatio, TopicConfig};
use factum_log::CompactionOptions;
use factum_types::ByteSize;

use crate::Options;

/// Bytes of log between two entries of a segment's index, as Kafka's `index.interval.bytes`.
const INDEX_INTERVAL_BYTES: u32 = 4_096;
const SMALLEST_SEGMENT: u64 = 1 << 10;
/// Positions within a segment are signed 32-bit numbers in Kafka's formats.
const LARGEST_SEGMENT: u64 = i32::MAX as u64;
const SMALLEST_MESSAGE: u64 = 128;
const LARGEST_MESSAGE: u64 = 1 << 30;

/// A value that is not possible, under Kafka's name of the setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InvalidConfig {
    pub(crate) key: &'static str,
    pub(crate) reason: String,
}

/// The name that HTTP, the command line and projects have for the setting that Kafka calls `key`.
pub(crate) fn own_name(key: &str) -> &str {
    match key {
        "segment.bytes" => "segment_bytes",
        "max.message.bytes" => "max_message_bytes",
        "retention.bytes" => "retention_bytes",
        "retention.ms" => "retention",
        "segment.ms" => "segment_age",
        "cleanup.policy" => "cleanup_policy",
        "delete.retention.ms" => "delete_retention",
        "min.compaction.lag.ms" => "min_compaction_lag",
        "max.compaction.lag.ms" => "max_compaction_lag",
        "min.cleanable.dirty.ratio" => "min_dirty_ratio",
        "message.timestamp.before.max.ms" => "timestamp_before_max",
        "message.timestamp.after.max.ms" => "timestamp_after_max",
        other => other,
    }
}

/// What holds where a topic sets nothing.
#[derive(Debug, Clone)]
pub(crate) struct Defaults {
    retention: Option<Duration>,
    retention_bytes: Option<ByteSize>,
    segment_bytes: ByteSize,
    max_message_bytes: ByteSize,
}

impl Defaults {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            retention: options.retention,
            retention_bytes: options.retention_bytes,
            segment_bytes: options.segment_bytes,
            max_message_bytes: options.max_message_bytes,
        }
    }

    /// Checks the defaults by the rule for topics.
    pub(crate) fn check(&self) -> Result<(), InvalidConfig> {
        check(&TopicConfig {
            segment_bytes: Some(self.segment_bytes),
            max_message_bytes: Some(self.max_message_bytes),
            ..TopicConfig::default()
        })
    }

    pub(crate) fn max_message_bytes(&self, config: &TopicConfig) -> usize {
        let bytes = config.max_message_bytes.unwrap_or(self.max_message_bytes).0;
        usize::try_from(bytes).unwrap_or(usize::MAX)
    }

    pub(crate) fn log_options(&self, config: &TopicConfig) -> factum_log::Options {
        let policy = config.cleanup_policy.unwrap_or(CleanupPolicy::Delete);
        let compaction = policy.compacts().then(|| compaction_options(config));
        let retention = config.retention.or(self.retention).filter(|kept| *kept != Duration::MAX);
        let retention_bytes = config.retention_bytes.or(self.retention_bytes).map(|bytes| bytes.0);
        let segment_age = config.segment_age.filter(|age| *age != Duration::MAX);
        // The active segment is not compacted: it may not stay active for longer than a record may wait.
        let max_lag = compaction.and_then(|options| options.max_lag);
        factum_log::Options {
            segment_bytes: config.segment_bytes.unwrap_or(self.segment_bytes).0,
            index_interval_bytes: INDEX_INTERVAL_BYTES,
            segment_age: segment_age.into_iter().chain(max_lag).min(),
            retention: retention.filter(|_| policy.deletes()),
            retention_bytes: retention_bytes.filter(|_| policy.deletes()),
            compaction,
        }
    }
}

/// How a topic is compacted; Kafka's defaults where it says nothing.
fn compaction_options(config: &TopicConfig) -> CompactionOptions {
    let defaults = CompactionOptions::default();
    CompactionOptions {
        min_lag: config.min_compaction_lag.unwrap_or(defaults.min_lag),
        max_lag: config.max_compaction_lag.filter(|lag| *lag != Duration::MAX),
        delete_retention: config.delete_retention.unwrap_or(defaults.delete_retention),
        min_dirty_millionths: config
            .min_dirty_ratio
            .map_or(defaults.min_dirty_millionths, DirtyRatio::as_millionths),
    }
}

/// Checks what a user wants to set.
pub(crate) fn check(config: &TopicConfig) -> Result<(), InvalidConfig> {
    let within = |key, value: Option<ByteSize>, least: u64, most: u64| match value {
        Some(ByteSize(bytes)) if bytes < least || bytes > most => {
            Err(InvalidConfig { key, reason: format!("must be {least} to {most} bytes, not {bytes}") })
        }
        _ => Ok(()),
    };
    within("segment.bytes", config.segment_bytes, SMALLEST_SEGMENT, LARGEST_SEGMENT)?;
    within("max.message.bytes", config.max_message_bytes, SMALLEST_MESSAGE, LARGEST_MESSAGE)?;
    within("retention.bytes", config.retention_bytes, 0, i64::MAX as u64)?;
    for (key, duration) in [
        ("retention.ms", config.retention),
        ("segment.ms", config.segment_age),
        ("delete.retention.ms", config.delete_retention),
        ("min.compaction.lag.ms", config.min_compaction_lag),
        ("max.compaction.lag.ms", config.max_compaction_lag),
        ("message.timestamp.before.max.ms", config.timestamp_before_max),
        ("message.timestamp.after.max.ms", config.timestamp_after_max),
    ] {
        match duration {
            Some(duration) if duration != Duration::MAX && i64::try_from(duration.as_millis()).is_err() => {
                let reason = "is beyond every calendar; for no limit, say so".to_owned();
                return Err(InvalidConfig { key, reason });
            }
            _ => {}
        }
    }
    let (least, most) = (config.min_compaction_lag, config.max_compaction_lag);
    if most.is_some_and(|most| most.as_millis() == 0) {
        let reason = "must be at least 1 ms".to_owned();
        return Err(InvalidConfig { key: "max.compaction.lag.ms", reason });
    }
    if most.is_some_and(|most| least.unwrap_or_default() > most) {
        let reason = "must not be above max.compaction.lag.ms".to_owned();
        return Err(InvalidConfig { key: "min.compaction.lag.ms", reason });
    }
    match config.segment_age {
        Some(age) if age.as_millis() == 0 => {
            Err(InvalidConfig { key: "segment.ms", reason: "must be at least 1 ms".to_owned() })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_values_are_named_as_kafka_names_them() {
        let segment = TopicConfig { segment_bytes: Some(ByteSize(10)), ..TopicConfig::default() };
        let error = check(&segment).expect_err("ten bytes hold no batch");
        assert_eq!(
            (error.key, &*error.reason),
            ("segment.bytes", "must be 1024 to 2147483647 bytes, not 10")
        );
        let retention =
            TopicConfig { retention: Some(Duration::from_secs(u64::MAX)), ..TopicConfig::default() };
        assert_eq!(check(&retention).map_err(|error| error.key), Err("retention.ms"));
        assert_eq!(check(&TopicConfig { retention: Some(Duration::MAX), ..TopicConfig::default() }), Ok(()));
    }

    #[test]
    fn a_compacted_topic_keeps_what_is_past_its_retention() {
        let defaults = Defaults::new(&Options::default());
        let of = |policy| TopicConfig { cleanup_policy: Some(policy), ..TopicConfig::default() };
        let compact = defaults.log_options(&of(CleanupPolicy::Compact));
        assert_eq!((compact.retention, compact.compaction), (None, Some(CompactionOptions::default())));
        let both = defaults.log_options(&of(CleanupPolicy::CompactAndDelete));
        assert!(both.retention.is_some() && both.compaction.is_some());
        assert_eq!(defaults.log_options(&of(CleanupPolicy::Delete)).compaction, None);
        let hour = Duration::from_secs(3_600);
        let lag = TopicConfig { max_compaction_lag: Some(hour), ..of(CleanupPolicy::Compact) };
        assert_eq!(defaults.log_options(&lag).segment_age, Some(hour));
        let wrong = TopicConfig { min_compaction_lag: Some(hour * 2), ..lag };
        assert_eq!(check(&wrong).map_err(|error| error.key), Err("min.compaction.lag.ms"));
    }

    #[test]
    fn a_topic_sets_what_the_defaults_leave() {
        let defaults = Defaults::new(&Options::default());
        let forever = TopicConfig { retention: Some(Duration::MAX), ..TopicConfig::default() };
        assert_eq!(defaults.log_options(&forever).retention, None);
        let week = Some(Duration::from_secs(7 * 24 * 60 * 60));
        assert_eq!(defaults.log_options(&TopicConfig::default()).retention, week);
    }
}
