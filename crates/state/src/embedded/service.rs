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
        let slow = self.slow();
        for task in &tasks {
            let is_due = {
                let held = task.held.lock().await;
                let is_slow = held.needed_from.is_some_and(|needed| slow.is_some_and(|slow| needed < slow));
                let most = self.0.options.snapshot_after.0.max(task.bytes() as u64);
                is_slow || held.journaled_bytes > most
            };
            if is_due {
                self.snapshot(task).await?;
            }
        }
        self.cut(&tasks, ceiling).await
    }

    /// Where the older half of a journal that is too long ends: tasks that need any of it keep it long.
    fn slow(&self) -> Option<Offset> {
        let bounds = self.0.journal.bounds();
        let half = bounds.high_watermark.since(bounds.log_start) / 2;
        (bounds.bytes > self.0.options.journal.0).then(|| Offset::new(bounds.log_start.get() + half + 1))
    }

    async fn snapshot(&self, task: &Arc<Task>) -> Result<(), BoxError> {
        let mut held = task.held.lock().await;
        if held.is_forgotten {
            return Ok(());
        }
        self.0.settle(task, &mut held).await?;
        // All that the task has committed is durable, and so lies before this. What lies behind may be lost with
        // the power, and others be written in its place.
        let journal_offset = self.0.journal.bounds().high_watermark;
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
