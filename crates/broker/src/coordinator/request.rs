//! Requests to a group.

use std::time::Duration;

use bytes::Bytes;
use factum_base::clients::ClientAddress;
use factum_types::{GroupId, Offset, TopicName, TopicPartition};

use super::PartitionSet;

/// A wish to join a group, or to join it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinGroup {
    /// The group.
    pub group: GroupId,
    /// The id that the coordinator gave; empty the first time.
    pub member_id: String,
    /// The name of a static member (KIP-345), which outlives its process.
    pub instance_id: Option<String>,
    /// What the client calls itself.
    pub client_id: String,
    /// Where it comes from, as `/10.0.0.1`: the memory that the member takes counts for this address.
    pub client_host: String,
    /// A member silent for longer is taken out.
    pub session_timeout: Duration,
    /// How long the others wait for this member when the group rebalances.
    pub rebalance_timeout: Duration,
    /// `consumer`, `connect`, …; the same for all members.
    pub protocol_type: String,
    /// The assignors that the member knows, best first, each with the member's subscription.
    pub protocols: Vec<(String, Bytes)>,
    /// Whether the client can be told its id before it is let in (KIP-394).
    pub requires_known_member_id: bool,
    /// Whether the client can lead without assigning (KIP-814).
    pub supports_skipping_assignment: bool,
}

/// A wish for one's share of the new generation; the leader brings everybody's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncGroup {
    /// The group.
    pub group: GroupId,
    /// The generation that the join gave.
    pub generation: i32,
    /// The member.
    pub member_id: String,
    /// The name of a static member.
    pub instance_id: Option<String>,
    /// The protocol type, where the client tells it.
    pub protocol_type: Option<String>,
    /// The protocol chosen, where the client tells it.
    pub protocol: Option<String>,
    /// By member id; empty unless it comes from the leader.
    pub assignments: Vec<(String, Bytes)>,
}

/// A member to be taken out: by its id, or by its instance id with an empty member id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaving {
    /// The member's id, or empty.
    pub member_id: String,
    /// The name of a static member.
    pub instance_id: Option<String>,
}

/// Offsets to be kept for a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The group.
    pub group: GroupId,
    /// The member's generation; -1 from a client that keeps offsets without being a member.
    pub generation: i32,
    /// The member; empty from such a client.
    pub member_id: String,
    /// The name of a static member.
    pub instance_id: Option<String>,
    /// Where it comes from: the memory that the offsets take counts for this address.
    pub client: ClientAddress,
    /// What to keep.
    pub offsets: Vec<(TopicPartition, CommittedOffset)>,
}

impl Commit {
    /// By the server itself, for a group without members.
    pub(crate) fn of_no_member(
        group: GroupId,
        offsets: impl IntoIterator<Item = (TopicPartition, Offset)>,
    ) -> Self {
        let committed =
            |offset: Offset| CommittedOffset { offset: offset.get(), leader_epoch: -1, metadata: None };
        Self {
            group,
            generation: -1,
            member_id: String::new(),
            instance_id: None,
            client: ClientAddress::UNKNOWN,
            offsets: offsets.into_iter().map(|(partition, offset)| (partition, committed(offset))).collect(),
        }
    }
}

/// How far a group has read one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommittedOffset {
    /// The offset to read next.
    pub offset: i64,
    /// The leader epoch of the record before it, or -1.
    pub leader_epoch: i32,
    /// What the client wrote beside it. Kept as the empty text where the client wrote nothing, as Kafka does.
    pub metadata: Option<String>,
}

/// A heartbeat of a member of the consumer protocol (KIP-848). What is not said is as it was said before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerHeartbeat {
    /// The group.
    pub group: GroupId,
    /// The id that the member has for its whole life.
    pub member_id: String,
    /// The epoch that the member is in: 0 to join, -1 to leave, -2 to leave for a while as a static member.
    pub member_epoch: i32,
    /// The name of a static member, which outlives its process.
    pub instance_id: Option<String>,
    /// Where the client runs; kept and shown, and not otherwise heeded.
    pub rack_id: Option<String>,
    /// How long the member may take to give partitions up.
    pub rebalance_timeout: Option<Duration>,
    /// The topics that it names.
    pub subscribed_topics: Option<Vec<TopicName>>,
    /// A regular expression for more topics; empty for none.
    pub subscribed_regex: Option<String>,
    /// The assignor that it would like.
    pub assignor: Option<String>,
    /// The partitions that it has.
    pub owned: Option<PartitionSet>,
    /// What the client calls itself.
    pub client_id: String,
    /// Where it comes from, as `/10.0.0.1`: the memory that the member takes counts for this address.
    pub client_host: String,
    /// Who asks: members of one principal have the same rights, and see the same topics of a regular expression.
    pub principal: String,
}
