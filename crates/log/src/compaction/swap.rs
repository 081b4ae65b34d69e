//! Swap of segments: a compacted segment takes the place of those that it was made of.
//!
//! Invariants
//! - A crash at any moment leaves the old segments or the new one (`swap_file.rs`).
//! - Who reads an old segment goes on with its open file; who comes later reads the new one.
//! - A sync of the directory that fails may have lost the name of any file in it, that of the active segment too: it is
//!   the end of the log, as in a commit. Anything else that fails leaves the log as it was, or a swap that is finished at
//!   the next attempt or start.
//! - What retention removed meanwhile is not brought back, and a log that is closed touches no file.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::checkpoint::Checkpoint;
use crate::commit::CommitError;
use crate::disk::{DiskFile, create_beside, remove_if_there, write_cache};
use crate::index::SegmentIndex;
use crate::open_segments::OpenSegment;
use crate::partition_log::LogInner;
use crate::segment::{Segment, State};
use crate::swap_file::SwapFile;

use super::CompactError;

/// A segment that was replaced, as its readers go on with it.
pub(super) struct OldSegment {
    pub(super) segment: Arc<Segment>,
    pub(super) open: OpenSegment,
}

/// A swap file that counts and does not have its place yet.
pub(crate) struct UnfinishedSwap {
    swap: SwapFile,
    segment: Arc<Segment>,
    old: Vec<Arc<Segment>>,
    index: Arc<SegmentIndex>,
}

impl LogInner {
    /// Makes the file that a compacted segment is written to.
    pub(super) fn create_swap(&self, swap: SwapFile) -> Result<Arc<dyn DiskFile>, CompactError> {
        let _right_to_touch_files = self.checkpoint.lock();
        self.check_may_compact()?;
        let (_, file) = create_beside(&*self.environment.disk, &swap.path(&self.dir))?;
        Ok(file)
    }

    /// Removes the file of a compacted segment that is not needed. It is in no one's way if that fails.
    pub(super) fn remove_swap(&self, swap: SwapFile) {
        let _right_to_touch_files = self.checkpoint.lock();
        if self.is_closed() {
            return;
        }
        let path = temporary(&swap.path(&self.dir));
        if let Err(error) = remove_if_there(&*self.environment.disk, &path) {
            tracing::warn!(path = %path.display(), %error, "could not remove a file that compaction wrote");
        }
    }

    /// Puts a compacted segment, whose bytes are synced, in the place of `old`.
    pub(super) fn swap(
        &self,
        swap: SwapFile,
        old: Vec<OldSegment>,
        (file, index): (Arc<dyn DiskFile>, SegmentIndex),
    ) -> Result<(), CompactError> {
        let checkpoint = self.checkpoint.lock();
        self.check_may_compact()?;
        let view = self.view();
        let first = view.iter().position(|segment| Arc::ptr_eq(segment, &old[0].segment));
        let first = first.ok_or(CompactError::Removed)?;
        let path = swap.path(&self.dir);
        self.make_swap_count(&path)?;
        for OldSegment { segment, open } in &old {
            segment.replace(open.clone());
            self.environment.open_segments.forget(self.id, segment.base());
        }
        let index = Arc::new(index);
        let segment = Arc::new(Segment::at(path, State::Sealed(index.summary)));
        let open = OpenSegment { file, index: Arc::clone(&index) };
        self.environment.open_segments.insert(self.id, swap.base, open);
        let old: Vec<_> = old.into_iter().map(|old| old.segment).collect();
        let behind = first + old.len();
        let bytes_of = |segments: &[Arc<Segment>]| -> u64 {
            segments.iter().map(|segment| segment.summary().bytes).sum()
        };
        let mut segments = self.segments.write();
        let mut after = segments[..first].to_vec();
        after.push(Arc::clone(&segment));
        after.extend_from_slice(&segments[behind..]);
        *segments = Arc::new(after);
        drop(segments);
        self.environment.tail_cache.forget_below(self.id, swap.next);
        self.bytes.fetch_add(index.summary.bytes, Ordering::Relaxed);
        self.bytes.fetch_sub(bytes_of(&old), Ordering::Relaxed);
        *self.unfinished_swap.lock() = Some(UnfinishedSwap { swap, segment, old, index });
        self.finish_swap(&checkpoint)
    }

    /// Renames the file at `path` from its temporary name, durably.
    fn make_swap_count(&self, path: &Path) -> Result<(), CompactError> {
        let disk = &*self.environment.disk;
        let dir = disk.open_dir(&self.dir)?;
        disk.rename(&temporary(path), path)?;
        dir.sync().map_err(|error| self.lost_names(error))
    }

    /// Finishes a swap that was interrupted, if there is one. For the holder of the checkpoint.
    pub(crate) fn finish_swap(&self, _checkpoint: &Checkpoint) -> Result<(), CompactError> {
        let mut unfinished = self.unfinished_swap.lock();
        let Some(UnfinishedSwap { swap, segment, old, index }) = &*unfinished else { return Ok(()) };
        let disk = &*self.environment.disk;
        let rename = |from: &Path, to: &Path| match segment.path() == to {
            true => Ok(()),
            false => segment.rename(to.to_owned(), || disk.rename(from, to)),
        };
        let replaced = old.iter().map(|segment| segment.base());
        match swap.put_in_place(disk, &self.dir, replaced, rename) {
            Ok(()) => {}
            Err(CommitError::Refused(error)) => return Err(error.into()),
            Err(CommitError::Sync(error)) => return Err(self.lost_names(error)),
        }
        if let Err(error) = write_cache(disk, &segment.index_path(), &index.encode()) {
            tracing::warn!(dir = %self.dir.display(), %error, "could not store an index");
        }
        *unfinished = None;
        Ok(())
    }

    /// Gives the log up: a sync of its directory failed.
    fn lost_names(&self, error: io::Error) -> CompactError {
        let told = io::Error::new(error.kind(), error.to_string());
        self.fail(error);
        CompactError::Io(told)
    }
}

fn temporary(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".tmp");
    name.into()
}
