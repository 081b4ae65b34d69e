//! The settings of one topic.

use std::time::Duration;

use factum_broker::{Options, TopicConfig};
use factum_types::ByteSize;

use super::{Fixed, UNLIMITED, fixed, shown, source_of};
use crate::messages::create_topics::ConfigEntry;
use crate::messages::describe_configs::ConfigType::{Boolean, Double, Int, List, Long, String as Text};
use crate::messages::describe_configs::{ConfigSource, ConfigSynonym, ConfigType, DescribedConfig};

/// What every topic has, whatever it says.
const FIXED: &[Fixed] = &[
    fixed("cleanup.policy", "delete", List),
    fixed("compression.type", "producer", Text),
    fixed("delete.retention.ms", "86400000", Long),
    fixed("file.delete.delay.ms", "0", Long),
    fixed("flush.messages", "1", Long),
    fixed("flush.ms", "0", Long),
    fixed("follower.replication.throttled.replicas", "", List),
    fixed("index.interval.bytes", "4096", Int),
    fixed("leader.replication.throttled.replicas", "", List),
    fixed("local.retention.bytes", "-2", Long),
    fixed("local.retention.ms", "-2", Long),
    fixed("max.compaction.lag.ms", "9223372036854775807", Long),
    fixed("message.timestamp.after.max.ms", "3600000", Long),
    fixed("message.timestamp.before.max.ms", "9223372036854775807", Long),
    fixed("message.timestamp.type", "CreateTime", Text),
    fixed("min.cleanable.dirty.ratio", "0.5", Double),
    fixed("min.compaction.lag.ms", "0", Long),
    fixed("min.insync.replicas", "1", Int),
    fixed("preallocate", "false", Boolean),
    fixed("remote.storage.enable", "false", Boolean),
    fixed("segment.index.bytes", "10485760", Int),
    fixed("segment.jitter.ms", "0", Long),
    fixed("segment.ms", "9223372036854775807", Long),
    fixed("unclean.leader.election.enable", "false", Boolean),
];

/// A setting that can be chosen.
struct Choice {
    name: &'static str,
    /// Kafka's name of the broker's default for it.
    broker_name: &'static str,
    kind: ConfigType,
    set: fn(&mut TopicConfig, &str) -> Option<()>,
    /// What the topic says.
    own: fn(&TopicConfig) -> Option<String>,
    /// What holds where it says nothing.
    default: fn(&Options) -> String,
}

const CHOICES: &[Choice] = &[
    Choice {
        name: "max.message.bytes",
        broker_name: "message.max.bytes",
        kind: Int,
        set: |config, text| put_size(&mut config.max_message_bytes, text),
        own: |config| config.max_message_bytes.map(size),
        default: |options| size(options.max_message_bytes),
    },
    Choice {
        name: "retention.bytes",
        broker_name: "log.retention.bytes",
        kind: Long,
        set: |config, text| match text {
            UNLIMITED => put_size(&mut config.retention_bytes, "9223372036854775807"),
            _ => put_size(&mut config.retention_bytes, text),
        },
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
        own: |config| config.retention.map(millis),
        default: |options| options.retention.map_or_else(|| UNLIMITED.to_owned(), millis),
    },
    Choice {
        name: "segment.bytes",
        broker_name: "log.segment.bytes",
        kind: Int,
        set: |config, text| put_size(&mut config.segment_bytes, text),
        own: |config| config.segment_bytes.map(size),
        default: |options| size(options.segment_bytes),
    },
];

/// Reads what a client wants set. A null value, or the one that holds anyway, sets nothing.
///
/// # Errors
/// In words, the first setting that is not known or not possible.
pub(in crate::handlers) fn parse(entries: &[ConfigEntry]) -> Result<TopicConfig, String> {
    let mut config = TopicConfig::default();
    for ConfigEntry { name, value } in entries {
        let Some(value) = value.as_deref().map(str::trim) else { continue };
        if let Some(choice) = CHOICES.iter().find(|choice| choice.name == name) {
            (choice.set)(&mut config, value).ok_or_else(|| format!("{name} cannot be {value:?}"))?;
            continue;
        }
        match FIXED.iter().find(|fixed| fixed.name == name) {
            Some(fixed) if fixed.value == value => {}
            Some(fixed) => return Err(format!("{name} can only be {:?} here, not {value:?}", fixed.value)),
            None => return Err(format!("{name:?} is not a setting of a topic")),
        }
    }
    Ok(config)
}

/// Every setting of a topic with `config`, by name.
pub(in crate::handlers) fn describe(config: &TopicConfig, options: &Options) -> Vec<DescribedConfig> {
    let defaults = Options::default();
    let choices = CHOICES.iter().map(|choice| choice.describe(config, options, &defaults));
    let mut all: Vec<_> = FIXED.iter().map(Fixed::describe).chain(choices).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

impl Choice {
    fn describe(&self, config: &TopicConfig, options: &Options, defaults: &Options) -> DescribedConfig {
        let fallback = (self.default)(options);
        let source = source_of(&fallback, &(self.default)(defaults));
        let synonym =
            ConfigSynonym { name: self.broker_name.to_owned(), value: Some(fallback.clone()), source };
        match (self.own)(config) {
            Some(value) => {
                let mut own = shown(self.name, value, ConfigSource::DynamicTopicConfig, self.kind, false);
                own.synonyms.push(synonym);
                own
            }
            None => DescribedConfig {
                synonyms: vec![synonym],
                ..shown(self.name, fallback, source, self.kind, false)
            },
        }
    }
}

fn put_size(place: &mut Option<ByteSize>, text: &str) -> Option<()> {
    *place = Some(ByteSize(text.parse().ok()?));
    Some(())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, value: &str) -> ConfigEntry {
        ConfigEntry { name: name.to_owned(), value: Some(value.to_owned()) }
    }

    fn value(config: &TopicConfig, name: &str) -> (String, ConfigSource) {
        let all = describe(config, &Options::default());
        let found = all.into_iter().find(|each| each.name == name).expect("described");
        (found.value.expect("every setting has a value"), found.source)
    }

    #[test]
    fn what_is_set_is_what_is_shown() {
        for (name, text) in [
            ("retention.ms", "60000"),
            ("retention.ms", "-1"),
            ("retention.bytes", "-1"),
            ("retention.bytes", "1048576"),
            ("segment.bytes", "65536"),
            ("max.message.bytes", "2000000"),
        ] {
            let config = parse(&[entry(name, text)]).expect("accepted");
            assert_eq!(value(&config, name), (text.to_owned(), ConfigSource::DynamicTopicConfig), "{name}");
        }
        let nothing = TopicConfig::default();
        assert_eq!(value(&nothing, "retention.ms"), ("604800000".to_owned(), ConfigSource::DefaultConfig));
        assert_eq!(value(&nothing, "retention.bytes"), ("-1".to_owned(), ConfigSource::DefaultConfig));
    }

    #[test]
    fn what_cannot_be_set_is_named() {
        assert_eq!(parse(&[entry("cleanup.policy", "delete")]), Ok(TopicConfig::default()));
        for (name, text, expected) in [
            ("cleanup.policy", "compact", "cleanup.policy can only be \"delete\" here, not \"compact\""),
            ("retention.ms", "soon", "retention.ms cannot be \"soon\""),
            ("retention.ms", "-2", "retention.ms cannot be \"-2\""),
            ("no.such.thing", "1", "\"no.such.thing\" is not a setting of a topic"),
        ] {
            assert_eq!(parse(&[entry(name, text)]), Err(expected.to_owned()));
        }
    }
}
