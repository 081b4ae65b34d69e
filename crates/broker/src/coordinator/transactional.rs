//! Offsets in transactions (KIP-98, KIP-447): committed with a producer's records, or not at all.
//!
//! Invariants
//! - The marker of a transaction is appended under the locks of all groups that it has offsets for, so that the
//!   journal and the groups agree on what came before it.
//! - Which groups those are is known under the index's lock, which a commit takes before it appends.
//!
//! Locks: groups in the order of their names, then the index. Everyone else holds one group's lock at a time.
//!
//! Not here: whether the producer has an open transaction, which its own coordinator knows.

use std::collections::{BTreeSet, HashMap};

use factum_log::EndTransaction;
use factum_types::{GroupId, Offset, ProducerEpoch, ProducerId, TopicPartition};
use parking_lot::Mutex;

use super::cell::Cell;
use super::service::Groups;
use super::{Commit, Coordinator, CoordinatorError, LogError};

/// For which groups the open transaction of each producer has offsets.
#[derive(Debug, Default)]
pub(super) struct GroupsOfProducers(Mutex<HashMap<ProducerId, BTreeSet<GroupId>>>);

impl GroupsOfProducers {
    pub(super) fn add(&self, producer_id: ProducerId, group: &GroupId) {
        self.0.lock().entry(producer_id).or_default().insert(group.clone());
    }

    pub(super) fn take(&self, producer_id: ProducerId) -> BTreeSet<GroupId> {
        self.0.lock().remove(&producer_id).unwrap_or_default()
    }

    fn get(&self, producer_id: ProducerId) -> BTreeSet<GroupId> {
        self.0.lock().get(&producer_id).cloned().unwrap_or_default()
    }
}

impl Coordinator {
    /// Keeps offsets for a group, all of them or none, until [`Coordinator::end_transaction`] says whether they count.
    /// They are in the journal when this returns; gives the offset that [`Coordinator::durable`] waits for.
    ///
    /// # Errors
    /// As [`Coordinator::commit`].
    pub(crate) fn commit_in_transaction(
        &self,
        producer: (ProducerId, ProducerEpoch),
        commit: Commit,
    ) -> Result<Option<Offset>, CoordinatorError> {
        let groups = &*self.0;
        for (partition, committed) in &commit.offsets {
            self.check_metadata(partition, committed)?;
        }
        let Commit { group, generation, member_id, instance_id, client, offsets } = commit;
        let (now, wall) = (groups.clock.monotonic(), groups.trusted_time.stamp());
        let work = |inside: &mut Cell| -> Result<Option<Offset>, CoordinatorError> {
            match &inside.consumers {
                Some(consumers) => consumers.check_commit(generation, &member_id, true)?,
                None => {
                    let instance_id = instance_id.as_deref();
                    inside.group.check_transactional_commit(generation, &member_id, instance_id, now)?;
                }
            }
            if !offsets.is_empty() {
                groups.pending.add(producer.0, inside.id());
                inside.commit_in_transaction(producer, offsets, client, &groups.journal, wall)?;
            }
            Ok(inside.last)
        };
        if generation < 0 {
            let no_memory = CoordinatorError::NoMemoryForOffsets;
            groups.with_new(&group, client, no_memory, |_, inside| work(inside))?
        } else {
            let unknown = CoordinatorError::IllegalGeneration { asked: generation, current: 0 };
            groups.with(&group, work).ok_or(unknown)?
        }
    }

    /// Ends the transaction of a producer for all groups: its marker is in the journal when this returns, on disk once
    /// [`Coordinator::durable`] resolves for the offset given.
    ///
    /// # Errors
    /// [`LogError`]; the transaction is as it was.
    pub(crate) fn end_transaction(&self, end: &EndTransaction) -> Result<Offset, LogError> {
        let groups = &*self.0;
        loop {
            let named = groups.pending.get(end.producer_id);
            let cells: Vec<_> = named.iter().filter_map(|group| groups.cell(group)).collect();
            let mut locked: Vec<_> = cells.iter().map(|cell| cell.lock()).collect();
            let mut index = groups.pending.0.lock();
            if index.get(&end.producer_id).is_some_and(|now| *now != named) {
                continue;
            }
            let marker = groups.journal.end_transaction(end)?;
            index.remove(&end.producer_id);
            for inside in &mut locked {
                inside.end_transaction(end.producer_id, end.outcome, Some(marker));
            }
            return Ok(marker);
        }
    }

    /// Resolves once what lies at `last` in the journal is on disk.
    ///
    /// # Errors
    /// [`LogError`].
    pub(crate) async fn durable(&self, last: Option<Offset>) -> Result<(), LogError> {
        self.0.journal.durable(last).await
    }

    /// The partitions for which open transactions have offsets of the group.
    pub fn pending_partitions(&self, group: &GroupId) -> BTreeSet<TopicPartition> {
        let pending = |cell: std::sync::Arc<Mutex<Cell>>| cell.lock().pending.partitions().cloned().collect();
        self.0.cell(group).map(pending).unwrap_or_default()
    }
}

impl Groups {
    /// Has the offsets of a transaction count, or drops them, while the journal is read back.
    pub(super) fn restore_end(&self, producer_id: ProducerId, end_in: impl FnMut(&GroupId)) {
        self.pending.take(producer_id).iter().for_each(end_in);
    }
}
