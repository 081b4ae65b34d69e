//! OffsetFetch: where groups left off.

use factum_types::{LeaderEpoch, PartitionId, TopicId};

use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// Asks for committed offsets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OffsetFetchRequest {
    /// The groups; exactly one before version 8.
    pub groups: Vec<FetchGroup>,
    /// Whether to fail while an open transaction holds offsets back, from version 7.
    pub require_stable: bool,
}

/// What is asked of one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchGroup {
    /// The group.
    pub group_id: String,
    /// The member that asks, from version 9 (KIP-848).
    pub member_id: Option<String>,
    /// The member's epoch, from version 9; -1 for none.
    pub member_epoch: i32,
    /// The partitions by topic; `None`, from version 2, for all that have an offset.
    pub topics: Option<Vec<FetchTopic>>,
}

/// The partitions of one topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchTopic {
    /// The topic's name; empty from version 10.
    pub name: String,
    /// The topic's id, from version 10; nil before.
    pub topic_id: TopicId,
    /// The partitions.
    pub partition_indexes: Vec<PartitionId>,
}

/// Gives committed offsets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OffsetFetchResponse {
    /// Milliseconds that the client should wait, from version 3.
    pub throttle_time_ms: i32,
    /// One for each group, in their order; before version 8 the first is all that is written.
    pub groups: Vec<FetchedGroup>,
}

/// One group's offsets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedGroup {
    /// The group, from version 8.
    pub group_id: String,
    /// Offsets by topic.
    pub topics: Vec<FetchedTopic>,
    /// Why there are none. Version 1 has no room for it and writes it into every partition instead.
    pub error_code: ErrorCode,
}

/// The offsets in one topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedTopic {
    /// The topic's name; empty from version 10.
    pub name: String,
    /// The topic's id, from version 10; nil before.
    pub topic_id: TopicId,
    /// The offsets by partition.
    pub partitions: Vec<FetchedPartition>,
}

/// The offset in one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedPartition {
    /// The partition's number.
    pub partition_index: PartitionId,
    /// The offset; -1 for none.
    pub committed_offset: i64,
    /// The epoch of the last record read, from version 5; -1 for none.
    pub committed_leader_epoch: LeaderEpoch,
    /// What the consumer kept with it.
    pub metadata: Option<String>,
    /// Why there is no offset.
    pub error_code: ErrorCode,
}

impl Request for OffsetFetchRequest {
    const API: ApiKey = ApiKey::OffsetFetch;

    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, wire::Error> {
        let request = Self {
            groups: match version {
                ..8 => vec![FetchGroup::decode_alone(r, version)?],
                _ => r.array("groups", |r| FetchGroup::decode(r, version))?,
            },
            require_stable: version >= 7 && r.bool("require_stable")?,
        };
        r.skip_tagged_fields()?;
        Ok(request)
    }
}

impl FetchGroup {
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, wire::Error> {
        let group = Self {
            group_id: r.string("group_id")?,
            member_id: if version >= 9 { r.nullable_string("member_id")? } else { None },
            member_epoch: if version >= 9 { r.i32("member_epoch")? } else { -1 },
            topics: r.nullable_array("topics", |r| FetchTopic::decode(r, version))?,
        };
        r.skip_tagged_fields()?;
        Ok(group)
    }

    fn decode_alone(r: &mut Reader<'_>, version: i16) -> Result<Self, wire::Error> {
        Ok(Self {
            group_id: r.string("group_id")?,
            member_id: None,
            member_epoch: -1,
            topics: match version {
                ..2 => Some(r.array("topics", |r| FetchTopic::decode(r, version))?),
                _ => r.nullable_array("topics", |r| FetchTopic::decode(r, version))?,
            },
        })
    }
}

impl FetchTopic {
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, wire::Error> {
        let topic = Self {
            name: if version < 10 { r.string("name")? } else { String::new() },
            topic_id: if version >= 10 { r.topic_id("topic_id")? } else { TopicId::NIL },
            partition_indexes: r.i32_array("partition_indexes")?,
        };
        r.skip_tagged_fields()?;
        Ok(topic)
    }
}

impl Response for OffsetFetchResponse {
    const API: ApiKey = ApiKey::OffsetFetch;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        Some(&mut self.throttle_time_ms)
    }

    fn encode(&self, w: &mut Writer, version: i16) {
        if version >= 3 {
            w.i32(self.throttle_time_ms);
        }
        if version >= 8 {
            w.array(&self.groups, |w, group| {
                w.string(&group.group_id);
                group.encode_topics(w, version);
                w.error_code(group.error_code);
                w.no_tagged_fields();
            });
        } else {
            self.groups.first().unwrap_or(&FetchedGroup::UNASKED).encode_alone(w, version);
        }
        w.no_tagged_fields();
    }
}

impl FetchedGroup {
    /// What a response without groups says before version 8.
    const UNASKED: Self =
        Self { group_id: String::new(), topics: Vec::new(), error_code: ErrorCode::UnknownServerError };

    fn encode_alone(&self, w: &mut Writer, version: i16) {
        self.encode_topics(w, version);
        if version >= 2 {
            w.error_code(self.error_code);
        }
    }

    fn encode_topics(&self, w: &mut Writer, version: i16) {
        let inherited = if version < 2 { self.error_code } else { ErrorCode::None };
        w.array(&self.topics, |w, topic| {
            match version {
                ..10 => w.string(&topic.name),
                _ => w.topic_id(topic.topic_id),
            }
            w.array(&topic.partitions, |w, partition| partition.encode(w, version, inherited));
            w.no_tagged_fields();
        });
    }
}

impl FetchedPartition {
    fn encode(&self, w: &mut Writer, version: i16, inherited: ErrorCode) {
        w.i32(self.partition_index);
        w.i64(self.committed_offset);
        if version >= 5 {
            w.i32(self.committed_leader_epoch);
        }
        w.nullable_string(self.metadata.as_deref());
        w.error_code(if inherited.is_none() { self.error_code } else { inherited });
        w.no_tagged_fields();
    }
}
