//! CreateTopics.

use factum_types::{PartitionId, TopicId};

use super::describe_configs::ConfigSource;
use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// Asks for topics to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateTopicsRequest {
    /// The topics.
    pub topics: Vec<CreatableTopic>,
    /// Milliseconds that the client will wait.
    pub timeout_ms: i32,
    /// Whether to check only, and create nothing.
    pub validate_only: bool,
}

/// A topic to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatableTopic {
    /// Its name.
    pub name: String,
    /// Its number of partitions; -1 for the default, or if `assignments` says it.
    pub num_partitions: i32,
    /// Its number of replicas; -1 for the default, or if `assignments` says it.
    pub replication_factor: i16,
    /// Which nodes hold which partition; empty for the broker's choice.
    pub assignments: Vec<ReplicaAssignment>,
    /// Its configuration, where it differs from the defaults.
    pub configs: Vec<ConfigEntry>,
}

/// The nodes that are to hold a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaAssignment {
    /// The partition's number.
    pub partition_index: PartitionId,
    /// The nodes.
    pub broker_ids: Vec<i32>,
}

/// A configuration key with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigEntry {
    /// The key, such as `retention.ms`.
    pub name: String,
    /// The value.
    pub value: Option<String>,
}

/// Says which topics were created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateTopicsResponse {
    /// Milliseconds that the client should wait.
    pub throttle_time_ms: i32,
    /// One for each topic, in their order.
    pub topics: Vec<CreatedTopic>,
}

/// What became of one topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedTopic {
    /// Its name.
    pub name: String,
    /// Its id, version 7.
    pub topic_id: TopicId,
    /// Why it was not created.
    pub error_code: ErrorCode,
    /// Why it was not created, in words.
    pub error_message: Option<String>,
    /// Why `configs` is null, from version 5.
    pub topic_config_error_code: ErrorCode,
    /// Its number of partitions, from version 5; -1 for unknown.
    pub num_partitions: i32,
    /// Its number of replicas, from version 5; -1 for unknown.
    pub replication_factor: i16,
    /// Its whole configuration, from version 5.
    pub configs: Option<Vec<CreatedConfig>>,
}

/// A configuration key of a created topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedConfig {
    /// The key.
    pub name: String,
    /// The value.
    pub value: Option<String>,
    /// Whether it cannot be changed.
    pub read_only: bool,
    /// Where the value comes from.
    pub config_source: ConfigSource,
    /// Whether the value is a secret, and null for that reason.
    pub is_sensitive: bool,
}

impl Request for CreateTopicsRequest {
    const API: ApiKey = ApiKey::CreateTopics;

    fn decode(r: &mut Reader<'_>, _version: i16) -> Result<Self, wire::Error> {
        let request = Self {
            topics: r.array("topics", CreatableTopic::decode)?,
            timeout_ms: r.i32("timeout_ms")?,
            validate_only: r.bool("validate_only")?,
        };
        r.skip_tagged_fields()?;
        Ok(request)
    }
}

impl CreatableTopic {
    fn decode(r: &mut Reader<'_>) -> Result<Self, wire::Error> {
        let topic = Self {
            name: r.string("name")?,
            num_partitions: r.i32("num_partitions")?,
            replication_factor: r.i16("replication_factor")?,
            assignments: r.array("assignments", ReplicaAssignment::decode)?,
            configs: r.array("configs", ConfigEntry::decode)?,
        };
        r.skip_tagged_fields()?;
        Ok(topic)
    }
}

impl ReplicaAssignment {
    fn decode(r: &mut Reader<'_>) -> Result<Self, wire::Error> {
        let assignment =
            Self { partition_index: r.i32("partition_index")?, broker_ids: r.i32_array("broker_ids")? };
        r.skip_tagged_fields()?;
        Ok(assignment)
    }
}

impl ConfigEntry {
    pub(super) fn decode(r: &mut Reader<'_>) -> Result<Self, wire::Error> {
        let entry = Self { name: r.string("config name")?, value: r.nullable_string("config value")? };
        r.skip_tagged_fields()?;
        Ok(entry)
    }
}

impl Response for CreateTopicsResponse {
    const API: ApiKey = ApiKey::CreateTopics;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        Some(&mut self.throttle_time_ms)
    }

    fn encode(&self, w: &mut Writer, version: i16) {
        w.i32(self.throttle_time_ms);
        w.array(&self.topics, |w, topic| topic.encode(w, version));
        w.no_tagged_fields();
    }
}

impl CreatedTopic {
    fn encode(&self, w: &mut Writer, version: i16) {
        w.string(&self.name);
        if version >= 7 {
            w.topic_id(self.topic_id);
        }
        w.error_code(self.error_code);
        w.nullable_string(self.error_message.as_deref());
        if version >= 5 {
            w.i32(self.num_partitions);
            w.i16(self.replication_factor);
            w.nullable_array(self.configs.as_deref(), CreatedConfig::encode);
        }
        w.tagged_fields(|fields| {
            if !self.topic_config_error_code.is_none() {
                fields.put(0, |w| w.error_code(self.topic_config_error_code));
            }
        });
    }
}

impl CreatedConfig {
    fn encode(w: &mut Writer, config: &Self) {
        w.string(&config.name);
        w.nullable_string(config.value.as_deref());
        w.bool(config.read_only);
        w.i8(config.config_source as i8);
        w.bool(config.is_sensitive);
        w.no_tagged_fields();
    }
}
