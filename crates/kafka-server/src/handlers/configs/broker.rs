//! The settings of the broker.

use std::time::Duration;

use super::{FixedConfig, UNLIMITED, fixed, shown, source_of};
use crate::handlers::session::Session;
use crate::messages::describe_configs::ConfigType::{self, Boolean, Int, List, Long, Short, String as Text};
use crate::messages::describe_configs::DescribedConfig;

/// What holds whatever the broker was started with.
const FIXED: &[FixedConfig] = &[
    fixed("compression.type", "producer", Text),
    fixed("default.replication.factor", "1", Int),
    fixed("delete.topic.enable", "true", Boolean),
    fixed("log.cleanup.policy", "delete", List),
    fixed("log.flush.interval.messages", "1", Long),
    fixed("log.index.interval.bytes", "4096", Int),
    fixed("log.message.timestamp.type", "CreateTime", Text),
    fixed("min.insync.replicas", "1", Int),
    fixed("offsets.topic.num.partitions", "1", Int),
    fixed("offsets.topic.replication.factor", "1", Short),
    fixed("unclean.leader.election.enable", "false", Boolean),
];

/// Every setting of the broker, by name.
pub(in crate::handlers) fn describe(session: &Session) -> Vec<DescribedConfig> {
    let mut all: Vec<_> = FIXED.iter().map(FixedConfig::describe).collect();
    all.extend(log_settings(session));
    all.extend(group_settings(session));
    all.extend(listener_settings(session));
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

fn log_settings(session: &Session) -> Vec<DescribedConfig> {
    let values = |options: &factum_broker::Options, auto_creates: bool| {
        [
            ("auto.create.topics.enable", Boolean, auto_creates.to_string()),
            ("log.dirs", Text, options.data_dir.display().to_string()),
            ("log.retention.bytes", Long, unlimited(options.retention_bytes.map(|size| size.as_u64()))),
            ("log.retention.ms", Long, unlimited(options.retention.map(millis))),
            ("log.segment.bytes", Int, options.segment_bytes.as_u64().to_string()),
            ("message.max.bytes", Int, options.max_message_bytes.as_u64().to_string()),
            ("num.partitions", Int, options.default_partitions.to_string()),
        ]
    };
    let broker = session.broker();
    compare(
        values(broker.options(), broker.auto_creates_topics()),
        values(&factum_broker::Options::default(), false),
    )
}

fn group_settings(session: &Session) -> Vec<DescribedConfig> {
    let values = |options: &factum_broker::coordinator::Options| {
        [
            ("group.consumer.heartbeat.interval.ms", Int, millis(options.heartbeat_interval).to_string()),
            ("group.consumer.session.timeout.ms", Int, millis(options.session_timeout).to_string()),
            ("group.initial.rebalance.delay.ms", Int, millis(options.initial_rebalance_delay).to_string()),
            ("group.max.session.timeout.ms", Int, millis(options.max_session_timeout).to_string()),
            ("group.max.size", Int, options.max_members.to_string()),
            ("group.min.session.timeout.ms", Int, millis(options.min_session_timeout).to_string()),
            ("offset.metadata.max.bytes", Int, options.offset_metadata_max_bytes.to_string()),
            ("offsets.retention.minutes", Int, (options.offsets_retention.as_secs() / 60).to_string()),
        ]
    };
    let defaults = factum_broker::coordinator::Options::default();
    compare(values(&session.broker().options().groups), values(&defaults))
}

/// What members of a group of the consumer protocol are told (KIP-848).
pub(in crate::handlers) fn describe_group(session: &Session) -> Vec<DescribedConfig> {
    let values = |options: &factum_broker::coordinator::Options| {
        [
            ("consumer.heartbeat.interval.ms", Int, millis(options.heartbeat_interval).to_string()),
            ("consumer.session.timeout.ms", Int, millis(options.session_timeout).to_string()),
        ]
    };
    let defaults = factum_broker::coordinator::Options::default();
    compare(values(&session.broker().options().groups), values(&defaults))
}

fn listener_settings(session: &Session) -> Vec<DescribedConfig> {
    let values = |options: &crate::Options, advertised: String| {
        [
            ("advertised.listeners", Text, format!("PLAINTEXT://{advertised}")),
            ("connections.max.idle.ms", Long, millis(options.idle_timeout).to_string()),
            ("fetch.max.bytes", Int, options.max_fetch_bytes.as_u64().to_string()),
            ("listeners", Text, format!("PLAINTEXT://{}", options.listen)),
            ("max.connections", Int, options.max_connections.to_string()),
            ("socket.request.max.bytes", Int, options.max_frame_bytes.as_u64().to_string()),
        ]
    };
    let mut all = compare(
        values(&session.node.options, session.endpoint().to_string()),
        values(&crate::Options::default(), String::new()),
    );
    let node = session.broker().node_id().to_string();
    all.extend(
        ["broker.id", "node.id"].map(|name| shown(name, node.clone(), source_of(&node, &node), Int, true)),
    );
    all
}

/// Shows `values`, and which of them are not the default.
fn compare<const N: usize>(
    values: [(&str, ConfigType, String); N],
    defaults: [(&str, ConfigType, String); N],
) -> Vec<DescribedConfig> {
    let pairs = values.into_iter().zip(defaults);
    let shown = pairs.map(|((name, kind, value), (_, _, default))| {
        let source = source_of(&value, &default);
        shown(name, value, source, kind, true)
    });
    shown.collect()
}

fn unlimited(value: Option<u64>) -> String {
    value.map_or_else(|| UNLIMITED.to_owned(), |value| value.to_string())
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
