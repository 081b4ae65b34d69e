//! The smallest log that plans can be applied to: topics and records in memory, no groups.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use factum_eventlog::{
    Admin, AdminError, Chunk, EventLog, Group, GroupConsumer, GroupError, Membership, NewRecord, NewTopic,
    PartitionBounds, Position, ProduceError, ReadError, RecordMetadata, Topic, TopicConfig, TopicEdit,
    TransactionError, TransactionalProducer, Unreadable,
};
use factum_types::{GroupId, Offset, Record, Timestamp, TopicId, TopicName, TopicPartition, TransactionalId};

#[derive(Default)]
pub(crate) struct MemoryLog {
    topics: Mutex<BTreeMap<TopicName, MemoryTopic>>,
    /// Calls that changed something.
    pub(crate) writes: AtomicUsize,
    /// Offsets of any topic that cannot be read.
    damaged: Mutex<BTreeSet<i64>>,
    /// How many reads fail from now on, for the moment.
    failing: AtomicUsize,
    /// How many records were read so far.
    read: AtomicUsize,
}

struct MemoryTopic {
    partitions: Vec<Vec<Record>>,
    config: TopicConfig,
}

impl MemoryTopic {
    fn describe(&self, name: &TopicName) -> Topic {
        let bounds = self.partitions.iter().enumerate().map(|(partition, records)| PartitionBounds {
            partition: i32::try_from(partition).expect("few partitions"),
            log_start: Offset::ZERO,
            high_watermark: Offset::new(i64::try_from(records.len()).expect("few records")),
            bytes: None,
            is_writable: true,
        });
        Topic {
            name: name.clone(),
            id: TopicId::NIL,
            partitions: bounds.collect(),
            config: self.config.clone(),
        }
    }
}

impl MemoryLog {
    /// Makes offsets unreadable, in every topic.
    pub(crate) fn damage(&self, offsets: std::ops::Range<i64>) {
        self.damaged.lock().expect("no test panics while holding it").extend(offsets);
    }

    /// Lets the next reads fail.
    pub(crate) fn fail_reads(&self, count: usize) {
        self.failing.store(count, Ordering::Relaxed);
    }

    pub(crate) fn records_read(&self) -> usize {
        self.read.load(Ordering::Relaxed)
    }

    pub(crate) fn writes(&self) -> usize {
        self.writes.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl EventLog for MemoryLog {
    async fn produce(
        &self,
        topic: &TopicName,
        records: Vec<NewRecord>,
    ) -> Result<Vec<RecordMetadata>, ProduceError> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        let mut topics = self.topics.lock().expect("no test panics while holding it");
        let kept =
            topics.get_mut(topic).ok_or_else(|| ProduceError::UnknownTopic { topic: topic.clone() })?;
        let place = |record: NewRecord| {
            let partition = record.partition.unwrap_or(0);
            let log = &mut kept.partitions[usize::try_from(partition).expect("not negative")];
            let offset = Offset::new(i64::try_from(log.len()).expect("few records"));
            log.push(Record {
                offset,
                timestamp: Timestamp::from_millis(0),
                key: record.key,
                value: record.value,
                headers: record.headers,
            });
            RecordMetadata { partition, offset }
        };
        Ok(records.into_iter().map(place).collect())
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
        unreachable!("governance has no transactions, yet {id} was to have one")
    }

    async fn read(
        &self,
        at: &TopicPartition,
        from: Offset,
        _: usize,
        _: Duration,
    ) -> Result<Chunk, ReadError> {
        let fewer =
            self.failing.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        if fewer.is_ok() {
            let reason = "no file can be opened now".to_owned();
            return Err(ReadError::Unavailable { partition: at.clone(), reason });
        }
        let topics = self.topics.lock().expect("no test panics while holding it");
        let records = &topics[&at.topic].partitions[usize::try_from(at.partition).expect("not negative")];
        // Two at a time, so that readers have to go on.
        let from_index = usize::try_from(from.get()).expect("not negative");
        let some: Vec<Record> = records.iter().skip(from_index).take(2).cloned().collect();
        let damaged = self.damaged.lock().expect("no test panics while holding it");
        let (lost, found): (Vec<_>, Vec<_>) =
            some.iter().cloned().partition(|record: &Record| damaged.contains(&record.offset.get()));
        let hole = |record: Record| Unreadable {
            from: record.offset,
            next: record.offset.advance(1),
            reason: "the checksum is wrong".to_owned(),
        };
        self.read.fetch_add(found.len(), Ordering::Relaxed);
        Ok(Chunk {
            topic: TopicId::NIL,
            next: from.advance(i64::try_from(some.len()).expect("two")),
            records: found,
            unreadable: lost.into_iter().map(hole).collect(),
            log_start: Offset::ZERO,
            high_watermark: Offset::new(i64::try_from(records.len()).expect("few")),
        })
    }

    async fn wait_past(&self, _: &TopicPartition, _: Offset) {
        unreachable!("governance reads what there is");
    }

    async fn offset_of(&self, at: &TopicPartition, position: Position) -> Result<Offset, ReadError> {
        let topics = self.topics.lock().expect("no test panics while holding it");
        let records = &topics[&at.topic].partitions[usize::try_from(at.partition).expect("not negative")];
        Ok(match position {
            Position::Earliest => Offset::ZERO,
            _ => Offset::new(i64::try_from(records.len()).expect("few")),
        })
    }

    async fn join(&self, _: Membership) -> Result<Box<dyn GroupConsumer>, GroupError> {
        unreachable!("governance joins no group")
    }
}

#[async_trait]
impl Admin for MemoryLog {
    async fn topics(&self) -> Result<Vec<Topic>, AdminError> {
        let topics = self.topics.lock().expect("no test panics while holding it");
        Ok(topics.iter().map(|(name, kept)| kept.describe(name)).collect())
    }

    async fn topic(&self, name: &TopicName) -> Result<Topic, AdminError> {
        let topics = self.topics.lock().expect("no test panics while holding it");
        let kept = topics.get(name).ok_or_else(|| AdminError::UnknownTopic { topic: name.clone() })?;
        Ok(kept.describe(name))
    }

    async fn create_topic(&self, new: NewTopic) -> Result<Topic, AdminError> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        let mut topics = self.topics.lock().expect("no test panics while holding it");
        if topics.contains_key(&new.name) {
            return Err(AdminError::TopicExists { topic: new.name });
        }
        let partitions = vec![Vec::new(); usize::try_from(new.partitions.unwrap_or(4)).expect("positive")];
        let kept = MemoryTopic { partitions, config: new.config };
        let topic = kept.describe(&new.name);
        topics.insert(new.name, kept);
        Ok(topic)
    }

    async fn alter_topic(&self, name: &TopicName, config: TopicConfig) -> Result<Topic, AdminError> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        let mut topics = self.topics.lock().expect("no test panics while holding it");
        let kept = topics.get_mut(name).ok_or_else(|| AdminError::UnknownTopic { topic: name.clone() })?;
        kept.config = config;
        Ok(kept.describe(name))
    }

    async fn edit_topic(&self, name: &TopicName, edit: TopicEdit) -> Result<Topic, AdminError> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        let mut topics = self.topics.lock().expect("no test panics while holding it");
        let kept = topics.get_mut(name).ok_or_else(|| AdminError::UnknownTopic { topic: name.clone() })?;
        kept.config = edit(std::mem::take(&mut kept.config));
        Ok(kept.describe(name))
    }

    async fn create_partitions(&self, name: &TopicName, count: i32) -> Result<Topic, AdminError> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        let mut topics = self.topics.lock().expect("no test panics while holding it");
        let kept = topics.get_mut(name).ok_or_else(|| AdminError::UnknownTopic { topic: name.clone() })?;
        kept.partitions.resize(usize::try_from(count).expect("positive"), Vec::new());
        Ok(kept.describe(name))
    }

    async fn delete_topic(&self, name: &TopicName) -> Result<(), AdminError> {
        unreachable!("no plan deletes a topic, yet {name} was to be deleted")
    }

    async fn groups(&self) -> Result<Vec<Group>, AdminError> {
        Ok(Vec::new())
    }

    async fn committed_offsets(&self, group: &GroupId) -> Result<Vec<(TopicPartition, Offset)>, AdminError> {
        unreachable!("governance has no groups, yet {group} was asked for")
    }

    async fn reset_group(&self, _: &GroupId, _: Vec<(TopicPartition, Offset)>) -> Result<(), AdminError> {
        unreachable!("governance resets no group")
    }

    async fn delete_group(&self, _: &GroupId) -> Result<(), AdminError> {
        unreachable!("governance deletes no group")
    }
}
