//! The housekeeping beside a store: snapshots, and cutting the journal behind them.

use std::sync::Arc;
use std::time::Duration;

use factum_base::tasks::{BoxError, Stop};
use factum_types::Offset;
use tracing::debug;

use super::task::Task;
use super::{Embedded, Inner, draw};
use crate::snapshot::{Head, Writer};

const EVERY: Duration = Duration::from_millis(500);

/// Keeps a store's journal short.
pub struct Service(Arc<Inner>);

impl Service {
    /// The housekeeping of `store`.
    pub fn new(store: &Embedded) -> Self {
        Self(Arc::clone(&store.0))
    }

    /// Works until the stop, then closes the journal.
    ///
    /// # Errors
    /// If a snapshot cannot be written: the journal would grow for ever.
    pub async fn run(self, stop: Stop) -> Result<(), BoxError> {
        loop {
            let waited = tokio::time::timeout(EVERY, stop.requested()).await;
            self.tidy().await?;
            if waited.is_ok() {
                break;
            }
        }
        self.0.journal.close()?;
        Ok(())
    }

    /// Snapshots the tasks that are due, then cuts the journal.
    async fn tidy(&self) -> Result<(), BoxError> {
        // Read before the list of tasks: a task that begins after this needs nothing older.
        let ceiling = self.0.journal.bounds().high_watermark;
        let tasks: Vec<_> = self.0.tasks.read().values().cloned().collect();
        let is_long = self.0.journal.bounds().bytes > self.0.options.journal.0;
        let slowest = if is_long { self.slowest(&tasks).await } else { None };
        for task in &tasks {
            let is_due = {
                let held = task.held.lock().await;
                held.journaled_bytes > self.0.options.snapshot_after.0.max(task.bytes() as u64)
            };
            if is_due || slowest.as_ref().is_some_and(|slowest| Arc::ptr_eq(slowest, task)) {
                self.snapshot(task).await?;
            }
        }
        self.cut(&tasks, ceiling).await
    }

    /// The task whose recovery reaches furthest back.
    async fn slowest(&self, tasks: &[Arc<Task>]) -> Option<Arc<Task>> {
        let mut slowest = None;
        for task in tasks {
            let needed = task.held.lock().await.needed_from;
            if let Some(needed) = needed
                && slowest.as_ref().is_none_or(|(least, _)| needed < *least)
            {
                slowest = Some((needed, Arc::clone(task)));
            }
        }
        slowest.map(|(_, task)| task)
    }

    async fn snapshot(&self, task: &Arc<Task>) -> Result<(), BoxError> {
        let mut held = task.held.lock().await;
        self.0.settle(task, &mut held).await?;
        let journal_offset = self.0.journal.bounds().log_end;
        let head = Head {
            journal_offset,
            fence: held.fence,
            task: task.id.clone(),
            progress: held.progress.clone(),
        };
        let (inner, source) = (Arc::clone(&self.0), Arc::clone(task));
        let path = tokio::task::spawn_blocking(move || write(&inner, &source, &head)).await??;
        held.journaled_bytes = 0;
        held.needed_from = Some(journal_offset);
        if let Some(older) = held.snapshot.replace(path) {
            self.0.disk.remove_file(&older)?;
        }
        Ok(())
    }

    async fn cut(&self, tasks: &[Arc<Task>], ceiling: Offset) -> Result<(), BoxError> {
        let mut needed = ceiling;
        for task in tasks {
            needed = task.held.lock().await.needed_from.map_or(needed, |from| from.min(needed));
        }
        if needed > self.0.journal.bounds().log_start {
            debug!(%needed, "cutting the journal of state");
            self.0.journal.truncate_before(needed)?;
        }
        Ok(())
    }
}

fn write(inner: &Inner, task: &Task, head: &Head) -> Result<std::path::PathBuf, BoxError> {
    let number = draw(&inner.next_snapshot);
    let mut writer = Writer::create(&inner.disk, &inner.snapshots, number, head)?;
    let mut failed = None;
    task.scan_all(&mut |table, key, value| {
        if failed.is_none() {
            failed = writer.row(table, key, value).err();
        }
    })?;
    match failed {
        Some(error) => Err(error.into()),
        None => Ok(writer.finish()?),
    }
}
