//! Transactions of the embedded log, looked after through the uniform interface.

use std::collections::HashMap;

use async_trait::async_trait;
use factum_base::clients::ClientAddress;
use factum_eventlog::{AbortError, HeldPartition, Transaction, Transactions};
use factum_log::{EndTransaction, ProducerInfo};
use factum_types::record::TransactionOutcome;
use factum_types::{Offset, ProducerId, TopicPartition, TransactionalId};

use super::reason;
use crate::broker::Broker;
use crate::partition::Partition;
use crate::transactions::{
    InitProducer, ListTransactions, TransactionDescription, TransactionError, TransactionListing,
    TransactionState,
};

#[async_trait]
impl Transactions for Broker {
    async fn transactions(&self) -> Vec<Transaction> {
        let coordinator = Broker::transactions(self);
        let listed = coordinator.list(&ListTransactions::default()).into_iter();
        // One that is forgotten at this very moment is left out.
        listed.filter_map(|listing| coordinator.describe(&listing.id).ok()).map(shown).collect()
    }

    async fn held_back(&self) -> Vec<HeldPartition> {
        let topics = self.topics();
        let partitions = topics.iter().flat_map(|topic| topic.partitions());
        let held: Vec<_> = partitions
            .filter_map(|partition| oldest_open(partition).map(|producer| (partition, producer)))
            .collect();
        if held.is_empty() {
            return Vec::new();
        }
        let known = self.transactions_by_producer();
        held.into_iter().map(|(partition, producer)| held_partition(partition, &producer, &known)).collect()
    }

    async fn abort(&self, id: &TransactionalId) -> Result<(), AbortError> {
        let coordinator = Broker::transactions(self);
        if id.is_internal() {
            return Err(AbortError::Reserved { id: id.clone() });
        }
        let unknown = |_| AbortError::UnknownId { id: id.clone() };
        let TransactionDescription { listing, timeout, .. } = coordinator.describe(id).map_err(unknown)?;
        if listing.state != TransactionState::Ongoing {
            return Err(AbortError::NotOpen { id: id.clone(), state: listing.state.name().to_owned() });
        }
        let init = InitProducer { id: id.clone(), timeout, expected: None, client: ClientAddress::UNKNOWN };
        match coordinator.init_producer(init).await {
            Ok(_) => Ok(()),
            Err(error) => Err(AbortError::Unavailable { reason: reason(&error) }),
        }
    }

    async fn abort_hanging(&self, partition: &TopicPartition, first: Offset) -> Result<(), AbortError> {
        let not_held = || AbortError::NotHeld { partition: partition.clone(), first };
        let found = self.find(partition).ok_or_else(not_held)?;
        let producers = found.log().producers();
        let hanging = producers.into_iter().find(|producer| producer.open_since == Some(first));
        let hanging = hanging.ok_or_else(not_held)?;
        if let Some(known) = self.transactions_by_producer().get(&hanging.id) {
            return Err(AbortError::Known { id: known.id.clone() });
        }
        let end = EndTransaction {
            producer_id: hanging.id,
            producer_epoch: hanging.epoch,
            outcome: TransactionOutcome::Abort,
            coordinator_epoch: hanging.coordinator_epoch.unwrap_or(0),
        };
        match Broker::transactions(self).write_known_marker(partition, &end).await {
            Ok(()) => Ok(()),
            // It was ended, or went with its topic, at this very moment.
            Err(TransactionError::NotFound | TransactionError::Fenced { .. }) => Err(not_held()),
            Err(error) => Err(AbortError::Unavailable { reason: reason(&error) }),
        }
    }
}

impl Broker {
    /// What hangs: partitions that are held back by a transaction that no one will end, for operators.
    pub(crate) fn hanging_transactions(&self) -> Vec<String> {
        let topics = self.topics();
        let partitions = topics.iter().flat_map(|topic| topic.partitions());
        let held: Vec<_> = partitions
            .filter_map(|partition| oldest_open(partition).map(|producer| (partition, producer)))
            .collect();
        if held.is_empty() {
            return Vec::new();
        }
        let known = self.transactions_by_producer();
        let hanging = held.into_iter().filter(|(_, producer)| !known.contains_key(&producer.id));
        let told = hanging.map(|(partition, producer)| {
            let (name, first) = (partition.topic_partition(), producer.open_since.unwrap_or(Offset::ZERO));
            format!(
                "partition {name} is held back from offset {first} on by a transaction that no transactional id knows: \
                 readers of committed records wait there; `factum transaction abort --topic {} --partition {} \
                 --start-offset {first}` ends it",
                name.topic, name.partition
            )
        });
        told.collect()
    }

    /// Those whose transaction is open, or is being ended.
    fn transactions_by_producer(&self) -> HashMap<ProducerId, TransactionListing> {
        let listed = Broker::transactions(self).list(&ListTransactions::default()).into_iter();
        let open =
            listed.filter(|listing| listing.state == TransactionState::Ongoing || listing.state.is_decided());
        open.map(|listing| (listing.producer.id, listing)).collect()
    }
}

/// The producer of the transaction that readers of committed records wait for, if they do.
fn oldest_open(partition: &Partition) -> Option<ProducerInfo> {
    let bounds = partition.bounds();
    // Most partitions are told apart without a look at their producers.
    if bounds.stable >= bounds.high_watermark {
        return None;
    }
    let producers = partition.log().producers().into_iter();
    producers.filter(|producer| producer.open_since.is_some()).min_by_key(|producer| producer.open_since)
}

fn held_partition(
    partition: &Partition,
    producer: &ProducerInfo,
    known: &HashMap<ProducerId, TransactionListing>,
) -> HeldPartition {
    let bounds = partition.bounds();
    let listing = known.get(&producer.id);
    HeldPartition {
        partition: partition.topic_partition().clone(),
        first: producer.open_since.unwrap_or(bounds.stable),
        records: bounds.high_watermark.since(bounds.stable).max(0),
        producer_id: producer.id,
        id: listing.map(|listing| listing.id.clone()),
        since: listing.map(|listing| listing.started),
    }
}

fn shown(described: TransactionDescription) -> Transaction {
    let TransactionDescription { listing, timeout, partitions } = described;
    let is_open = listing.state == TransactionState::Ongoing || listing.state.is_decided();
    Transaction {
        id: listing.id,
        producer_id: listing.producer.id,
        producer_epoch: listing.producer.epoch,
        state: listing.state.name().to_owned(),
        open_since: is_open.then_some(listing.started),
        timeout,
        partitions,
    }
}
