//! The settings of one topic.
//!
//! ```text
//!   chosen          has its effect here: retention, compaction, segments, compression, timestamps
//!   without effect  taken, kept and shown; what it would do is not done here, and nothing depends on it
//!   fixed           one value fits how the log behaves; any other is refused with the reason
//! ```

use std::time::Duration;

use factum_broker::{CleanupPolicy, CompressionType, DirtyRatio, Options, TimestampType, TopicConfig};
use factum_types::ByteSize;

use super::{FixedConfig, UNLIMITED, fixed, shown};
use crate::messages::create_topics::ConfigEntry;
use crate::messages::describe_configs::ConfigType::{Boolean, Double, Int, List, Long, String as Text};
use crate::messages::describe_configs::{ConfigSource, ConfigSynonym, ConfigType, DescribedConfig};

/// Kafka's "without limit" for times that compare with a record's.
const NEVER: &str = "9223372036854775807";

/// What every topic has, whatever it says, and why.
const FIXED: &[(FixedConfig, &str)] = &[
    (fixed("follower.replication.throttled.replicas", "", List), "there are no followers"),
    (fixed("leader.replication.throttled.replicas", "", List), "there are no followers"),
    (fixed("local.retention.bytes", "-2", Long), "there is no remote storage"),
    (fixed("local.retention.ms", "-2", Long), "there is no remote storage"),
    (fixed("min.insync.replicas", "1", Int), "there is one node, so there is one replica"),
    (fixed("remote.storage.enable", "false", Boolean), "there is no remote storage"),
];

/// What may be set and changes nothing: when segments are synced (every append is), and how files are laid out.
const WITHOUT_EFFECT: &[FixedConfig] = &[
    fixed("file.delete.delay.ms", "0", Long),
    fixed("flush.messages", "1", Long),
    fixed("flush.ms", "0", Long),
    fixed("index.interval.bytes", "4096", Int),
    fixed("preallocate", "false", Boolean),
    fixed("segment.index.bytes", "10485760", Int),
    fixed("segment.jitter.ms", "0", Long),
    fixed("unclean.leader.election.enable", "false", Boolean),
];

/// The default of `retention.ms`, as Kafka gives it.
const RETENTION_HOURS: &str = "168";

/// A setting that can be chosen.
struct Choice {
    name: &'static str,
    /// Kafka's name of the broker's default for it.
    broker_name: &'static str,
    kind: ConfigType,
    set: fn(&mut TopicConfig, &str) -> Option<()>,
    /// Goes back to the default.
    unset: fn(&mut TopicConfig),
    /// What the topic says.
    own: fn(&TopicConfig) -> Option<String>,
    /// What holds where it says nothing.
    default: fn(&Options) -> String,
}

const CHOICES: &[Choice] = &[
    Choice {
        name: "cleanup.policy",
        broker_name: "log.cleanup.policy",
        kind: List,
        set: |config, text| put(&mut config.cleanup_policy, CleanupPolicy::from_name(text)),
        unset: |config| config.cleanup_policy = None,
        own: |config| config.cleanup_policy.map(|each| each.as_str().to_owned()),
        default: |_| CleanupPolicy::Delete.as_str().to_owned(),
    },
    Choice {
        name: "compression.type",
        broker_name: "compression.type",
        kind: Text,
        set: |config, text| put(&mut config.compression, CompressionType::from_name(text)),
        unset: |config| config.compression = None,
        own: |config| config.compression.map(|each| each.as_str().to_owned()),
        default: |_| CompressionType::Producer.as_str().to_owned(),
    },
    Choice {
        name: "delete.retention.ms",
        broker_name: "log.cleaner.delete.retention.ms",
        kind: Long,
        set: |config, text| put(&mut config.delete_retention, distance(text)),
        unset: |config| config.delete_retention = None,
        own: |config| config.delete_retention.map(shown_distance),
        default: |_| "86400000".to_owned(),
    },
    Choice {
        name: "max.compaction.lag.ms",
        broker_name: "log.cleaner.max.compaction.lag.ms",
        kind: Long,
        set: |config, text| put(&mut config.max_compaction_lag, distance(text)),
        unset: |config| config.max_compaction_lag = None,
        own: |config| config.max_compaction_lag.map(shown_distance),
        default: |_| NEVER.to_owned(),
    },
    Choice {
        name: "max.message.bytes",
        broker_name: "message.max.bytes",
        kind: Int,
        set: |config, text| put_size(&mut config.max_message_bytes, text),
        unset: |config| config.max_message_bytes = None,
        own: |config| config.max_message_bytes.map(size),
        default: |options| size(options.max_message_bytes),
    },
    Choice {
        name: "message.timestamp.after.max.ms",
        broker_name: "log.message.timestamp.after.max.ms",
        kind: Long,
        set: |config, text| put(&mut config.timestamp_after_max, distance(text)),
        unset: |config| config.timestamp_after_max = None,
        own: |config| config.timestamp_after_max.map(shown_distance),
        default: |_| "3600000".to_owned(),
    },
    Choice {
        name: "message.timestamp.before.max.ms",
        broker_name: "log.message.timestamp.before.max.ms",
        kind: Long,
        set: |config, text| put(&mut config.timestamp_before_max, distance(text)),
        unset: |config| config.timestamp_before_max = None,
        own: |config| config.timestamp_before_max.map(shown_distance),
        default: |_| NEVER.to_owned(),
    },
    Choice {
        name: "message.timestamp.type",
        broker_name: "log.message.timestamp.type",
        kind: Text,
        set: |config, text| put(&mut config.timestamp_type, TimestampType::from_name(text)),
        unset: |config| config.timestamp_type = None,
        own: |config| config.timestamp_type.map(|each| each.as_str().to_owned()),
        default: |_| TimestampType::CreateTime.as_str().to_owned(),
    },
    Choice {
        name: "min.cleanable.dirty.ratio",
        broker_name: "log.cleaner.min.cleanable.ratio",
        kind: Double,
        set: |config, text| put(&mut config.min_dirty_ratio, DirtyRatio::from_name(text)),
        unset: |config| config.min_dirty_ratio = None,
        own: |config| config.min_dirty_ratio.map(|ratio| ratio.to_string()),
        default: |_| "0.5".to_owned(),
    },
    Choice {
        name: "min.compaction.lag.ms",
        broker_name: "log.cleaner.min.compaction.lag.ms",
        kind: Long,
        set: |config, text| put(&mut config.min_compaction_lag, distance(text)),
        unset: |config| config.min_compaction_lag = None,
        own: |config| config.min_compaction_lag.map(shown_distance),
        default: |_| "0".to_owned(),
    },
    Choice {
        name: "retention.bytes",
        broker_name: "log.retention.bytes",
        kind: Long,
        set: |config, text| match text {
            UNLIMITED => put_size(&mut config.retention_bytes, "9223372036854775807"),
            _ => put_size(&mut config.retention_bytes, text),
        },
        unset: |config| config.retention_bytes = None,
        own: |config| config.retention_bytes.map(size_or_unlimited),
        default: |options| options.retention_bytes.map_or_else(|| UNLIMITED.to_owned(), size_or_unlimited),
    },
    Choice {
        name: "retention.ms",
        broker_name: "log.retention.ms",
        kind: Long,
        set: |config, text| {
            config.retention = Some(match text {
                UNLIMITED => Duration::MAX,
                _ => Duration::from_millis(text.parse().ok()?),
            });
            Some(())
        },
        unset: |config| config.retention = None,
        own: |config| config.retention.map(millis),
        default: |options| options.retention.map_or_else(|| UNLIMITED.to_owned(), millis),
    },
    Choice {
        name: "segment.bytes",
        broker_name: "log.segment.bytes",
        kind: Int,
        set: |config, text| put_size(&mut config.segment_bytes, text),
        unset: |config| config.segment_bytes = None,
        own: |config| config.segment_bytes.map(size),
        default: |options| size(options.segment_bytes),
    },
    Choice {
        name: "segment.ms",
        broker_name: "log.roll.ms",
        kind: Long,
        set: |config, text| put(&mut config.segment_age, distance(text)),
        unset: |config| config.segment_age = None,
        own: |config| config.segment_age.map(shown_distance),
        default: |_| NEVER.to_owned(),
    },
];

/// Reads what a client wants set. A null value, or the one that holds anyway, sets nothing.
///
/// # Errors
/// In words, the first setting that is not known or not possible.
pub(in crate::handlers) fn parse(entries: &[ConfigEntry]) -> Result<TopicConfig, String> {
    let mut config = TopicConfig::default();
    for entry in entries.iter().filter(|entry| entry.value.is_some()) {
        change(&mut config, entry)?;
    }
    Ok(config)
}

/// Sets one setting, or, where the value is null, goes back to its default.
///
/// # Errors
/// In words, why not: no topic has it, or it cannot have this value.
pub(in crate::handlers) fn change(
    config: &mut TopicConfig,
    ConfigEntry { name, value }: &ConfigEntry,
) -> Result<(), String> {
    let value = value.as_deref().map(str::trim);
    let impossible = |value: &str| format!("{name} cannot be {value:?}");
    if let Some(choice) = CHOICES.iter().find(|choice| choice.name == name) {
        match value {
            None => (choice.unset)(config),
            Some(value) => (choice.set)(config, value).ok_or_else(|| impossible(value))?,
        }
    } else if let Some(known) = WITHOUT_EFFECT.iter().find(|known| known.name == name) {
        match value {
            None => drop(config.without_effect.remove(name)),
            Some(value) if known.takes(value) => {
                config.without_effect.insert(name.clone(), value.to_owned());
            }
            Some(value) => return Err(impossible(value)),
        }
    } else if let Some((fixed, reason)) = FIXED.iter().find(|(fixed, _)| fixed.name == name) {
        if let Some(value) = value.filter(|value| fixed.value != *value) {
            return Err(format!("{name} can only be {:?}, not {value:?}: {reason}", fixed.value));
        }
    } else {
        return Err(format!("{name:?} is not a setting of a topic"));
    }
    Ok(())
}

/// Adds values to a list, or takes them from it.
///
/// # Errors
/// In words, why not.
pub(in crate::handlers) fn change_list(
    config: &mut TopicConfig,
    name: &str,
    values: &str,
    adds: bool,
) -> Result<(), String> {
    let choice = CHOICES.iter().find(|choice| choice.name == name && choice.kind == List);
    let choice = choice.ok_or_else(|| format!("{name} cannot be changed"))?;
    let now = (choice.own)(config).unwrap_or_else(|| (choice.default)(&Options::default()));
    let changed: Vec<_> = values.split(',').map(str::trim).collect();
    let mut list: Vec<_> = now.split(',').filter(|value| adds || !changed.contains(value)).collect();
    if adds {
        list.extend(changed);
    }
    let list = list.join(",");
    (choice.set)(config, &list).ok_or_else(|| format!("{name} cannot be {list:?}"))
}

/// The same entry with the value that is declared, where it has none.
pub(in crate::handlers) fn or_declared(entry: &ConfigEntry, declared: &TopicConfig) -> ConfigEntry {
    let own = || (CHOICES.iter().find(|choice| choice.name == entry.name)?.own)(declared);
    ConfigEntry { name: entry.name.clone(), value: entry.value.clone().or_else(own) }
}

/// Whether the setting is a list, to which values can be appended in Kafka.
pub(in crate::handlers) fn is_list(name: &str) -> bool {
    FIXED.iter().any(|(fixed, _)| fixed.name == name && fixed.kind == List)
        || CHOICES.iter().any(|choice| choice.name == name && choice.kind == List)
}

/// Every setting of a topic with `config`, by name.
pub(in crate::handlers) fn describe(config: &TopicConfig, options: &Options) -> Vec<DescribedConfig> {
    let defaults = Options::default();
    let choices = CHOICES.iter().map(|choice| choice.describe(config, options, &defaults));
    let kept = WITHOUT_EFFECT.iter().map(|known| match config.without_effect.get(known.name) {
        Some(value) => shown(known.name, value.clone(), ConfigSource::DynamicTopicConfig, known.kind, false),
        None => DescribedConfig { read_only: false, ..known.describe() },
    });
    let mut all: Vec<_> =
        FIXED.iter().map(|(fixed, _)| fixed.describe()).chain(choices).chain(kept).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

impl Choice {
    fn describe(&self, config: &TopicConfig, options: &Options, defaults: &Options) -> DescribedConfig {
        let (fallback, default) = ((self.default)(options), (self.default)(defaults));
        let own = (self.own)(config);
        let (value, source) = match &own {
            Some(value) => (value, ConfigSource::DynamicTopicConfig),
            None if fallback == default => (&fallback, ConfigSource::DefaultConfig),
            None => (&fallback, ConfigSource::StaticBrokerConfig),
        };
        let mut synonyms = Vec::new();
        synonyms.extend(own.as_ref().map(|own| synonym(self.name, own, ConfigSource::DynamicTopicConfig)));
        if fallback != default {
            synonyms.push(synonym(self.broker_name, &fallback, ConfigSource::StaticBrokerConfig));
        }
        synonyms.push(match self.name {
            // In Kafka only the hours have a default, which the milliseconds come from.
            "retention.ms" => synonym("log.retention.hours", RETENTION_HOURS, ConfigSource::DefaultConfig),
            _ => synonym(self.broker_name, &default, ConfigSource::DefaultConfig),
        });
        DescribedConfig { synonyms, ..shown(self.name, value.clone(), source, self.kind, false) }
    }
}

impl FixedConfig {
    /// Whether `value` is one of its kind.
    fn takes(&self, value: &str) -> bool {
        match self.kind {
            Boolean => value.parse::<bool>().is_ok(),
            Int => value.parse::<i32>().is_ok_and(|number| number >= 0),
            Long => value.parse::<i64>().is_ok_and(|number| number >= 0),
            Double => value.parse::<f64>().is_ok_and(|ratio| (0.0..=1.0).contains(&ratio)),
            _ => true,
        }
    }
}

fn synonym(name: &str, value: &str, source: ConfigSource) -> ConfigSynonym {
    ConfigSynonym { name: name.to_owned(), value: Some(value.to_owned()), source }
}

fn put<T>(place: &mut Option<T>, value: Option<T>) -> Option<()> {
    *place = Some(value?);
    Some(())
}

fn put_size(place: &mut Option<ByteSize>, text: &str) -> Option<()> {
    put(place, text.parse().ok().map(ByteSize))
}

fn size(bytes: ByteSize) -> String {
    bytes.as_u64().to_string()
}

fn size_or_unlimited(bytes: ByteSize) -> String {
    if i64::try_from(bytes.as_u64()).is_ok_and(|bytes| bytes < i64::MAX) {
        size(bytes)
    } else {
        UNLIMITED.to_owned()
    }
}

fn millis(duration: Duration) -> String {
    if duration == Duration::MAX { UNLIMITED.to_owned() } else { duration.as_millis().to_string() }
}

/// A time whose greatest value means that there is no limit.
fn distance(text: &str) -> Option<Duration> {
    match text.parse::<i64>().ok()? {
        i64::MAX => Some(Duration::MAX),
        millis => Some(Duration::from_millis(u64::try_from(millis).ok()?)),
    }
}

fn shown_distance(duration: Duration) -> String {
    if duration == Duration::MAX { NEVER.to_owned() } else { duration.as_millis().to_string() }
}

#[cfg(test)]
mod tests;
