//! DescribeQuorum: who keeps the cluster's metadata (KIP-595, KIP-836, KIP-853).

use factum_types::{LeaderEpoch, PartitionId, TopicId};

use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// Asks for the quorums of partitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribeQuorumRequest {
    /// The topics.
    pub topics: Vec<QuorumTopic>,
}

/// Partitions of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuorumTopic {
    /// Its name.
    pub topic_name: String,
    /// Its partitions.
    pub partitions: Vec<PartitionId>,
}

/// Describes quorums.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribeQuorumResponse {
    /// Why nothing is described.
    pub error_code: ErrorCode,
    /// The same in words, from version 2.
    pub error_message: Option<String>,
    /// The topics.
    pub topics: Vec<DescribedQuorumTopic>,
    /// Where the nodes are, from version 2.
    pub nodes: Vec<QuorumNode>,
}

/// A topic with its quorums.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedQuorumTopic {
    /// Its name.
    pub topic_name: String,
    /// Its partitions.
    pub partitions: Vec<DescribedQuorum>,
}

/// The quorum of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedQuorum {
    /// The partition's number.
    pub partition_index: PartitionId,
    /// Why it is not described.
    pub error_code: ErrorCode,
    /// The same in words, from version 2.
    pub error_message: Option<String>,
    /// The leader; -1 for none.
    pub leader_id: i32,
    /// The leader's epoch.
    pub leader_epoch: LeaderEpoch,
    /// Behind the last record that is committed.
    pub high_watermark: i64,
    /// The nodes that decide.
    pub current_voters: Vec<ReplicaState>,
}

/// How far a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaState {
    /// The node.
    pub replica_id: i32,
    /// Its folder, from version 2.
    pub replica_directory_id: TopicId,
    /// Behind its last record.
    pub log_end_offset: i64,
    /// When it last fetched from the leader, from version 1; -1 of the leader itself.
    pub last_fetch_timestamp: i64,
    /// When it was last as far as the leader, from version 1.
    pub last_caught_up_timestamp: i64,
}

/// Where a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuorumNode {
    /// The node.
    pub node_id: i32,
    /// The name of its listener.
    pub listener: String,
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: u16,
}

impl Request for DescribeQuorumRequest {
    const API: ApiKey = ApiKey::DescribeQuorum;

    fn decode(r: &mut Reader<'_>, _: i16) -> Result<Self, wire::Error> {
        let request = Self { topics: r.array("topics", QuorumTopic::decode)? };
        r.skip_tagged_fields()?;
        Ok(request)
    }
}

impl QuorumTopic {
    fn decode(r: &mut Reader<'_>) -> Result<Self, wire::Error> {
        let partition = |r: &mut Reader<'_>| {
            let partition = r.i32("partition_index")?;
            r.skip_tagged_fields()?;
            Ok(partition)
        };
        let topic =
            Self { topic_name: r.string("topic_name")?, partitions: r.array("partitions", partition)? };
        r.skip_tagged_fields()?;
        Ok(topic)
    }
}

impl Response for DescribeQuorumResponse {
    const API: ApiKey = ApiKey::DescribeQuorum;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        None
    }

    fn encode(&self, w: &mut Writer, version: i16) {
        w.error_code(self.error_code);
        if version >= 2 {
            w.nullable_string(self.error_message.as_deref());
        }
        w.array(&self.topics, |w, topic| {
            w.string(&topic.topic_name);
            w.array(&topic.partitions, |w, quorum| quorum.encode(w, version));
            w.no_tagged_fields();
        });
        if version >= 2 {
            w.array(&self.nodes, QuorumNode::encode);
        }
        w.no_tagged_fields();
    }
}

impl DescribedQuorum {
    fn encode(&self, w: &mut Writer, version: i16) {
        w.i32(self.partition_index);
        w.error_code(self.error_code);
        if version >= 2 {
            w.nullable_string(self.error_message.as_deref());
        }
        w.i32(self.leader_id);
        w.i32(self.leader_epoch);
        w.i64(self.high_watermark);
        w.array(&self.current_voters, |w, voter| voter.encode(w, version));
        // Nodes that follow and do not decide.
        w.array::<()>(&[], |_, ()| {});
        w.no_tagged_fields();
    }
}

impl ReplicaState {
    fn encode(&self, w: &mut Writer, version: i16) {
        w.i32(self.replica_id);
        if version >= 2 {
            w.topic_id(self.replica_directory_id);
        }
        w.i64(self.log_end_offset);
        if version >= 1 {
            w.i64(self.last_fetch_timestamp);
            w.i64(self.last_caught_up_timestamp);
        }
        w.no_tagged_fields();
    }
}

impl QuorumNode {
    fn encode(w: &mut Writer, node: &Self) {
        w.i32(node.node_id);
        w.array(std::slice::from_ref(node), |w, node| {
            w.string(&node.listener);
            w.string(&node.host);
            // Unsigned on the wire.
            w.i16(i16::from_ne_bytes(node.port.to_ne_bytes()));
            w.no_tagged_fields();
        });
        w.no_tagged_fields();
    }
}
