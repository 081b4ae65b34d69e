//! Swap files: a compacted segment between the moment when it is whole and the moment when it has its place.
//!
//! ```text
//!   <base>-<next>.swap.tmp ──sync──► <base>-<next>.swap ──► the segments that it replaces are removed,
//!     is written                       counts from here on    all but the first ──► <base>.log
//! ```
//!
//! The name says which offsets it replaces, so that nothing has to be guessed after a crash.
//!
//! Invariants
//! - From when its name is durable on, a swap file stands for every segment from `base` to `next`. Its bytes were
//!   synced before. A start finishes what a crash interrupted.
//! - The first of the old segments is there until the swap file takes its name; the names of the others are durably gone
//!   before. So a swap file that is damaged, or none of this log's, can be told: it is passed over, and the old segments
//!   are judged as ever.

use std::io;
use std::path::{Path, PathBuf};

use factum_types::Offset;

use crate::commit::{CommitError, sync_dir};
use crate::disk::{Disk, remove_if_there};
use crate::epochs::Epochs;
use crate::scan::{Extent, scan};
use crate::segment::{base_of, log_path};

const SUFFIX: &str = ".swap";

/// A swap file, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SwapFile {
    /// Offset of its first record.
    pub(crate) base: Offset,
    /// Behind its last.
    pub(crate) next: Offset,
}

impl SwapFile {
    /// The swap file that a name tells.
    pub(crate) fn of(name: &str) -> Option<Self> {
        let (base, next) = name.strip_suffix(SUFFIX)?.split_once('-')?;
        let offset = |digits: &str| base_of(&format!("{digits}.log"));
        let swap = Self { base: offset(base)?, next: offset(next)? };
        (swap.base < swap.next).then_some(swap)
    }

    /// Where it lies.
    pub(crate) fn path(&self, dir: &Path) -> PathBuf {
        dir.join(format!("{:020}-{:020}{SUFFIX}", self.base.get(), self.next.get()))
    }

    /// Whether it replaces the segment with base offset `base`.
    pub(crate) fn replaces(&self, base: Offset) -> bool {
        (self.base..self.next).contains(&base)
    }

    /// Whether it lies between two segments of `bases`, and every batch of it is what was written.
    fn is_whole(
        &self,
        disk: &dyn Disk,
        dir: &Path,
        bases: &[Offset],
        epochs: Option<&Epochs>,
    ) -> io::Result<bool> {
        if !bases.contains(&self.base) || !bases.contains(&self.next) {
            return Ok(false);
        }
        let file = disk.open_to_read(&self.path(dir))?;
        let (base, size, end) = (self.base, file.size()?, Some(self.next));
        let found =
            scan(&Extent { file: &*file, base, size, end, epochs, interval: u32::MAX }, |_, _, _| {})?;
        Ok(found.damage.is_none() && found.reached.offset == self.next)
    }

    /// Removes the segments of `replaced` but the first, and all their indexes; then gives the file its place by
    /// `rename`, from its path to the first one's.
    ///
    /// # Errors
    /// [`CommitError`]. It may be tried again if that is no failed sync.
    pub(crate) fn put_in_place(
        &self,
        disk: &dyn Disk,
        dir: &Path,
        replaced: impl Iterator<Item = Offset>,
        rename: impl FnOnce(&Path, &Path) -> io::Result<()>,
    ) -> Result<(), CommitError> {
        let remove = |path: &Path| remove_if_there(disk, path).map_err(CommitError::Refused);
        // An index is believed if its summary fits, which that of the old segment may do by chance.
        remove(&log_path(dir, self.base).with_extension("index"))?;
        for base in replaced.filter(|base| *base != self.base) {
            remove(&log_path(dir, base))?;
            remove(&log_path(dir, base).with_extension("index"))?;
        }
        sync_dir(disk, dir)?;
        rename(&self.path(dir), &log_path(dir, self.base)).map_err(CommitError::Refused)?;
        sync_dir(disk, dir)
    }
}

/// The swap file among `names` that a start has to put in place; `bases` are the segments that are there.
pub(crate) fn unfinished(
    disk: &dyn Disk,
    dir: &Path,
    names: &[String],
    bases: &[Offset],
    epochs: Option<&Epochs>,
) -> io::Result<Option<SwapFile>> {
    for swap in names.iter().filter_map(|name| SwapFile::of(name)) {
        if swap.is_whole(disk, dir, bases, epochs)? {
            return Ok(Some(swap));
        }
    }
    Ok(None)
}
