//! Reads a whole segment to find out what it holds: at recovery, and to rebuild an index.
//!
//! A scan verifies every batch. Where one is bad it looks at what is behind, because three cases must be told
//! apart
//! - Zeros to the end: the log ends here. An active segment's file is longer than its batches.
//! - No good batch behind: a tail that a crash tore.
//! - Good batches behind: bytes in the middle are not what was written. Unless the disk never wrote them: a
//!   power cut may keep later pages of what was not yet synced and lose earlier ones. A page that was never
//!   written is zeros from its first byte, or from where the batch before ended, to its last; a page that was
//!   written and went bad is not.

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

/// The unit that a disk writes or loses; the size of a page in the page cache.
const PAGE_BYTES: u64 = 4096;
/// A batch's bytes up to and with its magic: so many zeros begin no batch.
const MAGIC_BYTES: usize = 17;

/// How much of a segment file there is to scan.
#[derive(Clone, Copy)]
pub(crate) struct Extent {
    /// Bytes that count.
    pub(crate) bytes: u64,
    /// Bytes that are known to have been written and synced.
    pub(crate) durable: u64,
}

/// What a segment file holds.
#[derive(Debug)]
pub(crate) struct Scan {
    /// Of all good batches, those behind damage included.
    pub(crate) index: SegmentIndex,
    /// Where the first run of good batches ends.
    pub(crate) sound: Place,
    /// What is wrong there, unless the log ends there.
    pub(crate) damage: Option<Damage>,
    /// Whether good batches follow the damage and are part of the log.
    pub(crate) goes_on: bool,
    /// Whether good batches follow a page that was never written, and are no part of the log.
    pub(crate) is_stranding: bool,
    /// Where the last byte behind the damage that is not zero ends.
    pub(crate) written: u64,
}

/// Scans the segment with base offset `base`, showing each good header to `visit`.
pub(crate) fn scan(
    file: &dyn DiskFile,
    base: Offset,
    extent: Extent,
    epochs: Option<&Epochs>,
    interval: u32,
    mut visit: impl FnMut(&BatchHeader),
) -> io::Result<Scan> {
    let start = Place { offset: base, position: 0 };
    let mut walk = Walk::new(file, base, epochs, start, extent.bytes, READ_AHEAD);
    let mut scan = Scan::at(start);
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
                if scan.damage.is_none() && !scan.begin_damage(&mut walk, damage)? {
                    return Ok(scan);
                }
                match find_batch(&mut walk, scan.written, epochs, &mut budget)? {
                    Search::Found(next) if scan.pass_over(&mut walk, next, extent.durable)? => {}
                    Search::Found(_) | Search::Nothing => return Ok(scan),
                    Search::GaveUp => return Ok(Scan { goes_on: true, ..scan }),
                }
            }
        }
    }
}

impl Scan {
    fn at(start: Place) -> Self {
        Self {
            index: SegmentIndex::new(start.offset),
            sound: start,
            damage: None,
            goes_on: false,
            is_stranding: false,
            written: 0,
        }
    }

    /// Takes note of the first damage; false if there is nothing but zeros, which is the end.
    fn begin_damage(&mut self, walk: &mut Walk<'_>, damage: Damage) -> io::Result<bool> {
        self.written = written_end(walk)?;
        let is_damage = self.written > damage.byte;
        self.damage = Some(damage).filter(|_| is_damage);
        Ok(is_damage)
    }

    /// Goes on at `next`, behind bad bytes; false if those were never written and the log ends before them.
    fn pass_over(&mut self, walk: &mut Walk<'_>, next: Place, durable: u64) -> io::Result<bool> {
        let bad = walk.place().position;
        let is_first = !self.goes_on;
        if is_first && bad >= durable && holds_unwritten_page(walk, bad, next.position)? {
            self.is_stranding = true;
            return Ok(false);
        }
        self.goes_on = true;
        self.index.skip_to(next);
        walk.jump(next);
        Ok(true)
    }
}

/// Where the last byte behind `walk` that is not zero ends.
fn written_end(walk: &mut Walk<'_>) -> io::Result<u64> {
    const STRIDE: usize = 1 << 20;
    let mut at = walk.place().position;
    let mut end = at;
    loop {
        let stretch = walk.bytes(at, STRIDE)?;
        if stretch.is_empty() {
            return Ok(end);
        }
        if let Some(last) = stretch.iter().rposition(|byte| *byte != 0) {
            end = at + last as u64 + 1;
        }
        at += stretch.len() as u64;
    }
}

/// Whether the bytes `from..to`, which are no batch, hold a page that the disk never wrote.
fn holds_unwritten_page(walk: &mut Walk<'_>, from: u64, to: u64) -> io::Result<bool> {
    let mut at = from;
    while at < to {
        let page_end = (at / PAGE_BYTES + 1) * PAGE_BYTES;
        let piece = walk.bytes(at, usize::try_from(page_end - at).expect("a page is small"))?;
        let tells = at > from || piece.len() >= MAGIC_BYTES;
        if tells && page_end <= to && piece.iter().all(|byte| *byte == 0) {
            return Ok(true);
        }
        at = page_end;
    }
    Ok(false)
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
