//! DescribeConfigs: the configuration in force, and where each value comes from.

use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// The resource type of topics.
pub const TOPIC: i8 = 2;
/// The resource type of nodes.
pub const BROKER: i8 = 4;
/// The resource type of a node's log levels.
pub const BROKER_LOGGER: i8 = 8;
/// The resource type of subscriptions to clients' metrics (KIP-714).
pub const CLIENT_METRICS: i8 = 16;
/// The resource type of groups (KIP-848).
pub const GROUP: i8 = 32;

/// Where a configuration value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i8)]
pub enum ConfigSource {
    /// Set on the topic.
    DynamicTopicConfig = 1,
    /// Set on one node while it runs.
    DynamicBrokerConfig = 2,
    /// Set on all nodes while they run.
    DynamicDefaultBrokerConfig = 3,
    /// Set when the node started.
    StaticBrokerConfig = 4,
    /// Set nowhere.
    DefaultConfig = 5,
    /// The level of a logger.
    DynamicBrokerLoggerConfig = 6,
}

/// The type of a configuration value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i8)]
pub enum ConfigType {
    /// `true` or `false`.
    Boolean = 1,
    /// Text.
    String = 2,
    /// A number of 32 bits.
    Int = 3,
    /// A number of 16 bits.
    Short = 4,
    /// A number of 64 bits.
    Long = 5,
    /// A fraction.
    Double = 6,
    /// Texts between commas.
    List = 7,
    /// The name of a class.
    Class = 8,
    /// A secret.
    Password = 9,
}

/// Asks for configurations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribeConfigsRequest {
    /// Whose.
    pub resources: Vec<ConfigResource>,
    /// Whether to list the less specific sources of each value.
    pub include_synonyms: bool,
    /// Whether to explain each key, from version 3.
    pub include_documentation: bool,
}

/// Whose configuration is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigResource {
    /// [`TOPIC`], [`BROKER`], [`BROKER_LOGGER`], [`CLIENT_METRICS`] or [`GROUP`].
    pub resource_type: i8,
    /// The topic's name, or the node's id in decimal.
    pub resource_name: String,
    /// The keys wanted; `None` for all.
    pub configuration_keys: Option<Vec<String>>,
}

/// Gives configurations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribeConfigsResponse {
    /// Milliseconds that the client should wait.
    pub throttle_time_ms: i32,
    /// One for each resource.
    pub results: Vec<ResourceConfigs>,
}

/// One resource's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceConfigs {
    /// Why there is none.
    pub error_code: ErrorCode,
    /// Why there is none, in words.
    pub error_message: Option<String>,
    /// The resource's type, as asked.
    pub resource_type: i8,
    /// The resource's name, as asked.
    pub resource_name: String,
    /// The entries.
    pub configs: Vec<DescribedConfig>,
}

/// One configuration key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedConfig {
    /// The key.
    pub name: String,
    /// The value; null if it is a secret or not set.
    pub value: Option<String>,
    /// Whether it cannot be changed.
    pub read_only: bool,
    /// Where the value comes from.
    pub source: ConfigSource,
    /// Whether the value is a secret.
    pub is_sensitive: bool,
    /// The value in force and those that it overrides.
    pub synonyms: Vec<ConfigSynonym>,
    /// The value's type, from version 3.
    pub config_type: ConfigType,
    /// What the key means, from version 3.
    pub documentation: Option<String>,
}

/// A value of a key at one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigSynonym {
    /// The key under which that source knows it.
    pub name: String,
    /// The value there.
    pub value: Option<String>,
    /// The source.
    pub source: ConfigSource,
}

impl Request for DescribeConfigsRequest {
    const API: ApiKey = ApiKey::DescribeConfigs;

    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, wire::Error> {
        let request = Self {
            resources: r.array("resources", ConfigResource::decode)?,
            include_synonyms: r.bool("include_synonyms")?,
            include_documentation: version >= 3 && r.bool("include_documentation")?,
        };
        r.skip_tagged_fields()?;
        Ok(request)
    }
}

impl ConfigResource {
    fn decode(r: &mut Reader<'_>) -> Result<Self, wire::Error> {
        let resource = Self {
            resource_type: r.i8("resource_type")?,
            resource_name: r.string("resource_name")?,
            configuration_keys: r.nullable_array("configuration_keys", |r| r.string("configuration_keys"))?,
        };
        r.skip_tagged_fields()?;
        Ok(resource)
    }
}

impl Response for DescribeConfigsResponse {
    const API: ApiKey = ApiKey::DescribeConfigs;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        Some(&mut self.throttle_time_ms)
    }

    fn encode(&self, w: &mut Writer, version: i16) {
        w.i32(self.throttle_time_ms);
        w.array(&self.results, |w, result| {
            w.error_code(result.error_code);
            w.nullable_string(result.error_message.as_deref());
            w.i8(result.resource_type);
            w.string(&result.resource_name);
            w.array(&result.configs, |w, config| config.encode(w, version));
            w.no_tagged_fields();
        });
        w.no_tagged_fields();
    }
}

impl DescribedConfig {
    fn encode(&self, w: &mut Writer, version: i16) {
        w.string(&self.name);
        w.nullable_string(self.value.as_deref());
        w.bool(self.read_only);
        w.i8(self.source as i8);
        w.bool(self.is_sensitive);
        w.array(&self.synonyms, |w, synonym| {
            w.string(&synonym.name);
            w.nullable_string(synonym.value.as_deref());
            w.i8(synonym.source as i8);
            w.no_tagged_fields();
        });
        if version >= 3 {
            w.i8(self.config_type as i8);
            w.nullable_string(self.documentation.as_deref());
        }
        w.no_tagged_fields();
    }
}
