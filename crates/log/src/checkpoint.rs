//! The `checkpoint` of a partition: where its log starts, and up to where it is known to be whole and durable.
//!
//! ```text
//!   byte 0                        4096                         8192
//!   ├─ slot of even generations ──┼─ slot of odd generations ──┼─ the synced end: `synced_end.rs`
//! ```
//!
//! Invariants
//! - A save overwrites the older slot in place and syncs it: one fsync, no new space, so a full disk cannot
//!   keep a log from acknowledging what it already took. A torn save leaves the other slot. A save that failed
//!   before its sync may be repeated: it writes the same slot again.
//! - Nothing is acknowledged in a segment after [`Mark::segment`]: recovery may cut off a whole later segment.

use std::io;
use std::path::Path;

use bytes::{Buf, BufMut};
use factum_types::Offset;

use crate::checksum::{self, Kind};
use crate::commit::{CommitError, sync_dir};
use crate::disk::{Disk, directory_of, read_file};
use crate::synced_end;

const KIND: Kind = *b"FCTCKPT1";
const PAYLOAD_BYTES: usize = 41;
const SLOT_BYTES: usize = PAYLOAD_BYTES + checksum::OVERHEAD;
/// Slots lie a block apart, so that no sector holds two.
const SLOT_DISTANCE: usize = 4096;

/// A place in the log that lies between two batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Base offset of the segment.
    pub(crate) segment: Offset,
    /// Bytes of that segment before the mark.
    pub(crate) position: u64,
    /// Offset of the next record.
    pub(crate) offset: Offset,
}

/// What a partition remembers of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    /// Counts the saves; tells which slot is the newer.
    pub(crate) generation: u64,
    /// The first offset kept.
    pub(crate) log_start: Offset,
    /// All before it is synced.
    pub(crate) recovery_point: Mark,
    /// Whether the log was closed with nothing behind the recovery point.
    pub(crate) clean: bool,
}

/// What [`load`] found.
#[derive(Debug, Default)]
pub(crate) struct LoadedCheckpoint {
    /// The newest checkpoint that is whole.
    pub(crate) checkpoint: Option<Checkpoint>,
    /// Whether a newer one may have been here: a slot holds bytes that are no checkpoint.
    pub(crate) doubtful: bool,
}

/// Reads both slots of `path`.
pub(crate) fn load(disk: &dyn Disk, path: &Path) -> io::Result<LoadedCheckpoint> {
    let Some(bytes) = read_file(disk, path)? else { return Ok(LoadedCheckpoint::default()) };
    let slots = [slot(&bytes, 0), slot(&bytes, SLOT_DISTANCE)];
    let doubtful = slots.iter().any(|slot| matches!(slot, Slot::Garbage));
    let whole = slots.into_iter().filter_map(|slot| match slot {
        Slot::Whole(checkpoint) => Some(checkpoint),
        Slot::Blank | Slot::Garbage => None,
    });
    Ok(LoadedCheckpoint { checkpoint: whole.max_by_key(|checkpoint| checkpoint.generation), doubtful })
}

/// Makes `checkpoint` durable; its generation says which slot it takes.
pub(crate) fn save(disk: &dyn Disk, path: &Path, checkpoint: &Checkpoint) -> Result<(), CommitError> {
    let file = match disk.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return create(disk, path, checkpoint),
        opened => opened.map_err(CommitError::Refused)?,
    };
    file.write_at(&encode(checkpoint), slot_of(checkpoint) as u64).map_err(CommitError::Refused)?;
    file.sync().map_err(CommitError::Sync)
}

/// The first save makes the file with the space of both slots and of the notes behind them, and its name durable.
fn create(disk: &dyn Disk, path: &Path, checkpoint: &Checkpoint) -> Result<(), CommitError> {
    let file = disk.create(path).map_err(CommitError::Refused)?;
    let mut bytes = vec![0; synced_end::FILE_BYTES];
    let slot = slot_of(checkpoint);
    bytes[slot..slot + SLOT_BYTES].copy_from_slice(&encode(checkpoint));
    file.write_at(&bytes, 0).map_err(CommitError::Refused)?;
    file.sync().map_err(CommitError::Sync)?;
    sync_dir(disk, directory_of(path))
}

/// The byte where the slot of a checkpoint begins.
fn slot_of(checkpoint: &Checkpoint) -> usize {
    if checkpoint.generation.is_multiple_of(2) { 0 } else { SLOT_DISTANCE }
}

fn encode(checkpoint: &Checkpoint) -> Vec<u8> {
    let mut payload = Vec::with_capacity(PAYLOAD_BYTES);
    payload.put_u64(checkpoint.generation);
    payload.put_i64(checkpoint.log_start.get());
    payload.put_i64(checkpoint.recovery_point.segment.get());
    payload.put_u64(checkpoint.recovery_point.position);
    payload.put_i64(checkpoint.recovery_point.offset.get());
    payload.put_u8(u8::from(checkpoint.clean));
    checksum::seal(KIND, &payload)
}

enum Slot {
    Whole(Checkpoint),
    Blank,
    Garbage,
}

fn slot(bytes: &[u8], at: usize) -> Slot {
    let bytes = bytes.get(at..).unwrap_or_default();
    let bytes = &bytes[..bytes.len().min(SLOT_BYTES)];
    if bytes.iter().all(|byte| *byte == 0) {
        return Slot::Blank;
    }
    decode(bytes).map_or(Slot::Garbage, Slot::Whole)
}

fn decode(bytes: &[u8]) -> Option<Checkpoint> {
    let mut payload = checksum::unseal(KIND, bytes)?;
    let generation = payload.try_get_u64().ok()?;
    let log_start = get_offset(&mut payload)?;
    let segment = get_offset(&mut payload)?;
    let position = payload.try_get_u64().ok()?;
    let offset = get_offset(&mut payload)?;
    let clean = payload.try_get_u8().ok()? != 0;
    let recovery_point = Mark { segment, position, offset };
    Some(Checkpoint { generation, log_start, recovery_point, clean })
}

/// Reads an offset, which a checksum does not keep from being negative.
pub(crate) fn get_offset(payload: &mut &[u8]) -> Option<Offset> {
    payload.try_get_i64().ok().filter(|value| *value >= 0).map(Offset::new)
}
