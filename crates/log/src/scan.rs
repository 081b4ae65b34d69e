//! Reads a whole segment to find out what it holds: at recovery, and when a reader meets damage or an index is
//! missing.
//!
//! A scan verifies every batch. Where one is bad it looks for the next good one behind it, so that readers can
//! go on there, and because two cases must be told apart: with nothing good behind, this may be a tail that a
//! crash tore; with more behind, bytes in the middle have been lost.

use std::io;

use factum_types::record::TransactionMarker;
use factum_types::{BatchHeader, Offset, Timestamp};

use crate::damage::{Damage, Fault};
use crate::disk::DiskFile;
use crate::epochs::Epochs;
use crate::index::{Place, SegmentIndex};
use crate::misnamed::true_base;
use crate::search::Search;
use crate::transactions::AbortedTransaction;
use crate::walk::{Stop, Walk};

const READ_AHEAD: usize = 256 * 1024;
/// Damaged ranges that are told apart in one segment; the last of them reaches to the segment's end.
const DAMAGED_RANGES: usize = 1_024;

/// What to scan.
pub(crate) struct Extent<'a> {
    pub(crate) file: &'a dyn DiskFile,
    /// Offset of the segment's first record.
    pub(crate) base: Offset,
    /// Bytes of the file that count.
    pub(crate) size: u64,
    /// Offset behind those bytes, if that is known.
    pub(crate) end: Option<Offset>,
    pub(crate) epochs: Option<&'a Epochs>,
    /// Bytes between two entries of the index.
    pub(crate) interval: u32,
}

/// Bytes of a segment that are not what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DamagedRange {
    /// Where they begin.
    pub(crate) from: Place,
    /// The whole batch behind them; `None` if the segment has no more.
    pub(crate) next: Option<Place>,
    pub(crate) fault: Fault,
}

/// What a segment file holds.
#[derive(Debug)]
pub(crate) struct Scan {
    /// Of all good batches, those behind damage included.
    pub(crate) index: SegmentIndex,
    /// Where the first run of good batches ends.
    pub(crate) sound: Place,
    /// What is wrong there, unless that is the end of the file.
    pub(crate) damage: Option<Damage>,
    /// Whether good batches follow the damage, or may follow it.
    pub(crate) goes_on: bool,
    /// Everything that is wrong, in order.
    pub(crate) ranges: Vec<DamagedRange>,
    /// Where the last good batch ends.
    pub(crate) reached: Place,
}

impl Scan {
    /// Nothing of the file belongs where its name puts it.
    fn misnamed(self, damage: &Damage, first: Offset) -> Self {
        let fault = Fault::Misnamed { first };
        let range = DamagedRange { from: self.sound, next: None, fault: fault.clone() };
        // Batches that were acknowledged, if elsewhere: nothing of them is a torn tail.
        Self { damage: Some(Damage { fault, ..*damage }), goes_on: true, ranges: vec![range], ..self }
    }
}

/// Scans `extent`, showing each good batch to `visit`: its place, its header and all its bytes.
pub(crate) fn scan(
    extent: &Extent<'_>,
    mut visit: impl FnMut(Place, &BatchHeader, &[u8]),
) -> io::Result<Scan> {
    let (base, epochs) = (extent.base, extent.epochs);
    let start = Place { offset: base, position: 0 };
    let mut walk = Walk::new(extent.file, base, epochs, start, extent.size, READ_AHEAD);
    let mut search = Search::new(extent.size, extent.end, epochs);
    let mut scan = Scan {
        index: SegmentIndex::new(base),
        sound: start,
        damage: None,
        goes_on: false,
        ranges: Vec::new(),
        reached: start,
    };
    loop {
        let place = walk.place();
        match walk.verified() {
            Ok(Some((header, bytes))) => {
                scan.index.add(&header, Timestamp::NONE, extent.interval);
                let marker = TransactionMarker::of(&header, bytes);
                scan.index
                    .add_aborted(marker.and_then(|marker| AbortedTransaction::ended_by(&header, &marker)));
                visit(place, &header, bytes);
                walk.step(&header);
                scan.reached = walk.place();
                if scan.damage.is_none() {
                    scan.sound = walk.place();
                }
            }
            Ok(None) => return Ok(scan),
            Err(Stop::Io(error)) => return Err(error),
            Err(Stop::Damaged(damage)) => {
                if walk.place() == start
                    && let Some(first) = true_base(&mut walk, base, extent.end)?
                {
                    return Ok(scan.misnamed(&damage, first));
                }
                let behind = search.behind(&mut walk)?;
                let next = behind.next.filter(|_| scan.ranges.len() + 1 < DAMAGED_RANGES);
                scan.goes_on |= behind.may_go_on;
                scan.ranges.push(DamagedRange { from: walk.place(), next, fault: damage.fault.clone() });
                scan.damage.get_or_insert(damage);
                let Some(next) = next else { return Ok(scan) };
                scan.index.skip_to(next);
                walk.jump(next);
            }
        }
    }
}
