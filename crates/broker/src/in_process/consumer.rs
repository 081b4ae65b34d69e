//! A member of a consumer group that lives in this process.
//!
//! Invariants: a position moves only when its records are handed out, so a poll that is dropped loses none;
//! after a rebalance each partition starts at its committed offset, as with Kafka's eager assignors.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use factum_base::clients::ClientAddress;
use factum_eventlog::{Chunk, GroupConsumer, GroupError, Membership, PolledRecords};
use factum_log::{Bounds, Isolation, Slice};
use factum_types::{GroupId, Offset, Record, TopicPartition};

use super::session::{NoShare, Session, Share};
use super::{decode, read};
use crate::broker::Broker;
use crate::coordinator::{Commit, CommittedOffset, CoordinatorError};
use crate::fetch::{Fetch, FetchPartition, FetchResult};
use crate::partition::{self, Partition};

/// Encoded bytes fetched of one partition at a time.
const PARTITION_BYTES: usize = 1 << 20;
/// Bytes of one poll: encoded as they are fetched, and again of decoded records.
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

/// What was fetched of a partition, before and after decoding.
type FetchedSlice = (TopicPartition, Arc<Partition>, Offset, Result<Slice, partition::ReadError>);
type FetchedChunk = (TopicPartition, Result<Chunk, partition::ReadError>);

/// Where a partition is read next. The partition is held rather than looked up: a topic created again under the same
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

    async fn poll_share(&mut self) -> Result<Vec<PolledRecords>, GroupError> {
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
            let opened = self.open(names, fetched).await;
            let polled = self.hand_out(opened)?;
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
        let isolation = Isolation::ReadCommitted;
        (names, Fetch { partitions, min_bytes: 1, max_bytes: POLL_BYTES, max_wait: NO_END, isolation })
    }

    /// Opens what was fetched, about [`POLL_BYTES`] of records; what is beyond is fetched again.
    async fn open(&self, names: Vec<TopicPartition>, fetched: Vec<FetchResult>) -> Vec<FetchedChunk> {
        let mut asked = Vec::with_capacity(names.len());
        for (name, fetched) in names.into_iter().zip(fetched) {
            let Some(position) = self.positions.get(&name) else { continue };
            asked.push((name, Arc::clone(&position.partition), position.next, fetched.result));
        }
        let takes_long = asked.iter().any(|(.., result)| result.as_ref().is_ok_and(decode::takes_long));
        match takes_long {
            true => self.broker.shared().heavy_work.run(move || open_all(asked)).await,
            false => open_all(asked),
        }
    }

    /// Moves the positions behind what was opened.
    fn hand_out(&mut self, opened: Vec<FetchedChunk>) -> Result<Vec<PolledRecords>, GroupError> {
        let (mut polled, mut failed) = (Vec::new(), None);
        for (name, result) in opened {
            match result {
                Ok(chunk) => {
                    if let Some(position) = self.positions.get_mut(&name) {
                        position.next = chunk.next;
                    }
                    let (records, unreadable) = (chunk.records, chunk.unreadable);
                    if !records.is_empty() || !unreadable.is_empty() {
                        polled.push(PolledRecords { partition: name, records, unreadable });
                    }
                }
                // The committed offset is gone, by retention or deletion.
                Err(partition::ReadError::OutOfRange { bounds, .. }) => {
                    if let Some(position) = self.positions.get_mut(&name) {
                        position.next = first_offset(self.start_at_latest, &bounds);
                    }
                }
                Err(partition::ReadError::Deleted) => {
                    self.positions.remove(&name);
                }
                Err(error) => failed = Some(read::refused(&name, error)),
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

/// Decodes about [`POLL_BYTES`] of records in the order of the partitions; those that find no room are left out.
fn open_all(asked: Vec<FetchedSlice>) -> Vec<FetchedChunk> {
    let mut opened = Vec::with_capacity(asked.len());
    let mut room = POLL_BYTES;
    for (name, partition, next, result) in asked {
        let result = match result {
            Ok(_) if room == 0 => continue,
            Ok(slice) => Ok(decode::decode(partition.topic_id(), next, &slice, room)),
            Err(partition::ReadError::Damaged(damage)) => Ok(decode::damaged(&partition, next, &damage)),
            Err(error) => Err(error),
        };
        let records = result.iter().flat_map(|chunk| &chunk.records);
        room = room.saturating_sub(records.map(Record::size_in_memory).sum());
        opened.push((name, result));
    }
    opened
}

/// Where to start without a committed offset.
fn first_offset(at_latest: bool, bounds: &Bounds) -> Offset {
    if at_latest { bounds.stable } else { bounds.log_start }
}

#[async_trait]
impl GroupConsumer for Consumer {
    async fn poll(&mut self, wait: Duration) -> Result<Vec<PolledRecords>, GroupError> {
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
            client: ClientAddress::UNKNOWN,
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
