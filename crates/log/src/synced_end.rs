//! The synced end of a partition: up to where everything was synced when it was last acknowledged.
//!
//! ```text
//!   checkpoint file:  │ checkpoint │ checkpoint │ synced end │ synced end │
//!   byte              0            4096         8192         12288
//! ```
//!
//! A checkpoint is saved when a segment is sealed; between two of them only this note tells what was
//! acknowledged from what was not. Recovery cuts a torn tail behind it and nothing before it.
//!
//! Invariants:
//! - The note is written after the sync and before the acknowledgement, so it is never ahead of what is
//!   durable and never behind what was acknowledged, for as long as the operating system runs. It is not
//!   synced: a power cut may leave an older one, which is still true.
//! - The slots are written in turn, and each has its own checksum: a torn write leaves the other one. A start goes on
//!   with the slot that does not hold the furthest note, which a crash may have torn.
//! - A note holds only for the history that it was written in. If its last record lies where a later leader
//!   epoch rules by now, the end that it names was cut off by someone, and the note is void (as KIP-101
//!   judges a follower's end).
//!
//! It lies in the checkpoint's file because that is open for no longer than the write takes, has its space
//! already, and is synced with each checkpoint.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Buf, BufMut};
use factum_types::{LeaderEpoch, Offset};

use crate::checkpoint::{Mark, get_offset};
use crate::checksum::{self, Kind};
use crate::disk::{Disk, read_file};
use crate::epochs::Epochs;

const KIND: Kind = *b"FCTSEND1";
const PAYLOAD_BYTES: usize = 28;
const SLOT_BYTES: usize = PAYLOAD_BYTES + checksum::OVERHEAD;
/// Where the slots begin: each in a block of its own, behind the checkpoint's two.
const SLOTS: [usize; 2] = [8192, 12288];
/// Bytes of a checkpoint file that has room for the notes.
pub(crate) const FILE_BYTES: usize = SLOTS[1] + SLOT_BYTES;

/// One note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SyncedEnd {
    /// Behind the last batch that was synced.
    pub(crate) mark: Mark,
    /// The epoch that appended then.
    pub(crate) leader_epoch: LeaderEpoch,
}

/// What [`load`] found.
#[derive(Debug, Default)]
pub(crate) struct LoadedNotes {
    /// The furthest note that is whole and holds.
    pub(crate) synced_end: Option<SyncedEnd>,
    /// The slot that it is in.
    pub(crate) slot: Option<usize>,
    /// Whether both slots hold bytes that are no note: more than one torn write can do, so that what was
    /// acknowledged is not known.
    pub(crate) are_lost: bool,
}

/// Writes a log's notes, each into the slot that the last one did not use.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    written: AtomicU64,
}

impl Notes {
    /// Those of a log whose furthest note is in `slot`.
    pub(crate) fn behind(slot: Option<usize>) -> Self {
        Self { written: AtomicU64::new(u64::from(slot == Some(0))) }
    }

    /// Notes `synced_end` in the checkpoint file `path`, in the page cache.
    ///
    /// # Errors
    /// Any error of the disk. The note before is still there, and the write may be tried again.
    pub(crate) fn write(&self, disk: &dyn Disk, path: &Path, synced_end: &SyncedEnd) -> io::Result<()> {
        let slot = SLOTS[usize::from(!self.written.load(Ordering::Relaxed).is_multiple_of(2))];
        disk.open(path)?.write_at(&synced_end.encode(), slot as u64)?;
        self.written.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

/// Reads the notes of the checkpoint file `path`; `epochs` is the log's list, if that can be read.
pub(crate) fn load(disk: &dyn Disk, path: &Path, epochs: Option<&Epochs>) -> io::Result<LoadedNotes> {
    let Some(bytes) = read_file(disk, path)? else { return Ok(LoadedNotes::default()) };
    let slots = SLOTS.map(|at| &bytes[at.min(bytes.len())..bytes.len().min(at + SLOT_BYTES)]);
    let notes = slots.map(SyncedEnd::decode);
    let is_garbage = |at: usize| notes[at].is_none() && slots[at].iter().any(|byte| *byte != 0);
    let are_lost = is_garbage(0) && is_garbage(1);
    let holds = |note: &SyncedEnd| epochs.is_none_or(|epochs| note.holds(epochs));
    let held = notes.into_iter().enumerate().filter_map(|(slot, note)| Some((slot, note.filter(holds)?)));
    let furthest = held.max_by_key(|(_, note)| note.mark.offset);
    let (slot, synced_end) = (furthest.map(|(slot, _)| slot), furthest.map(|(_, note)| note));
    Ok(LoadedNotes { synced_end, slot, are_lost })
}

impl SyncedEnd {
    /// Whether its last record is still what it was when the note was written.
    fn holds(&self, epochs: &Epochs) -> bool {
        let last = Offset::new(self.mark.offset.get().saturating_sub(1).max(0));
        epochs.at(last) <= self.leader_epoch
    }

    fn encode(&self) -> Vec<u8> {
        let mut payload = Vec::with_capacity(PAYLOAD_BYTES);
        payload.put_i32(self.leader_epoch);
        payload.put_i64(self.mark.segment.get());
        payload.put_u64(self.mark.position);
        payload.put_i64(self.mark.offset.get());
        checksum::seal(KIND, &payload)
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut payload = checksum::unseal(KIND, bytes)?;
        let leader_epoch = payload.try_get_i32().ok()?;
        let segment = get_offset(&mut payload)?;
        let position = payload.try_get_u64().ok()?;
        let offset = get_offset(&mut payload)?;
        Some(Self { leader_epoch, mark: Mark { segment, position, offset } })
    }
}
