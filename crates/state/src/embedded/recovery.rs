//! From the files of an earlier run to the same rows in memory.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use bytes::Bytes;
use factum_base::clock::SharedClock;
use factum_log::{self as log, Disk, PartitionLog};
use factum_types::{Offset, batch, record};
use parking_lot::RwLock;
use tracing::{error, info};

use super::task::Task;
use super::{Embedded, Inner, Options};
use crate::journal::{self, Entry};
use crate::snapshot;
use crate::spill::{self, SpillError, SpillSpace};
use crate::{CommitError, Fence, TaskId};

/// How much of the journal is read at once.
const READ_BYTES: usize = 4 << 20;
const SMALLEST_SEGMENT: u64 = 4 << 10;
/// The largest entry; an epoch is a few thousand rows.
const ENTRY_BYTES: usize = 1 << 30;

/// Why state could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory cannot be used.
    #[error("cannot use {path}", path = path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// The journal does not open.
    #[error("cannot open the journal of state")]
    Journal(#[source] log::OpenError),
    /// The journal cannot be read; move the state directory away, and every view is computed anew.
    #[error("cannot read the journal of state at offset {at}; move {path} away to have views computed anew", path = path.display())]
    Damaged {
        /// The state directory.
        path: PathBuf,
        /// The first entry that cannot be read.
        at: Offset,
    },
    /// The journal takes no mark.
    #[error("cannot write to the journal of state")]
    Unmarked(#[source] Box<CommitError>),
    /// The spill does not take rows.
    #[error(transparent)]
    Spill(Box<dyn std::error::Error + Send + Sync>),
}

impl From<SpillError> for OpenError {
    fn from(error: SpillError) -> Self {
        Self::Spill(Box::new(error))
    }
}

impl Embedded {
    /// Opens the state kept under `directory`, making it if need be. Reads files: call it where blocking is
    /// allowed. Run the [`super::Service`] beside it.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(
        environment: &log::Environment,
        disk: Arc<dyn Disk>,
        clock: SharedClock,
        directory: &Path,
        options: Options,
    ) -> Result<Self, OpenError> {
        let snapshots = directory.join("snapshots");
        let unusable = |source| OpenError::Directory { path: directory.to_owned(), source };
        disk.create_dir_all(&snapshots).map_err(unusable)?;
        let spill = directory.join("spill");
        spill::empty(&spill).map_err(unusable)?;
        let files = snapshot::list(disk.as_ref(), &snapshots).map_err(unusable)?;
        let (journal, _) =
            PartitionLog::open(environment, &directory.join("journal"), journal_options(&options))
                .map_err(OpenError::Journal)?;
        let inner = Inner {
            options,
            clock,
            journal,
            snapshots,
            next_snapshot: AtomicU64::new(files.last().map_or(0, |(number, _)| number + 1)),
            spill: SpillSpace::new(spill),
            next_table: AtomicU64::new(0),
            tasks: RwLock::new(HashMap::new()),
            disk,
        };
        let mut recovery = Recovery { inner: &inner, directory, broken: Vec::new() };
        for (_, path) in files {
            recovery.load(&path)?;
        }
        recovery.replay()?;
        recovery.drop_broken()?;
        Ok(Self(Arc::new(inner)))
    }
}

/// The journal is cut by whole files, so they must be a small part of it.
fn journal_options(options: &Options) -> log::Options {
    let usual = log::Options::default();
    let segment_bytes = (options.journal.0 / 4).clamp(SMALLEST_SEGMENT, usual.segment_bytes);
    log::Options { segment_bytes, ..usual }
}

struct Recovery<'a> {
    inner: &'a Inner,
    directory: &'a Path,
    broken: Vec<TaskId>,
}

impl Recovery<'_> {
    /// Loads one snapshot; a later one of the same task replaces it.
    fn load(&mut self, path: &Path) -> Result<(), OpenError> {
        let read = snapshot::Reader::open(self.inner.disk.as_ref(), path);
        let (mut reader, head) = match read {
            Ok(found) => found,
            Err(error) => return self.give_up(path, &error),
        };
        let task = Task::new(head.task.clone());
        loop {
            match reader.block() {
                Ok(Some(block)) => task.apply(self.inner, &block, None)?,
                Ok(None) => break,
                Err(error) => return self.give_up(path, &error),
            }
        }
        task.apply(self.inner, &[], Some(&head.progress))?;
        let mut task = task;
        let held = task.held.get_mut();
        held.fence = head.fence;
        held.progress = head.progress;
        // A journal that is shorter than it was has lost nothing that the snapshot does not contain.
        held.needed_from = Some(head.journal_offset.min(self.inner.journal.bounds().high_watermark));
        held.snapshot = Some(path.to_owned());
        let replaced = self.inner.tasks.write().insert(head.task, Arc::new(task));
        replaced.map_or(Ok(()), |replaced| self.discard(&replaced))
    }

    /// Says that a snapshot is unusable and removes it, lest it come back with the task's later life.
    fn give_up(&self, path: &Path, error: &snapshot::Error) -> Result<(), OpenError> {
        error!(path = %path.display(), %error, "snapshot of state is unusable");
        self.remove(path)
    }

    /// Removes a task's rows and its snapshot.
    fn discard(&self, task: &Task) -> Result<(), OpenError> {
        task.clear()?;
        match task.held.try_lock().ok().and_then(|mut held| held.snapshot.take()) {
            Some(snapshot) => self.remove(&snapshot),
            None => Ok(()),
        }
    }

    fn remove(&self, snapshot: &Path) -> Result<(), OpenError> {
        let unusable = |source| OpenError::Directory { path: self.directory.to_owned(), source };
        self.inner.disk.remove_file(snapshot).map_err(unusable)
    }

    /// Applies every journal entry that no snapshot contains.
    fn replay(&mut self) -> Result<(), OpenError> {
        let bounds = self.inner.journal.bounds();
        let mut at = bounds.log_start;
        let mut entries = 0_u64;
        while at < bounds.high_watermark {
            let before = at;
            let path = self.directory;
            let damaged = || OpenError::Damaged { path: path.to_owned(), at: before };
            let slice = self.inner.journal.read(at, READ_BYTES).map_err(|_| damaged())?;
            for chunk in slice.chunks {
                for found in batch::headers(&chunk) {
                    let (start, header) = found.map_err(|_| damaged())?;
                    let whole = chunk.slice(start..start + header.encoded_len());
                    at = Offset::new(header.last_offset()).next();
                    for record in record::decode(&whole, ENTRY_BYTES).map_err(|_| damaged())? {
                        entries += 1;
                        self.entry(record.offset, record.key, record.value).ok_or_else(damaged)??;
                    }
                }
            }
            if at == before {
                return Err(damaged());
            }
        }
        info!(entries, tasks = self.inner.tasks.read().len(), "recovered state");
        Ok(())
    }

    /// Applies one entry; `None` if its bytes mean nothing.
    fn entry(
        &mut self,
        at: Offset,
        key: Option<Bytes>,
        value: Option<Bytes>,
    ) -> Option<Result<(), OpenError>> {
        let id = journal::decode_task(&key?).ok()?;
        let (fence, entry) = journal::decode(value?).ok()?;
        if matches!(entry, Entry::Forgotten) {
            return Some(self.forget(&id, at));
        }
        let task = self.inner.task_or_new(&id);
        let Ok(mut held) = task.held.try_lock() else { return None };
        if held.snapshot.is_some() && held.needed_from.is_some_and(|needed| at < needed) {
            return Some(Ok(()));
        }
        held.needed_from.get_or_insert(at);
        held.fence = held.fence.max(fence);
        let Entry::Committed { progress, changes } = entry else { return Some(Ok(())) };
        if progress.epoch != held.progress.epoch + 1 {
            self.broken.push(id);
            return Some(Ok(()));
        }
        held.journaled_bytes += changes.len() as u64;
        if let Err(error) = task.apply(self.inner, &changes, Some(&progress)) {
            return Some(Err(error.into()));
        }
        held.progress = progress;
        Some(Ok(()))
    }

    fn forget(&mut self, id: &TaskId, at: Offset) -> Result<(), OpenError> {
        let Some(task) = self.inner.task(id) else { return Ok(()) };
        let is_newer = task
            .held
            .try_lock()
            .is_ok_and(|held| held.snapshot.is_some() && held.needed_from.is_some_and(|needed| at < needed));
        if is_newer {
            return Ok(());
        }
        self.broken.retain(|broken| broken != id);
        self.inner.tasks.write().remove(id);
        self.discard(&task)
    }

    /// A task whose chain of epochs has a gap starts from nothing: its sources still have every fact.
    fn drop_broken(&mut self) -> Result<(), OpenError> {
        for id in std::mem::take(&mut self.broken) {
            let removed = self.inner.tasks.write().remove(&id);
            if let Some(task) = removed {
                error!(task = %id, "state has a gap and is computed anew");
                self.discard(&task)?;
                // What begins anew is told apart from what was there before.
                let mark = journal::encode_mark(Fence::default(), &Entry::Forgotten);
                self.inner.append(&id, &mark).map_err(|error| OpenError::Unmarked(Box::new(error)))?;
            }
        }
        Ok(())
    }
}
