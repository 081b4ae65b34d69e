//! A member of a consumer group that lives in this process.
//!
//! Always holds: a position moves only when its records are handed out, so a poll that is dropped loses none;
//! after a rebalance each partition starts at its committed offset, as with Kafka's eager assignors.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use factum_eventlog::{GroupConsumer, GroupError, Membership, Polled, ReadError, Unreadable};
use factum_log::Bounds;
use factum_types::{GroupId, Offset, Record, TopicPartition};

use super::read;
use super::session::{NoShare, Session, Share};
use crate::broker::Broker;
use crate::coordinator::{Commit, CommittedOffset, CoordinatorError};
use crate::fetch::{Fetch, FetchPartition, Fetched};
use crate::partition::{self, Partition};

const PARTITION_BYTES: usize = 1 << 20;
const POLL_BYTES: usize = 4 << 20;
/// Longer than anybody polls; the poll itself ends the wait.
const NO_END: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) struct Consumer {
    broker: Broker,
    group: GroupId,
    start_at_latest: bool,
    session: Session,
    /// What the last poll worked with.
    share: Option<Arc<Share>>,
    positions: BTreeMap<TopicPartition, Position>,
    /// Counts polls, so that partitions take turns in being served first.
    turn: usize,
}

/// A partition's next records, and what among them cannot be read.
type Opened = (Vec<Record>, Vec<Unreadable>);

/// Where a partition is read next. The partition is held rather than looked up: a topic made anew under the same
/// name is another one, and the next rebalance brings it.
struct Position {
    partition: Arc<Partition>,
    next: Offset,
}

impl Consumer {
    /// Begins to join; the first poll waits for the outcome.
    pub(super) fn join(broker: Broker, membership: Membership) -> Result<Self, GroupError> {
        let (group, start_at_latest) = (membership.group.clone(), membership.start_at_latest);
        let Some(tasks) = broker.shared().tasks.get() else {
            let reason = "the broker is not running yet".to_owned();
            return Err(GroupError::Unavailable { group, reason });
        };
        let (session, keeping) = Session::new(broker.clone(), membership, tasks.stop());
        tasks.spawn_quiet(keeping);
        let positions = BTreeMap::new();
        Ok(Self { broker, group, start_at_latest, session, share: None, positions, turn: 0 })
    }

    async fn poll_share(&mut self) -> Result<Vec<Polled>, GroupError> {
        loop {
            let share = self.session.share().await.map_err(|error| self.no_share(error))?;
            if self.share.as_ref().is_none_or(|held| held.generation != share.generation) {
                self.take(Arc::clone(&share)).await?;
            }
            let (names, fetch) = self.next_fetch();
            let fetched = tokio::select! {
                fetched = self.broker.fetch(fetch) => fetched,
                () = self.session.lost(&share) => continue,
            };
            let polled = self.hand_out(names.into_iter().zip(fetched))?;
            if !polled.is_empty() {
                return Ok(polled);
            }
        }
    }

    /// Starts each partition of a new share at its committed offset.
    async fn take(&mut self, share: Arc<Share>) -> Result<(), GroupError> {
        let coordinator = self.broker.coordinator();
        let committed = coordinator.fetch_offsets(&self.group, Some(&share.partitions)).await;
        let committed = committed.map_err(|error| self.refused(&error))?;
        let positions = committed.into_iter().filter_map(|(name, committed)| {
            let partition = self.broker.find(&name)?;
            let next = match committed {
                Some(committed) => Offset::new(committed.offset.max(0)),
                None => first_offset(self.start_at_latest, &partition.bounds()),
            };
            Some((name, Position { partition, next }))
        });
        self.positions = positions.collect();
        self.share = Some(share);
        Ok(())
    }

    /// The next records of all partitions, and the names of those asked.
    fn next_fetch(&mut self) -> (Vec<TopicPartition>, Fetch) {
        let asked = self.positions.iter().map(|(name, position)| {
            let (partition, from) = (Arc::clone(&position.partition), position.next.get());
            (name.clone(), FetchPartition { partition, from, limit_bytes: PARTITION_BYTES })
        });
        let mut asked: Vec<_> = asked.collect();
        self.turn = self.turn.wrapping_add(1);
        let first = self.turn % asked.len().max(1);
        asked.rotate_left(first);
        let (names, partitions) = asked.into_iter().unzip();
        (names, Fetch { partitions, min_bytes: 1, max_bytes: POLL_BYTES, max_wait: NO_END })
    }

    /// Opens what was fetched and moves the positions behind it.
    fn hand_out(
        &mut self,
        fetched: impl Iterator<Item = (TopicPartition, Fetched)>,
    ) -> Result<Vec<Polled>, GroupError> {
        let (mut polled, mut failed) = (Vec::new(), None);
        for (partition, fetched) in fetched {
            match self.open(&partition, fetched) {
                Ok((records, gaps)) if records.is_empty() && gaps.is_empty() => {}
                Ok((records, unreadable)) => polled.push(Polled { partition, records, unreadable }),
                Err(error) => failed = Some(error),
            }
        }
        match failed {
            // What can be read is handed out first; the error comes again with the next poll.
            Some(error) if polled.is_empty() => {
                Err(GroupError::Unavailable { group: self.group.clone(), reason: super::reason(&error) })
            }
            _ => Ok(polled),
        }
    }

    fn open(&mut self, name: &TopicPartition, fetched: Fetched) -> Result<Opened, ReadError> {
        let Some(position) = self.positions.get_mut(name) else { return Ok(Opened::default()) };
        let chunk = match fetched.result {
            Ok(slice) => read::decode(position.next, &slice),
            Err(partition::ReadError::Damaged(damage)) => {
                read::damaged(&position.partition, position.next, &damage)
            }
            // The committed offset is gone, by retention or deletion.
            Err(partition::ReadError::OutOfRange { bounds, .. }) => {
                position.next = first_offset(self.start_at_latest, &bounds);
                return Ok(Opened::default());
            }
            Err(partition::ReadError::Deleted) => {
                self.positions.remove(name);
                return Ok(Opened::default());
            }
            Err(error) => return Err(read::refused(name, error)),
        };
        position.next = chunk.next;
        Ok((chunk.records, chunk.unreadable))
    }

    fn no_share(&self, error: NoShare) -> GroupError {
        match error {
            NoShare::Refused(error) => self.refused(&error),
            NoShare::Stopping => {
                let reason = "the broker is stopping".to_owned();
                GroupError::Unavailable { group: self.group.clone(), reason }
            }
        }
    }

    fn refused(&self, error: &CoordinatorError) -> GroupError {
        let (group, reason) = (self.group.clone(), super::reason(error));
        match error {
            CoordinatorError::UnknownMember
            | CoordinatorError::IllegalGeneration { .. }
            | CoordinatorError::RebalanceInProgress => GroupError::Rebalanced { group },
            error if error.is_transient() => GroupError::Unavailable { group, reason },
            _ => GroupError::Refused { group, reason },
        }
    }
}

/// Where to start without a committed offset.
fn first_offset(at_latest: bool, bounds: &Bounds) -> Offset {
    if at_latest { bounds.high_watermark } else { bounds.log_start }
}

#[async_trait]
impl GroupConsumer for Consumer {
    async fn poll(&mut self, wait: Duration) -> Result<Vec<Polled>, GroupError> {
        match tokio::time::timeout(wait, self.poll_share()).await {
            Ok(result) => result,
            Err(_) => Ok(Vec::new()),
        }
    }

    fn assignment(&self) -> Vec<TopicPartition> {
        self.share.as_ref().map(|share| share.partitions.clone()).unwrap_or_default()
    }

    async fn commit(&mut self, offsets: Vec<(TopicPartition, Offset)>) -> Result<(), GroupError> {
        let rebalanced = || GroupError::Rebalanced { group: self.group.clone() };
        let share = self.share.clone().ok_or_else(rebalanced)?;
        if offsets.iter().any(|(partition, _)| !share.partitions.contains(partition)) {
            return Err(rebalanced());
        }
        let offsets = offsets.into_iter().map(|(partition, offset)| {
            (partition, CommittedOffset { offset: offset.get(), leader_epoch: -1, metadata: None })
        });
        let commit = Commit {
            group: self.group.clone(),
            generation: share.generation,
            member_id: share.member_id.clone(),
            instance_id: None,
            offsets: offsets.collect(),
        };
        self.broker.coordinator().commit(commit).await.map_err(|error| self.refused(&error))
    }

    async fn leave(self: Box<Self>) -> Result<(), GroupError> {
        let Self { session, group, .. } = *self;
        match session.leave().await {
            // A member that the group took out already has left.
            Ok(()) | Err(CoordinatorError::UnknownMember) => Ok(()),
            Err(error) => Err(GroupError::Unavailable { group, reason: super::reason(&error) }),
        }
    }
}
