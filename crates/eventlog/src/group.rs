//! Consumer groups as a user sees them, and one member's view from inside.

use std::time::Duration;

use async_trait::async_trait;
use factum_types::{GroupId, Offset, Record, TopicName, TopicPartition};

use crate::Unreadable;

/// A wish to join a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The group.
    pub group: GroupId,
    /// The topics whose partitions the members share.
    pub topics: Vec<TopicName>,
    /// Named in listings.
    pub client_id: String,
    /// A member silent for longer is taken out.
    pub session_timeout: Duration,
    /// Where to start in a partition that has no committed offset: the end, or else the beginning.
    pub start_at_latest: bool,
}

/// Records of one partition, handed to a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolledRecords {
    /// The partition.
    pub partition: TopicPartition,
    /// Its next records, in order.
    pub records: Vec<Record>,
    /// What among them cannot be read, in order.
    pub unreadable: Vec<Unreadable>,
}

/// One member of a group. Partitions come and go between polls; heartbeats are sent by [`GroupConsumer::poll`]
/// and by the implementation's own tasks.
#[async_trait]
pub trait GroupConsumer: Send {
    /// The next records of the partitions assigned; empty if none came within `wait`.
    /// Dropping the future loses no record.
    ///
    /// # Errors
    /// [`GroupError`].
    async fn poll(&mut self, wait: Duration) -> Result<Vec<PolledRecords>, GroupError>;

    /// The partitions assigned at the last poll.
    fn assignment(&self) -> Vec<TopicPartition>;

    /// Commits, durably, the offsets to read next.
    ///
    /// # Errors
    /// [`GroupError::Rebalanced`] when the partitions belong to another member by now.
    async fn commit(&mut self, offsets: Vec<(TopicPartition, Offset)>) -> Result<(), GroupError>;

    /// Leaves at once rather than by time-out.
    ///
    /// # Errors
    /// [`GroupError`].
    async fn leave(self: Box<Self>) -> Result<(), GroupError>;
}

/// A group at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub id: GroupId,
    /// Kafka's word for its state: `Empty`, `PreparingRebalance`, `CompletingRebalance`, `Stable`, `Dead`; of the consumer
    /// protocol also `Assigning` and `Reconciling`.
    pub state: String,
    /// The protocol type, `consumer` for consumers.
    pub protocol_type: String,
    /// The assignor chosen.
    pub protocol: String,
    /// Its members.
    pub members: Vec<Member>,
    /// Its committed offsets, by partition.
    pub offsets: Vec<GroupOffset>,
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The id that the coordinator gave it.
    pub id: String,
    /// The name it gave itself.
    pub client_id: String,
    /// Where it came from.
    pub client_host: String,
    /// The partitions assigned to it, where the protocol says.
    pub assignment: Vec<TopicPartition>,
}

/// A committed offset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupOffset {
    /// The partition.
    pub partition: TopicPartition,
    /// The offset to read next.
    pub offset: Offset,
    /// The end of the partition, which the lag is counted from; `None` if the partition is gone.
    pub end: Option<Offset>,
    /// Records behind the end of the partition; `None` if the partition is gone.
    pub lag: Option<i64>,
    /// What the client wrote beside it.
    pub metadata: String,
}

/// Why a member could not go on.
#[derive(Debug, thiserror::Error)]
pub enum GroupError {
    /// The group was rebalanced: poll again, then commit what is still yours.
    #[error("group {group} was rebalanced")]
    Rebalanced {
        /// The group.
        group: GroupId,
    },
    /// The request contradicts the group.
    #[error("group {group}: {reason}")]
    Refused {
        /// The group.
        group: GroupId,
        /// Why.
        reason: String,
    },
    /// The log cannot answer now.
    #[error("group {group} is not available: {reason}")]
    Unavailable {
        /// The group.
        group: GroupId,
        /// Why.
        reason: String,
    },
}

impl GroupError {
    /// Whether going on with [`GroupConsumer::poll`] can succeed.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Rebalanced { .. } | Self::Unavailable { .. })
    }
}
