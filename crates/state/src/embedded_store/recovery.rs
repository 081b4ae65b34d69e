//! From the files of an earlier run to the same rows in memory: the snapshots.
//!
//! Invariants: recovery writes nothing that it needs, so that a store on a full disk opens and is read; what
//! is to be written (that a task lost its state, a new journal in the place of a damaged one) is left to the
//! service. A damaged file is moved to `damaged/` and never removed by itself, but for the oldest of many.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use factum_base::clock::SharedClock;
use factum_log::{self as log, Disk};
use factum_types::Offset;
use metrics::counter;
use parking_lot::RwLock;
use tracing::{error, info, warn};

use super::health::Health;
use super::journal::{self, Journal};
use super::replay::Replay;
use super::task::{Snapshot, Task};
use super::{EmbeddedStore, Inner, Options};
use crate::snapshot;
use crate::spill::Spill;
use crate::{Fence, Loss, Progress, TaskId};

const DAMAGED: &str = "damaged";
/// So many damaged files and journals are kept.
const DAMAGED_KEPT: usize = 16;

/// Why state could not be opened. The same may succeed later where [`OpenError::is_transient`]; nothing is lost.
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
    /// The journal cannot be read now.
    #[error("cannot read the journal of state at offset {at}")]
    Unreadable {
        /// The first entry that cannot be read.
        at: Offset,
        /// What the log said.
        #[source]
        source: log::ReadError,
    },
    /// A later version of Factum wrote it.
    #[error(
        "{path} was written by a later version of Factum; run that version, or move {directory} away to have views computed again",
        path = path.display(),
        directory = directory.display()
    )]
    Newer {
        /// The file, or the journal's directory.
        path: PathBuf,
        /// The state directory.
        directory: PathBuf,
    },
}

impl OpenError {
    /// Whether it may succeed later although no one touches the files.
    pub fn is_transient(&self) -> bool {
        !matches!(self, Self::Newer { .. })
    }
}

impl EmbeddedStore {
    /// Opens the state kept under `directory`, making it if need be. Reads files: call it where blocking is
    /// allowed. Run the [`super::Service`] beside it.
    ///
    /// # Errors
    /// [`OpenError`]. Damage is none: what it took is told by [`crate::StateStore::take_over`].
    pub fn open(
        environment: &log::Environment,
        disk: Arc<dyn Disk>,
        clock: SharedClock,
        directory: &Path,
        options: Options,
    ) -> Result<Self, OpenError> {
        let unusable = |source| OpenError::Directory { path: directory.to_owned(), source };
        let snapshots = directory.join("snapshots");
        log::create_dir_durably(disk.as_ref(), &snapshots).map_err(unusable)?;
        let files = snapshot::list(disk.as_ref(), &snapshots).map_err(unusable)?;
        // A damaged one that was moved aside had a number too.
        let aside = snapshot::list(disk.as_ref(), &directory.join(DAMAGED)).unwrap_or_default();
        let next_snapshot = files.iter().chain(&aside).map(|(number, _)| number + 1).max().unwrap_or(0);
        let generations = journal::generations(disk.as_ref(), directory).map_err(unusable)?;
        let generation = generations.last().copied().unwrap_or(0);
        let journal =
            Journal::open(environment, directory, generation, &options).map_err(OpenError::Journal)?;
        // A directory that is there may have been made by a start that failed before it could make the name durable.
        let parent = directory.parent().filter(|parent| !parent.as_os_str().is_empty());
        for made in [directory, parent.unwrap_or(Path::new("."))] {
            disk.sync_dir(made).map_err(unusable)?;
        }
        let mut inner = Inner {
            spill: Spill::empty(Arc::clone(&disk), directory.join("spill")),
            health: Health::new(Arc::clone(&clock)),
            environment: environment.clone(),
            directory: directory.to_owned(),
            options,
            clock,
            journal: tokio::sync::RwLock::new(journal),
            next_snapshot: AtomicU64::new(next_snapshot),
            last_fence: AtomicU64::new(0),
            tasks: RwLock::new(HashMap::new()),
            disk,
        };
        inner.remove_older_journals(&generations);
        let suspects = inner.load_snapshots(files)?;
        let condemned = Replay::new(&mut inner, suspects).run()?;
        let journal = inner.journal.get_mut();
        journal.condemned = journal.condemned.take().or(condemned);
        if let Some(reason) = &journal.condemned {
            error!(reason, "the journal of state is damaged; another takes its place");
        }
        Ok(Self(Arc::new(inner)))
    }
}

/// Snapshots that were not used, by their numbers and by the task that they are of, where that can be read.
#[derive(Default)]
pub(super) struct Suspects {
    pub(super) reasons: HashMap<u64, String>,
    pub(super) tasks: HashMap<TaskId, Loss>,
    /// Why the journal is not all that was written, if a snapshot knows of more.
    pub(super) journal: Option<String>,
}

/// Why a snapshot is not used, and whose it is with how far that was, where its head can be read.
struct Unusable {
    task: Option<Box<(TaskId, Progress)>>,
    error: snapshot::Error,
}

impl Inner {
    /// Loads each snapshot; a later one of the same task replaces it.
    fn load_snapshots(&mut self, files: Vec<(u64, PathBuf)>) -> Result<Suspects, OpenError> {
        let mut suspects = Suspects::default();
        for (number, path) in files {
            match self.load(number, &path, &mut suspects) {
                Ok(()) => {}
                Err(Unusable { task, error }) if error.is_damage() => {
                    let place = self.set_aside(&path);
                    let reason = format!("{error}; it is kept as {}", place.display());
                    error!(path = %path.display(), reason, "a snapshot of state is damaged");
                    if let Some((task, progress)) = task.map(|known| *known) {
                        suspects.tasks.insert(task, Loss { progress, reason: reason.clone() });
                    }
                    suspects.reasons.insert(number, reason);
                }
                Err(Unusable { error: snapshot::Error::Io(source), .. }) => {
                    return Err(OpenError::Directory { path, source });
                }
                Err(_) => return Err(OpenError::Newer { path, directory: self.directory.clone() }),
            }
        }
        Ok(suspects)
    }

    /// Loads one snapshot.
    fn load(&mut self, number: u64, path: &Path, suspects: &mut Suspects) -> Result<(), Unusable> {
        let (mut reader, head) = snapshot::Reader::open(self.disk.as_ref(), path)
            .map_err(|error| Unusable { task: None, error })?;
        let journal = self.journal.get_mut();
        if head.generation != journal.generation {
            // What remains of a journal's end: begun and not finished, or finished and not tidied.
            self.remove(path);
            return Ok(());
        }
        let end = journal.log.bounds().high_watermark;
        if head.journal_offset > end {
            suspects.journal = Some(format!("it ends at {end}, and was longer by {}", head.journal_offset));
        }
        let task = Arc::new(Task::new(head.task.clone(), self.options.sizes()));
        let before = self.tasks.write().insert(head.task.clone(), Arc::clone(&task));
        let loaded = self.load_rows(&task, &mut reader);
        if let Err(error) = loaded {
            let mut tasks = self.tasks.write();
            match before {
                Some(before) => tasks.insert(head.task.clone(), before),
                None => tasks.remove(&head.task),
            };
            let progress = Progress { outbox: Vec::new(), ..head.progress };
            return Err(Unusable { task: Some(Box::new((head.task, progress))), error });
        }
        task.apply(&[], Some(&head.progress));
        task.set_lost(head.lost);
        let mut held = task.held.try_lock().expect("no one else has the task yet");
        held.fence = head.fence;
        self.see_fence(head.fence);
        held.progress = head.progress;
        // A journal that is shorter than it was has lost nothing that the snapshot does not contain.
        held.needed_from = Some(head.journal_offset.min(end));
        held.snapshot = Some(Snapshot { number, path: path.to_owned() });
        suspects.tasks.remove(&head.task);
        if let Some(older) = before.and_then(|before| before.held.try_lock().ok()?.snapshot.take()) {
            self.remove(&older.path);
        }
        Ok(())
    }

    fn load_rows(&self, task: &Task, reader: &mut snapshot::Reader) -> Result<(), snapshot::Error> {
        while let Some(block) = reader.block()? {
            task.apply(&block, None);
            self.relieve().ok();
        }
        Ok(())
    }

    /// Removes a snapshot that nothing needs. One that stays is removed at the next start.
    pub(super) fn remove(&self, snapshot: &Path) {
        if let Err(error) = self.disk.remove_file(snapshot) {
            warn!(path = %snapshot.display(), %error, "an old snapshot of state cannot be removed");
        }
    }

    /// A task loses its rows and starts over; the service, or its next holder, tells the journal.
    pub(super) fn begin_anew(&mut self, id: &TaskId, loss: Loss, fence: Fence) {
        error!(task = %id, reason = loss.reason, epoch = loss.progress.epoch, "state is lost and computed again");
        counter!("factum_state_lost_total").increment(1);
        let start = self.journal.get_mut().log.bounds().log_start;
        let task = self.task_or_new(id);
        task.clear();
        task.set_lost(Some(loss));
        let mut held = task.held.try_lock().expect("no one else has the task yet");
        if let Some(snapshot) = held.snapshot.take() {
            self.remove(&snapshot.path);
        }
        held.fence = held.fence.max(fence);
        held.progress = Progress::default();
        held.is_loss_unrecorded = true;
        // Until it is recorded, the journal is what tells of it.
        held.needed_from = Some(start);
    }

    /// Moves a damaged file or journal where an operator can look at it; where it is then.
    pub(super) fn set_aside(&self, path: &Path) -> PathBuf {
        let folder = self.directory.join(DAMAGED);
        let place = folder.join(path.file_name().unwrap_or_default());
        let disk = self.disk.as_ref();
        let moved = log::create_dir_durably(disk, &folder)
            .and_then(|()| disk.rename(path, &place))
            .and_then(|()| disk.sync_dir(&folder));
        if let Err(error) = moved {
            warn!(path = %path.display(), %error, "a damaged file cannot be moved aside");
            return path.to_owned();
        }
        self.thin_out(&folder);
        place
    }

    /// Removes the oldest of many damaged files, by their names, which are numbers.
    fn thin_out(&self, folder: &Path) {
        let mut names = self.disk.list(folder).unwrap_or_default();
        names.sort_unstable();
        for name in names.iter().take(names.len().saturating_sub(DAMAGED_KEPT)) {
            let path = folder.join(name);
            info!(path = %path.display(), "removing the oldest of many damaged files");
            drop(self.disk.remove_file(&path).or_else(|_| self.disk.remove_dir_all(&path)));
        }
    }

    /// Removes journals that another took the place of, where a crash kept the service from it.
    fn remove_older_journals(&self, generations: &[u64]) {
        for generation in &generations[..generations.len().saturating_sub(1)] {
            let path = journal::path(&self.directory, *generation);
            if let Err(error) = self.disk.remove_dir_all(&path) {
                warn!(path = %path.display(), %error, "an old journal of state cannot be removed");
            }
        }
    }
}
