//! DescribeTopicPartitions: topics with their partitions, a page at a time (KIP-966).

use factum_types::{LeaderEpoch, PartitionId, TopicId};

use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// Asks for topics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribeTopicPartitionsRequest {
    /// Their names; none for all.
    pub topics: Vec<String>,
    /// The most partitions in one answer.
    pub response_partition_limit: i32,
    /// Where to go on; `None` for the beginning.
    pub cursor: Option<Cursor>,
}

/// A place in the list of all partitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The first topic to describe.
    pub topic_name: String,
    /// The first partition of that topic.
    pub partition_index: PartitionId,
}

/// Describes topics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribeTopicPartitionsResponse {
    /// Milliseconds that the client should wait.
    pub throttle_time_ms: i32,
    /// The topics, by name.
    pub topics: Vec<DescribedTopic>,
    /// Where the next answer begins; `None` if this was the last.
    pub next_cursor: Option<Cursor>,
}

/// A topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedTopic {
    /// Why it is not described.
    pub error_code: ErrorCode,
    /// Its name.
    pub name: String,
    /// Its id.
    pub topic_id: TopicId,
    /// Whether the server keeps its own records in it.
    pub is_internal: bool,
    /// Those of its partitions that are in this answer.
    pub partitions: Vec<DescribedPartition>,
    /// What the client may do with it, as bits of Kafka's ACL operations.
    pub topic_authorized_operations: i32,
}

/// A partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedPartition {
    /// Its number.
    pub partition_index: PartitionId,
    /// The node that leads it, and is its one replica.
    pub leader_id: i32,
    /// The leader's epoch.
    pub leader_epoch: LeaderEpoch,
}

impl Request for DescribeTopicPartitionsRequest {
    const API: ApiKey = ApiKey::DescribeTopicPartitions;

    fn decode(r: &mut Reader<'_>, _: i16) -> Result<Self, wire::Error> {
        let topic = |r: &mut Reader<'_>| {
            let name = r.string("name")?;
            r.skip_tagged_fields()?;
            Ok(name)
        };
        let request = Self {
            topics: r.array("topics", topic)?,
            response_partition_limit: r.i32("response_partition_limit")?,
            cursor: Cursor::decode(r)?,
        };
        r.skip_tagged_fields()?;
        Ok(request)
    }
}

impl Cursor {
    /// A negative byte stands for none.
    fn decode(r: &mut Reader<'_>) -> Result<Option<Self>, wire::Error> {
        if r.i8("cursor")? < 0 {
            return Ok(None);
        }
        let cursor = Self { topic_name: r.string("topic_name")?, partition_index: r.i32("partition_index")? };
        r.skip_tagged_fields()?;
        Ok(Some(cursor))
    }

    fn encode(cursor: Option<&Self>, w: &mut Writer) {
        let Some(cursor) = cursor else { return w.i8(-1) };
        w.i8(1);
        w.string(&cursor.topic_name);
        w.i32(cursor.partition_index);
        w.no_tagged_fields();
    }
}

impl Response for DescribeTopicPartitionsResponse {
    const API: ApiKey = ApiKey::DescribeTopicPartitions;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        Some(&mut self.throttle_time_ms)
    }

    fn encode(&self, w: &mut Writer, _: i16) {
        w.i32(self.throttle_time_ms);
        w.array(&self.topics, DescribedTopic::encode);
        Cursor::encode(self.next_cursor.as_ref(), w);
        w.no_tagged_fields();
    }
}

impl DescribedTopic {
    fn encode(w: &mut Writer, topic: &Self) {
        w.error_code(topic.error_code);
        w.nullable_string(Some(&topic.name));
        w.topic_id(topic.topic_id);
        w.bool(topic.is_internal);
        w.array(&topic.partitions, DescribedPartition::encode);
        w.i32(topic.topic_authorized_operations);
        w.no_tagged_fields();
    }
}

impl DescribedPartition {
    fn encode(w: &mut Writer, partition: &Self) {
        w.error_code(ErrorCode::None);
        w.i32(partition.partition_index);
        w.i32(partition.leader_id);
        w.i32(partition.leader_epoch);
        let replicas = [partition.leader_id];
        // Replicas, those in sync, those that may lead besides, the last of those, and those that are offline.
        for nodes in [&replicas[..], &replicas, &[], &[], &[]] {
            w.i32_array(nodes);
        }
        w.no_tagged_fields();
    }
}
