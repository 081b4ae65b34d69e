//! The log as SQL reads it: values that were written with a schema are JSON.
//!
//! What names no schema, or cannot be read with the one that it names, is as it was written; SQL says of it that it is no JSON.
//!
//! Not here: writing with a schema; group consumers, which SQL does not use.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use factum_eventlog::{
    Admin, AdminError, Chunk, EventLog, Group, GroupConsumer, GroupError, Membership, NewRecord, NewTopic,
    Position, ProduceError, ReadError, RecordMetadata, Topic, TopicConfig, TopicEdit, TransactionError,
    TransactionalProducer,
};
use factum_registry::{Registry, VALUE_SCHEMA_HEADER};
use factum_types::{GroupId, Offset, Record, TopicName, TopicPartition, TransactionalId};

/// A log whose values are read through the registry.
pub(crate) struct DecodedLog {
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) registry: Registry,
}

impl DecodedLog {
    fn decode(&self, record: &mut Record) {
        let Some(value) = &record.value else { return };
        let header = record.headers.iter().find(|header| header.key == VALUE_SCHEMA_HEADER);
        let header = header.and_then(|header| header.value.as_deref());
        if let Some(Ok(decoded)) = self.registry.decode(value, header) {
            record.value = Some(decoded.json.into());
        }
    }
}

#[async_trait]
impl EventLog for DecodedLog {
    async fn produce(
        &self,
        topic: &TopicName,
        records: Vec<NewRecord>,
    ) -> Result<Vec<RecordMetadata>, ProduceError> {
        self.log.produce(topic, records).await
    }

    async fn produce_whole(
        &self,
        topic: &TopicName,
        records: Vec<NewRecord>,
    ) -> Result<Vec<RecordMetadata>, ProduceError> {
        self.log.produce_whole(topic, records).await
    }

    async fn transactional_producer(
        &self,
        id: &TransactionalId,
    ) -> Result<Box<dyn TransactionalProducer>, TransactionError> {
        self.log.transactional_producer(id).await
    }

    async fn read(
        &self,
        partition: &TopicPartition,
        from: Offset,
        limit_bytes: usize,
        wait: Duration,
    ) -> Result<Chunk, ReadError> {
        let mut chunk = self.log.read(partition, from, limit_bytes, wait).await?;
        chunk.records.iter_mut().for_each(|record| self.decode(record));
        Ok(chunk)
    }

    async fn wait_past(&self, partition: &TopicPartition, from: Offset) {
        self.log.wait_past(partition, from).await;
    }

    async fn offset_of(&self, partition: &TopicPartition, position: Position) -> Result<Offset, ReadError> {
        self.log.offset_of(partition, position).await
    }

    async fn join(&self, membership: Membership) -> Result<Box<dyn GroupConsumer>, GroupError> {
        self.log.join(membership).await
    }
}

#[async_trait]
impl Admin for DecodedLog {
    async fn topics(&self) -> Result<Vec<Topic>, AdminError> {
        self.log.topics().await
    }

    async fn topic(&self, name: &TopicName) -> Result<Topic, AdminError> {
        self.log.topic(name).await
    }

    async fn create_topic(&self, new: NewTopic) -> Result<Topic, AdminError> {
        self.log.create_topic(new).await
    }

    async fn alter_topic(&self, name: &TopicName, config: TopicConfig) -> Result<Topic, AdminError> {
        self.log.alter_topic(name, config).await
    }

    async fn edit_topic(&self, name: &TopicName, edit: TopicEdit) -> Result<Topic, AdminError> {
        self.log.edit_topic(name, edit).await
    }

    async fn create_partitions(&self, name: &TopicName, count: i32) -> Result<Topic, AdminError> {
        self.log.create_partitions(name, count).await
    }

    async fn delete_topic(&self, name: &TopicName) -> Result<(), AdminError> {
        self.log.delete_topic(name).await
    }

    async fn groups(&self) -> Result<Vec<Group>, AdminError> {
        self.log.groups().await
    }

    async fn committed_offsets(&self, group: &GroupId) -> Result<Vec<(TopicPartition, Offset)>, AdminError> {
        self.log.committed_offsets(group).await
    }

    async fn reset_group(
        &self,
        group: &GroupId,
        offsets: Vec<(TopicPartition, Offset)>,
    ) -> Result<(), AdminError> {
        self.log.reset_group(group, offsets).await
    }

    async fn delete_group(&self, group: &GroupId) -> Result<(), AdminError> {
        self.log.delete_group(group).await
    }
}
