//! Responses of a group.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use factum_types::{GroupId, PartitionId, TopicId, TopicName};

/// A member's place in a new generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinResult {
    /// The generation.
    pub generation: i32,
    /// The group's protocol type.
    pub protocol_type: Option<String>,
    /// The assignor that the members voted for.
    pub protocol: Option<String>,
    /// The member that assigns.
    pub leader: String,
    /// The member's own id.
    pub member_id: String,
    /// Everybody, for the leader; empty for the others.
    pub members: Vec<JoinedMember>,
    /// Whether the leader is to keep the assignment as it is (KIP-814).
    pub skip_assignment: bool,
}

/// A member as its leader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinedMember {
    /// Its id.
    pub member_id: String,
    /// The name of a static member.
    pub instance_id: Option<String>,
    /// Its subscription under the protocol chosen.
    pub metadata: Bytes,
}

/// A member's share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncResult {
    /// The group's protocol type.
    pub protocol_type: Option<String>,
    /// The assignor that the members voted for.
    pub protocol: Option<String>,
    /// What the leader gave the member; empty if it gave nothing.
    pub assignment: Bytes,
}

/// What a group is doing; [`fmt::Display`] gives Kafka's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GroupState {
    /// No members; it may have offsets.
    Empty,
    /// Waiting for the members to join the next generation.
    PreparingRebalance,
    /// Waiting for the leader's assignment.
    CompletingRebalance,
    /// Everybody has a share.
    Stable,
    /// Members of the consumer protocol wait for a target assignment.
    Assigning,
    /// They are on their way to it.
    Reconciling,
    /// Removed, or never there.
    Dead,
}

impl GroupState {
    /// Kafka's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::PreparingRebalance => "PreparingRebalance",
            Self::CompletingRebalance => "CompletingRebalance",
            Self::Stable => "Stable",
            Self::Assigning => "Assigning",
            Self::Reconciling => "Reconciling",
            Self::Dead => "Dead",
        }
    }
}

impl fmt::Display for GroupState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The protocol of a group's members.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GroupType {
    /// Members join and sync, and one of them assigns.
    Classic,
    /// Members send heartbeats, and the coordinator assigns (KIP-848).
    Consumer,
}

impl GroupType {
    /// Kafka's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Classic => "classic",
            Self::Consumer => "consumer",
        }
    }
}

/// A group in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupListing {
    /// Its name.
    pub group: GroupId,
    /// The protocol of its members.
    pub group_type: GroupType,
    /// Its protocol type; empty if it only keeps offsets.
    pub protocol_type: String,
    /// What it is doing.
    pub state: GroupState,
}

/// A group in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupDescription {
    /// Its name.
    pub group: GroupId,
    /// What it is doing; [`GroupState::Dead`] if there is no such group.
    pub state: GroupState,
    /// The protocol of its members. Those of the consumer protocol are shown as a classic member would be: subscription and
    /// assignment in the form that consumers give each other.
    pub group_type: GroupType,
    /// Its protocol type; empty if it only keeps offsets.
    pub protocol_type: String,
    /// The assignor chosen; empty unless stable.
    pub protocol: String,
    /// Its members, by id.
    pub members: Vec<MemberDescription>,
}

/// A member in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberDescription {
    /// Its id.
    pub member_id: String,
    /// The name of a static member.
    pub instance_id: Option<String>,
    /// What the client calls itself.
    pub client_id: String,
    /// Where it comes from.
    pub client_host: String,
    /// Its subscription; empty unless the group is stable.
    pub metadata: Bytes,
    /// Its share; empty unless the group is stable.
    pub assignment: Bytes,
}

/// What a member of the consumer protocol learns from a heartbeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerHeartbeatResult {
    /// The member.
    pub member_id: String,
    /// The epoch that it is in now.
    pub member_epoch: i32,
    /// When it is expected to be heard of again.
    pub heartbeat_interval: Duration,
    /// The partitions that it has now, by topic; none if they are those that it knows of.
    pub assignment: Option<Vec<(TopicId, Vec<PartitionId>)>>,
}

/// A group of the consumer protocol in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerGroupDescription {
    /// What it is doing.
    pub state: GroupState,
    /// The group epoch.
    pub epoch: i32,
    /// The epoch of the target assignment.
    pub assignment_epoch: i32,
    /// The assignor in force.
    pub assignor: &'static str,
    /// Its members, by id.
    pub members: Vec<ConsumerMemberDescription>,
}

/// Partitions of a topic with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssignedTopic {
    /// The topic.
    pub id: TopicId,
    /// Its name.
    pub name: TopicName,
    /// Its partitions.
    pub partitions: Vec<PartitionId>,
}

/// A member of the consumer protocol in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerMemberDescription {
    /// Its id.
    pub member_id: String,
    /// The name of a static member.
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
    pub subscribed_topics: Vec<TopicName>,
    /// Its regular expression.
    pub subscribed_regex: Option<String>,
    /// What it has; topics that were deleted are left out.
    pub assignment: Vec<AssignedTopic>,
    /// What it is to have; topics that were deleted are left out.
    pub target: Vec<AssignedTopic>,
}
