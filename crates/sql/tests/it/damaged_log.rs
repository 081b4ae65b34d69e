//! A log of which ranges cannot be read, as if their bytes on disk were not what was written, and of which topics take
//! no writes.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use factum_broker::Broker;
use factum_eventlog::{
    Admin, AdminError, Chunk, EventLog, Group, GroupConsumer, GroupError, Membership, NewRecord, NewTopic,
    Position, ProduceError, ReadError, RecordMetadata, Topic, TopicConfig, TopicEdit, TransactionError,
    TransactionalProducer, Unreadable,
};
use factum_types::{GroupId, Offset, TopicName, TopicPartition, TransactionalId};
use parking_lot::Mutex;

/// Offsets of a partition.
type DamagedRange = (TopicPartition, Range<i64>);

/// The broker's log, but for the ranges that were damaged.
#[derive(Clone)]
pub(crate) struct DamagedLog {
    broker: Broker,
    /// What it is written by.
    writer: Arc<dyn EventLog>,
    damaged: Arc<Mutex<Vec<DamagedRange>>>,
    /// What a repair has given up: no record is there, and nothing is unreadable.
    given_up: Arc<Mutex<Vec<DamagedRange>>>,
    read_only: Arc<Mutex<Option<TopicName>>>,
}

impl DamagedLog {
    pub(crate) fn new(broker: Broker) -> Self {
        let writer = Arc::new(broker.clone());
        Self { writer, broker, damaged: Arc::default(), given_up: Arc::default(), read_only: Arc::default() }
    }

    /// The same log, with the same damage, for the server's own records.
    pub(crate) fn internal(&self) -> Self {
        Self { writer: Arc::new(self.broker.internal_log()), ..self.clone() }
    }

    /// Offsets of a partition cannot be read from now on.
    pub(crate) fn damage(&self, partition: TopicPartition, offsets: Range<i64>) {
        self.damaged.lock().push((partition, offsets));
    }

    /// Offsets of a partition hold no records from now on.
    pub(crate) fn give_up(&self, partition: TopicPartition, offsets: Range<i64>) {
        self.given_up.lock().push((partition, offsets));
    }

    /// The one topic that takes no records from now on, if any.
    pub(crate) fn set_read_only(&self, topic: Option<TopicName>) {
        *self.read_only.lock() = topic;
    }
}

#[async_trait]
impl EventLog for DamagedLog {
    async fn produce(
        &self,
        topic: &TopicName,
        records: Vec<NewRecord>,
    ) -> Result<Vec<RecordMetadata>, ProduceError> {
        if self.read_only.lock().as_ref() == Some(topic) {
            let reason = "partition 0 is read-only".to_owned();
            return Err(ProduceError::Unavailable { topic: topic.clone(), reason });
        }
        self.writer.produce(topic, records).await
    }

    async fn produce_whole(
        &self,
        topic: &TopicName,
        records: Vec<NewRecord>,
    ) -> Result<Vec<RecordMetadata>, ProduceError> {
        self.produce(topic, records).await
    }

    async fn transactional_producer(
        &self,
        id: &TransactionalId,
    ) -> Result<Box<dyn TransactionalProducer>, TransactionError> {
        self.writer.transactional_producer(id).await
    }

    async fn read(
        &self,
        partition: &TopicPartition,
        from: Offset,
        limit_bytes: usize,
        wait: Duration,
    ) -> Result<Chunk, ReadError> {
        let mut chunk = EventLog::read(&self.broker, partition, from, limit_bytes, wait).await?;
        for (_, range) in self.given_up.lock().iter().filter(|(place, _)| place == partition) {
            chunk.records.retain(|record| !range.contains(&record.offset.get()));
        }
        let damaged = self.damaged.lock().clone();
        for (_, range) in damaged.into_iter().filter(|(place, _)| place == partition) {
            let first = range.start.max(from.get());
            if first < range.end && first < chunk.next.get() {
                chunk.records.retain(|record| !range.contains(&record.offset.get()));
                let (from, next) = (Offset::new(first), Offset::new(range.end));
                let reason = "the checksum does not fit".to_owned();
                chunk.unreadable.push(Unreadable { from, next, reason });
                // A log tells of a range as a whole, however little was asked for.
                chunk.next = chunk.next.max(next);
            }
        }
        Ok(chunk)
    }

    async fn wait_past(&self, partition: &TopicPartition, from: Offset) {
        EventLog::wait_past(&self.broker, partition, from).await;
    }

    async fn offset_of(&self, partition: &TopicPartition, position: Position) -> Result<Offset, ReadError> {
        EventLog::offset_of(&self.broker, partition, position).await
    }

    async fn join(&self, membership: Membership) -> Result<Box<dyn GroupConsumer>, GroupError> {
        EventLog::join(&self.broker, membership).await
    }
}

#[async_trait]
impl Admin for DamagedLog {
    async fn topics(&self) -> Result<Vec<Topic>, AdminError> {
        Admin::topics(&self.broker).await
    }

    async fn topic(&self, name: &TopicName) -> Result<Topic, AdminError> {
        Admin::topic(&self.broker, name).await
    }

    async fn create_topic(&self, new: NewTopic) -> Result<Topic, AdminError> {
        self.writer.create_topic(new).await
    }

    async fn alter_topic(&self, name: &TopicName, config: TopicConfig) -> Result<Topic, AdminError> {
        Admin::alter_topic(&self.broker, name, config).await
    }

    async fn edit_topic(&self, name: &TopicName, edit: TopicEdit) -> Result<Topic, AdminError> {
        Admin::edit_topic(&self.broker, name, edit).await
    }

    async fn create_partitions(&self, name: &TopicName, count: i32) -> Result<Topic, AdminError> {
        Admin::create_partitions(&self.broker, name, count).await
    }

    async fn delete_topic(&self, name: &TopicName) -> Result<(), AdminError> {
        Admin::delete_topic(&self.broker, name).await
    }

    async fn groups(&self) -> Result<Vec<Group>, AdminError> {
        Admin::groups(&self.broker).await
    }

    async fn committed_offsets(&self, group: &GroupId) -> Result<Vec<(TopicPartition, Offset)>, AdminError> {
        Admin::committed_offsets(&self.broker, group).await
    }

    async fn reset_group(
        &self,
        group: &GroupId,
        offsets: Vec<(TopicPartition, Offset)>,
    ) -> Result<(), AdminError> {
        Admin::reset_group(&self.broker, group, offsets).await
    }

    async fn delete_group(&self, group: &GroupId) -> Result<(), AdminError> {
        Admin::delete_group(&self.broker, group).await
    }
}
