//! Metadata: which nodes there are, and which topics with which partitions.

use factum_types::{LeaderEpoch, PartitionId, TopicId};

use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// Authorized operations that were not asked for.
pub const OPERATIONS_NOT_ASKED: i32 = i32::MIN;

/// Asks for nodes and topics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetadataRequest {
    /// The topics wanted; `None` for all (in version 0 an empty list says that).
    pub topics: Option<Vec<RequestedTopic>>,
    /// Whether a missing topic may be created; true before version 4.
    pub allow_auto_topic_creation: bool,
    /// Whether to tell what the client may do with the cluster, versions 8 to 10.
    pub include_cluster_authorized_operations: bool,
    /// Whether to tell what the client may do with each topic, from version 8.
    pub include_topic_authorized_operations: bool,
}

/// One topic wanted, by name or by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestedTopic {
    /// The id, from version 10; nil to ask by name.
    pub topic_id: TopicId,
    /// The name; null from version 10 to ask by id.
    pub name: Option<String>,
}

/// Describes nodes and topics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetadataResponse {
    /// Milliseconds that the client should wait, from version 3.
    pub throttle_time_ms: i32,
    /// The nodes.
    pub brokers: Vec<Broker>,
    /// The cluster's id, from version 2.
    pub cluster_id: Option<String>,
    /// The controller's node id, from version 1.
    pub controller_id: i32,
    /// The topics asked for.
    pub topics: Vec<Topic>,
    /// What the client may do with the cluster as ACL bits, versions 8 to 10.
    pub cluster_authorized_operations: i32,
    /// An error of the whole answer, version 13.
    pub error_code: ErrorCode,
}

/// One node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broker {
    /// The node's id.
    pub node_id: i32,
    /// Where clients reach it.
    pub host: String,
    /// Where clients reach it.
    pub port: i32,
    /// Its rack, from version 1.
    pub rack: Option<String>,
}

/// One topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// Why the rest is empty.
    pub error_code: ErrorCode,
    /// The name; may be null from version 12, is empty instead before.
    pub name: Option<String>,
    /// The id, from version 10.
    pub topic_id: TopicId,
    /// Whether the broker keeps its own records there, from version 1.
    pub is_internal: bool,
    /// The partitions.
    pub partitions: Vec<Partition>,
    /// What the client may do with it as ACL bits, from version 8.
    pub topic_authorized_operations: i32,
}

/// One partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// Why the rest is not valid.
    pub error_code: ErrorCode,
    /// The partition's number.
    pub partition_index: PartitionId,
    /// The node that leads it; -1 for none.
    pub leader_id: i32,
    /// The leader's epoch, from version 7.
    pub leader_epoch: LeaderEpoch,
    /// The nodes that hold it.
    pub replica_nodes: Vec<i32>,
    /// The nodes in sync with the leader.
    pub isr_nodes: Vec<i32>,
    /// The nodes that hold it and are down, from version 5.
    pub offline_replicas: Vec<i32>,
}

impl Request for MetadataRequest {
    const API: ApiKey = ApiKey::Metadata;

    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, wire::Error> {
        let topic = |r: &mut Reader<'_>| RequestedTopic::decode(r, version);
        let topics = match version {
            0 => Some(r.array("topics", topic)?).filter(|topics| !topics.is_empty()),
            _ => r.nullable_array("topics", topic)?,
        };
        let request = Self {
            topics,
            allow_auto_topic_creation: version < 4 || r.bool("allow_auto_topic_creation")?,
            include_cluster_authorized_operations: (8..=10).contains(&version)
                && r.bool("include_cluster_authorized_operations")?,
            include_topic_authorized_operations: version >= 8
                && r.bool("include_topic_authorized_operations")?,
        };
        r.skip_tagged_fields()?;
        Ok(request)
    }
}

impl RequestedTopic {
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, wire::Error> {
        let topic = Self {
            topic_id: if version >= 10 { r.topic_id("topic_id")? } else { TopicId::NIL },
            name: if version >= 10 { r.nullable_string("name")? } else { Some(r.string("name")?) },
        };
        r.skip_tagged_fields()?;
        Ok(topic)
    }
}

impl Response for MetadataResponse {
    const API: ApiKey = ApiKey::Metadata;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        Some(&mut self.throttle_time_ms)
    }

    fn encode(&self, w: &mut Writer, version: i16) {
        if version >= 3 {
            w.i32(self.throttle_time_ms);
        }
        w.array(&self.brokers, |w, broker| broker.encode(w, version));
        if version >= 2 {
            w.nullable_string(self.cluster_id.as_deref());
        }
        if version >= 1 {
            w.i32(self.controller_id);
        }
        w.array(&self.topics, |w, topic| topic.encode(w, version));
        if (8..=10).contains(&version) {
            w.i32(self.cluster_authorized_operations);
        }
        if version >= 13 {
            w.error_code(self.error_code);
        }
        w.no_tagged_fields();
    }
}

impl Broker {
    fn encode(&self, w: &mut Writer, version: i16) {
        w.i32(self.node_id);
        w.string(&self.host);
        w.i32(self.port);
        if version >= 1 {
            w.nullable_string(self.rack.as_deref());
        }
        w.no_tagged_fields();
    }
}

impl Topic {
    fn encode(&self, w: &mut Writer, version: i16) {
        w.error_code(self.error_code);
        if version >= 12 {
            w.nullable_string(self.name.as_deref());
        } else {
            w.string(self.name.as_deref().unwrap_or_default());
        }
        if version >= 10 {
            w.topic_id(self.topic_id);
        }
        if version >= 1 {
            w.bool(self.is_internal);
        }
        w.array(&self.partitions, |w, partition| partition.encode(w, version));
        if version >= 8 {
            w.i32(self.topic_authorized_operations);
        }
        w.no_tagged_fields();
    }
}

impl Partition {
    fn encode(&self, w: &mut Writer, version: i16) {
        w.error_code(self.error_code);
        w.i32(self.partition_index);
        w.i32(self.leader_id);
        if version >= 7 {
            w.i32(self.leader_epoch);
        }
        w.i32_array(&self.replica_nodes);
        w.i32_array(&self.isr_nodes);
        if version >= 5 {
            w.i32_array(&self.offline_replicas);
        }
        w.no_tagged_fields();
    }
}
