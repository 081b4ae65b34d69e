//! Inventory of a log's directory before anything is read or changed.

use std::io;
use std::path::{Path, PathBuf};

use factum_types::Offset;

use crate::checkpoint::{self, Checkpoint, Mark};
use crate::disk::{Disk, remove_if_there, write_cache};
use crate::epochs::Epochs;
use crate::misnamed::true_base_of;
use crate::partition_log::{CHECKPOINT, EPOCHS};
use crate::segment::{base_of, log_path};
use crate::swap_file::{self, SwapFile};
use crate::synced_end;

/// What the name of a file ends in that is not yet written whole.
pub(crate) const TEMPORARY: &str = ".tmp";

/// The files of a log.
pub(crate) struct Inventory {
    /// Every name in the directory.
    pub(crate) names: Vec<String>,
    /// Base offsets of the segments that hold something to keep, in order.
    pub(crate) bases: Vec<Offset>,
    /// The newest checkpoint that can be read.
    pub(crate) checkpoint: Option<Checkpoint>,
    /// Up to where the log is known to have been whole and durable, by the checkpoint or by the last note of the
    /// synced end; `None` if neither can be read.
    pub(crate) durable: Option<Mark>,
    /// The slot of the note of the synced end that counts.
    pub(crate) note_slot: Option<usize>,
    /// Whether no acknowledged batch lies behind `durable`, so that a torn tail there may be cut off.
    pub(crate) may_cut: bool,
    /// How many segments at the front lie wholly below the log start, and hold what their names say.
    pub(crate) expired: usize,
    /// Whether the checkpoint is surely the last one saved.
    pub(crate) is_certain: bool,
    /// The leader epochs, if their list can be read.
    pub(crate) epochs: Option<Epochs>,
    /// A compacted segment that stands for those that it replaces, and does not have its place yet.
    pub(crate) swap: Option<SwapFile>,
}

impl Inventory {
    /// Looks at `dir`, and finishes removals that a crash interrupted.
    pub(crate) fn take(disk: &dyn Disk, dir: &Path) -> io::Result<Self> {
        let mut inventory = Self::read(disk, dir)?;
        inventory.finish_swap(disk, dir)?;
        for leftover in inventory.names.iter().filter(|name| name.ends_with(TEMPORARY)) {
            remove_if_there(disk, &dir.join(leftover))?;
        }
        inventory.drop_below_log_start(disk, dir)?;
        inventory.replace_lost_segments(disk, dir)?;
        Ok(inventory)
    }

    /// Looks at `dir` and changes nothing.
    pub(crate) fn read(disk: &dyn Disk, dir: &Path) -> io::Result<Self> {
        let names = disk.list(dir)?;
        let mut bases: Vec<_> = names.iter().filter_map(|name| base_of(name)).collect();
        bases.sort_unstable();
        let loaded = checkpoint::load(disk, &dir.join(CHECKPOINT))?;
        let epochs = Epochs::load(disk, &dir.join(EPOCHS))?;
        let is_certain = loaded.checkpoint.is_some() && !loaded.doubtful;
        let notes = synced_end::load(disk, &dir.join(CHECKPOINT), epochs.as_ref())?;
        let point = loaded.checkpoint.map(|last| last.recovery_point);
        let noted = notes.synced_end.map(|note| note.mark);
        // Of two at the same offset the checkpoint's counts, which is the last one: after a repair the note's position
        // is out of date.
        let durable = noted.into_iter().chain(point).max_by_key(|mark| (mark.offset, mark.segment));
        let may_cut = durable.is_some() && !notes.are_lost;
        let checkpoint = loaded.checkpoint;
        let swap = swap_file::unfinished(disk, dir, &names, &bases, epochs.as_ref())?;
        if let Some(swap) = swap {
            bases.retain(|base| *base == swap.base || !swap.replaces(*base));
        }
        let expired = count_expired(disk, dir, &bases, checkpoint)?;
        let note_slot = notes.slot;
        Ok(Self { names, bases, checkpoint, durable, note_slot, may_cut, expired, is_certain, epochs, swap })
    }

    /// Whether no log was ever here.
    pub(crate) fn is_new(&self) -> bool {
        self.bases.is_empty()
    }

    /// The first offset kept. A checkpoint that may not be the last one saved may lag behind removals.
    pub(crate) fn log_start(&self) -> Offset {
        let first = self.bases[0];
        match self.checkpoint {
            Some(checkpoint) if self.is_certain => checkpoint.log_start,
            Some(checkpoint) => checkpoint.log_start.max(first),
            None => first,
        }
    }

    /// The segment that recovery reads from: nothing after it was acknowledged, all before it is whole.
    pub(crate) fn recovery_segment(&self) -> Offset {
        let last = self.bases[self.bases.len() - 1];
        self.durable.map_or(last, |durable| durable.segment)
    }

    /// The file of a segment.
    pub(crate) fn path_of(&self, dir: &Path, base: Offset) -> PathBuf {
        let swap = self.swap.filter(|swap| swap.base == base);
        swap.map_or_else(|| log_path(dir, base), |swap| swap.path(dir))
    }

    /// Puts the compacted segment in its place that a crash kept from it.
    pub(crate) fn finish_swap(&mut self, disk: &dyn Disk, dir: &Path) -> io::Result<()> {
        let Some(swap) = self.swap.take() else { return Ok(()) };
        let bases = self.names.iter().filter_map(|name| base_of(name));
        let replaced = bases.filter(|base| swap.replaces(*base));
        swap.put_in_place(disk, dir, replaced, |from, to| disk.rename(from, to))?;
        tracing::info!(dir = %dir.display(), from = %swap.base, to = %swap.next, "finished a compaction");
        Ok(())
    }

    fn drop_below_log_start(&mut self, disk: &dyn Disk, dir: &Path) -> io::Result<()> {
        for base in self.bases.drain(..self.expired) {
            remove_if_there(disk, &log_path(dir, base))?;
            remove_if_there(disk, &log_path(dir, base).with_extension("index"))?;
        }
        Ok(())
    }

    /// A log that has lost all its segments keeps its offsets: an empty segment holds the place where it ended.
    fn replace_lost_segments(&mut self, disk: &dyn Disk, dir: &Path) -> io::Result<()> {
        if let (true, Some(checkpoint)) = (self.bases.is_empty(), self.checkpoint) {
            let base = self.durable.unwrap_or(checkpoint.recovery_point).offset;
            disk.create(&log_path(dir, base))?;
            self.bases.push(base);
        }
        Ok(())
    }
}

/// Whether a file of this name tells that there is a log: a segment, or the checkpoint that outlives all of them.
pub(crate) fn is_file_of_log(name: &str) -> bool {
    name == CHECKPOINT || base_of(name).is_some()
}

/// How many segments at the front lie wholly below the log start. One that was renamed is none of them: what it holds may
/// have to be kept.
fn count_expired(
    disk: &dyn Disk,
    dir: &Path,
    bases: &[Offset],
    checkpoint: Option<Checkpoint>,
) -> io::Result<usize> {
    let Some(checkpoint) = checkpoint else { return Ok(0) };
    let is_below =
        |next: &Offset| *next <= checkpoint.log_start && *next <= checkpoint.recovery_point.segment;
    for (count, pair) in bases.windows(2).enumerate() {
        let holds = || true_base_of(&*disk.open_to_read(&log_path(dir, pair[0]))?, pair[0]);
        if !is_below(&pair[1]) || holds()?.is_some() {
            return Ok(count);
        }
    }
    Ok(bases.len().saturating_sub(1))
}

/// Makes the files of a log that begins at offset 0, so that its first recovery knows where it stands.
pub(crate) fn create(disk: &dyn Disk, dir: &Path) -> io::Result<()> {
    let start = Mark { segment: Offset::ZERO, position: 0, offset: Offset::ZERO };
    let first = Checkpoint { generation: 0, log_start: Offset::ZERO, recovery_point: start, clean: true };
    disk.create(&log_path(dir, Offset::ZERO))?;
    write_cache(disk, &dir.join(EPOCHS), &Epochs::starting_at(Offset::ZERO).encode())?;
    let empty = crate::index::SegmentIndex::new(Offset::ZERO);
    write_cache(disk, &log_path(dir, Offset::ZERO).with_extension("index"), &empty.encode())?;
    Ok(checkpoint::save(disk, &dir.join(CHECKPOINT), &first)?)
}
