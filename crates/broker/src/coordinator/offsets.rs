//! The committed offsets of one group, each with its share of the memory of all groups.

use std::collections::BTreeMap;
use std::mem::size_of;
use std::sync::Arc;
use std::time::Duration;

use factum_base::clients::ClientAddress;
use factum_types::{Offset, Timestamp, TopicName, TopicPartition};

use super::CommittedOffset;
use super::memory::{ENTRY_BYTES, GroupMemory, MemoryLimitError, MemoryShare};
use super::pending::PendingOffset;
use super::records::StoredOffset;

/// The last offset committed for each partition.
#[derive(Debug, Default)]
pub(crate) struct OffsetTable(BTreeMap<TopicPartition, Entry>);

#[derive(Debug)]
struct Entry {
    stored: StoredOffset,
    /// Where the journal had it first.
    order: Offset,
    /// Of the address that committed it last.
    share: MemoryShare,
}

impl OffsetTable {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Takes the memory that these offsets need for [`OffsetTable::set`]. Those that only move need none.
    ///
    /// # Errors
    /// [`MemoryLimitError`] if they take more than what they replace, and that is too much.
    pub(crate) fn reserve<'a>(
        &self,
        memory: &Arc<GroupMemory>,
        client: ClientAddress,
        offsets: impl Iterator<Item = (&'a TopicPartition, &'a StoredOffset)>,
    ) -> Result<MemoryShare, MemoryLimitError> {
        let (mut bytes, mut replaced) = (0, Vec::new());
        for (partition, stored) in offsets {
            let (entry, taken) = (self.0.get(partition), bytes_of(partition, stored));
            if !entry.is_some_and(|entry| entry.fits(client, taken)) {
                bytes += taken;
                replaced.extend(entry.map(|entry| &entry.share));
            }
        }
        memory.replace(Some(client), bytes, replaced)
    }

    /// Sets an offset for which memory was reserved, together with others of distinct partitions.
    pub(crate) fn set(
        &mut self,
        partition: TopicPartition,
        (stored, order): (StoredOffset, Offset),
        client: ClientAddress,
        reserved: &mut MemoryShare,
    ) {
        let bytes = bytes_of(&partition, &stored);
        match self.0.get_mut(&partition) {
            Some(entry) if entry.fits(client, bytes) => (entry.stored, entry.order) = (stored, order),
            _ => {
                let entry = Entry { stored, order, share: reserved.split(bytes) };
                self.0.insert(partition, entry);
            }
        }
    }

    /// Sets an offset that was read back.
    pub(crate) fn restore(
        &mut self,
        partition: TopicPartition,
        (stored, order): (StoredOffset, Offset),
        memory: &Arc<GroupMemory>,
    ) {
        let share = memory.take_always(None, bytes_of(&partition, &stored));
        self.0.insert(partition, Entry { stored, order, share });
    }

    /// Sets an offset whose transaction counts, with the memory that it had, unless a later one is there.
    pub(crate) fn settle(&mut self, partition: TopicPartition, pending: PendingOffset) {
        let PendingOffset { stored, order, share } = pending;
        if self.0.get(&partition).is_none_or(|entry| entry.order < order) {
            self.0.insert(partition, Entry { stored, order, share });
        }
    }

    pub(crate) fn remove(&mut self, partition: &TopicPartition) {
        self.0.remove(partition);
    }

    pub(crate) fn get(&self, partition: &TopicPartition) -> Option<CommittedOffset> {
        self.0.get(partition).map(|entry| entry.stored.committed.clone())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&TopicPartition, &StoredOffset)> {
        self.0.iter().map(|(partition, entry)| (partition, &entry.stored))
    }

    /// Each offset with its place in the journal.
    pub(crate) fn in_order(&self) -> impl Iterator<Item = (&TopicPartition, &StoredOffset, Offset)> {
        self.0.iter().map(|(partition, entry)| (partition, &entry.stored, entry.order))
    }

    /// The partitions of topics that are not kept.
    pub(crate) fn of_topics(&self, is_gone: impl Fn(&TopicName) -> bool) -> Vec<TopicPartition> {
        self.0.keys().filter(|partition| is_gone(&partition.topic)).cloned().collect()
    }

    /// The partitions whose offsets have outlived `retention`, which begins with the commit, or with `since` if that is
    /// later: the moment at which the last member went.
    pub(crate) fn expired(
        &self,
        retention: Duration,
        since: Option<Timestamp>,
        now: Timestamp,
    ) -> Vec<TopicPartition> {
        let begins =
            |stored: &StoredOffset| since.map_or(stored.committed_at, |s| s.max(stored.committed_at));
        let is_old = |stored: &StoredOffset| begins(stored).plus(retention) <= now;
        self.iter().filter(|(_, stored)| is_old(stored)).map(|(partition, _)| partition.clone()).collect()
    }

    /// What the offsets take, as recounted.
    #[cfg(test)]
    pub(crate) fn recount(&self) -> usize {
        self.iter().map(|(partition, stored)| bytes_of(partition, stored)).sum()
    }
}

impl Entry {
    /// Whether its share is what `client` needs for an offset of `bytes`.
    fn fits(&self, client: ClientAddress, bytes: usize) -> bool {
        self.share.client() == Some(client) && self.share.bytes() == bytes
    }
}

/// What an offset takes in memory.
pub(crate) fn bytes_of(partition: &TopicPartition, stored: &StoredOffset) -> usize {
    let metadata = stored.committed.metadata.as_deref().map_or(0, str::len);
    size_of::<TopicPartition>() + size_of::<Entry>() + ENTRY_BYTES + partition.topic.as_str().len() + metadata
}
