//! The embedded log for the server's own parts, which keep their records in reserved topics.
//!
//! Invariant: differs from [`Broker`] only in what it may write; readers see the same.

use std::time::Duration;

use async_trait::async_trait;
use factum_eventlog::{
    Admin, AdminError, Chunk, EventLog, Group, GroupConsumer, GroupError, Membership, NewRecord, NewTopic,
    Position, ProduceError, ReadError, RecordMetadata, Topic, TopicConfig, TopicEdit, TransactionError,
    TransactionalProducer,
};
use factum_types::{GroupId, Offset, TopicName, TopicPartition, TransactionalId};

use super::{admin, produce, transaction};
use crate::access::Access;
use crate::broker::Broker;

/// A handle that may write reserved topics; see [`Broker::internal_log`].
#[derive(Debug, Clone)]
pub struct InternalLog(Broker);

impl InternalLog {
    pub(crate) fn new(broker: Broker) -> Self {
        Self(broker)
    }
}

#[async_trait]
impl EventLog for InternalLog {
    async fn produce(
        &self,
        topic: &TopicName,
        records: Vec<NewRecord>,
    ) -> Result<Vec<RecordMetadata>, ProduceError> {
        produce::produce(&self.0, Access::Server, topic, records).await
    }

    async fn produce_whole(
        &self,
        topic: &TopicName,
        records: Vec<NewRecord>,
    ) -> Result<Vec<RecordMetadata>, ProduceError> {
        produce::produce_whole(&self.0, Access::Server, topic, records).await
    }

    async fn transactional_producer(
        &self,
        id: &TransactionalId,
    ) -> Result<Box<dyn TransactionalProducer>, TransactionError> {
        Ok(Box::new(transaction::Producer::open(self.0.clone(), Access::Server, id.clone()).await?))
    }

    async fn read(
        &self,
        partition: &TopicPartition,
        from: Offset,
        limit_bytes: usize,
        wait: Duration,
    ) -> Result<Chunk, ReadError> {
        self.0.read(partition, from, limit_bytes, wait).await
    }

    async fn wait_past(&self, partition: &TopicPartition, from: Offset) {
        self.0.wait_past(partition, from).await;
    }

    async fn offset_of(&self, partition: &TopicPartition, position: Position) -> Result<Offset, ReadError> {
        self.0.offset_of(partition, position).await
    }

    async fn join(&self, membership: Membership) -> Result<Box<dyn GroupConsumer>, GroupError> {
        self.0.join(membership).await
    }
}

#[async_trait]
impl Admin for InternalLog {
    async fn topics(&self) -> Result<Vec<Topic>, AdminError> {
        Admin::topics(&self.0).await
    }

    async fn topic(&self, name: &TopicName) -> Result<Topic, AdminError> {
        Admin::topic(&self.0, name).await
    }

    async fn create_topic(&self, new: NewTopic) -> Result<Topic, AdminError> {
        admin::create(&self.0, Access::Server, new).await
    }

    async fn alter_topic(&self, name: &TopicName, config: TopicConfig) -> Result<Topic, AdminError> {
        admin::alter(&self.0, Access::Server, name, config).await
    }

    async fn edit_topic(&self, name: &TopicName, edit: TopicEdit) -> Result<Topic, AdminError> {
        admin::edit(&self.0, Access::Server, name, edit).await
    }

    async fn create_partitions(&self, name: &TopicName, count: i32) -> Result<Topic, AdminError> {
        admin::create_partitions(&self.0, Access::Server, name, count).await
    }

    async fn delete_topic(&self, name: &TopicName) -> Result<(), AdminError> {
        admin::delete(&self.0, Access::Server, name).await
    }

    async fn groups(&self) -> Result<Vec<Group>, AdminError> {
        self.0.groups().await
    }

    async fn committed_offsets(&self, group: &GroupId) -> Result<Vec<(TopicPartition, Offset)>, AdminError> {
        self.0.committed_offsets(group).await
    }

    async fn reset_group(
        &self,
        group: &GroupId,
        offsets: Vec<(TopicPartition, Offset)>,
    ) -> Result<(), AdminError> {
        self.0.reset_group(group, offsets).await
    }

    async fn delete_group(&self, group: &GroupId) -> Result<(), AdminError> {
        self.0.delete_group(group).await
    }
}
