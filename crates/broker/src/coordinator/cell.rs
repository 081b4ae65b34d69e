//! One group with its offsets and with those who wait for it, behind one lock.

use std::collections::{BTreeMap, HashMap};
use std::mem::size_of;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use factum_base::clients::{ClientAddress, ClientShare};
use factum_types::record::TransactionOutcome;
use factum_types::{GroupId, Offset, ProducerEpoch, ProducerId, Timestamp, TopicPartition};
use tokio::sync::oneshot;
use tracing::error;

use super::consumer_group::ConsumerGroup;
use super::group::{Group, Outcome, Reply, Ticket};
use super::memory::{ENTRY_BYTES, GroupMemory, MemoryShare};
use super::offsets::{OffsetTable, bytes_of};
use super::pending::{PendingOffset, PendingOffsets};
use super::records::{self, GroupMetadata, Key, StoredOffset};
use super::{CommittedOffset, CoordinatorError, GroupState, JoinResult, SyncResult};
use crate::journal::{Change, Journal};

/// An answer, with the journal's offset that must be on disk before it is given.
pub(crate) struct Answer<T> {
    pub(crate) result: Result<T, CoordinatorError>,
    pub(crate) after: Option<Offset>,
}

/// Who waits for a ticket's answer.
pub(crate) enum Waiting {
    Join(oneshot::Sender<Answer<JoinResult>>),
    Sync(oneshot::Sender<Answer<SyncResult>>),
}

/// A group and what belongs to it.
pub(crate) struct Cell {
    pub(super) id: GroupId,
    /// The group while its members are of the classic protocol; else without members.
    pub(crate) group: Group,
    /// The group while its members are of the consumer protocol, and after that until someone joins by the other.
    pub(crate) consumers: Option<ConsumerGroup>,
    pub(crate) offsets: OffsetTable,
    pub(crate) pending: PendingOffsets,
    pub(crate) waiting: HashMap<Ticket, Waiting>,
    /// The group's metadata as the journal has it.
    pub(super) stored: Option<Bytes>,
    /// When the last member went, if the group had members.
    pub(crate) empty_since: Option<Timestamp>,
    /// The offset of the group's latest record.
    pub(crate) last: Option<Offset>,
    /// The earliest entry in the timers.
    pub(crate) scheduled: Option<Instant>,
    /// The memory of all groups.
    pub(super) memory: Arc<GroupMemory>,
    /// What the group takes without members and offsets.
    _own_memory: MemoryShare,
    /// Of the address that made it.
    _place: Option<ClientShare>,
}

impl Cell {
    /// A group without members and offsets, in this place and with this memory ([`own_bytes`]).
    pub(crate) fn new(id: GroupId, place: ClientShare, memory: &Arc<GroupMemory>, own: MemoryShare) -> Self {
        Self::with(id, Some(place), Arc::clone(memory), own)
    }

    /// A group that is read back, whatever the limits.
    pub(crate) fn to_restore(id: GroupId, memory: &Arc<GroupMemory>) -> Self {
        let own = memory.take_always(None, own_bytes(&id));
        Self::with(id, None, Arc::clone(memory), own)
    }

    fn with(
        id: GroupId,
        place: Option<ClientShare>,
        memory: Arc<GroupMemory>,
        own_memory: MemoryShare,
    ) -> Self {
        Self {
            id,
            consumers: None,
            group: Group::new(Arc::clone(&memory)),
            offsets: OffsetTable::default(),
            pending: PendingOffsets::default(),
            waiting: HashMap::new(),
            stored: None,
            empty_since: None,
            last: None,
            scheduled: None,
            memory,
            _own_memory: own_memory,
            _place: place,
        }
    }

    pub(crate) fn id(&self) -> &GroupId {
        &self.id
    }

    /// Takes over what the journal says of an offset: what it is, or that it is gone.
    pub(crate) fn restore_offset(
        &mut self,
        partition: TopicPartition,
        stored: Option<StoredOffset>,
        order: Offset,
    ) {
        self.pending.supersede(&partition, order);
        match stored {
            Some(stored) => self.offsets.restore(partition, (stored, order), &self.memory),
            None => self.offsets.remove(&partition),
        }
    }

    /// Takes over what the journal says of an offset in the transaction of a producer.
    pub(crate) fn restore_pending(
        &mut self,
        producer_id: ProducerId,
        partition: TopicPartition,
        stored: StoredOffset,
        order: Offset,
    ) {
        let share = self.memory.take_always(None, bytes_of(&partition, &stored));
        self.pending.set(producer_id, partition, PendingOffset { stored, order, share });
    }

    /// Takes over what the journal says of the group.
    pub(crate) fn restore_group(&mut self, stored: GroupMetadata, since: Timestamp, now: Instant) {
        self.consumers = None;
        self.stored = Some(records::encode_group(&stored, since));
        self.empty_since = stored.members.is_empty().then_some(since);
        self.group = Group::restore(stored, Arc::clone(&self.memory), now);
    }

    /// Takes over that the journal says that the group is gone; its offsets have records of their own.
    pub(crate) fn forget_group(&mut self) {
        self.stored = None;
        self.empty_since = None;
        self.group = Group::new(Arc::clone(&self.memory));
    }

    /// The group's metadata as the journal has it.
    #[cfg(test)]
    pub(super) fn stored(&self) -> Option<&Bytes> {
        self.stored.as_ref()
    }

    /// What the group takes, as recounted.
    #[cfg(test)]
    pub(super) fn recount(&self) -> usize {
        let consumers = self.consumers.as_ref().map_or(0, ConsumerGroup::recount);
        own_bytes(&self.id)
            + self.group.recount()
            + consumers
            + self.offsets.recount()
            + self.pending.recount()
    }

    /// Whether nothing of the group would be missed.
    pub(crate) fn is_unused(&self) -> bool {
        self.is_deserted() && self.stored.is_none() && self.consumers.is_none() && self.is_bare()
    }

    /// What the group is doing, of whichever protocol it is.
    pub(crate) fn state(&self) -> GroupState {
        match (self.group.state(), &self.consumers) {
            (GroupState::Dead, _) | (_, None) => self.group.state(),
            (_, Some(consumers)) => consumers.state(),
        }
    }

    /// Whether no one is in the group or on the way in.
    pub(crate) fn is_deserted(&self) -> bool {
        self.group.is_deserted() && self.consumers.as_ref().is_none_or(ConsumerGroup::is_empty)
    }

    /// Ends the group.
    pub(crate) fn die(&mut self) {
        self.consumers = None;
        self.group.die();
    }

    /// The next instant at which a member is taken out, or waited for no longer.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let consumers = self.consumers.as_ref().and_then(ConsumerGroup::next_deadline);
        self.group.next_deadline().into_iter().chain(consumers).min()
    }

    /// Whether the group has no offsets and no one waits for it.
    pub(crate) fn is_bare(&self) -> bool {
        self.offsets.is_empty() && self.pending.is_empty() && self.waiting.is_empty()
    }

    /// Stores what the group asks to have stored and answers whom it answers.
    pub(crate) fn settle(&mut self, journal: &Journal, now: Instant, wall: Timestamp) {
        let Outcome { store, replies } = self.group.take_outcome();
        let failure = if store { self.store_group(journal, wall).err() } else { None };
        if store && failure.is_none() {
            self.group.storing_succeeded();
        }
        self.reply(replies, failure.as_ref());
        if let Some(failure) = failure {
            error!(group = %self.id, error = &failure as &dyn std::error::Error, "could not store the group");
            self.group.storing_failed(now);
            let Outcome { replies, .. } = self.group.take_outcome();
            self.reply(replies, None);
        }
    }

    /// Commits offsets of `client`: all of them or none. Of a partition that is named twice the last is kept.
    pub(crate) fn commit(
        &mut self,
        offsets: Vec<(TopicPartition, CommittedOffset)>,
        client: ClientAddress,
        journal: &Journal,
        wall: Timestamp,
    ) -> Result<(), CoordinatorError> {
        if offsets.is_empty() {
            return Ok(());
        }
        let stored = to_store(offsets, wall);
        let reserved = self.offsets.reserve(&self.memory, client, stored.iter());
        let mut reserved = reserved.map_err(CoordinatorError::NoMemoryForOffsets)?;
        let (first, last) = journal.append(self.changes(&stored), wall)?;
        self.last = Some(last);
        for ((partition, stored), order) in stored.into_iter().zip(orders(first)) {
            self.pending.supersede(&partition, order);
            self.offsets.set(partition, (stored, order), client, &mut reserved);
        }
        Ok(())
    }

    /// Keeps offsets of `client` until the transaction of a producer ends: all of them or none.
    pub(crate) fn commit_in_transaction(
        &mut self,
        producer: (ProducerId, ProducerEpoch),
        offsets: Vec<(TopicPartition, CommittedOffset)>,
        client: ClientAddress,
        journal: &Journal,
        wall: Timestamp,
    ) -> Result<(), CoordinatorError> {
        let (producer_id, _) = producer;
        let stored = to_store(offsets, wall);
        let reserved = self.pending.reserve(producer_id, &self.memory, client, stored.iter());
        let mut reserved = reserved.map_err(CoordinatorError::NoMemoryForOffsets)?;
        let (first, last) = journal.append_in_transaction(producer, self.changes(&stored), wall)?;
        self.last = Some(last);
        for ((partition, stored), order) in stored.into_iter().zip(orders(first)) {
            let share = reserved.split(bytes_of(&partition, &stored));
            self.pending.set(producer_id, partition, PendingOffset { stored, order, share });
        }
        Ok(())
    }

    /// Has the offsets of a producer's transaction count, or drops them; its marker lies at `marker`.
    pub(crate) fn end_transaction(
        &mut self,
        producer_id: ProducerId,
        outcome: TransactionOutcome,
        marker: Option<Offset>,
    ) {
        let pending = self.pending.take(producer_id);
        if outcome == TransactionOutcome::Commit {
            for (partition, pending) in pending {
                self.pending.supersede(&partition, pending.order);
                self.offsets.settle(partition, pending);
            }
        }
        self.last = marker.or(self.last);
    }

    fn offset_key(&self, partition: &TopicPartition) -> Bytes {
        records::encode_key(&Key::Offset(self.id.clone(), partition.clone()))
    }

    pub(super) fn group_key(&self) -> Bytes {
        records::encode_key(&Key::Group(self.id.clone()))
    }

    fn changes(&self, stored: &BTreeMap<TopicPartition, StoredOffset>) -> Vec<Change> {
        let change = |(partition, stored): (&TopicPartition, &StoredOffset)| {
            (self.offset_key(partition), Some(records::encode_offset(stored)))
        };
        stored.iter().map(change).collect()
    }

    /// Removes offsets, and the group itself if `with_group`.
    pub(crate) fn remove(
        &mut self,
        partitions: &[TopicPartition],
        with_group: bool,
        journal: &Journal,
        wall: Timestamp,
    ) -> Result<(), CoordinatorError> {
        let gone = |partition: &TopicPartition| (self.offset_key(partition), None);
        let mut changes: Vec<Change> = partitions.iter().map(gone).collect();
        if with_group && self.stored.is_some() {
            changes.push((self.group_key(), None));
        }
        if with_group && let Some(consumers) = &self.consumers {
            changes.extend(consumers.removal().iter().map(|record| record.encode(&self.id)));
        }
        if !changes.is_empty() {
            self.last = Some(journal.append(changes, wall)?.1);
        }
        for partition in partitions {
            self.offsets.remove(partition);
            self.pending.supersede(partition, Offset::new(i64::MAX));
        }
        if with_group {
            self.stored = None;
            self.die();
        }
        Ok(())
    }

    /// Rewrites the group's live state to the journal.
    pub(crate) fn rewrite(
        &mut self,
        journal: &Journal,
        wall: Timestamp,
    ) -> Result<Option<Offset>, CoordinatorError> {
        if self.group.state() == GroupState::Dead {
            return Ok(None);
        }
        let group = self.stored.iter().map(|value| ((self.group_key(), Some(value.clone())), Offset::ZERO));
        let offset = |(partition, stored, order): (&TopicPartition, &StoredOffset, Offset)| {
            ((self.offset_key(partition), Some(records::encode_offset(stored))), order)
        };
        let consumers = self.consumers.iter().flat_map(ConsumerGroup::to_records);
        let consumers = consumers.map(|record| (record.encode(&self.id), Offset::ZERO));
        let written =
            journal.rewrite(group.chain(consumers).chain(self.offsets.in_order().map(offset)), wall)?;
        self.last = written.or(self.last);
        Ok(written)
    }

    fn store_group(&mut self, journal: &Journal, wall: Timestamp) -> Result<(), CoordinatorError> {
        let value = records::encode_group(&self.group.stored(), wall);
        self.last = Some(journal.append([(self.group_key(), Some(value.clone()))], wall)?.1);
        self.stored = Some(value);
        self.empty_since = (self.group.state() == GroupState::Empty).then_some(wall);
        Ok(())
    }

    /// Answers. An answer that no one waits for any more is dropped.
    fn reply(&mut self, replies: Vec<Reply>, failure: Option<&CoordinatorError>) {
        let after = self.last;
        for reply in replies {
            match reply {
                Reply::Join(ticket, result) => {
                    if let Some(Waiting::Join(waiting)) = self.waiting.remove(&ticket) {
                        drop(waiting.send(Answer { result: unless(failure, result), after }));
                    }
                }
                Reply::Sync(ticket, result) => {
                    if let Some(Waiting::Sync(waiting)) = self.waiting.remove(&ticket) {
                        drop(waiting.send(Answer { result: unless(failure, result), after }));
                    }
                }
            }
        }
    }
}

/// What a group takes without members and offsets: itself, its name, and its entries in the map and the timers.
pub(crate) fn own_bytes(id: &GroupId) -> usize {
    size_of::<Cell>() + 3 * ENTRY_BYTES + id.as_str().len()
}

/// Of a partition that is named twice the last is kept.
fn to_store(
    offsets: Vec<(TopicPartition, CommittedOffset)>,
    wall: Timestamp,
) -> BTreeMap<TopicPartition, StoredOffset> {
    let stored = offsets.into_iter().map(|(partition, mut committed)| {
        committed.metadata.get_or_insert_default();
        (partition, StoredOffset { committed, committed_at: wall })
    });
    stored.collect()
}

/// The places in the journal of changes that lie there end to end.
fn orders(first: Offset) -> impl Iterator<Item = Offset> {
    (first.get()..).map(Offset::new)
}

/// The result, unless what it tells of was not stored.
fn unless<T>(
    failure: Option<&CoordinatorError>,
    result: Result<T, CoordinatorError>,
) -> Result<T, CoordinatorError> {
    result.and_then(|told| failure.map_or(Ok(told), |failure| Err(failure.clone())))
}
