//! Produce: record batches on their way into partitions. The hot path.
//!
//! Invariants: no record byte is copied. The frame is taken apart where it lies, and each partition's records
//! become a `BytesMut` that no one else can see, so that the log may write base offset and leader epoch into it.

use std::ops::Range;

use bytes::{Buf, BytesMut};
use factum_types::{LeaderEpoch, PartitionId, TopicId};

use super::{ApiKey, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// Brings record batches.
#[derive(Debug, PartialEq, Eq)]
pub struct ProduceRequest {
    /// The transactional producer, if it is one.
    pub transactional_id: Option<String>,
    /// 0: no response at all; 1: the leader has it; -1: every replica in sync has it.
    pub acks: i16,
    /// Milliseconds that the producer will wait.
    pub timeout_ms: i32,
    /// Records by topic.
    pub topics: Vec<TopicRecords>,
}

/// Records for one topic.
#[derive(Debug, PartialEq, Eq)]
pub struct TopicRecords {
    /// The topic's name; empty in version 13.
    pub name: String,
    /// The topic's id, version 13; nil before.
    pub topic_id: TopicId,
    /// Records by partition.
    pub partitions: Vec<PartitionRecords>,
}

/// Records for one partition.
#[derive(Debug, PartialEq, Eq)]
pub struct PartitionRecords {
    /// The partition's number.
    pub index: PartitionId,
    /// Record batches, end to end, as yet unchecked.
    pub records: Option<BytesMut>,
}

/// Says what became of the records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProduceResponse {
    /// Outcomes by topic.
    pub topics: Vec<TopicOutcome>,
    /// Milliseconds that the client should wait.
    pub throttle_time_ms: i32,
    /// Where the leaders named in the outcomes are, from version 10.
    pub node_endpoints: Vec<NodeEndpoint>,
}

/// What became of one topic's records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicOutcome {
    /// The topic's name, before version 13.
    pub name: String,
    /// The topic's id, version 13.
    pub topic_id: TopicId,
    /// Outcomes by partition.
    pub partitions: Vec<PartitionOutcome>,
}

/// What became of one partition's records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionOutcome {
    /// The partition's number.
    pub index: PartitionId,
    /// Why nothing was appended.
    pub error_code: ErrorCode,
    /// The first record's offset; -1 after an error.
    pub base_offset: i64,
    /// When the broker appended them, if it stamps records; -1 otherwise.
    pub log_append_time_ms: i64,
    /// The partition's first offset, from version 5.
    pub log_start_offset: i64,
    /// Which records are at fault, from version 8.
    pub record_errors: Vec<RecordError>,
    /// What is at fault, in words, from version 8.
    pub error_message: Option<String>,
    /// Who leads the partition instead, from version 10.
    pub current_leader: Option<CurrentLeader>,
}

/// A record that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordError {
    /// The record's place among those sent for the partition.
    pub batch_index: i32,
    /// Why, in words.
    pub message: Option<String>,
}

/// The leader of a partition, for a client that asked another node (KIP-951).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CurrentLeader {
    /// The leader's node id.
    pub leader_id: i32,
    /// The leader's epoch.
    pub leader_epoch: LeaderEpoch,
}

/// Where a node is reached (KIP-951).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeEndpoint {
    /// The node's id.
    pub node_id: i32,
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: i32,
    /// Its rack.
    pub rack: Option<String>,
}

impl ProduceRequest {
    /// Takes `frame` apart. `body` is where the header ended ([`Reader::position`]).
    ///
    /// # Errors
    /// Where and why the bytes are not a Produce request in `version`.
    pub fn decode(frame: BytesMut, body: usize, version: i16) -> Result<Self, wire::Error> {
        let mut places = Vec::new();
        let mut request = Self::locate(&frame, body, version, &mut places)?;
        split_records(frame, &mut request, places);
        Ok(request)
    }

    /// Reads everything but the records, whose places go to `places` in the order of their partitions.
    fn locate(
        frame: &[u8],
        body: usize,
        version: i16,
        places: &mut Vec<Option<Range<usize>>>,
    ) -> Result<Self, wire::Error> {
        let mut r = Reader::new(frame);
        r.set_flexible(ApiKey::Produce.is_flexible(version));
        r.skip(body)?;
        let request = Self {
            transactional_id: r.nullable_string("transactional_id")?,
            acks: r.i16("acks")?,
            timeout_ms: r.i32("timeout_ms")?,
            topics: r.array("topic_data", |r| TopicRecords::locate(r, version, places))?,
        };
        r.skip_tagged_fields()?;
        Ok(request)
    }
}

impl TopicRecords {
    fn locate(
        r: &mut Reader<'_>,
        version: i16,
        places: &mut Vec<Option<Range<usize>>>,
    ) -> Result<Self, wire::Error> {
        let topic = Self {
            name: if version < 13 { r.string("name")? } else { String::new() },
            topic_id: if version >= 13 { r.topic_id("topic_id")? } else { TopicId::NIL },
            partitions: r.array("partition_data", |r| {
                let index = r.i32("index")?;
                places.push(r.nullable_range("records")?);
                r.skip_tagged_fields()?;
                Ok(PartitionRecords { index, records: None })
            })?,
        };
        r.skip_tagged_fields()?;
        Ok(topic)
    }
}

/// Splits `frame` at `places`, which ascend, and gives each partition its records.
fn split_records(mut frame: BytesMut, request: &mut ProduceRequest, places: Vec<Option<Range<usize>>>) {
    let mut gone = 0;
    let partitions = request.topics.iter_mut().flat_map(|topic| &mut topic.partitions);
    for (partition, place) in partitions.zip(places) {
        partition.records = place.map(|place| {
            frame.advance(place.start - gone);
            gone = place.end;
            frame.split_to(place.len())
        });
    }
}

impl Response for ProduceResponse {
    const API: ApiKey = ApiKey::Produce;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        Some(&mut self.throttle_time_ms)
    }

    fn encode(&self, w: &mut Writer, version: i16) {
        w.array(&self.topics, |w, topic| {
            if version < 13 {
                w.string(&topic.name);
            } else {
                w.topic_id(topic.topic_id);
            }
            w.array(&topic.partitions, |w, partition| partition.encode(w, version));
            w.no_tagged_fields();
        });
        w.i32(self.throttle_time_ms);
        w.tagged_fields(|fields| {
            if version >= 10 && !self.node_endpoints.is_empty() {
                fields.put(0, |w| w.array(&self.node_endpoints, NodeEndpoint::encode));
            }
        });
    }
}

impl PartitionOutcome {
    fn encode(&self, w: &mut Writer, version: i16) {
        w.i32(self.index);
        w.error_code(self.error_code);
        w.i64(self.base_offset);
        w.i64(self.log_append_time_ms);
        if version >= 5 {
            w.i64(self.log_start_offset);
        }
        if version >= 8 {
            w.array(&self.record_errors, |w, error| {
                w.i32(error.batch_index);
                w.nullable_string(error.message.as_deref());
                w.no_tagged_fields();
            });
            w.nullable_string(self.error_message.as_deref());
        }
        w.tagged_fields(|fields| {
            if let Some(leader) = self.current_leader.filter(|_| version >= 10) {
                fields.put(0, |w| leader.encode(w));
            }
        });
    }
}

impl CurrentLeader {
    pub(super) fn encode(self, w: &mut Writer) {
        w.i32(self.leader_id);
        w.i32(self.leader_epoch);
        w.no_tagged_fields();
    }
}

impl NodeEndpoint {
    pub(super) fn encode(w: &mut Writer, endpoint: &Self) {
        w.i32(endpoint.node_id);
        w.string(&endpoint.host);
        w.i32(endpoint.port);
        w.nullable_string(endpoint.rack.as_deref());
        w.no_tagged_fields();
    }
}
