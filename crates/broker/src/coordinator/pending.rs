//! The offsets that open transactions committed for one group (KIP-447): they count once their transaction does.
//!
//! Invariants
//! - Of an offset and one in a transaction, the one that was written later to the journal counts, whichever is decided
//!   later: an offset that is set, or removed, does away with those of transactions that were written before it.
//! - What is here takes its share of the memory of all groups, as offsets do.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use factum_base::clients::ClientAddress;
use factum_types::{Offset, ProducerId, TopicPartition};

use super::memory::{GroupMemory, MemoryLimitError, MemoryShare};
use super::offsets::bytes_of;
use super::records::StoredOffset;

/// By producer and partition.
#[derive(Debug, Default)]
pub(crate) struct PendingOffsets(HashMap<ProducerId, BTreeMap<TopicPartition, PendingOffset>>);

/// An offset whose transaction is open.
#[derive(Debug)]
pub(crate) struct PendingOffset {
    pub(crate) stored: StoredOffset,
    /// Where the journal has it.
    pub(crate) order: Offset,
    pub(crate) share: MemoryShare,
}

impl PendingOffsets {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a transaction that is open has an offset for the partition.
    pub(crate) fn contains(&self, partition: &TopicPartition) -> bool {
        self.0.values().any(|offsets| offsets.contains_key(partition))
    }

    /// The partitions, each once for each transaction.
    pub(crate) fn partitions(&self) -> impl Iterator<Item = &TopicPartition> {
        self.0.values().flat_map(BTreeMap::keys)
    }

    /// Takes the memory that these offsets need for [`PendingOffsets::set`].
    ///
    /// # Errors
    /// [`MemoryLimitError`].
    pub(crate) fn reserve<'a>(
        &self,
        producer_id: ProducerId,
        memory: &Arc<GroupMemory>,
        client: ClientAddress,
        offsets: impl Iterator<Item = (&'a TopicPartition, &'a StoredOffset)>,
    ) -> Result<MemoryShare, MemoryLimitError> {
        let there = self.0.get(&producer_id);
        let (mut bytes, mut replaced) = (0, Vec::new());
        for (partition, stored) in offsets {
            bytes += bytes_of(partition, stored);
            let before = there.and_then(|offsets| offsets.get(partition));
            replaced.extend(before.map(|before| &before.share));
        }
        memory.replace(Some(client), bytes, replaced)
    }

    /// Sets an offset in the transaction of a producer.
    pub(crate) fn set(&mut self, producer_id: ProducerId, partition: TopicPartition, offset: PendingOffset) {
        self.0.entry(producer_id).or_default().insert(partition, offset);
    }

    /// Takes out what the transaction of a producer has.
    pub(crate) fn take(&mut self, producer_id: ProducerId) -> BTreeMap<TopicPartition, PendingOffset> {
        self.0.remove(&producer_id).unwrap_or_default()
    }

    /// Does away with the offsets of a partition that were written before `order`.
    pub(crate) fn supersede(&mut self, partition: &TopicPartition, order: Offset) {
        if self.0.is_empty() {
            return;
        }
        self.0.retain(|_, offsets| {
            if offsets.get(partition).is_some_and(|pending| pending.order < order) {
                offsets.remove(partition);
            }
            !offsets.is_empty()
        });
    }

    /// What they take, as recounted.
    #[cfg(test)]
    pub(crate) fn recount(&self) -> usize {
        let offsets = self.0.values().flatten();
        offsets.map(|(partition, pending)| bytes_of(partition, &pending.stored)).sum()
    }

    /// What there is, on one line.
    #[cfg(test)]
    pub(crate) fn tell(&self) -> String {
        let of_producer =
            |(producer_id, offsets): (&ProducerId, &BTreeMap<TopicPartition, PendingOffset>)| {
                let offsets = offsets.iter().map(|(partition, pending)| {
                    format!("{producer_id}:{partition}={:?}@{}", pending.stored.committed, pending.order)
                });
                offsets.collect::<Vec<_>>()
            };
        let mut all: Vec<_> = self.0.iter().flat_map(of_producer).collect();
        all.sort_unstable();
        all.join(" ")
    }
}
