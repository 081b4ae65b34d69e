//! The coordinator: every group by name, and the way in to each.

use std::collections::HashMap;
use std::collections::hash_map;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use factum_base::clients::{ClientAddress, ClientLimit, most_of_one_client};
use factum_base::clock::SharedClock;
use factum_base::fair_work::FairWork;
use factum_base::random::Random;
use factum_types::GroupId;
use parking_lot::{Mutex, RwLock};
use tracing::warn;

use super::cell::{Cell, own_bytes};
use super::group::Ticket;
use super::memory::GroupMemory;
use super::records::{self, DecodedRecord};
use super::transactional::GroupsOfProducers;
use super::{CoordinatorError, GroupState, LogError, MemoryLimitError, Options, TopicDirectory};
use crate::journal::log::{JournalLog, PartitionJournal};
use crate::journal::{Entry, Journal, JournalRecord, ReplayError};
use crate::partition::Partition;
use crate::timers::Timers;
use crate::trusted_time::TrustedTime;

/// Regular expressions of subscriptions that are matched at once; one client address has half of them.
const PATTERNS_AT_ONCE: usize = 2;

/// Looks after all consumer groups. Cloning is cheap and gives another hand on the same groups.
#[derive(Clone)]
pub struct Coordinator(pub(super) Arc<Groups>);

/// What the coordinator holds. A cell's lock may be held while the map's is taken, never the other way round.
pub(super) struct Groups {
    pub(super) options: Options,
    pub(super) clock: SharedClock,
    pub(super) trusted_time: Arc<TrustedTime>,
    pub(super) random: Random,
    pub(super) journal: Journal,
    /// What could not be read back at the start: an offset that is not there may have been in it.
    pub(super) unreadable: Option<Arc<str>>,
    pub(super) timers: Timers<GroupId>,
    pub(super) pending: GroupsOfProducers,
    pub(super) memory: Arc<GroupMemory>,
    /// The topics that members of the consumer protocol read.
    pub(super) directory: Arc<dyn TopicDirectory>,
    /// Where their regular expressions are compiled and matched.
    pub(super) patterns: FairWork,
    /// The groups that each address made: three quarters of all at most, so that others can always make some. Those that
    /// were read back belong to no address.
    places: Arc<ClientLimit>,
    cells: RwLock<HashMap<GroupId, Arc<Mutex<Cell>>>>,
    tickets: AtomicU64,
}

impl Coordinator {
    /// Reads the groups back from the partition that keeps them. Blocks while it reads.
    ///
    /// # Errors
    /// [`ReplayError`] if the partition cannot be read. Damage in it is no error: what comes before it is read,
    /// and the partition takes no change.
    pub(crate) fn open(
        offsets: Arc<Partition>,
        directory: Arc<dyn TopicDirectory>,
        options: Options,
        clock: SharedClock,
        trusted_time: Arc<TrustedTime>,
        random: Random,
    ) -> Result<Self, ReplayError> {
        let log = PartitionJournal { partition: offsets, clock: Arc::clone(&clock) };
        Self::over(Arc::new(log), directory, options, clock, trusted_time, random)
    }

    /// What all groups take, and transactions.
    pub(crate) fn memory(&self) -> &Arc<GroupMemory> {
        &self.0.memory
    }

    /// What is wrong with what groups committed, for operators.
    pub(crate) fn problem(&self) -> Option<String> {
        let reason = self.0.unreadable.as_ref()?;
        Some(format!(
            "offsets of consumer groups were read back only in part, and groups without a known offset are told to wait: \
             {reason}; reset the groups concerned"
        ))
    }

    pub(super) fn over(
        log: Arc<dyn JournalLog>,
        directory: Arc<dyn TopicDirectory>,
        options: Options,
        clock: SharedClock,
        trusted_time: Arc<TrustedTime>,
        random: Random,
    ) -> Result<Self, ReplayError> {
        let journal = Journal::new(log, options.snapshot_after.0);
        let memory = GroupMemory::new(options.memory);
        let places = ClientLimit::new(most_of_one_client(options.max_groups));
        let mut groups = Groups {
            options,
            clock,
            trusted_time,
            random,
            journal,
            unreadable: None,
            timers: Timers::default(),
            pending: GroupsOfProducers::default(),
            memory,
            directory,
            patterns: FairWork::at_most(PATTERNS_AT_ONCE),
            places,
            cells: RwLock::default(),
            tickets: AtomicU64::new(0),
        };
        let damage = groups.read_back()?;
        groups.unreadable = damage.map(|damage| damage.to_string().into());
        Ok(Self(Arc::new(groups)))
    }
}

impl Groups {
    pub(super) fn ticket(&self) -> Ticket {
        self.tickets.fetch_add(1, Ordering::Relaxed)
    }

    /// Every group of this moment.
    pub(super) fn cells(&self) -> Vec<Arc<Mutex<Cell>>> {
        self.cells.read().values().map(Arc::clone).collect()
    }

    /// The group, if there is one.
    pub(super) fn cell(&self, group: &GroupId) -> Option<Arc<Mutex<Cell>>> {
        self.cells.read().get(group).map(Arc::clone)
    }

    /// Does something with the group, if there is one.
    pub(super) fn with<T>(&self, group: &GroupId, work: impl FnOnce(&mut Cell) -> T) -> Option<T> {
        self.cell(group).and_then(|cell| self.work_on(&cell, work))
    }

    /// Does something with the group, which begins to be, for `client`, if it was not there.
    pub(super) fn with_new<T>(
        &self,
        group: &GroupId,
        client: ClientAddress,
        no_memory: fn(MemoryLimitError) -> CoordinatorError,
        work: impl FnOnce(&Arc<Mutex<Cell>>, &mut Cell) -> T,
    ) -> Result<T, CoordinatorError> {
        let mut work = Some(work);
        loop {
            let cell = self.cell_or_new(group, client, no_memory)?;
            let done = self.work_on(&cell, |inside| work.take().map(|work| work(&cell, inside)));
            match done {
                Some(done) => return Ok(done.expect("a live group is worked on once")),
                None => self.drop_dead(group, &cell),
            }
        }
    }

    /// Does something under the group's lock, then what follows from it; `None` if the group is dead.
    pub(super) fn work_on<T>(&self, cell: &Mutex<Cell>, work: impl FnOnce(&mut Cell) -> T) -> Option<T> {
        let mut inside = cell.lock();
        if inside.state() == GroupState::Dead {
            return None;
        }
        let done = work(&mut inside);
        inside.settle(&self.journal, self.clock.monotonic(), self.trusted_time.stamp());
        if inside.is_unused() {
            inside.die();
        }
        if inside.state() == GroupState::Dead {
            if let Some(scheduled) = inside.scheduled.take() {
                self.timers.remove(scheduled, inside.id().clone());
            }
            self.cells.write().remove(inside.id());
        } else {
            self.schedule(&mut inside);
        }
        Some(done)
    }

    fn schedule(&self, cell: &mut Cell) {
        let Some(next) = cell.next_deadline() else { return };
        if cell.scheduled.is_none_or(|scheduled| next < scheduled) {
            let replaced = cell.scheduled.replace(next);
            self.timers.schedule(next, cell.id().clone(), replaced);
        }
    }

    fn cell_or_new(
        &self,
        group: &GroupId,
        client: ClientAddress,
        no_memory: fn(MemoryLimitError) -> CoordinatorError,
    ) -> Result<Arc<Mutex<Cell>>, CoordinatorError> {
        if let Some(cell) = self.cell(group) {
            return Ok(cell);
        }
        let mut cells = self.cells.write();
        let (count, limit) = (cells.len(), self.options.max_groups);
        match cells.entry(group.clone()) {
            hash_map::Entry::Occupied(there) => Ok(Arc::clone(there.get())),
            hash_map::Entry::Vacant(_) if count >= limit => Err(CoordinatorError::TooManyGroups { limit }),
            hash_map::Entry::Vacant(free) => {
                let limit = self.places.limit();
                let too_many = CoordinatorError::TooManyGroupsOfClient { limit };
                let place = self.places.take(client, 1).ok_or(too_many)?;
                let memory = self.memory.take(Some(client), own_bytes(group)).map_err(no_memory)?;
                let cell = Cell::new(group.clone(), place, &self.memory, memory);
                Ok(Arc::clone(free.insert(Arc::new(Mutex::new(cell)))))
            }
        }
    }

    /// Takes a dead group out of the map, unless another has its name by now.
    fn drop_dead(&self, group: &GroupId, dead: &Arc<Mutex<Cell>>) {
        let mut cells = self.cells.write();
        if cells.get(group).is_some_and(|cell| Arc::ptr_eq(cell, dead)) {
            cells.remove(group);
        }
    }

    /// Takes over one record that is read back; `cell` does something with a group.
    fn restore(
        &self,
        record: JournalRecord,
        now: Instant,
        cell: &mut impl FnMut(&GroupId, &mut dyn FnMut(&mut Cell)),
    ) {
        let JournalRecord { order, key, value, producer_id } = record;
        match records::decode(&key, value.as_deref()) {
            Ok(DecodedRecord::Offset(group, partition, stored)) => match (producer_id, stored) {
                (Some(producer_id), Some(stored)) => {
                    self.pending.add(producer_id, &group);
                    cell(&group, &mut |cell| {
                        cell.restore_pending(producer_id, partition.clone(), stored.clone(), order);
                    });
                }
                (_, stored) => cell(&group, &mut |cell| {
                    cell.restore_offset(partition.clone(), stored.clone(), order);
                }),
            },
            Ok(DecodedRecord::Group(group, Some((stored, since)))) => {
                cell(&group, &mut |cell| cell.restore_group(stored.clone(), since, now));
            }
            Ok(DecodedRecord::Group(group, None)) => cell(&group, &mut Cell::forget_group),
            Ok(DecodedRecord::Consumer(group, record)) => {
                let session = self.options.session_timeout;
                cell(&group, &mut |cell| cell.restore_consumers(record.clone(), session, now));
            }
            Ok(DecodedRecord::Foreign) => {}
            Err(error) => warn!(offset = %order, %error, "skipped a group record"),
        }
    }

    /// Gives the damage that it had to pass over.
    fn read_back(&self) -> Result<Option<LogError>, ReplayError> {
        let now = self.clock.monotonic();
        let mut cells = self.cells.write();
        let mut cell = |group: &GroupId, work: &mut dyn FnMut(&mut Cell)| {
            let new = || Arc::new(Mutex::new(Cell::to_restore(group.clone(), &self.memory)));
            work(&mut cells.entry(group.clone()).or_insert_with(new).lock());
        };
        let damage = self.journal.replay(|entry| match entry {
            Entry::Record(record) => self.restore(record, now, &mut cell),
            Entry::End { producer_id, outcome } => self.restore_end(producer_id, |group| {
                cell(group, &mut |cell| cell.end_transaction(producer_id, outcome, None));
            }),
        })?;
        let wall = self.trusted_time.stamp();
        cells.values().for_each(|cell| cell.lock().finish_consumers(wall));
        cells.retain(|_, cell| !cell.lock().is_unused());
        for cell in cells.values() {
            self.schedule(&mut cell.lock());
        }
        Ok(damage)
    }
}

impl fmt::Debug for Coordinator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Coordinator").field("groups", &self.0.cells.read().len()).finish()
    }
}
