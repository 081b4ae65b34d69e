//! ConsumerGroupDescribe (KIP-848).

use factum_types::{PartitionId, TopicId};

use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// Asks what groups of the consumer protocol are like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerGroupDescribeRequest {
    /// The groups.
    pub group_ids: Vec<String>,
    /// Whether to tell what the client may do with them.
    pub include_authorized_operations: bool,
}

/// Describes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerGroupDescribeResponse {
    /// Milliseconds that the client should wait.
    pub throttle_time_ms: i32,
    /// One for each group.
    pub groups: Vec<DescribedConsumerGroup>,
}

/// One group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedConsumerGroup {
    /// Why it is not described.
    pub error_code: ErrorCode,
    /// The same in words.
    pub error_message: Option<String>,
    /// The group.
    pub group_id: String,
    /// Its state, such as `Stable`.
    pub group_state: String,
    /// The group epoch.
    pub group_epoch: i32,
    /// The epoch of the target assignment.
    pub assignment_epoch: i32,
    /// The assignor in force.
    pub assignor_name: String,
    /// Its members.
    pub members: Vec<DescribedConsumerMember>,
    /// What the client may do with it, as bits.
    pub authorized_operations: i32,
}

/// One member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedConsumerMember {
    /// Its id.
    pub member_id: String,
    /// Its static identity.
    pub instance_id: Option<String>,
    /// Where the client says that it runs.
    pub rack_id: Option<String>,
    /// The epoch that it is in.
    pub member_epoch: i32,
    /// What the client calls itself.
    pub client_id: String,
    /// Where it comes from.
    pub client_host: String,
    /// The topics that it names.
    pub subscribed_topic_names: Vec<String>,
    /// Its regular expression.
    pub subscribed_topic_regex: Option<String>,
    /// What it has.
    pub assignment: Vec<DescribedTopic>,
    /// What it is to have.
    pub target_assignment: Vec<DescribedTopic>,
    /// The protocol that it speaks, version 1: 0 classic, 1 consumer.
    pub member_type: i8,
}

/// Partitions of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedTopic {
    /// The topic.
    pub topic_id: TopicId,
    /// Its name.
    pub topic_name: String,
    /// The partitions.
    pub partitions: Vec<PartitionId>,
}

impl Request for ConsumerGroupDescribeRequest {
    const API: ApiKey = ApiKey::ConsumerGroupDescribe;

    fn decode(r: &mut Reader<'_>, _: i16) -> Result<Self, wire::Error> {
        let request = Self {
            group_ids: r.array("group_ids", |r| r.string("group_ids"))?,
            include_authorized_operations: r.bool("include_authorized_operations")?,
        };
        r.skip_tagged_fields()?;
        Ok(request)
    }
}

impl Response for ConsumerGroupDescribeResponse {
    const API: ApiKey = ApiKey::ConsumerGroupDescribe;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        Some(&mut self.throttle_time_ms)
    }

    fn encode(&self, w: &mut Writer, version: i16) {
        w.i32(self.throttle_time_ms);
        w.array(&self.groups, |w, group| group.encode(w, version));
        w.no_tagged_fields();
    }
}

impl DescribedConsumerGroup {
    fn encode(&self, w: &mut Writer, version: i16) {
        w.error_code(self.error_code);
        w.nullable_string(self.error_message.as_deref());
        w.string(&self.group_id);
        w.string(&self.group_state);
        w.i32(self.group_epoch);
        w.i32(self.assignment_epoch);
        w.string(&self.assignor_name);
        w.array(&self.members, |w, member| member.encode(w, version));
        w.i32(self.authorized_operations);
        w.no_tagged_fields();
    }
}

impl DescribedConsumerMember {
    fn encode(&self, w: &mut Writer, version: i16) {
        w.string(&self.member_id);
        w.nullable_string(self.instance_id.as_deref());
        w.nullable_string(self.rack_id.as_deref());
        w.i32(self.member_epoch);
        w.string(&self.client_id);
        w.string(&self.client_host);
        w.array(&self.subscribed_topic_names, |w, name| w.string(name));
        w.nullable_string(self.subscribed_topic_regex.as_deref());
        for topics in [&self.assignment, &self.target_assignment] {
            w.array(topics, DescribedTopic::encode);
            w.no_tagged_fields();
        }
        if version >= 1 {
            w.i8(self.member_type);
        }
        w.no_tagged_fields();
    }
}

impl DescribedTopic {
    fn encode(w: &mut Writer, topic: &Self) {
        w.topic_id(topic.topic_id);
        w.string(&topic.topic_name);
        w.i32_array(&topic.partitions);
        w.no_tagged_fields();
    }
}
