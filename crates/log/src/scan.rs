//! Reads a whole segment to find out what it holds: at recovery, and to rebuild an index.
//!
//! A scan verifies every batch. Where one is bad it looks for the next good one behind it, because the two
//! cases must be told apart: with nothing good behind, this is a tail that a crash tore; with more behind,
//! bytes in the middle have been lost.

use std::io;

use factum_types::batch::HEADER_BYTES;
use factum_types::{BatchHeader, Offset, Timestamp};

use crate::damage::Damage;
use crate::disk::DiskFile;
use crate::epochs::Epochs;
use crate::index::{Place, SegmentIndex};
use crate::walk::{Stop, Walk};

const READ_AHEAD: usize = 256 * 1024;
/// Bytes that a scan's searches may put through the checksum: a payload can be made to look like batch upon batch.
const SEARCH_BUDGET: usize = 4 << 30;

/// What a segment file holds.
#[derive(Debug)]
pub(crate) struct Scan {
    /// Of all good batches, those behind damage included.
    pub(crate) index: SegmentIndex,
    /// Where the first run of good batches ends.
    pub(crate) sound: Place,
    /// What is wrong there, unless that is the end of the file.
    pub(crate) damage: Option<Damage>,
    /// Whether good batches follow the damage.
    pub(crate) goes_on: bool,
}

/// Scans the first `size` bytes of the segment with base offset `base`, showing each good header to `visit`.
pub(crate) fn scan(
    file: &dyn DiskFile,
    base: Offset,
    size: u64,
    epochs: Option<&Epochs>,
    interval: u32,
    mut visit: impl FnMut(&BatchHeader),
) -> io::Result<Scan> {
    let start = Place { offset: base, position: 0 };
    let mut walk = Walk::new(file, base, epochs, start, size, READ_AHEAD);
    let mut scan = Scan { index: SegmentIndex::new(base), sound: start, damage: None, goes_on: false };
    let mut budget = SEARCH_BUDGET;
    loop {
        match walk.verified() {
            Ok(Some((header, _))) => {
                scan.index.add(&header, Timestamp::NONE, interval);
                visit(&header);
                walk.step(&header);
                if scan.damage.is_none() {
                    scan.sound = walk.place();
                }
            }
            Ok(None) => return Ok(scan),
            Err(Stop::Io(error)) => return Err(error),
            Err(Stop::Damaged(damage)) => {
                scan.damage.get_or_insert(damage);
                match find_batch(&mut walk, size, epochs, &mut budget)? {
                    Search::Nothing => return Ok(scan),
                    Search::GaveUp => return Ok(Scan { goes_on: true, ..scan }),
                    Search::Found(next) => {
                        scan.goes_on = true;
                        scan.index.skip_to(next);
                        walk.jump(next);
                    }
                }
            }
        }
    }
}

enum Search {
    Found(Place),
    Nothing,
    /// The budget is spent; that nothing follows cannot be claimed.
    GaveUp,
}

/// Looks for the first place behind `walk` where a whole batch of a later offset begins.
fn find_batch(
    walk: &mut Walk<'_>,
    size: u64,
    epochs: Option<&Epochs>,
    budget: &mut usize,
) -> io::Result<Search> {
    const STRIDE: usize = 1 << 20;
    let least = walk.place().offset;
    let mut from = walk.place().position + 1;
    while from + HEADER_BYTES as u64 <= size {
        let stretch = walk.bytes(from, STRIDE + HEADER_BYTES)?;
        let starts = stretch.len().saturating_sub(HEADER_BYTES - 1);
        if starts == 0 {
            break;
        }
        let plausible: Vec<_> = stretch
            .windows(HEADER_BYTES)
            .enumerate()
            .filter_map(|(at, head)| Some((from + at as u64, could_be(head, least, epochs)?)))
            .filter(|(at, header)| header.encoded_len() as u64 <= size - at)
            .collect();
        for (position, header) in plausible {
            let Some(left) = budget.checked_sub(header.encoded_len()) else { return Ok(Search::GaveUp) };
            *budget = left;
            if BatchHeader::check(walk.bytes(position, header.encoded_len())?).is_ok() {
                return Ok(Search::Found(Place { offset: Offset::new(header.base_offset), position }));
            }
        }
        from += starts as u64;
    }
    Ok(Search::Nothing)
}

/// Whether a header that a log may have written after `least` begins here.
fn could_be(head: &[u8], least: Offset, epochs: Option<&Epochs>) -> Option<BatchHeader> {
    if head[16] != 2 {
        return None;
    }
    let header = BatchHeader::parse(head).ok()?;
    let base = Offset::new(header.base_offset.max(0));
    let later = header.base_offset >= least.get() && base.since(least) <= i64::from(i32::MAX);
    let ruled = epochs.is_none_or(|epochs| epochs.at(base) == header.leader_epoch);
    (later && ruled && header.last_offset_delta >= 0).then_some(header)
}
