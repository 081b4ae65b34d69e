//! The uniform interface to a log of events.
//!
//! Everything in Factum that reads or writes facts does it through [`EventLog`] and [`Admin`]; the
//! embedded broker implements them in process, a Kafka cluster through its client. What these traits
//! promise is tested once, by `conformance`, on each implementation.
//!
//! Topics whose name [`TopicName::is_internal`] are read like any other; who may write them is the implementation's to
//! say, and every other caller's attempt is refused as reserved.
//!
//! Invariants: what [`EventLog::produce`] acknowledged is on disk, and [`EventLog::read`] shows nothing
//! that a power cut can take back.
//!
//! Readers see committed records alone: of a transaction nothing before it is decided, and nothing ever if it was aborted.
//!
//! Not here: authorisation (the edge asks before it calls), schemas.

mod admin;
mod compacted_topic;
#[cfg(feature = "conformance")]
pub mod conformance;
mod group;
mod partitioner;
mod produce;
mod read;
mod task_producer;
mod topic;
mod transaction;
mod transaction_admin;

use std::time::Duration;

use async_trait::async_trait;
use factum_types::{GroupId, Offset, TopicName, TopicPartition, TransactionalId};

pub use admin::AdminError;
pub use compacted_topic::{
    Apply, Change, CompactedTopic, CompactedTopicError, KeyedRecord, UnreadableRecords,
};
pub use group::{Group, GroupConsumer, GroupError, GroupOffset, Member, Membership, PolledRecords};
pub use partitioner::Partitioner;
pub use produce::{NewRecord, ProduceError, RecordMetadata};
pub use read::{Chunk, Position, ReadError, Unreadable};
pub use task_producer::{TakeOverError, TaskAppend, TaskProducer};
pub use topic::as_it_is;
pub use topic::{
    CleanupPolicy, CompressionType, DirtyRatio, NewTopic, PartitionBounds, TimestampType, Topic, TopicConfig,
    TopicEdit,
};
pub use transaction::{GroupOffsets, NewTransaction, TransactionError, TransactionalProducer};
pub use transaction_admin::{AbortError, HeldPartition, Transaction, Transactions};

/// Produces and consumes.
#[async_trait]
pub trait EventLog: Admin {
    /// Appends `records` to `topic` and answers once they are on disk, in the order given.
    ///
    /// Nothing is appended if any record is refused. Records for one partition stay together and in order.
    /// Dropping the future does not take back what was already appended.
    ///
    /// # Errors
    /// [`ProduceError`]; after [`ProduceError::is_transient`] the records may or may not be in the log.
    async fn produce(
        &self,
        topic: &TopicName,
        records: Vec<NewRecord>,
    ) -> Result<Vec<RecordMetadata>, ProduceError>;

    /// Appends `records` to `topic` as [`EventLog::produce`] does, and so that readers see all of them or none, also after
    /// a crash: where they are for several partitions, as one transaction, which is seen as soon as no other that began
    /// before it there is open.
    ///
    /// # Errors
    /// [`ProduceError`]; after [`ProduceError::may_have_appended`] all of them or none count.
    async fn produce_whole(
        &self,
        topic: &TopicName,
        records: Vec<NewRecord>,
    ) -> Result<Vec<RecordMetadata>, ProduceError>;

    /// Takes the name `id` over for a producer of transactions: one who had it before can commit no more, and what it left
    /// open is aborted. Resolves when that is on disk.
    ///
    /// # Errors
    /// [`TransactionError`].
    async fn transactional_producer(
        &self,
        id: &TransactionalId,
    ) -> Result<Box<dyn TransactionalProducer>, TransactionError>;

    /// Reads records from `from` on, about `limit_bytes` of decoded records but always one item if there is one, so
    /// that a batch which unpacks to much is handed out in several reads; waits up to `wait` for the first. A chunk whose
    /// `next` is `from` means that none came.
    /// What cannot be read is an item of the chunk and never an error, so that no reader stops at it.
    /// Dropping the future has no effect on the log.
    ///
    /// # Errors
    /// [`ReadError`], with the partition's bounds where `from` lies outside them.
    async fn read(
        &self,
        partition: &TopicPartition,
        from: Offset,
        limit_bytes: usize,
        wait: Duration,
    ) -> Result<Chunk, ReadError>;

    /// Waits until a read of `partition` from `from` on would give an item or an error. Reads nothing, so that who follows
    /// many partitions needs memory for those only that it reads. Dropping the future has no effect.
    async fn wait_past(&self, partition: &TopicPartition, from: Offset);

    /// The offset that `position` names in `partition`; [`Position::Time`] past the last record gives the end.
    ///
    /// # Errors
    /// [`ReadError`].
    async fn offset_of(&self, partition: &TopicPartition, position: Position) -> Result<Offset, ReadError>;

    /// Joins a consumer group, side by side with any Kafka client that is in it.
    ///
    /// # Errors
    /// [`GroupError`].
    async fn join(&self, membership: Membership) -> Result<Box<dyn GroupConsumer>, GroupError>;
}

/// Looks after topics and groups.
#[async_trait]
pub trait Admin: Send + Sync + 'static {
    /// Every topic, by name.
    ///
    /// # Errors
    /// [`AdminError::Unavailable`].
    async fn topics(&self) -> Result<Vec<Topic>, AdminError>;

    /// One topic.
    ///
    /// # Errors
    /// [`AdminError::UnknownTopic`], [`AdminError::Unavailable`].
    async fn topic(&self, name: &TopicName) -> Result<Topic, AdminError>;

    /// Makes a topic; it exists on disk when this returns.
    ///
    /// # Errors
    /// [`AdminError::TopicExists`], [`AdminError::ReservedTopic`], [`AdminError::Invalid`],
    /// [`AdminError::Unavailable`].
    async fn create_topic(&self, new: NewTopic) -> Result<Topic, AdminError>;

    /// Replaces a topic's configuration.
    ///
    /// # Errors
    /// [`AdminError`].
    async fn alter_topic(&self, name: &TopicName, config: TopicConfig) -> Result<Topic, AdminError>;

    /// Changes a topic's configuration by `edit`, which is given what is in force. No other change comes in between, so
    /// that of two edits at once none is lost. Dropping the future may leave it done or not done.
    ///
    /// # Errors
    /// [`AdminError`]; the configuration is as it was then.
    async fn edit_topic(&self, name: &TopicName, edit: TopicEdit) -> Result<Topic, AdminError>;

    /// Gives a topic partitions until it has `count` of them. Records stay where they are; those to come are spread over all
    /// partitions, so that a key may go to another one. Dropping the future may leave it done or not done.
    ///
    /// # Errors
    /// [`AdminError::UnknownTopic`], [`AdminError::ReservedTopic`], [`AdminError::Unavailable`], or
    /// [`AdminError::Invalid`] where it has as many already, or may not have so many.
    async fn create_partitions(&self, name: &TopicName, count: i32) -> Result<Topic, AdminError>;

    /// Removes a topic with all its records.
    ///
    /// # Errors
    /// [`AdminError::UnknownTopic`], [`AdminError::ReservedTopic`], [`AdminError::Unavailable`].
    async fn delete_topic(&self, name: &TopicName) -> Result<(), AdminError>;

    /// Every consumer group with its members and committed offsets, by name.
    ///
    /// # Errors
    /// [`AdminError::Unavailable`].
    async fn groups(&self) -> Result<Vec<Group>, AdminError>;

    /// The committed offsets of a group, of every partition that has one, as they are on disk; none of a group that there is
    /// not.
    ///
    /// # Errors
    /// [`AdminError::Unavailable`], also where what is known may not be all.
    async fn committed_offsets(&self, group: &GroupId) -> Result<Vec<(TopicPartition, Offset)>, AdminError>;

    /// Moves the committed offsets of a group that has no members.
    ///
    /// # Errors
    /// [`AdminError::UnknownTopic`], [`AdminError::GroupInUse`], [`AdminError::ReservedGroup`].
    async fn reset_group(
        &self,
        group: &GroupId,
        offsets: Vec<(TopicPartition, Offset)>,
    ) -> Result<(), AdminError>;

    /// Forgets a group that has no members.
    ///
    /// # Errors
    /// [`AdminError::UnknownGroup`], [`AdminError::GroupInUse`], [`AdminError::ReservedGroup`].
    async fn delete_group(&self, group: &GroupId) -> Result<(), AdminError>;
}
