//! Damage in one segment, found by reading the segment once.
//!
//! Invariants
//! - A segment is read for this at most once for as long as it does not grow; what was found stays in memory
//!   with the segment, at most 1,024 ranges.
//! - Damage that a reader meets puts the log in quarantine exactly as damage that recovery meets: one line in
//!   the log, no appends, and the segment's index says on disk that the segment must be read again at the next
//!   start. A segment that was mended meanwhile is found sound then.
//! - An index made before the damage is kept if every entry of it still leads to a batch or into a damaged
//!   range: it knows the times that the damaged bytes can no longer tell. An index made after it says that
//!   times are unknown from there on.

use std::io;
use std::iter::Peekable;
use std::sync::Arc;

use factum_types::Offset;

use crate::damage::{Damage, Fault, READ_ONLY};
use crate::disk::{DiskFile, write_cache};
use crate::index::{Place, SegmentIndex};
use crate::open_segments::OpenSegment;
use crate::partition_log::LogInner;
use crate::scan::{DamagedRange, Extent, Scan, scan};
use crate::segment::{Segment, State};

/// The damage of one segment.
#[derive(Debug)]
pub(crate) struct SegmentDamage {
    /// In order, never empty.
    ranges: Vec<DamagedRange>,
    /// The segment's index, which leads around them.
    pub(crate) index: Arc<SegmentIndex>,
    /// Bytes of the segment that were read.
    pub(crate) size: u64,
}

impl SegmentDamage {
    /// The range that begins at or contains byte `position`.
    pub(crate) fn at(&self, position: u64) -> Option<&DamagedRange> {
        let after = self.ranges.partition_point(|range| range.from.position <= position);
        let range = &self.ranges[after.checked_sub(1)?];
        range.next.is_none_or(|next| position < next.position).then_some(range)
    }
}

/// Holds an index made earlier against the batches that a scan finds.
pub(crate) struct Agreement<I: Iterator<Item = Place>> {
    entries: Peekable<I>,
    /// Behind the last batch seen.
    reached: u64,
    agrees: bool,
}

impl<I: Iterator<Item = Place>> Agreement<I> {
    pub(crate) fn new(entries: I) -> Self {
        Self { entries: entries.peekable(), reached: 0, agrees: true }
    }

    /// Takes note of a whole batch of `length` bytes at `place`.
    pub(crate) fn observe(&mut self, place: Place, length: u64) {
        while let Some(entry) = self.entries.next_if(|entry| entry.position < place.position) {
            self.agrees &= entry.position >= self.reached;
        }
        if let Some(entry) = self.entries.next_if(|entry| entry.position == place.position) {
            self.agrees &= entry.offset == place.offset;
        }
        self.reached = place.position + length;
    }

    /// Whether no entry led into the middle of a batch or named a wrong offset.
    pub(crate) fn holds(mut self) -> bool {
        self.agrees && self.entries.all(|entry| entry.position >= self.reached)
    }
}

/// Scans `extent` and holds `stored` against it; returns `stored` with the scan if it agrees.
pub(crate) fn scan_against(
    extent: &Extent<'_>,
    stored: Option<SegmentIndex>,
    mut visit: impl FnMut(&factum_types::BatchHeader),
) -> io::Result<(Scan, Option<SegmentIndex>)> {
    let mut agreement = Agreement::new(stored.iter().flat_map(SegmentIndex::places));
    let found = scan(extent, |place, header, _| {
        agreement.observe(place, header.encoded_len() as u64);
        visit(header);
    })?;
    let agrees = agreement.holds();
    Ok((found, stored.filter(|_| agrees)))
}

/// The index of a damaged segment: the one made before the damage, if there is one, else what the scan found.
pub(crate) fn index_around(scanned: SegmentIndex, before: Option<SegmentIndex>) -> SegmentIndex {
    match before {
        Some(mut before) => {
            before.summary.is_damaged = true;
            before
        }
        None => scanned.with_unknown_times(),
    }
}

impl LogInner {
    /// Reads `segment` to find out what is damaged in it, and rebuilds its index; `stored` is the index that it
    /// had, if any.
    pub(crate) fn examine(
        &self,
        segment: &Segment,
        file: &Arc<dyn DiskFile>,
        stored: Option<SegmentIndex>,
    ) -> io::Result<(Arc<SegmentIndex>, Option<Arc<SegmentDamage>>)> {
        let mut known = segment.damage().lock();
        let high_watermark = self.high_watermark.get();
        let (summary, is_sealed) = (segment.summary(), segment.is_sealed());
        // What was sealed a moment ago may be neither synced nor readable yet, but it is in the file.
        let size = if is_sealed { summary.bytes.min(file.size()?) } else { segment.readable() };
        if let Some(known) = known.as_ref().filter(|known| known.size >= size) {
            return Ok((Arc::clone(&known.index), Some(Arc::clone(known))));
        }
        let epochs = self.epochs();
        let end = if is_sealed { summary.next } else { high_watermark };
        let interval = self.options.read().index_interval_bytes;
        let extent = Extent {
            file: &**file,
            base: summary.base,
            size,
            end: Some(end),
            epochs: Some(&epochs),
            interval,
        };
        let (found, before) = scan_against(&extent, stored, |_| {})?;
        let ranges = all_ranges(&found, end);
        let is_damaged = !ranges.is_empty();
        let mut index = if is_damaged { index_around(found.index, before) } else { found.index };
        index.summary.next = summary.next;
        index.summary.bytes = summary.bytes;
        index.summary.appended_at = summary.appended_at;
        if !is_damaged {
            index.summary = summary;
        }
        let index = Arc::new(index);
        self.keep_index(segment, file, &index);
        if !is_damaged {
            return Ok((index, None));
        }
        let damage = Arc::new(SegmentDamage { ranges, index: Arc::clone(&index), size });
        *known = Some(Arc::clone(&damage));
        drop(known);
        self.quarantine(self.damage_of(&damage.ranges[0], segment.base()));
        Ok((index, Some(damage)))
    }

    /// What `range` of the segment with base offset `segment` is to a reader.
    pub(crate) fn damage_of(&self, range: &DamagedRange, segment: Offset) -> Damage {
        let at = range.from.offset;
        let next = range.next.map_or_else(|| self.readable_behind(segment), |next| next.offset);
        Damage {
            at,
            next: next.max(at.next()),
            segment,
            byte: range.from.position,
            fault: range.fault.clone(),
        }
    }

    /// Makes the log read-only because of `damage`, once; a closed log is someone else's by now.
    pub(crate) fn quarantine(&self, damage: Damage) {
        if self.is_closed() || self.quarantine.get().is_some() {
            return;
        }
        let damage = self.quarantine.get_or_init(|| damage);
        tracing::error!(dir = %self.dir.display(), %damage, "{READ_ONLY}");
    }

    /// Stores an index, which is a cache: a failure costs a scan later. That of a segment in whose place compaction has
    /// put another is in no one's way.
    fn keep_index(&self, segment: &Segment, file: &Arc<dyn DiskFile>, index: &Arc<SegmentIndex>) {
        let state = segment.state().read();
        if self.is_closed() || matches!(*state, State::Replaced(..)) {
            return;
        }
        if matches!(*state, State::Sealed(_)) {
            let open = OpenSegment { file: Arc::clone(file), index: Arc::clone(index) };
            self.environment.open_segments.insert(self.id, segment.base(), open);
        }
        let path = segment.index_path();
        if let Err(error) = write_cache(&*self.environment.disk, &path, &index.encode()) {
            tracing::warn!(path = %path.display(), %error, "could not store an index");
        }
    }
}

/// The ranges that a scan found, and the one at the end where a file is too short.
pub(crate) fn all_ranges(found: &Scan, end: Offset) -> Vec<DamagedRange> {
    let mut ranges = found.ranges.clone();
    if found.reached.offset < end && ranges.last().is_none_or(|last| last.next.is_some()) {
        ranges.push(DamagedRange { from: found.reached, next: None, fault: Fault::Short { next: end } });
    }
    ranges
}
