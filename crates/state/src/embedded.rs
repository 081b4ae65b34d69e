//! State in the memory of this process, made durable by a journal and snapshots.
//!
//! ```text
//!   commit ─► journal entry ─► fdatasync ─► rows into memory ─► visible
//!   open   ─► newest snapshot of each task ─► journal entries behind it
//! ```
//!
//! Always holds
//! - Rows become visible only after the journal has them durably, whole epochs at a time.
//! - The journal is cut only before what every task's durable snapshot contains.
//! - An epoch's number is one more than its predecessor's; a task whose chain is broken is dropped and said so,
//!   because state can be computed again and a wrong answer cannot be taken back.

mod recovery;
mod service;
mod task;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use factum_base::clock::SharedClock;
use factum_log::{Disk, PartitionLog};
use factum_types::{BatchBuilder, Offset};
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

use crate::journal::{Entry, encode_epoch, encode_mark, encode_task};
use crate::spill::{SpillError, SpillSpace};
use crate::store::{CommitError, Found, ReadError, StateStore, TakeOver, Visit};
use crate::{Epoch, Fence, Owner, Progress, TableId, TaskId};
use task::{Task, Unapplied};

pub use recovery::OpenError;
pub use service::Service;

/// How state is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Rows beyond this go to disk.
    pub memory: factum_types::ByteSize,
    /// A task is snapshotted once its journal entries pass this and the size of its rows.
    pub snapshot_after: factum_types::ByteSize,
    /// A journal larger than this has its slowest tasks snapshotted, so that it can be cut.
    pub journal: factum_types::ByteSize,
}

impl Default for Options {
    fn default() -> Self {
        let mib = factum_types::ByteSize::mib;
        Self { memory: mib(1024), snapshot_after: mib(16), journal: mib(256) }
    }
}

/// The embedded [`StateStore`]. Cloning gives another hand on it.
#[derive(Clone)]
pub struct Embedded(Arc<Inner>);

pub(crate) struct Inner {
    options: Options,
    disk: Arc<dyn Disk>,
    clock: SharedClock,
    journal: PartitionLog,
    snapshots: PathBuf,
    next_snapshot: AtomicU64,
    spill: SpillSpace,
    next_table: AtomicU64,
    tasks: RwLock<HashMap<TaskId, Arc<Task>>>,
}

impl Inner {
    fn task(&self, id: &TaskId) -> Option<Arc<Task>> {
        self.tasks.read().get(id).cloned()
    }

    fn task_or_new(&self, id: &TaskId) -> Arc<Task> {
        if let Some(task) = self.task(id) {
            return task;
        }
        let mut tasks = self.tasks.write();
        let task = tasks.entry(id.clone()).or_insert_with(|| Arc::new(Task::new(id.clone())));
        Arc::clone(task)
    }

    /// Appends one entry; the offset to wait for.
    fn append(&self, task: &TaskId, value: &[u8]) -> Result<Offset, CommitError> {
        let now = self.clock.now();
        let mut batch = BatchBuilder::new();
        batch.push(now, Some(&encode_task(task)), Some(value), &[]);
        match self.journal.append(batch.build(), now) {
            Ok(appended) => Ok(appended.last_offset),
            Err(error) => Err(not_durable(task, &error)),
        }
    }

    async fn append_mark(&self, task: &TaskId, fence: Fence, entry: &Entry) -> Result<Offset, CommitError> {
        let last = self.append(task, &encode_mark(fence, entry))?;
        self.journal.durable(last).await.map_err(|error| not_durable(task, &error))?;
        Ok(last)
    }

    /// Finishes an epoch that is in the journal: waits until it is durable, then shows it.
    async fn settle(&self, task: &Task, held: &mut task::Held) -> Result<(), CommitError> {
        let Some(unapplied) = &held.unapplied else { return Ok(()) };
        self.journal.durable(unapplied.offset).await.map_err(|error| not_durable(&task.id, &error))?;
        task.apply(self, &unapplied.changes, Some(&unapplied.progress))
            .map_err(|error| spill_not_durable(&task.id, &error))?;
        held.progress = unapplied.progress.clone();
        held.unapplied = None;
        self.relieve(&task.id)
    }

    /// Moves rows to the spill while memory is over its budget.
    fn relieve(&self, task: &TaskId) -> Result<(), CommitError> {
        let budget = usize::try_from(self.options.memory.0).unwrap_or(usize::MAX);
        let tasks: Vec<_> = self.tasks.read().values().cloned().collect();
        let mut used: usize = tasks.iter().map(|task| task.bytes()).sum();
        while used > budget {
            let largest = tasks.iter().max_by_key(|task| task.bytes()).expect("some task holds rows");
            match largest.spill_largest().map_err(|error| spill_not_durable(task, &error))? {
                0 => return Ok(()),
                freed => used = used.saturating_sub(freed),
            }
        }
        Ok(())
    }
}

#[async_trait]
impl StateStore for Embedded {
    async fn take_over(&self, id: &TaskId) -> Result<TakeOver, ReadError> {
        let unavailable =
            |error: CommitError| ReadError::Unavailable { task: id.clone(), reason: error.to_string() };
        loop {
            let task = self.0.task_or_new(id);
            let mut held = task.held.lock().await;
            if held.is_forgotten {
                continue;
            }
            self.0.settle(&task, &mut held).await.map_err(unavailable)?;
            let fence = held.fence.next();
            let last = self.0.append_mark(id, fence, &Entry::TakenOver).await.map_err(unavailable)?;
            held.needed_from.get_or_insert(last);
            held.fence = fence;
            return Ok(TakeOver { fence, progress: held.progress.clone(), lost: None });
        }
    }

    async fn acknowledge_loss(&self, id: &TaskId, fence: Fence) -> Result<(), CommitError> {
        let task = self.0.task_or_new(id);
        let held = task.held.lock().await;
        if fence == held.fence {
            return Ok(());
        }
        Err(CommitError::Fenced { task: id.clone(), held: fence, current: held.fence })
    }

    async fn get_many(&self, id: &TaskId, table: TableId, keys: &[&[u8]]) -> Result<Found, ReadError> {
        let Some(table) = self.0.task(id).and_then(|task| task.table(table)) else {
            let mut found = Found::with_capacity(keys.len());
            keys.iter().for_each(|_| found.push(None));
            return Ok(found);
        };
        table.get_many(keys).map_err(|error| unreadable(id, &error))
    }

    async fn scan(&self, id: &TaskId, table: TableId, visit: &mut Visit<'_>) -> Result<Progress, ReadError> {
        let Some(task) = self.0.task(id) else { return Ok(Progress::default()) };
        task.scan(table, visit).map_err(|error| unreadable(id, &error))
    }

    async fn range(
        &self,
        id: &TaskId,
        table: TableId,
        from: &[u8],
        to: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Vec<u8>)>, ReadError> {
        let mut rows = Vec::new();
        self.scan(id, table, &mut |key, value| {
            if key >= from && to.is_none_or(|to| key < to) {
                rows.push((key.to_vec(), value.to_vec()));
            }
        })
        .await?;
        rows.sort_unstable();
        rows.truncate(limit);
        Ok(rows)
    }

    async fn commit(&self, id: &TaskId, fence: Fence, epoch: Epoch) -> Result<Progress, CommitError> {
        let task = self.0.task_or_new(id);
        let mut held = task.held.lock().await;
        self.0.settle(&task, &mut held).await?;
        if fence != held.fence {
            return Err(CommitError::Fenced { task: id.clone(), held: fence, current: held.fence });
        }
        let number = held.progress.epoch + 1;
        let value = encode_epoch(fence, number, &epoch);
        let offset = self.0.append(id, &value)?;
        held.journaled_bytes += value.len() as u64;
        held.needed_from.get_or_insert(offset);
        let Epoch { changes, offsets, watermark, outbox } = epoch;
        let progress = Progress { epoch: number, offsets, watermark, outbox };
        // From here on the epoch counts even if the caller goes away: whoever comes next settles it first.
        held.unapplied = Some(Unapplied { offset, progress, changes: changes.into_bytes() });
        self.0.settle(&task, &mut held).await?;
        Ok(held.progress.clone())
    }

    async fn forget(&self, id: &TaskId) -> Result<(), CommitError> {
        let Some(task) = self.0.task(id) else { return Ok(()) };
        let mut held = task.held.lock().await;
        self.0.settle(&task, &mut held).await?;
        self.0.append_mark(id, held.fence, &Entry::Forgotten).await?;
        self.0.tasks.write().remove(id);
        // Whoever still has this hand on the task must not commit to rows that are gone, nor keep them.
        held.fence = held.fence.next();
        held.is_forgotten = true;
        task.clear().map_err(|error| spill_not_durable(id, &error))?;
        if let Some(path) = held.snapshot.take() {
            // Recovery removes one that stays, as long as the journal has the mark.
            drop(self.0.disk.remove_file(&path).and_then(|()| self.0.disk.sync_dir(&self.0.snapshots)));
        }
        Ok(())
    }

    async fn tasks(&self, owner: &Owner) -> Result<Vec<(TaskId, Progress, u64)>, ReadError> {
        let tasks: Vec<_> = self.0.tasks.read().values().cloned().collect();
        let tasks = tasks.iter().filter(|task| task.id.owner() == owner);
        let mut all: Vec<_> =
            tasks.map(|task| (task.id.clone(), task.progress(), task.bytes() as u64)).collect();
        all.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        Ok(all)
    }
}

/// The next number of this counter.
fn draw(counter: &AtomicU64) -> u64 {
    counter.fetch_add(1, Ordering::Relaxed)
}

fn not_durable(task: &TaskId, error: &dyn std::fmt::Display) -> CommitError {
    CommitError::NotDurable { task: task.clone(), reason: error.to_string() }
}

fn spill_not_durable(task: &TaskId, error: &SpillError) -> CommitError {
    not_durable(task, error)
}

fn unreadable(task: &TaskId, error: &SpillError) -> ReadError {
    ReadError::Unavailable { task: task.clone(), reason: error.to_string() }
}

/// Bytes that share the journal entry they were read from.
pub(crate) type Packed = Bytes;
