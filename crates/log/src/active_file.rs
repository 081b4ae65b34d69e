//! The file of an active segment: opened when it is needed, closed when it is clean and others need its place.
//!
//! ```text
//!             for_write, for_read          for_write            synced
//!   closed ─────────────────────► clean ────────────► dirty ───────────► clean
//!      ▲                            │
//!      └──── least recently used ───┘
//! ```
//!
//! Invariants:
//! - A file with bytes that no sync has covered is never closed, so that a sync always goes through the descriptor
//!   that wrote. Linux tells of a failed write-back to those who had the file open then (`errseq_t`); a descriptor
//!   opened later may never hear of it.
//! - At most [`ActiveFiles::new`]'s capacity are open, with one exception: a log that begins its next segment holds
//!   two until its next commit.
//! - With all of them dirty, an append waits for syncs to end, and is refused as if the system had no descriptor left
//!   when none ends within [`PATIENCE`]. That takes more partitions written at one moment than may be open.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::disk::{Disk, DiskFile};

/// How long an append waits for a place.
const PATIENCE: Duration = Duration::from_secs(1);
/// `EMFILE` and `ENFILE` on Linux.
const OUT_OF_DESCRIPTORS: [i32; 2] = [24, 23];

/// The active files that are open, over all logs.
pub(crate) struct ActiveFiles {
    capacity: usize,
    open: Mutex<Vec<Weak<ActiveFile>>>,
    /// Signalled when a file has become clean.
    cleaned: Condvar,
    /// Counts the uses; a file with a smaller count was used less recently.
    uses: AtomicU64,
}

/// An active segment's file, open or not.
pub(crate) struct ActiveFile {
    path: PathBuf,
    disk: Arc<dyn Disk>,
    files: Arc<ActiveFiles>,
    state: Mutex<State>,
    last_used: AtomicU64,
}

#[derive(Default)]
struct State {
    handle: Option<Arc<dyn DiskFile>>,
    /// Counts the writes; dirty while more than `synced`.
    writes: u64,
    synced: u64,
}

/// What a commit has to sync of one file.
pub(crate) struct UnsyncedFile {
    file: Arc<ActiveFile>,
    /// The descriptor that wrote; `None` if nothing was written.
    handle: Option<Arc<dyn DiskFile>>,
    writes: u64,
}

impl ActiveFiles {
    /// Keeps at most `capacity` files open.
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            capacity: capacity.max(1),
            open: Mutex::default(),
            cleaned: Condvar::new(),
            uses: AtomicU64::new(0),
        }
    }

    /// Gives `file` a place, closing others. With none to close: waits for one if `waits`, else exceeds the capacity.
    fn admit(&self, file: &Arc<ActiveFile>, waits: bool) -> io::Result<()> {
        let mut open = self.open.lock();
        open.retain(|other| other.strong_count() > 0);
        while open.len() >= self.capacity && !close_one(&mut open) {
            if !waits {
                break;
            }
            if self.cleaned.wait_for(&mut open, PATIENCE).timed_out() {
                return Err(io::Error::from_raw_os_error(OUT_OF_DESCRIPTORS[0]));
            }
        }
        open.push(Arc::downgrade(file));
        Ok(())
    }

    /// Opens by `open`, once more after closing another file if the system has no descriptor left.
    fn with_descriptor<T>(&self, open: impl Fn() -> io::Result<T>) -> io::Result<T> {
        let opened = open();
        match &opened {
            Err(error) if is_out_of_descriptors(error) && close_one(&mut self.open.lock()) => open(),
            _ => opened,
        }
    }

    fn leave(&self, file: &ActiveFile) {
        self.open.lock().retain(|other| !std::ptr::eq(other.as_ptr(), file));
    }
}

/// Closes the clean file that was used least recently; whether there was one.
fn close_one(open: &mut Vec<Weak<ActiveFile>>) -> bool {
    let clean = open.iter().filter_map(Weak::upgrade).filter(|file| file.is_clean());
    let oldest = clean.min_by_key(|file| file.last_used.load(Ordering::Relaxed));
    let Some(closed) = oldest.filter(|file| file.close()) else { return false };
    open.retain(|other| !std::ptr::eq(other.as_ptr(), Arc::as_ptr(&closed)));
    true
}

/// Whether the process or the system has no file descriptor left.
pub(crate) fn is_out_of_descriptors(error: &io::Error) -> bool {
    error.raw_os_error().is_some_and(|number| OUT_OF_DESCRIPTORS.contains(&number))
}

impl ActiveFile {
    /// The file at `path`, open as `handle` and clean.
    pub(crate) fn opened(
        files: &Arc<ActiveFiles>,
        disk: &Arc<dyn Disk>,
        path: &Path,
        handle: Arc<dyn DiskFile>,
    ) -> Arc<Self> {
        let file = Arc::new(Self {
            path: path.to_owned(),
            disk: Arc::clone(disk),
            files: Arc::clone(files),
            state: Mutex::default(),
            last_used: AtomicU64::new(0),
        });
        file.touch();
        // It is in use by no one yet: without a place of its own it begins closed.
        if files.admit(&file, false).is_ok() {
            file.state.lock().handle = Some(handle);
        }
        file
    }

    /// Makes the file at `path`, which must not exist.
    pub(crate) fn create(
        files: &Arc<ActiveFiles>,
        disk: &Arc<dyn Disk>,
        path: &Path,
    ) -> io::Result<Arc<Self>> {
        let handle = files.with_descriptor(|| disk.create(path))?;
        Ok(Self::opened(files, disk, path, handle))
    }

    /// To write to; the file is dirty from here on, until what it has then is synced.
    pub(crate) fn for_write(self: &Arc<Self>) -> io::Result<Arc<dyn DiskFile>> {
        self.touch();
        let mut state = self.state.lock();
        let handle = match &state.handle {
            Some(handle) => Arc::clone(handle),
            None => {
                self.files.admit(self, true)?;
                let opened = self.files.with_descriptor(|| self.disk.open(&self.path));
                let handle = opened.inspect_err(|_| self.files.leave(self))?;
                state.handle = Some(Arc::clone(&handle));
                handle
            }
        };
        state.writes += 1;
        Ok(handle)
    }

    /// To read from; takes no one's place.
    pub(crate) fn for_read(&self) -> io::Result<Arc<dyn DiskFile>> {
        let open = self.handle();
        open.map_or_else(|| self.files.with_descriptor(|| self.disk.open(&self.path)), Ok)
    }

    /// The descriptor, if the file is open.
    pub(crate) fn handle(&self) -> Option<Arc<dyn DiskFile>> {
        self.state.lock().handle.clone()
    }

    /// Takes the last write back: its bytes were cut off again.
    pub(crate) fn undo_write(&self) {
        let mut state = self.state.lock();
        if state.synced + 1 == state.writes {
            state.synced = state.writes;
        }
    }

    /// What has to be synced at this moment.
    pub(crate) fn unsynced(self: &Arc<Self>) -> UnsyncedFile {
        let state = self.state.lock();
        let handle = state.handle.clone().filter(|_| state.writes > state.synced);
        UnsyncedFile { file: Arc::clone(self), handle, writes: state.writes }
    }

    fn touch(&self) {
        self.last_used.store(self.files.uses.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
    }

    fn is_clean(&self) -> bool {
        self.state.try_lock().is_some_and(|state| state.writes == state.synced && state.handle.is_some())
    }

    /// Closes the file if it is clean and no one is at it; whether it did.
    fn close(&self) -> bool {
        let Some(mut state) = self.state.try_lock() else { return false };
        state.writes == state.synced && state.handle.take().is_some()
    }
}

impl UnsyncedFile {
    /// Syncs what was written before this was taken.
    pub(crate) fn sync(&self) -> io::Result<()> {
        let Some(handle) = &self.handle else { return Ok(()) };
        handle.sync()?;
        let mut state = self.file.state.lock();
        state.synced = state.synced.max(self.writes);
        drop(state);
        let _open = self.file.files.open.lock();
        self.file.files.cleaned.notify_one();
        Ok(())
    }
}
