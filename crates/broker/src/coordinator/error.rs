//! Errors of consumer groups.

use std::sync::Arc;
use std::time::Duration;

use factum_types::TopicPartition;

use super::{LogError, MemoryLimitError};

/// Why the coordinator refused a request.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CoordinatorError {
    /// The group has no such member, or is not there at all.
    #[error("the group has no such member")]
    UnknownMember,
    /// The member speaks for another generation than the group's.
    #[error("generation {asked} is not the group's, which is {current}")]
    IllegalGeneration {
        /// The generation in the request.
        asked: i32,
        /// The group's generation.
        current: i32,
    },
    /// The members are joining again: join too.
    #[error("the group is rebalancing")]
    RebalanceInProgress,
    /// Another process has taken the static member's place.
    #[error("another member has taken the instance id {instance_id:?}")]
    FencedInstance {
        /// The instance id.
        instance_id: String,
    },
    /// The member of the consumer protocol is not in this epoch: it gives up its partitions and joins again.
    #[error("member epoch {asked} is not the member's, which is {current}")]
    FencedMemberEpoch {
        /// The epoch in the request.
        asked: i32,
        /// The member's epoch.
        current: i32,
    },
    /// The member of the consumer protocol commits or reads offsets in another epoch than its own.
    #[error("member epoch {asked} is not the member's, which is {current}")]
    StaleMemberEpoch {
        /// The epoch in the request.
        asked: i32,
        /// The member's epoch.
        current: i32,
    },
    /// A live member has the instance id.
    #[error("the instance id {instance_id:?} belongs to a member that has not left")]
    UnreleasedInstance {
        /// The instance id.
        instance_id: String,
    },
    /// The server has no such assignor.
    #[error("unsupported assignor; supported are {supported}")]
    UnsupportedAssignor {
        /// Those that it has.
        supported: String,
    },
    /// The subscription is no regular expression, or too large.
    #[error("invalid regular expression: {reason}")]
    InvalidRegex {
        /// What is wrong with it.
        reason: String,
    },
    /// The heartbeat contradicts itself.
    #[error("invalid heartbeat: {reason}")]
    InvalidHeartbeat {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The group has members of the classic protocol, and is asked for in the consumer protocol.
    #[error("the group is not a consumer group")]
    NotOfConsumers,
    /// The member shares no protocol with the others, or names another than the group's.
    #[error("the member's protocols do not fit those of the group")]
    InconsistentProtocol,
    /// The session time-out lies outside what is allowed.
    #[error("session timeout {asked:?} is not within {least:?} and {most:?}")]
    InvalidSessionTimeout {
        /// The time-out asked for.
        asked: Duration,
        /// The shortest allowed.
        least: Duration,
        /// The longest allowed.
        most: Duration,
    },
    /// Join again with this id (KIP-394).
    #[error("join again as member {member_id}")]
    MemberIdRequired {
        /// The id given.
        member_id: String,
    },
    /// The group has members; stop them first.
    #[error("the group has members")]
    NonEmptyGroup,
    /// There is no such group.
    #[error("there is no such group")]
    GroupNotFound,
    /// The group has all the members that it may have.
    #[error("too many members: the limit of a group is {limit}")]
    GroupFull {
        /// Most members of one group.
        limit: usize,
    },
    /// There are all the groups that there may be.
    #[error("too many groups: the limit is {limit}")]
    TooManyGroups {
        /// Most groups.
        limit: usize,
    },
    /// One client address made all the groups that it may.
    #[error("too many groups of one client address: the limit is {limit}")]
    TooManyGroupsOfClient {
        /// Most groups of one address.
        limit: usize,
    },
    /// Something that a client sent has more parts than are looked at.
    #[error("too many {what}: {count}, and the limit is {limit}")]
    TooMany {
        /// What there is too much of, in words.
        what: &'static str,
        /// How many there are.
        count: usize,
        /// Most allowed.
        limit: usize,
    },
    /// What the member brings, or the assignment of its group, takes more memory than groups may have.
    #[error("no memory for the member")]
    NoMemoryForMember(#[source] MemoryLimitError),
    /// The offsets take more memory than groups may have. None of the request's offsets was committed.
    #[error("no memory for the offsets")]
    NoMemoryForOffsets(#[source] MemoryLimitError),
    /// What could not be read back of the group's offsets is not known, so that it is not the same as none.
    #[error("offsets of the group could not be read back ({reason}); commit or reset them to go on")]
    UnreadableOffsets {
        /// What is wrong with the partition that keeps them.
        reason: Arc<str>,
    },
    /// Something that a client sent is larger than is kept.
    #[error("{what} of {bytes} bytes is larger than {limit}")]
    TooLarge {
        /// What it is, in words.
        what: &'static str,
        /// Its size.
        bytes: usize,
        /// Most bytes allowed.
        limit: usize,
    },
    /// The text beside an offset is longer than is kept. None of the request's offsets was committed.
    #[error("metadata of {bytes} bytes beside the offset of {partition} is larger than {limit}")]
    OffsetMetadataTooLarge {
        /// The first partition concerned.
        partition: TopicPartition,
        /// The text's size.
        bytes: usize,
        /// Most bytes allowed.
        limit: usize,
    },
    /// The change could not be made durable; it may or may not have been kept.
    #[error("the change could not be stored")]
    Storage(#[from] LogError),
}

impl CoordinatorError {
    /// Whether the same request can succeed later with no change to it.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::RebalanceInProgress | Self::Storage(_) | Self::UnreadableOffsets { .. })
    }
}
