//! The housekeeping beside a store: snapshots, cutting the journal behind them, and a new journal in the place of one
//! that takes no more appends.
//!
//! Invariants: whatever fails is tried again, less and less often, and said; it stops neither the server nor the
//! work on other tasks.

use std::sync::Arc;
use std::time::Duration;

use factum_base::tasks::{BoxError, Stop};
use factum_types::Offset;
use tracing::{debug, warn};

use super::health::Part;
use super::journal::Journal;
use super::task::{Snapshot, Task, TaskInProgress};
use super::{EmbeddedStore, Inner, describe, draw};
use crate::TableId;
use crate::journal::Entry;
use crate::snapshot::{Head, Writer};
use crate::table::Cut;

const EVERY: Duration = Duration::from_millis(500);
const LONGEST_REST: Duration = Duration::from_secs(30);

/// Keeps a store's journal short and whole.
pub struct Service(pub(super) Arc<Inner>);

impl Service {
    /// The housekeeping of `store`.
    pub fn new(store: &EmbeddedStore) -> Self {
        Self(Arc::clone(&store.0))
    }

    /// Works until the stop, then closes the journal. Ends in the middle of nothing: await it.
    ///
    /// # Errors
    /// None, so far: what fails is tried again, and a journal that does not close is recovered at the next start.
    pub async fn run(self, stop: Stop) -> Result<(), BoxError> {
        let (mut rest, mut unfinished) = (EVERY, Vec::new());
        loop {
            let waited = tokio::time::timeout(rest, stop.requested()).await;
            let renewed = self.renew_if_needed(&mut unfinished).await;
            self.note(Part::Journal, &renewed, false);
            let tidied = self.tidy().await;
            self.note(Part::Snapshots, &tidied, true);
            let failed = renewed.is_err() || tidied.is_err();
            rest = if failed { (rest * 2).min(LONGEST_REST) } else { EVERY };
            if waited.is_ok() {
                break;
            }
        }
        if let Err(error) = self.0.journal.read().await.log.close() {
            warn!(
                error = describe(&error),
                "the journal of state was not closed, and is recovered at the next start"
            );
        }
        Ok(())
    }

    /// Tells health what came of some work; `is_proof` if success shows that all is well again.
    fn note(&self, part: Part, result: &Result<(), BoxError>, is_proof: bool) {
        match result {
            Err(error) => self.0.health.failed(part, &describe(&**error)),
            Ok(()) if is_proof => self.0.health.succeeded(part),
            Ok(()) => self.0.health.expire(part),
        }
    }

    /// Snapshots the tasks that are due, then cuts the journal. One that fails does not keep others from it.
    async fn tidy(&self) -> Result<(), BoxError> {
        let journal = self.0.journal.read().await;
        if journal.end().is_some() {
            return Ok(());
        }
        // Read before the list of tasks: a task that begins after this needs nothing older.
        let ceiling = journal.log.bounds().high_watermark;
        let tasks = self.0.all_tasks();
        let slow = self.slow(&journal);
        let mut result = Ok(());
        for task in &tasks {
            if let Err(error) = self.tend(&journal, task, slow).await {
                result = Err(error);
            }
        }
        self.cut(&journal, &tasks, ceiling).await?;
        result
    }

    /// Tells the journal of a loss, and snapshots the task if that is due.
    async fn tend(&self, journal: &Journal, task: &Arc<Task>, slow: Option<Offset>) -> Result<(), BoxError> {
        let mut held = task.held.lock().await;
        if held.is_loss_unrecorded {
            self.0.settle(journal, task, &mut held).await?;
        }
        let is_slow = held.needed_from.is_some_and(|needed| slow.is_some_and(|slow| needed < slow));
        let most = self.0.options.snapshot_after.0.max(task.bytes() as u64);
        if is_slow || held.journaled_bytes > most { self.snapshot(journal, task, held).await } else { Ok(()) }
    }

    /// Where the older half of a journal that is too long ends: tasks that need any of it keep it long.
    fn slow(&self, journal: &Journal) -> Option<Offset> {
        let bounds = journal.log.bounds();
        let half = bounds.high_watermark.since(bounds.log_start) / 2;
        (bounds.bytes > self.0.options.journal.0).then(|| Offset::new(bounds.log_start.get() + half + 1))
    }

    /// Snapshots a task. It is held for the moment that a cut takes, and may commit while the file is written.
    async fn snapshot(
        &self,
        journal: &Journal,
        task: &Arc<Task>,
        mut held: tokio::sync::MutexGuard<'_, TaskInProgress>,
    ) -> Result<(), BoxError> {
        self.0.settle(journal, task, &mut held).await?;
        if held.is_forgotten {
            return Ok(());
        }
        // All that the task has committed is durable, and so lies before this. What lies behind may be lost with
        // the power, and others be written in its place.
        let journal_offset = journal.log.bounds().high_watermark;
        let cut = TaskCut::take(task, &held, journal.generation, journal_offset);
        let journaled_bytes = held.journaled_bytes;
        drop(held);
        let progress = cut.head.progress.clone();
        let inner = Arc::clone(&self.0);
        let snapshot = tokio::task::spawn_blocking(move || cut.write(&inner)).await??;
        let mut held = task.held.lock().await;
        if held.is_forgotten {
            self.0.remove(&snapshot.path);
            return Ok(());
        }
        let number = snapshot.number;
        held.journaled_bytes = held.journaled_bytes.saturating_sub(journaled_bytes);
        if let Some(older) = held.snapshot.replace(snapshot) {
            self.0.remove(&older.path);
        }
        // From now on the journal tells that there is a snapshot, so that one that is lost is missed.
        let taken = Entry::SnapshotTaken { number, progress };
        self.0.append_mark(journal, &task.id, held.fence, &taken).await?;
        held.needed_from = Some(journal_offset);
        Ok(())
    }

    async fn cut(&self, journal: &Journal, tasks: &[Arc<Task>], ceiling: Offset) -> Result<(), BoxError> {
        let mut needed = ceiling;
        for task in tasks {
            needed = task.held.lock().await.needed_from.map_or(needed, |from| from.min(needed));
        }
        if needed > journal.log.bounds().log_start {
            debug!(%needed, "cutting the journal of state");
            journal.log.truncate_before(needed)?;
        }
        Ok(())
    }
}

/// A task as it was at one moment, to be written to a snapshot.
pub(super) struct TaskCut {
    pub(super) head: Head,
    tables: Vec<(TableId, Cut)>,
}

impl TaskCut {
    /// The holder of the task sees to it that no epoch is under way.
    pub(super) fn take(task: &Task, held: &TaskInProgress, generation: u64, journal_offset: Offset) -> Self {
        let head = Head {
            generation,
            journal_offset,
            fence: held.fence,
            task: task.id.clone(),
            progress: held.progress.clone(),
            lost: task.lost(),
        };
        Self { head, tables: task.cut_all() }
    }

    /// Writes it, durably. Blocks on the disk.
    pub(super) fn write(&self, inner: &Inner) -> Result<Snapshot, BoxError> {
        let number = draw(&inner.next_snapshot);
        let mut writer = Writer::create(&inner.disk, &inner.snapshots(), number, &self.head)?;
        let mut failed = None;
        for (table, cut) in &self.tables {
            cut.scan(&mut |key, value| {
                if failed.is_none() {
                    failed = writer.row(*table, key, value).err();
                }
            })?;
        }
        match failed {
            Some(error) => Err(error.into()),
            None => Ok(Snapshot { number, path: writer.finish()? }),
        }
    }
}
