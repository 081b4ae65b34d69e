//! Fetch: record batches on their way out. The hot path.
//!
//! Invariants: the chunks in a response are shared with the log, not copied; see [`Writer::records`].
//!
//! Followers fetch by the same API; their fields (replica epoch, directory id, high watermark) are skipped.

use bytes::Bytes;
use factum_types::{LeaderEpoch, PartitionId, ProducerId, TopicId};

use super::produce::{CurrentLeader, NodeEndpoint};
use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// Asks for records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchRequest {
    /// The cluster that the client means to ask, from version 12.
    pub cluster_id: Option<String>,
    /// -1 for a consumer; a follower's node id otherwise.
    pub replica_id: i32,
    /// Milliseconds to wait for `min_bytes`.
    pub max_wait_ms: i32,
    /// Bytes worth answering for.
    pub min_bytes: i32,
    /// Bytes not to exceed, but for one batch that is larger (KIP-74).
    pub max_bytes: i32,
    /// 0: everything; 1: only what no open transaction can take back.
    pub isolation_level: i8,
    /// The fetch session, from version 7 (KIP-227); 0 for none.
    pub session_id: i32,
    /// The request's number in its session, from version 7; -1 for none.
    pub session_epoch: i32,
    /// Partitions by topic.
    pub topics: Vec<FetchTopic>,
    /// Partitions that leave the session, from version 7.
    pub forgotten_topics: Vec<ForgottenTopic>,
    /// The consumer's rack, from version 11.
    pub rack_id: String,
}

/// The partitions of one topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchTopic {
    /// The topic's name; empty from version 13.
    pub name: String,
    /// The topic's id, from version 13; nil before.
    pub topic_id: TopicId,
    /// The partitions.
    pub partitions: Vec<FetchPartition>,
}

/// Where to read one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchPartition {
    /// The partition's number.
    pub partition: PartitionId,
    /// The leader's epoch that the client knows, from version 9; -1 for none.
    pub current_leader_epoch: LeaderEpoch,
    /// The first offset wanted.
    pub fetch_offset: i64,
    /// The epoch of the last record that the client has, from version 12; -1 for none.
    pub last_fetched_epoch: LeaderEpoch,
    /// A follower's log start, from version 5; -1 from a consumer.
    pub log_start_offset: i64,
    /// Bytes not to exceed in this partition, but for one batch that is larger.
    pub partition_max_bytes: i32,
}

/// Partitions that leave a fetch session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForgottenTopic {
    /// The topic's name; empty from version 13.
    pub name: String,
    /// The topic's id, from version 13; nil before.
    pub topic_id: TopicId,
    /// The partitions.
    pub partitions: Vec<PartitionId>,
}

/// Brings records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchResponse {
    /// Milliseconds that the client should wait.
    pub throttle_time_ms: i32,
    /// An error of the whole answer, from version 7.
    pub error_code: ErrorCode,
    /// The fetch session, from version 7; 0 for none.
    pub session_id: i32,
    /// Records by topic.
    pub topics: Vec<FetchedTopic>,
    /// Where the leaders named in the partitions are, from version 16.
    pub node_endpoints: Vec<NodeEndpoint>,
}

/// The records of one topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedTopic {
    /// The topic's name, before version 13.
    pub name: String,
    /// The topic's id, from version 13.
    pub topic_id: TopicId,
    /// Records by partition.
    pub partitions: Vec<FetchedPartition>,
}

/// The records of one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedPartition {
    /// The partition's number.
    pub partition_index: PartitionId,
    /// Why there are no records.
    pub error_code: ErrorCode,
    /// The offset behind the last durable record; -1 after an error.
    pub high_watermark: i64,
    /// The offset behind which transactions are open; -1 after an error.
    pub last_stable_offset: i64,
    /// The partition's first offset, from version 5; -1 after an error.
    pub log_start_offset: i64,
    /// Where the client's log parts from this one, from version 12 (KIP-595).
    pub diverging_epoch: Option<EpochEndOffset>,
    /// Who leads the partition instead, from version 12.
    pub current_leader: Option<CurrentLeader>,
    /// Aborted transactions in the range, for `isolation_level` 1; null for 0.
    pub aborted_transactions: Option<Vec<AbortedTransaction>>,
    /// The node to fetch from instead, from version 11; -1 for this one.
    pub preferred_read_replica: i32,
    /// Whole record batches, end to end.
    pub records: Vec<Bytes>,
}

/// The end of an epoch in this log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochEndOffset {
    /// The largest epoch not above the client's.
    pub epoch: LeaderEpoch,
    /// The offset behind its last record.
    pub end_offset: i64,
}

/// A transaction that was aborted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AbortedTransaction {
    /// Its producer.
    pub producer_id: ProducerId,
    /// Its first record in the partition.
    pub first_offset: i64,
}

impl Request for FetchRequest {
    const API: ApiKey = ApiKey::Fetch;

    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, wire::Error> {
        let mut request = Self {
            cluster_id: None,
            replica_id: if version < 15 { r.i32("replica_id")? } else { -1 },
            max_wait_ms: r.i32("max_wait_ms")?,
            min_bytes: r.i32("min_bytes")?,
            max_bytes: r.i32("max_bytes")?,
            isolation_level: r.i8("isolation_level")?,
            session_id: if version >= 7 { r.i32("session_id")? } else { 0 },
            session_epoch: if version >= 7 { r.i32("session_epoch")? } else { -1 },
            topics: r.array("topics", |r| FetchTopic::decode(r, version))?,
            forgotten_topics: match version {
                ..7 => Vec::new(),
                _ => r.array("forgotten_topics_data", |r| ForgottenTopic::decode(r, version))?,
            },
            rack_id: if version >= 11 { r.string("rack_id")? } else { String::new() },
        };
        r.tagged_fields(|tag, r| {
            match tag {
                0 => request.cluster_id = r.nullable_string("cluster_id")?,
                1 if version >= 15 => request.replica_id = r.i32("replica_state.replica_id")?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(request)
    }
}

impl FetchTopic {
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, wire::Error> {
        let topic = Self {
            name: if version < 13 { r.string("topic")? } else { String::new() },
            topic_id: if version >= 13 { r.topic_id("topic_id")? } else { TopicId::NIL },
            partitions: r.array("partitions", |r| FetchPartition::decode(r, version))?,
        };
        r.skip_tagged_fields()?;
        Ok(topic)
    }
}

impl FetchPartition {
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, wire::Error> {
        let partition = Self {
            partition: r.i32("partition")?,
            current_leader_epoch: if version >= 9 { r.i32("current_leader_epoch")? } else { -1 },
            fetch_offset: r.i64("fetch_offset")?,
            last_fetched_epoch: if version >= 12 { r.i32("last_fetched_epoch")? } else { -1 },
            log_start_offset: if version >= 5 { r.i64("log_start_offset")? } else { -1 },
            partition_max_bytes: r.i32("partition_max_bytes")?,
        };
        r.skip_tagged_fields()?;
        Ok(partition)
    }
}

impl ForgottenTopic {
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, wire::Error> {
        let topic = Self {
            name: if version < 13 { r.string("forgotten topic")? } else { String::new() },
            topic_id: if version >= 13 { r.topic_id("forgotten topic_id")? } else { TopicId::NIL },
            partitions: r.i32_array("forgotten partitions")?,
        };
        r.skip_tagged_fields()?;
        Ok(topic)
    }
}

impl Response for FetchResponse {
    const API: ApiKey = ApiKey::Fetch;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        Some(&mut self.throttle_time_ms)
    }

    fn encode(&self, w: &mut Writer, version: i16) {
        w.i32(self.throttle_time_ms);
        if version >= 7 {
            w.error_code(self.error_code);
            w.i32(self.session_id);
        }
        w.array(&self.topics, |w, topic| {
            if version < 13 {
                w.string(&topic.name);
            } else {
                w.topic_id(topic.topic_id);
            }
            w.array(&topic.partitions, |w, partition| partition.encode(w, version));
            w.no_tagged_fields();
        });
        w.tagged_fields(|fields| {
            if version >= 16 && !self.node_endpoints.is_empty() {
                fields.put(0, |w| w.array(&self.node_endpoints, NodeEndpoint::encode));
            }
        });
    }
}

impl FetchedPartition {
    fn encode(&self, w: &mut Writer, version: i16) {
        w.i32(self.partition_index);
        w.error_code(self.error_code);
        w.i64(self.high_watermark);
        w.i64(self.last_stable_offset);
        if version >= 5 {
            w.i64(self.log_start_offset);
        }
        w.nullable_array(self.aborted_transactions.as_deref(), |w, transaction| {
            w.i64(transaction.producer_id);
            w.i64(transaction.first_offset);
            w.no_tagged_fields();
        });
        if version >= 11 {
            w.i32(self.preferred_read_replica);
        }
        w.records(&self.records);
        w.tagged_fields(|fields| {
            if let Some(diverging) = self.diverging_epoch {
                fields.put(0, |w| diverging.encode(w));
            }
            if let Some(leader) = self.current_leader {
                fields.put(1, |w| leader.encode(w));
            }
        });
    }
}

impl EpochEndOffset {
    fn encode(self, w: &mut Writer) {
        w.i32(self.epoch);
        w.i64(self.end_offset);
        w.no_tagged_fields();
    }
}
