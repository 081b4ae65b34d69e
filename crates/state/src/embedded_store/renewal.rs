//! Another journal in the place of one that takes no more appends: a sync failed, or it is damaged.
//!
//! Invariants: all that was committed is in memory, and nothing is committed meanwhile. What was under way and not
//! durable is given up, as its waiters were told.

use std::path::PathBuf;
use std::sync::Arc;

use factum_base::tasks::BoxError;
use factum_log as log;
use factum_types::Offset;
use tracing::{info, warn};

use super::journal::{self, Journal, describe};
use super::service::{Service, TaskCut};
use super::task::{Snapshot, Task};
use crate::journal::Entry;

impl Service {
    /// Begins another journal if the present one takes no more appends. `unfinished` are the snapshots of an attempt
    /// that came as far as the new journal's directory.
    pub(super) async fn renew_if_needed(&self, unfinished: &mut Vec<PathBuf>) -> Result<(), BoxError> {
        if self.0.journal.read().await.end().is_none() {
            return Ok(());
        }
        let mut journal = self.0.journal.write().await;
        let Some(reason) = journal.end() else { return Ok(()) };
        let tasks = self.0.all_tasks();
        let generation = journal.generation + 1;
        let snapshots = self.snapshot_all(&tasks, generation).await?;
        let next = match self.begin(generation) {
            Ok(next) => next,
            Err(error) => {
                let paths = snapshots.into_iter().map(|snapshot| snapshot.path);
                if self.has_begun(generation) {
                    // They count from now on, and those of the attempt before do not.
                    std::mem::replace(unfinished, paths.collect())
                        .iter()
                        .for_each(|path| self.0.remove(path));
                } else {
                    paths.for_each(|path| self.0.remove(&path));
                }
                return Err(error);
            }
        };
        let old = std::mem::replace(&mut *journal, next);
        info!(generation, reason, "state goes on in another journal");
        unfinished.drain(..).for_each(|path| self.0.remove(&path));
        self.adopt(&journal, &tasks, snapshots).await;
        self.retire(&old);
        Ok(())
    }

    /// Snapshots every task for a journal that is yet to begin.
    async fn snapshot_all(&self, tasks: &[Arc<Task>], generation: u64) -> Result<Vec<Snapshot>, BoxError> {
        let mut snapshots: Vec<Snapshot> = Vec::with_capacity(tasks.len());
        for task in tasks {
            let cut = {
                let mut held = task.held.lock().await;
                held.unapplied = None;
                TaskCut::take(task, &held, generation, Offset::ZERO)
            };
            let inner = Arc::clone(&self.0);
            let written = tokio::task::spawn_blocking(move || cut.write(&inner)).await;
            match written.map_err(BoxError::from).and_then(|written| written) {
                Ok(snapshot) => snapshots.push(snapshot),
                Err(error) => {
                    snapshots.iter().for_each(|snapshot| self.0.remove(&snapshot.path));
                    return Err(error);
                }
            }
        }
        Ok(snapshots)
    }

    /// Makes the directory of the next journal, from which on it counts, and opens it.
    fn begin(&self, generation: u64) -> Result<Journal, BoxError> {
        let inner = &self.0;
        let disk = inner.disk.as_ref();
        log::create_dir_durably(disk, &journal::path(&inner.directory, generation))?;
        // An attempt before may have made it and failed to make the name durable.
        disk.sync_dir(&inner.directory)?;
        Ok(Journal::open(&inner.environment, &inner.directory, generation, &inner.options)?)
    }

    fn has_begun(&self, generation: u64) -> bool {
        // Where that cannot be told, too many snapshots do no harm and too few would.
        journal::generations(self.0.disk.as_ref(), &self.0.directory)
            .map_or(true, |generations| generations.contains(&generation))
    }

    /// The tasks go on from their new snapshots.
    async fn adopt(&self, journal: &Journal, tasks: &[Arc<Task>], snapshots: Vec<Snapshot>) {
        for (task, snapshot) in tasks.iter().zip(snapshots) {
            let mut held = task.held.lock().await;
            let taken = Entry::SnapshotTaken { number: snapshot.number, progress: held.progress.clone() };
            held.needed_from = Some(journal.log.bounds().log_start);
            held.journaled_bytes = 0;
            held.is_loss_unrecorded = false;
            if let Some(older) = held.snapshot.replace(snapshot) {
                self.0.remove(&older.path);
            }
            if let Err(error) = self.0.append_mark(journal, &task.id, held.fence, &taken).await {
                // It only tells that there is a snapshot.
                warn!(task = %task.id, %error, "a snapshot is not noted in the journal");
            }
        }
    }

    /// Lets go of the old journal: one that is damaged is kept for the operator.
    fn retire(&self, old: &Journal) {
        if let Err(error) = old.log.close() {
            info!(error = describe(&error), "the old journal of state was not closed");
        }
        let path = journal::path(&self.0.directory, old.generation);
        match &old.condemned {
            Some(_) => drop(self.0.set_aside(&path)),
            None => {
                if let Err(error) = self.0.disk.remove_dir_all(&path) {
                    warn!(path = %path.display(), %error, "an old journal of state cannot be removed");
                }
            }
        }
    }
}
