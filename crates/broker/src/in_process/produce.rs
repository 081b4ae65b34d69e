//! Records on their way into the embedded log.
//!
//! Invariants: everything that can be refused is refused before anything is appended; each partition gets its
//! records as one batch, so that they stay together.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use factum_base::steps::Steps;
use factum_eventlog::{NewRecord, ProduceError, RecordMetadata};
use factum_types::{BatchBuilder, Offset, PartitionId, Timestamp, TopicName};

use super::transaction;
use crate::access::Access;
use crate::broker::Broker;
use crate::contract::{self, Contract, ProducedRecord, Violation};
use crate::error::{CreateTopicError, EnsureTopicError};
use crate::inline_work::InlineWork;
use crate::partition::{self, CHECKED_AT_ONCE, MAX_TIMESTAMP_AHEAD, Partition};
use crate::topic::{self, Topic};

/// What one partition is to get.
pub(super) struct Share {
    pub(super) partition: Arc<Partition>,
    pub(super) batch: BatchBuilder,
    /// The records' places in the request.
    pub(super) indexes: Vec<usize>,
}

/// Records of one topic, accepted and sorted by partition; nothing is appended yet.
pub(super) struct AcceptedRecords {
    pub(super) topic: TopicName,
    pub(super) count: usize,
    pub(super) shares: BTreeMap<PartitionId, Share>,
}

pub(super) async fn produce(
    broker: &Broker,
    access: Access,
    name: &TopicName,
    records: Vec<NewRecord>,
) -> Result<Vec<RecordMetadata>, ProduceError> {
    accept(broker, access, name, records).await?.append().await
}

/// As [`produce`]; records for several partitions are one transaction.
pub(super) async fn produce_whole(
    broker: &Broker,
    access: Access,
    name: &TopicName,
    records: Vec<NewRecord>,
) -> Result<Vec<RecordMetadata>, ProduceError> {
    let accepted = accept(broker, access, name, records).await?;
    match accepted.shares.len() {
        0 | 1 => accepted.append().await,
        _ => transaction::append_whole(broker, accepted).await,
    }
}

/// Refuses what can be refused.
pub(super) async fn accept(
    broker: &Broker,
    access: Access,
    name: &TopicName,
    records: Vec<NewRecord>,
) -> Result<AcceptedRecords, ProduceError> {
    if !access.reaches(name) || topic::is_journal(name) {
        return Err(ProduceError::ReservedTopic { topic: name.clone() });
    }
    let topic = ensure_topic(broker, name).await?;
    let records = check_contract(broker, name, records).await?;
    let (count, shares) = (records.len(), share_out(broker, &topic, &records)?);
    if let Some(stuck) = shares.values().find(|share| !share.partition.bounds().is_writable) {
        let reason = format!("partition {} is read-only", stuck.partition.topic_partition());
        return Err(ProduceError::Unavailable { topic: name.clone(), reason });
    }
    Ok(AcceptedRecords { topic: name.clone(), count, shares })
}

impl AcceptedRecords {
    /// Appends them, a partition at a time, and answers once all are on disk.
    async fn append(self) -> Result<Vec<RecordMetadata>, ProduceError> {
        let Self { topic, count, shares } = self;
        let mut placed = vec![None; count];
        let mut durable = Vec::with_capacity(shares.len());
        let request = NonZeroUsize::new(shares.len()).unwrap_or(NonZeroUsize::MIN);
        for (number, share) in shares {
            let appended = share.partition.append_own(share.batch.build(), request);
            let appended = appended.map_err(|error| refused(&topic, error))?;
            durable.push(share.partition.durable(appended.last_offset));
            place(&mut placed, number, &share.indexes, appended.base_offset);
        }
        for synced in durable {
            synced.await.map_err(|error| not_durable(&topic, &error))?;
        }
        Ok(all(placed))
    }
}

/// Takes note of where the records of one batch are.
pub(super) fn place(
    placed: &mut [Option<RecordMetadata>],
    partition: PartitionId,
    indexes: &[usize],
    base_offset: Offset,
) {
    for (index, offset) in indexes.iter().zip(base_offset.get()..) {
        placed[*index] = Some(RecordMetadata { partition, offset: Offset::new(offset) });
    }
}

/// Where all records are.
pub(super) fn all(placed: Vec<Option<RecordMetadata>>) -> Vec<RecordMetadata> {
    placed.into_iter().map(|placed| placed.expect("every record has its share")).collect()
}

async fn ensure_topic(broker: &Broker, name: &TopicName) -> Result<Arc<Topic>, ProduceError> {
    let topic = broker.ensure_topic(name, broker.auto_creates_topics()).await;
    topic.map_err(|error| match error {
        // A reserved topic is created by the component that keeps records in it, not by its first record.
        EnsureTopicError::Unknown { topic }
        | EnsureTopicError::Create(
            CreateTopicError::Reserved { topic } | CreateTopicError::NameTaken { topic, .. },
        ) => ProduceError::UnknownTopic { topic },
        EnsureTopicError::Create(error) => {
            ProduceError::Unavailable { topic: name.clone(), reason: super::reason(&error) }
        }
    })
}

/// Gives the records back if the topic's contract accepts all of them. Many are judged on a blocking thread.
async fn check_contract(
    broker: &Broker,
    name: &TopicName,
    records: Vec<NewRecord>,
) -> Result<Vec<NewRecord>, ProduceError> {
    let contract = Some(name).filter(|name| !name.is_internal());
    let Some(contract) = contract.and_then(|name| broker.shared().catalogue.contracts().of(name)) else {
        return Ok(records);
    };
    let size = |record: &NewRecord| record.value.as_ref().map_or(0, |value| value.len());
    if records.iter().map(size).sum::<usize>() <= CHECKED_AT_ONCE
        && let Some(()) = judge(&*contract, &records, InlineWork::default().steps())?
    {
        return Ok(records);
    }
    let judged = move || {
        let judged = judge(&*contract, &records, &mut Steps::new(contract::MAX_STEPS))?;
        let too_much = || ProduceError::Refused { index: 0, reason: contract::TOO_MUCH_WORK.to_owned() };
        judged.ok_or_else(too_much).map(|()| records)
    };
    broker.shared().heavy_work.run(judged).await
}

/// Judges records; `None` where `steps` were not enough.
fn judge(
    contract: &dyn Contract,
    records: &[NewRecord],
    steps: &mut Steps,
) -> Result<Option<()>, ProduceError> {
    for (index, record) in records.iter().enumerate() {
        let produced = ProducedRecord::new(record.key.as_deref(), record.value.as_deref(), &record.headers);
        let refused = |Violation { reason }| ProduceError::Refused { index, reason };
        let checked = contract.check(produced, steps);
        if steps.are_spent() {
            return Ok(None);
        }
        checked.map_err(refused)?;
    }
    Ok(Some(()))
}

fn share_out(
    broker: &Broker,
    topic: &Topic,
    records: &[NewRecord],
) -> Result<BTreeMap<PartitionId, Share>, ProduceError> {
    let now = broker.clock().now();
    let mut shares = BTreeMap::new();
    for (index, record) in records.iter().enumerate() {
        let (number, partition) = choose(broker, topic, record)?;
        let timestamp = check_time(index, record.timestamp.unwrap_or(now), now)?;
        if record.key.is_none() && partition.needs_keys() {
            let reason = "it has no key, by which the topic is compacted".to_owned();
            return Err(ProduceError::Refused { index, reason });
        }
        let share = shares.entry(number).or_insert_with(|| Share {
            partition: Arc::clone(partition),
            batch: BatchBuilder::new(),
            indexes: Vec::new(),
        });
        share.batch.push(timestamp, record.key.as_deref(), record.value.as_deref(), &record.headers);
        share.indexes.push(index);
        let (bytes, limit) = (share.batch.encoded_len(), partition.max_message_bytes());
        if bytes > limit {
            return Err(ProduceError::TooLarge { topic: topic.name().clone(), bytes, limit });
        }
    }
    Ok(shares)
}

fn choose<'a>(
    broker: &Broker,
    topic: &'a Topic,
    record: &NewRecord,
) -> Result<(PartitionId, &'a Arc<Partition>), ProduceError> {
    let by_key = || broker.shared().partitioner.choose(record.key.as_deref(), topic.partition_count());
    let number = record.partition.unwrap_or_else(by_key);
    let partition = topic.partition(number);
    let unknown = || ProduceError::UnknownPartition { topic: topic.name().clone(), partition: number };
    Ok((number, partition.ok_or_else(unknown)?))
}

fn check_time(index: usize, timestamp: Timestamp, now: Timestamp) -> Result<Timestamp, ProduceError> {
    let latest = now.plus(MAX_TIMESTAMP_AHEAD);
    if timestamp <= latest {
        return Ok(timestamp);
    }
    Err(ProduceError::Refused { index, reason: format!("its time {timestamp} is later than {latest}") })
}

pub(super) fn refused(topic: &TopicName, error: partition::ProduceError) -> ProduceError {
    match error {
        partition::ProduceError::Deleted => ProduceError::UnknownTopic { topic: topic.clone() },
        partition::ProduceError::TooLarge { bytes, limit } => {
            ProduceError::TooLarge { topic: topic.clone(), bytes, limit }
        }
        other @ (partition::ProduceError::FutureTimestamp { .. }
        | partition::ProduceError::OldTimestamp { .. }) => {
            ProduceError::Refused { index: 0, reason: other.to_string() }
        }
        other => not_durable(topic, &other),
    }
}

pub(super) fn not_durable(topic: &TopicName, error: &dyn std::error::Error) -> ProduceError {
    ProduceError::NotDurable { topic: topic.clone(), reason: super::reason(error) }
}
