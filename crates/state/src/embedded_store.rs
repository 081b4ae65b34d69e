//! State in the memory of this process, made durable by a journal and snapshots.
//!
//! ```text
//!   commit ─► journal entry ─► fdatasync ─► rows into memory ─► visible
//!   open   ─► newest snapshot of each task ─► journal entries behind it
//! ```
//!
//! Invariants
//! - Rows become visible only after the journal has them durably, whole epochs at a time.
//! - The journal is cut only before what every task's durable snapshot contains.
//! - An epoch's number is one more than its predecessor's; a task whose chain is broken starts over and its owner is
//!   told ([`Loss`](crate::Loss)), because state can be computed again and a wrong answer cannot be taken back.
//! - What was made durable fails no more: moving rows out of memory and writing snapshots come after, and are tried
//!   again. While they cannot be done, commits are refused before they are written, so that neither memory nor
//!   journal grow without bound.

mod health;
mod journal;
mod recovery;
mod renewal;
mod replay;
mod service;
mod task;

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use factum_base::clock::SharedClock;
use factum_log::{self as log, Disk};
use factum_types::{BatchBuilder, ByteSize, Offset};
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

use crate::journal::{Entry, encode_epoch, encode_mark, encode_task};
use crate::ordered::Sizes;
use crate::spill::Spill;
use crate::store::{CommitError, FoundValues, KeptTask, ReadError, StateStore, TakeOver, Visit};
use crate::table::Cut;
use crate::{Epoch, Fence, KeyRange, Owner, Page, Progress, TableId, TaskId, is_ordered};
use health::{Health, Part};
use journal::{Journal, describe};
use task::{Effect, Task, TaskInProgress, UnappliedEpoch};

pub use journal::current_journal;
pub use recovery::OpenError;
pub use service::Service;

/// A journal that cannot be cut takes commits until it is so many times as large as it should be.
const LARGEST_JOURNAL: u64 = 4;

/// How state is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Rows beyond this go to disk. While someone reads a table or it is snapshotted, it may take twice its memory.
    #[serde(deserialize_with = "factum_types::units::above_zero")]
    pub memory: ByteSize,
    /// A task is snapshotted once its journal entries pass this and the size of its rows.
    #[serde(deserialize_with = "factum_types::units::above_zero")]
    pub snapshot_after: ByteSize,
    /// A journal larger than this has its slowest tasks snapshotted, so that it can be cut. One that is four times as
    /// large, because snapshots cannot be written, takes no more commits.
    #[serde(deserialize_with = "factum_types::units::above_zero")]
    pub journal: ByteSize,
    /// Rows of a sixteenth of a table go to disk beyond this, whatever memory there is; below 2 GiB.
    #[serde(deserialize_with = "factum_types::units::above_zero")]
    pub largest_shard: ByteSize,
    /// An epoch that takes more in the journal is refused; below 1 GiB.
    #[serde(deserialize_with = "factum_types::units::above_zero")]
    pub largest_epoch: ByteSize,
}

impl Default for Options {
    fn default() -> Self {
        let mib = ByteSize::mib;
        Self {
            memory: mib(1024),
            snapshot_after: mib(16),
            journal: mib(256),
            largest_shard: mib(1024),
            largest_epoch: mib(512),
        }
    }
}

impl Options {
    /// How much of an ordered table is moved to disk at once: about a hundredth of the memory.
    fn sizes(&self) -> Sizes {
        let slice = (self.memory.0 / 128).clamp(16 << 10, 8 << 20);
        Sizes { slice: slice as usize, run: 4 * slice }
    }
}

/// The embedded [`StateStore`]. Cloning gives another hand on it.
#[derive(Clone)]
pub struct EmbeddedStore(Arc<Inner>);

pub(crate) struct Inner {
    options: Options,
    disk: Arc<dyn Disk>,
    environment: log::Environment,
    clock: SharedClock,
    directory: PathBuf,
    /// Read-locked by appends, for as long as they wait; written to replace it.
    journal: tokio::sync::RwLock<Journal>,
    next_snapshot: AtomicU64,
    /// Fences rise over all tasks, so that a task that was forgotten and made again is told from its former self.
    last_fence: AtomicU64,
    spill: Spill,
    tasks: RwLock<HashMap<TaskId, Arc<Task>>>,
    health: Health,
}

impl EmbeddedStore {
    /// What hinders the store at this moment, and which tasks lost their state; for operators.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = self.0.health.problems();
        for task in self.0.all_tasks() {
            if let Some(lost) = task.lost() {
                problems
                    .push(format!("state of {} was lost and is computed again: {}", task.id, lost.reason));
            }
        }
        problems
    }
}

impl Inner {
    fn snapshots(&self) -> PathBuf {
        self.directory.join("snapshots")
    }

    fn task(&self, id: &TaskId) -> Option<Arc<Task>> {
        self.tasks.read().get(id).cloned()
    }

    fn all_tasks(&self) -> Vec<Arc<Task>> {
        self.tasks.read().values().cloned().collect()
    }

    fn task_or_new(&self, id: &TaskId) -> Arc<Task> {
        if let Some(task) = self.task(id) {
            return task;
        }
        let mut tasks = self.tasks.write();
        let new = || Arc::new(Task::new(id.clone(), self.options.sizes()));
        Arc::clone(tasks.entry(id.clone()).or_insert_with(new))
    }

    fn see_fence(&self, fence: Fence) {
        self.last_fence.fetch_max(fence.get(), Ordering::Relaxed);
    }

    fn next_fence(&self, held: Fence) -> Fence {
        self.see_fence(held);
        Fence::new(self.last_fence.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Appends one entry; the offset to wait for. On an error nothing of it is in the journal.
    fn append(&self, journal: &Journal, task: &TaskId, value: &[u8]) -> Result<Offset, CommitError> {
        let unavailable = |reason: String| {
            self.health.failed(Part::Journal, &reason);
            CommitError::Unavailable { task: task.clone(), reason }
        };
        if let Some(reason) = journal.end() {
            return Err(unavailable(reason));
        }
        let now = self.clock.now();
        let mut batch = BatchBuilder::new();
        batch.push(now, Some(&encode_task(task)), Some(value), &[]);
        match journal.log.append(batch.build(), now) {
            Ok(appended) => Ok(appended.last_offset),
            Err(error) => Err(unavailable(describe(&error))),
        }
    }

    /// Waits until the entry at `last` is durable.
    async fn durable(&self, journal: &Journal, task: &TaskId, last: Offset) -> Result<(), CommitError> {
        match journal.log.durable(last).await {
            Ok(()) => {
                self.health.succeeded(Part::Journal);
                Ok(())
            }
            Err(error) => {
                let reason = describe(&error);
                self.health.failed(Part::Journal, &reason);
                Err(CommitError::NotDurable { task: task.clone(), reason })
            }
        }
    }

    async fn append_mark(
        &self,
        journal: &Journal,
        task: &TaskId,
        fence: Fence,
        entry: &Entry,
    ) -> Result<Offset, CommitError> {
        let last = self.append(journal, task, &encode_mark(fence, entry))?;
        self.durable(journal, task, last).await?;
        Ok(last)
    }

    /// Finishes what is under way of a task: an epoch that is in the journal is shown once it is durable, a loss that
    /// is not in the journal is put there.
    async fn settle(
        &self,
        journal: &Journal,
        task: &Task,
        held: &mut TaskInProgress,
    ) -> Result<(), CommitError> {
        if held.is_loss_unrecorded {
            self.record_loss(journal, task, held).await?;
        }
        let Some(unapplied) = &held.unapplied else { return Ok(()) };
        self.durable(journal, &task.id, unapplied.offset).await?;
        match held.unapplied.take().map(|unapplied| unapplied.effect) {
            Some(Effect::Epoch { progress, changes }) => {
                task.apply(&changes, Some(&progress));
                held.progress = progress;
                // The epoch is durable and shown; if rows cannot be moved out of memory, the next commit hears of it.
                self.relieve().ok();
            }
            Some(Effect::Forgotten) => self.drop_task(task, held),
            None => {}
        }
        Ok(())
    }

    /// Lets go of a task that the journal says is forgotten.
    fn drop_task(&self, task: &Task, held: &mut TaskInProgress) {
        self.tasks.write().remove(&task.id);
        held.is_forgotten = true;
        task.clear();
        if let Some(snapshot) = held.snapshot.take() {
            // Recovery removes one that stays, as long as the journal has the mark.
            let removed = self.disk.remove_file(&snapshot.path);
            drop(removed.and_then(|()| self.disk.sync_dir(&self.snapshots())));
        }
    }

    /// Tells the journal that a task starts over, so that no later start takes it for its former self.
    async fn record_loss(
        &self,
        journal: &Journal,
        task: &Task,
        held: &mut TaskInProgress,
    ) -> Result<(), CommitError> {
        if let Some(lost) = task.lost() {
            let at = self.append_mark(journal, &task.id, held.fence, &Entry::Lost(lost)).await?;
            held.needed_from = Some(at);
        }
        held.is_loss_unrecorded = false;
        Ok(())
    }

    /// Moves rows to the spill while memory is over its budget, or a shard over its bound.
    fn relieve(&self) -> io::Result<()> {
        let relieved = self.spill_excess();
        match &relieved {
            Ok(()) => self.health.succeeded(Part::Spill),
            Err(error) => self.health.failed(Part::Spill, &error.to_string()),
        }
        relieved
    }

    fn spill_excess(&self) -> io::Result<()> {
        let bytes = |size: ByteSize| usize::try_from(size.0).unwrap_or(usize::MAX);
        let (budget, largest_shard) = (bytes(self.options.memory), bytes(self.options.largest_shard));
        let tasks = self.all_tasks();
        for table in tasks.iter().flat_map(|task| task.tables_over(largest_shard)) {
            while table.fullest_shard() > largest_shard && table.spill_largest(&self.spill)? > 0 {}
        }
        let mut used: usize = tasks.iter().map(|task| task.bytes()).sum();
        while used > budget {
            let largest = tasks.iter().max_by_key(|task| task.bytes_of_rows()).expect("some task holds rows");
            match largest.spill_largest(&self.spill)? {
                0 => return Ok(()),
                freed => used = used.saturating_sub(freed),
            }
        }
        Ok(())
    }

    /// Whether there is room for another commit, in memory and in the journal.
    fn check_room(&self, journal: &Journal, task: &TaskId) -> Result<(), CommitError> {
        let unavailable = |reason| CommitError::Unavailable { task: task.clone(), reason };
        if self.health.has(Part::Spill) {
            self.relieve()
                .map_err(|error| unavailable(format!("rows cannot be moved from memory to disk: {error}")))?;
        }
        let bytes = journal.log.bounds().bytes;
        if self.health.has(Part::Snapshots) && bytes / LARGEST_JOURNAL > self.options.journal.0 {
            return Err(unavailable("the journal is too large and snapshots cannot be written".to_owned()));
        }
        Ok(())
    }
}

#[async_trait]
impl StateStore for EmbeddedStore {
    async fn take_over(&self, id: &TaskId) -> Result<TakeOver, ReadError> {
        let unavailable =
            |error: CommitError| ReadError::Unavailable { task: id.clone(), reason: error.reason() };
        check_name(id).map_err(unavailable)?;
        let journal = self.0.journal.read().await;
        loop {
            let task = self.0.task_or_new(id);
            let mut held = task.held.lock().await;
            if held.is_forgotten {
                continue;
            }
            self.0.settle(&journal, &task, &mut held).await.map_err(unavailable)?;
            if held.is_forgotten {
                continue;
            }
            let fence = self.0.next_fence(held.fence);
            let mark = self.0.append_mark(&journal, id, fence, &Entry::TakenOver);
            let last = mark.await.map_err(unavailable)?;
            held.needed_from.get_or_insert(last);
            held.fence = fence;
            task.begin_incarnation(fence);
            return Ok(TakeOver { fence, progress: held.progress.clone(), lost: task.lost() });
        }
    }

    async fn acknowledge_loss(&self, id: &TaskId, fence: Fence) -> Result<(), CommitError> {
        let journal = self.0.journal.read().await;
        let task = self.0.task_or_new(id);
        let mut held = task.held.lock().await;
        check_fence(id, fence, &held)?;
        self.0.settle(&journal, &task, &mut held).await?;
        if task.lost().is_some() {
            self.0.append_mark(&journal, id, fence, &Entry::LossAcknowledged).await?;
            task.set_lost(None);
        }
        Ok(())
    }

    async fn get_many(&self, id: &TaskId, table: TableId, keys: &[&[u8]]) -> Result<FoundValues, ReadError> {
        let Some(table) = self.0.task(id).and_then(|task| task.table(table)) else {
            let mut found = FoundValues::with_capacity(keys.len());
            keys.iter().for_each(|_| found.push(None));
            return Ok(found);
        };
        table.get_many(keys).map_err(|error| unreadable(id, &error))
    }

    async fn scan(&self, id: &TaskId, table: TableId, visit: &mut Visit<'_>) -> Result<Progress, ReadError> {
        let Some(task) = self.0.task(id) else { return Ok(Progress::default()) };
        let (cut, progress) = task.cut(table);
        match cut.map_or(Ok(()), |cut| cut.scan(visit)) {
            Ok(()) => Ok(progress),
            Err(error) => Err(unreadable(id, &error)),
        }
    }

    async fn range(&self, id: &TaskId, table: TableId, range: &KeyRange) -> Result<Page, ReadError> {
        if !is_ordered(table) {
            return Err(ReadError::Unordered { task: id.clone(), table });
        }
        let Some(task) = self.0.task(id) else { return Ok(Page::default()) };
        let (cut, version) = task.cut_with_version(table);
        let Some(Cut::Ordered(cut)) = cut else { return Ok(Page { version, ..Page::default() }) };
        let (rows, next) = cut.range(range).map_err(|error| unreadable(id, &error))?;
        Ok(Page { rows, next, version })
    }

    async fn commit(&self, id: &TaskId, fence: Fence, epoch: Epoch) -> Result<Progress, CommitError> {
        check_name(id)?;
        let journal = self.0.journal.read().await;
        let task = self.0.task_or_new(id);
        let mut held = task.held.lock().await;
        self.0.settle(&journal, &task, &mut held).await?;
        check_fence(id, fence, &held)?;
        self.0.check_room(&journal, id)?;
        let number = held.progress.epoch + 1;
        let value = encode_epoch(fence, number, &epoch);
        let (bytes, limit) = (value.len() as u64, self.0.options.largest_epoch);
        if bytes > limit.0 {
            let reason = format!("it takes {bytes} bytes, the limit is {} (state.largest_epoch)", limit.0);
            return Err(CommitError::Refused { task: id.clone(), reason });
        }
        let offset = self.0.append(&journal, id, &value)?;
        held.journaled_bytes += bytes;
        held.needed_from.get_or_insert(offset);
        let Epoch { changes, offsets, watermark, outbox } = epoch;
        let progress = Progress { epoch: number, offsets, watermark, outbox };
        // From here on the epoch counts even if the caller goes away: the next caller settles it first.
        let effect = Effect::Epoch { progress, changes: changes.into_bytes() };
        held.unapplied = Some(UnappliedEpoch { offset, effect });
        self.0.settle(&journal, &task, &mut held).await?;
        Ok(held.progress.clone())
    }

    async fn forget(&self, id: &TaskId) -> Result<(), CommitError> {
        let journal = self.0.journal.read().await;
        let Some(task) = self.0.task(id) else { return Ok(()) };
        let mut held = task.held.lock().await;
        self.0.settle(&journal, &task, &mut held).await?;
        if held.is_forgotten {
            return Ok(());
        }
        let offset = self.0.append(&journal, id, &encode_mark(held.fence, &Entry::Forgotten))?;
        held.unapplied = Some(UnappliedEpoch { offset, effect: Effect::Forgotten });
        self.0.settle(&journal, &task, &mut held).await
    }

    async fn tasks(&self, owner: &Owner) -> Result<Vec<KeptTask>, ReadError> {
        let tasks = self.0.all_tasks().into_iter().filter(|task| task.id.owner() == owner);
        let mut all: Vec<_> = tasks.map(|task| task.kept()).collect();
        all.sort_unstable_by(|a, b| a.task.cmp(&b.task));
        Ok(all)
    }
}

fn check_fence(task: &TaskId, fence: Fence, held: &TaskInProgress) -> Result<(), CommitError> {
    if fence == held.fence && !held.is_forgotten {
        return Ok(());
    }
    Err(CommitError::Fenced { task: task.clone(), held: fence, current: held.fence })
}

fn check_name(task: &TaskId) -> Result<(), CommitError> {
    if task.is_valid() {
        return Ok(());
    }
    let (length, limit) = (task.name().len(), TaskId::MAX_NAME_LEN);
    let reason = format!("a task's name is 1 to {limit} bytes without NUL, this one has {length}");
    Err(CommitError::Refused { task: task.clone(), reason })
}

fn unreadable(task: &TaskId, error: &io::Error) -> ReadError {
    ReadError::Unavailable { task: task.clone(), reason: format!("spilled rows cannot be read: {error}") }
}

/// The next number of this counter.
fn draw(counter: &AtomicU64) -> u64 {
    counter.fetch_add(1, Ordering::Relaxed)
}

/// Bytes that share the journal entry they were read from.
pub(crate) type JournalBytes = Bytes;
