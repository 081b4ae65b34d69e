//! Committing offsets, and reading them.

use std::sync::Arc;

use factum_types::{GroupId, Offset, TopicName, TopicPartition};

use super::cell::Cell;
use super::service::Groups;
use super::{Commit, CommittedOffset, Coordinator, CoordinatorError, GroupState, consumer_protocol};

impl Coordinator {
    /// Keeps offsets for a group, all of them or none; resolves when they are on disk. Dropping the future takes
    /// nothing back.
    ///
    /// # Errors
    /// [`CoordinatorError`]; after [`CoordinatorError::Storage`] the offsets may or may not have been kept.
    pub async fn commit(&self, commit: Commit) -> Result<(), CoordinatorError> {
        let groups = &*self.0;
        for (partition, committed) in &commit.offsets {
            self.check_metadata(partition, committed)?;
        }
        let Commit { group, generation, member_id, instance_id, client, offsets } = commit;
        let (now, wall) = (groups.clock.monotonic(), groups.trusted_time.stamp());
        let work = |inside: &mut Cell| -> Result<Option<Offset>, CoordinatorError> {
            match &inside.consumers {
                Some(consumers) => consumers.check_commit(generation, &member_id, false)?,
                None => inside.group.check_commit(generation, &member_id, instance_id.as_deref(), now)?,
            }
            inside.commit(offsets, client, &groups.journal, wall)?;
            Ok(inside.last)
        };
        let last = if generation < 0 {
            let no_memory = CoordinatorError::NoMemoryForOffsets;
            groups.with_new(&group, client, no_memory, |_, inside| work(inside))??
        } else {
            let unknown = CoordinatorError::IllegalGeneration { asked: generation, current: 0 };
            groups.with(&group, work).ok_or(unknown)??
        };
        Ok(groups.journal.durable(last).await?)
    }

    /// Whether the text beside an offset may be kept: [`Coordinator::commit`] asks it of all of them, and a caller
    /// may ask it before, of each.
    ///
    /// # Errors
    /// [`CoordinatorError::OffsetMetadataTooLarge`].
    pub fn check_metadata(
        &self,
        partition: &TopicPartition,
        committed: &CommittedOffset,
    ) -> Result<(), CoordinatorError> {
        let limit = self.0.options.offset_metadata_max_bytes;
        let bytes = committed.metadata.as_deref().map_or(0, str::len);
        if bytes > limit {
            let partition = partition.clone();
            return Err(CoordinatorError::OffsetMetadataTooLarge { partition, bytes, limit });
        }
        Ok(())
    }

    /// The offsets of `partitions`, or all that the group has; only what is on disk is shown.
    ///
    /// # Errors
    /// [`CoordinatorError::UnreadableOffsets`] if one that is not known may have been in what could not be read back:
    /// a client that took it for none would skip records. It ends for a partition when the group commits, or is reset.
    /// [`CoordinatorError::Storage`].
    pub async fn fetch_offsets(
        &self,
        group: &GroupId,
        partitions: Option<&[TopicPartition]>,
    ) -> Result<Vec<(TopicPartition, Option<CommittedOffset>)>, CoordinatorError> {
        let offsets = self.known_offsets(group, partitions).await?;
        let is_whole = partitions.is_some() && offsets.iter().all(|(_, committed)| committed.is_some());
        match &self.0.unreadable {
            Some(reason) if !is_whole => {
                Err(CoordinatorError::UnreadableOffsets { reason: Arc::clone(reason) })
            }
            _ => Ok(offsets),
        }
    }

    /// The same for listings: what is known, even if that may not be all.
    pub(crate) async fn known_offsets(
        &self,
        group: &GroupId,
        partitions: Option<&[TopicPartition]>,
    ) -> Result<Vec<(TopicPartition, Option<CommittedOffset>)>, CoordinatorError> {
        let found = self.0.cell(group).map(|cell| {
            let inside = cell.lock();
            let offsets: Vec<_> = match partitions {
                Some(asked) => asked.iter().map(|p| (p.clone(), inside.offsets.get(p))).collect(),
                None => inside.offsets.iter().map(|(p, s)| (p.clone(), Some(s.committed.clone()))).collect(),
            };
            (offsets, inside.last)
        });
        let Some((offsets, last)) = found else {
            return Ok(partitions.unwrap_or_default().iter().map(|p| (p.clone(), None)).collect());
        };
        self.0.journal.durable(last).await?;
        Ok(offsets)
    }

    /// Removes offsets of a group, but for those of topics that its members read; gives the partitions whose offsets stay
    /// for that reason. A partition without an offset is no error. Resolves when the change is on disk.
    ///
    /// # Errors
    /// [`CoordinatorError::GroupNotFound`], [`CoordinatorError::NonEmptyGroup`] if it is not one of consumers and has
    /// members, [`CoordinatorError::Storage`].
    pub async fn delete_offsets(
        &self,
        group: &GroupId,
        partitions: Vec<TopicPartition>,
    ) -> Result<Vec<TopicPartition>, CoordinatorError> {
        let wall = self.0.clock.now();
        let removed = self.0.with(group, |inside| {
            let state = inside.state();
            if state == GroupState::Dead {
                return Err(CoordinatorError::GroupNotFound);
            }
            let is_of_consumers = inside.consumers.is_some()
                || inside.group.protocol_type() == Some(consumer_protocol::PROTOCOL_TYPE);
            if state != GroupState::Empty && !is_of_consumers {
                return Err(CoordinatorError::NonEmptyGroup);
            }
            let subscribed = match &inside.consumers {
                Some(consumers) => Some(consumers.subscribed_topics()),
                None => inside.group.subscribed_topics(),
            };
            let is_read = |topic: &TopicName| subscribed.as_ref().is_none_or(|topics| topics.contains(topic));
            let (read, mut unread): (Vec<_>, Vec<_>) =
                partitions.into_iter().partition(|partition| is_read(&partition.topic));
            unread.retain(|partition| {
                inside.offsets.get(partition).is_some() || inside.pending.contains(partition)
            });
            inside.remove(&unread, false, &self.0.journal, wall)?;
            Ok((read, inside.last))
        });
        let (read, last) = removed.ok_or(CoordinatorError::GroupNotFound)??;
        self.0.journal.durable(last).await?;
        Ok(read)
    }

    /// Removes every group's offsets of a topic that was deleted.
    ///
    /// # Errors
    /// [`CoordinatorError::Storage`].
    pub async fn forget_topic(&self, topic: &TopicName) -> Result<(), CoordinatorError> {
        self.retain_topics(|kept| kept != topic).await
    }

    /// Removes every group's offsets of topics that are not there: a topic may be deleted and the power go before
    /// its offsets are.
    ///
    /// # Errors
    /// [`CoordinatorError::Storage`].
    pub async fn retain_topics(&self, exists: impl Fn(&TopicName) -> bool) -> Result<(), CoordinatorError> {
        let last = self.0.remove_offsets_where(|topic| !exists(topic))?;
        Ok(self.0.journal.durable(last).await?)
    }
}

impl Groups {
    fn remove_offsets_where(
        &self,
        is_gone: impl Fn(&TopicName) -> bool,
    ) -> Result<Option<Offset>, CoordinatorError> {
        let wall = self.clock.now();
        let mut last = None;
        for cell in self.cells() {
            let removed = self.work_on(&cell, |inside| {
                let mut partitions = inside.offsets.of_topics(&is_gone);
                let pending = inside.pending.partitions();
                partitions.extend(pending.filter(|partition| is_gone(&partition.topic)).cloned());
                inside.remove(&partitions, false, &self.journal, wall).map(|()| inside.last)
            });
            last = last.max(removed.transpose()?.flatten());
        }
        Ok(last)
    }
}
