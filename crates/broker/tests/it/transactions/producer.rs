//! A transactional producer as a client is one: it numbers its records, and speaks one version.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use factum_base::clients::ClientAddress;
use factum_broker::coordinator::{Commit, CommittedOffset};
use factum_broker::transactions::{
    InitProducer, ProducerIdentity, TransactionError, TransactionOffsets, TransactionVersion,
};
use factum_broker::{Broker, InlineWork, Partition, ProduceError};
use factum_types::record::TransactionOutcome;
use factum_types::{BatchBuilder, GroupId, Offset, Timestamp, TopicPartition, TransactionalId};

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

pub(super) struct Producer {
    broker: Broker,
    id: TransactionalId,
    version: TransactionVersion,
    pub(super) identity: ProducerIdentity,
    /// The next sequence number of each partition.
    sequences: HashMap<TopicPartition, i32>,
}

pub(super) fn transactional_id(text: &str) -> TransactionalId {
    TransactionalId::new(text).expect("a valid name")
}

/// A group's commit of one offset of partition 0 of topic `a`, by a producer that names no member.
pub(super) fn commit(group: &str, offset: i64) -> Commit {
    let committed = CommittedOffset { offset, leader_epoch: -1, metadata: None };
    let partition = TopicPartition::new(crate::support::name("a"), 0);
    Commit {
        group: GroupId::new(group).expect("a valid name"),
        generation: -1,
        member_id: String::new(),
        instance_id: None,
        client: ClientAddress::UNKNOWN,
        offsets: vec![(partition, committed)],
    }
}

impl Producer {
    pub(super) async fn init(
        broker: &Broker,
        id: &str,
        version: TransactionVersion,
    ) -> Result<Self, TransactionError> {
        Self::init_within(broker, id, version, Duration::from_secs(60)).await
    }

    pub(super) async fn init_within(
        broker: &Broker,
        id: &str,
        version: TransactionVersion,
        timeout: Duration,
    ) -> Result<Self, TransactionError> {
        let id = transactional_id(id);
        let init = InitProducer { id: id.clone(), timeout, expected: None, client: ClientAddress::UNKNOWN };
        let identity = broker.transactions().init_producer(init).await?;
        Ok(Self { broker: broker.clone(), id, version, identity, sequences: HashMap::new() })
    }

    /// Adds partitions as a client of version 1 does; one of version 2 has no need to.
    pub(super) async fn add(&self, partitions: &[&Arc<Partition>]) -> Result<(), TransactionError> {
        if self.version == TransactionVersion::V2 {
            return Ok(());
        }
        let partitions = partitions.iter().map(|partition| partition.topic_partition().clone()).collect();
        let transactions = self.broker.transactions();
        transactions.add_partitions(&self.id, self.identity, partitions, ClientAddress::UNKNOWN).await
    }

    /// Appends one record; its place is returned before it is on disk.
    pub(super) fn append(&mut self, partition: &Arc<Partition>, value: &str) -> Result<Offset, ProduceError> {
        let sequence = self.sequences.entry(partition.topic_partition().clone()).or_default();
        let ProducerIdentity { id, epoch } = self.identity;
        let mut builder = BatchBuilder::new().producer(id, epoch, *sequence).transactional();
        builder.push(NOW, None, Some(value.as_bytes()), &[]);
        let append = self.broker.transactions().append(&self.id, self.version, ClientAddress::UNKNOWN)?;
        let mut inline = InlineWork::default();
        let appended = partition.append_timed(builder.build(), NonZeroUsize::MIN, &mut inline, Some(&append));
        let (appended, _) = appended?;
        *sequence += 1;
        Ok(appended.last_offset)
    }

    /// Commits an offset of `group` with the transaction.
    pub(super) async fn commit_offset(&self, group: &str, offset: i64) -> Result<(), TransactionError> {
        let transactions = self.broker.transactions();
        if self.version == TransactionVersion::V1 {
            transactions.add_offsets(&self.id, self.identity, ClientAddress::UNKNOWN).await?;
        }
        let (id, producer, version) = (self.id.clone(), self.identity, self.version);
        let commit = commit(group, offset);
        transactions.commit_offsets(TransactionOffsets { id, producer, version, commit }).await
    }

    pub(super) async fn end(&mut self, outcome: TransactionOutcome) -> Result<(), TransactionError> {
        let before = self.identity;
        let transactions = self.broker.transactions();
        self.identity = transactions.end(&self.id, before, outcome, self.version).await?;
        if self.identity != before {
            self.sequences.clear();
        }
        Ok(())
    }
}
