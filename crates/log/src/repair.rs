//! Repair: gives damaged records up, so that the rest of the log is whole again.
//!
//! ```text
//!   before   │ batch │ batch │ damaged bytes │ batch │ batch │
//!   after    │ batch │ batch │∅│ batch │ batch │      ∅: an empty batch that holds the lost offsets
//! ```
//!
//! An empty batch is what Kafka's log cleaner leaves where it removed every record of a batch; clients step over it.
//! So offsets stay dense, none is given out again, and every batch that can be read stays where it was found.
//!
//! Invariants
//! - The damaged bytes are kept in the directory `damaged` beside the segments, durably, before anything is changed.
//! - A segment is rewritten beside the old one, synced, and takes its name: a crash leaves the old or the new. A log
//!   with several damaged segments stays in quarantine until the last one is done; a repair may be run again.
//! - Checkpoint, notes and leader epochs are left as they are. They name offsets that the repaired log reaches, and
//!   recovery judges by offsets; the first start after a repair reads the segments and rebuilds their indexes.
//! - Nothing else uses the directory meanwhile.

use std::io;
use std::path::{Path, PathBuf};

use factum_types::{Offset, batch};

use crate::damage::Fault;
use crate::disk::{Disk, DiskFile, create_beside, create_dir_durably, read_fully, remove_if_there};
use crate::epochs::Epochs;
use crate::inspection::{DamagedOffsets, Inspection, inspect};
use crate::recovery::inventory::Inventory;
use crate::segment::log_path;

/// The directory in which damaged bytes are kept.
pub(crate) const DAMAGED_BYTES: &str = "damaged";
/// Bytes copied at once.
const PIECE_BYTES: usize = 1 << 20;
/// More lost offsets in one place than any log gives out come from a wrong file name, and are not filled.
const MOST_LOST_OFFSETS: i64 = 1 << 40;

/// What a repair did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    /// What was given up, in offset order; empty if nothing was damaged.
    pub given_up: Vec<DamagedOffsets>,
    /// The files that hold the damaged bytes, where there were any.
    pub copies: Vec<PathBuf>,
}

/// Why a log was not repaired. What was done until then stays done, and the repair may be run again.
#[derive(Debug, thiserror::Error)]
pub enum RepairError {
    /// The disk refused.
    #[error("repair the log in {}", dir.display())]
    Io {
        /// Its directory.
        dir: PathBuf,
        /// What the disk said.
        #[source]
        source: io::Error,
    },
    /// A file's name claims offsets that no log has reached.
    #[error("offsets {from} to {next} of the log in {} cannot all be lost; is a file there that is none of its segments?", dir.display())]
    TooWide {
        /// Its directory.
        dir: PathBuf,
        /// The first of them.
        from: Offset,
        /// Behind the last.
        next: Offset,
    },
    /// A segment bears another one's name, or holds offsets of the next one. Whatever was made of it would be wrong.
    #[error("nothing of the log in {} was repaired: {:020}.log is not what its name says: {fault}", dir.display(), segment.get())]
    Misnamed {
        /// Its directory.
        dir: PathBuf,
        /// The file's name.
        segment: Offset,
        /// What is wrong with it.
        fault: Fault,
    },
    /// Segments are not as any log writes them.
    #[error("the log in {} is still damaged: {}", dir.display(), found.fault)]
    StillDamaged {
        /// Its directory.
        dir: PathBuf,
        /// The first damage that is left.
        found: Box<DamagedOffsets>,
    },
}

/// Gives up what [`inspect`] finds damaged in the log in `dir`. Nothing else may use the directory meanwhile. Needs
/// room for a copy of the largest damaged segment and of the damaged bytes. Blocks on the disk.
///
/// # Errors
/// [`RepairError`].
pub fn repair(disk: &dyn Disk, dir: &Path) -> Result<Repair, RepairError> {
    let failed = |source| RepairError::Io { dir: dir.to_owned(), source };
    Inventory::read(disk, dir).and_then(|mut found| found.finish_swap(disk, dir)).map_err(failed)?;
    let found = inspect(disk, dir).map_err(failed)?;
    let is_too_wide = |damage: &&DamagedOffsets| damage.next.since(damage.from) > MOST_LOST_OFFSETS;
    if let Some(DamagedOffsets { from, next, .. }) = found.damage.iter().find(is_too_wide) {
        return Err(RepairError::TooWide { dir: dir.to_owned(), from: *from, next: *next });
    }
    let is_misnamed =
        |damage: &&DamagedOffsets| matches!(damage.fault, Fault::Misnamed { .. } | Fault::Overlap { .. });
    // The misnamed file rather than the one before it, which only seems to be too long.
    let mut misnamed: Vec<_> = found.damage.iter().filter(is_misnamed).collect();
    misnamed.sort_by_key(|damage| matches!(damage.fault, Fault::Overlap { .. }));
    if let Some(DamagedOffsets { segment, fault, .. }) = misnamed.first() {
        let (segment, fault) = (*segment, fault.clone());
        return Err(RepairError::Misnamed { dir: dir.to_owned(), segment, fault });
    }
    let copies = give_up(disk, dir, &found).map_err(failed)?;
    if !found.damage.is_empty() {
        let left = inspect(disk, dir).map_err(failed)?;
        if let Some(damage) = left.damage.into_iter().next() {
            return Err(RepairError::StillDamaged { dir: dir.to_owned(), found: Box::new(damage) });
        }
    }
    Ok(Repair { given_up: found.damage, copies })
}

fn give_up(disk: &dyn Disk, dir: &Path, found: &Inspection) -> io::Result<Vec<PathBuf>> {
    let mut copies = Vec::new();
    for damage in found.damage.iter().filter(|damage| damage.bytes > 0) {
        copies.push(keep_bytes(disk, dir, damage)?);
    }
    let Some(epochs) = &found.epochs else { return Ok(copies) };
    for damaged in found.damage.chunk_by(|one, next| one.segment == next.segment) {
        rewrite(disk, dir, epochs, damaged)?;
    }
    Ok(copies)
}

/// Copies damaged bytes to a file of their own; a copy that an interrupted repair made is used again.
fn keep_bytes(disk: &dyn Disk, dir: &Path, damage: &DamagedOffsets) -> io::Result<PathBuf> {
    let folder = dir.join(DAMAGED_BYTES);
    create_dir_durably(disk, &folder)?;
    let source = disk.open_to_read(&log_path(dir, damage.segment))?;
    let (from, to) = (damage.byte, damage.byte + damage.bytes);
    let name = format!("{:020}.log.{from}-{to}", damage.segment.get());
    let mut path = folder.join(&name);
    for number in 1.. {
        match disk.open_to_read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => break,
            Ok(kept) if is_copy(&*kept, &*source, from, damage.bytes)? => return Ok(path),
            Ok(_) => path = folder.join(format!("{name}.{number}")),
            Err(error) => return Err(error),
        }
    }
    let (temporary, file) = create_beside(disk, &path)?;
    let mut at = 0;
    copy(&*source, from..to, &*file, &mut at)?;
    file.sync()?;
    disk.rename(&temporary, &path)?;
    disk.sync_dir(&folder)?;
    Ok(path)
}

fn is_copy(kept: &dyn DiskFile, source: &dyn DiskFile, from: u64, bytes: u64) -> io::Result<bool> {
    if kept.size()? != bytes {
        return Ok(false);
    }
    let (mut one, mut other) = (vec![0; PIECE_BYTES], vec![0; PIECE_BYTES]);
    let mut at = 0;
    while at < bytes {
        let length = piece(bytes - at);
        let (one, other) = (&mut one[..length], &mut other[..length]);
        if read_fully(kept, one, at)? != length
            || read_fully(source, other, from + at)? != length
            || one != other
        {
            return Ok(false);
        }
        at += length as u64;
    }
    Ok(true)
}

/// Rewrites a segment with empty batches where it is damaged, and puts it in the old one's place.
fn rewrite(disk: &dyn Disk, dir: &Path, epochs: &Epochs, damaged: &[DamagedOffsets]) -> io::Result<()> {
    let path = log_path(dir, damaged[0].segment);
    let old = match disk.open_to_read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        opened => Some(opened?),
    };
    let (temporary, new) = create_beside(disk, &path)?;
    let (mut read, mut written) = (0, 0);
    for damage in damaged {
        if let Some(old) = &old {
            copy(&**old, read..damage.byte, &*new, &mut written)?;
        }
        read = damage.byte + damage.bytes;
        let mut base = damage.from;
        while base < damage.next {
            let offsets = i32::try_from(damage.next.since(base)).unwrap_or(i32::MAX);
            let empty = batch::empty(base, offsets, epochs.at(base));
            new.write_at(&empty, written)?;
            written += empty.len() as u64;
            base = base.advance(offsets.into());
        }
    }
    if let Some(old) = &old {
        copy(&**old, read..old.size()?, &*new, &mut written)?;
    }
    new.sync()?;
    // Before the segment: an index is believed if its summary fits, which that of the old one may do by chance.
    remove_if_there(disk, &path.with_extension("index"))?;
    disk.sync_dir(dir)?;
    disk.rename(&temporary, &path)?;
    disk.sync_dir(dir)
}

/// Copies a range of bytes to where `to` stands.
fn copy(
    from: &dyn DiskFile,
    range: std::ops::Range<u64>,
    into: &dyn DiskFile,
    to: &mut u64,
) -> io::Result<()> {
    let mut buffer = vec![0; piece(range.end.saturating_sub(range.start))];
    let mut at = range.start;
    while at < range.end {
        let length = piece(range.end - at);
        if read_fully(from, &mut buffer[..length], at)? != length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        into.write_at(&buffer[..length], *to)?;
        at += length as u64;
        *to += length as u64;
    }
    Ok(())
}

fn piece(bytes: u64) -> usize {
    usize::try_from(bytes).map_or(PIECE_BYTES, |bytes| bytes.min(PIECE_BYTES))
}
