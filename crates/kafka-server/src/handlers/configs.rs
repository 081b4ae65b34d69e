//! Settings under Kafka's names: read from CreateTopics, AlterConfigs and IncrementalAlterConfigs, shown by
//! DescribeConfigs.
//!
//! What has an effect here can be chosen; what has none is taken and shown; what would promise something that one
//! node cannot keep is refused with the reason.

mod broker;
mod logger;
mod topic;

pub(super) use broker::{describe as describe_broker, describe_group};
pub(super) use logger::describe as describe_log_level;
pub(super) use topic::{change, change_list, describe as describe_topic, is_list, or_declared, parse};

use crate::messages::describe_configs::{ConfigSource, ConfigSynonym, ConfigType, DescribedConfig};

/// What a subscription to clients' metrics has where it says nothing else (KIP-714).
const CLIENT_METRICS: &[FixedConfig] = &[
    fixed("interval.ms", "300000", ConfigType::Int),
    fixed("match", "", ConfigType::List),
    fixed("metrics", "", ConfigType::List),
];

/// The settings of a subscription to clients' metrics.
pub(super) fn describe_client_metrics() -> Vec<DescribedConfig> {
    CLIENT_METRICS.iter().map(FixedConfig::describe).collect()
}

/// Kafka's "without limit", for times and sizes.
const UNLIMITED: &str = "-1";

/// A setting with one value, which cannot be chosen.
struct FixedConfig {
    name: &'static str,
    value: &'static str,
    kind: ConfigType,
}

const fn fixed(name: &'static str, value: &'static str, kind: ConfigType) -> FixedConfig {
    FixedConfig { name, value, kind }
}

impl FixedConfig {
    fn describe(&self) -> DescribedConfig {
        shown(self.name, self.value.to_owned(), ConfigSource::DefaultConfig, self.kind, true)
    }
}

/// A setting with itself as its only synonym.
fn shown(
    name: &str,
    value: String,
    source: ConfigSource,
    config_type: ConfigType,
    read_only: bool,
) -> DescribedConfig {
    let synonym = ConfigSynonym { name: name.to_owned(), value: Some(value.clone()), source };
    DescribedConfig {
        name: name.to_owned(),
        value: Some(value),
        read_only,
        source,
        is_sensitive: false,
        synonyms: vec![synonym],
        config_type,
        documentation: None,
    }
}

/// Where a broker's setting comes from: its default, or the configuration of the server.
fn source_of<T: PartialEq>(value: &T, default: &T) -> ConfigSource {
    if value == default { ConfigSource::DefaultConfig } else { ConfigSource::StaticBrokerConfig }
}
