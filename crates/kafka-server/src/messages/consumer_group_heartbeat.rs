//! ConsumerGroupHeartbeat (KIP-848).

use factum_types::{PartitionId, TopicId};

use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// A member lives, and says what has changed since its last heartbeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerGroupHeartbeatRequest {
    /// The group.
    pub group_id: String,
    /// The member's id for its whole life; empty in version 0 where the server is to choose it.
    pub member_id: String,
    /// The epoch that the member is in: 0 to join, -1 to leave, -2 to leave for a while as a static member.
    pub member_epoch: i32,
    /// The member's static identity.
    pub instance_id: Option<String>,
    /// Where the client runs.
    pub rack_id: Option<String>,
    /// Milliseconds that the member may take to give partitions up; -1 where that has not changed.
    pub rebalance_timeout_ms: i32,
    /// The topics that the member names.
    pub subscribed_topic_names: Option<Vec<String>>,
    /// A regular expression for more topics, from version 1.
    pub subscribed_topic_regex: Option<String>,
    /// The server's assignor that the member would like.
    pub server_assignor: Option<String>,
    /// The partitions that the member has.
    pub topic_partitions: Option<Vec<HeartbeatTopic>>,
}

/// Partitions of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeartbeatTopic {
    /// The topic.
    pub topic_id: TopicId,
    /// Its partitions.
    pub partitions: Vec<PartitionId>,
}

/// What the member is to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerGroupHeartbeatResponse {
    /// Milliseconds that the client should wait.
    pub throttle_time_ms: i32,
    /// Why the heartbeat is refused.
    pub error_code: ErrorCode,
    /// The same in words.
    pub error_message: Option<String>,
    /// The member.
    pub member_id: Option<String>,
    /// The epoch that it is in now.
    pub member_epoch: i32,
    /// Milliseconds to the next heartbeat.
    pub heartbeat_interval_ms: i32,
    /// The partitions that it has now; none if they have not changed.
    pub assignment: Option<Vec<HeartbeatTopic>>,
}

impl Request for ConsumerGroupHeartbeatRequest {
    const API: ApiKey = ApiKey::ConsumerGroupHeartbeat;

    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, wire::Error> {
        let names = |r: &mut Reader<'_>| r.string("subscribed_topic_names");
        let request = Self {
            group_id: r.string("group_id")?,
            member_id: r.string("member_id")?,
            member_epoch: r.i32("member_epoch")?,
            instance_id: r.nullable_string("instance_id")?,
            rack_id: r.nullable_string("rack_id")?,
            rebalance_timeout_ms: r.i32("rebalance_timeout_ms")?,
            subscribed_topic_names: r.nullable_array("subscribed_topic_names", names)?,
            subscribed_topic_regex: match version {
                ..1 => None,
                _ => r.nullable_string("subscribed_topic_regex")?,
            },
            server_assignor: r.nullable_string("server_assignor")?,
            topic_partitions: r.nullable_array("topic_partitions", HeartbeatTopic::decode)?,
        };
        r.skip_tagged_fields()?;
        Ok(request)
    }
}

impl HeartbeatTopic {
    fn decode(r: &mut Reader<'_>) -> Result<Self, wire::Error> {
        let topic = Self { topic_id: r.topic_id("topic_id")?, partitions: r.i32_array("partitions")? };
        r.skip_tagged_fields()?;
        Ok(topic)
    }

    fn encode(w: &mut Writer, topic: &Self) {
        w.topic_id(topic.topic_id);
        w.i32_array(&topic.partitions);
        w.no_tagged_fields();
    }
}

impl Response for ConsumerGroupHeartbeatResponse {
    const API: ApiKey = ApiKey::ConsumerGroupHeartbeat;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        Some(&mut self.throttle_time_ms)
    }

    fn encode(&self, w: &mut Writer, _: i16) {
        w.i32(self.throttle_time_ms);
        w.error_code(self.error_code);
        w.nullable_string(self.error_message.as_deref());
        w.nullable_string(self.member_id.as_deref());
        w.i32(self.member_epoch);
        w.i32(self.heartbeat_interval_ms);
        match &self.assignment {
            // A structure that may be absent has a byte before it.
            None => w.i8(-1),
            Some(topics) => {
                w.i8(1);
                w.array(topics, HeartbeatTopic::encode);
                w.no_tagged_fields();
            }
        }
        w.no_tagged_fields();
    }
}
