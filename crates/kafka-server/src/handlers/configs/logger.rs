//! The level of the server's log, under Kafka's name for the logger of all loggers.

use tracing::level_filters::LevelFilter;

use super::shown;
use crate::messages::describe_configs::{ConfigSource, ConfigType, DescribedConfig};

/// The one logger, with the most that it writes now.
pub(in crate::handlers) fn describe() -> DescribedConfig {
    let level = LevelFilter::current().to_string().to_uppercase();
    shown("root", level, ConfigSource::DynamicBrokerLoggerConfig, ConfigType::String, true)
}
