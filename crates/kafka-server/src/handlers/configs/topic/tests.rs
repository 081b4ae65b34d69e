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
fn settings_are_described_as_they_were_set() {
    for (name, text) in [
        ("retention.ms", "60000"),
        ("retention.ms", "-1"),
        ("retention.bytes", "-1"),
        ("retention.bytes", "1048576"),
        ("segment.bytes", "65536"),
        ("max.message.bytes", "2000000"),
        ("segment.ms", "60000"),
        ("segment.ms", "9223372036854775807"),
        ("compression.type", "producer"),
        ("compression.type", "uncompressed"),
        ("compression.type", "zstd"),
        ("message.timestamp.type", "LogAppendTime"),
        ("message.timestamp.before.max.ms", "1000"),
        ("message.timestamp.after.max.ms", "9223372036854775807"),
        ("flush.ms", "1000"),
        ("flush.messages", "9223372036854775807"),
        ("cleanup.policy", "compact"),
        ("cleanup.policy", "compact,delete"),
        ("delete.retention.ms", "100"),
        ("min.compaction.lag.ms", "1000"),
        ("max.compaction.lag.ms", "9223372036854775807"),
        ("min.cleanable.dirty.ratio", "0.01"),
        ("unclean.leader.election.enable", "true"),
        ("preallocate", "true"),
        ("index.interval.bytes", "1024"),
    ] {
        let config = parse(&[entry(name, text)]).expect("accepted");
        assert_eq!(value(&config, name), (text.to_owned(), ConfigSource::DynamicTopicConfig), "{name}");
    }
    let nothing = TopicConfig::default();
    assert_eq!(value(&nothing, "retention.ms"), ("604800000".to_owned(), ConfigSource::DefaultConfig));
    assert_eq!(value(&nothing, "retention.bytes"), ("-1".to_owned(), ConfigSource::DefaultConfig));
}

#[test]
fn settings_that_cannot_be_set_are_named() {
    for (name, text, expected) in [
        ("cleanup.policy", "compress", "cleanup.policy cannot be \"compress\""),
        ("min.cleanable.dirty.ratio", "1.5", "min.cleanable.dirty.ratio cannot be \"1.5\""),
        ("max.compaction.lag.ms", "-1", "max.compaction.lag.ms cannot be \"-1\""),
        (
            "min.insync.replicas",
            "2",
            "min.insync.replicas can only be \"1\", not \"2\": there is one node, so there is one replica",
        ),
        ("flush.ms", "soon", "flush.ms cannot be \"soon\""),
        ("compression.type", "rar", "compression.type cannot be \"rar\""),
        ("retention.ms", "soon", "retention.ms cannot be \"soon\""),
        ("retention.ms", "-2", "retention.ms cannot be \"-2\""),
        ("no.such.thing", "1", "\"no.such.thing\" is not a setting of a topic"),
    ] {
        assert_eq!(parse(&[entry(name, text)]), Err(expected.to_owned()));
    }
}
