//! Finding records by their time.
//!
//! Segments and index entries know the greatest timestamp before them, so only the batches of one index
//! interval are looked at. Times within a batch are known to its records alone: those are walked one by one,
//! unpacked in a stream, and nothing of them is kept.
//!
//! Invariant: a search never steps over bytes that it cannot read. Where damaged bytes may hold the record
//! asked for, the answer is the first damaged offset, so that a reader that goes on from there meets the damage
//! and is told. A search verifies what it walks over, and an index made before the damage is kept
//! (`segment_damage.rs`), so that the answer is the same before someone meets the damage, after it, and after
//! a restart. If the index is lost as well, no one knows the times of the damaged records, and the answer may
//! be an earlier damaged offset; never a later one.

use std::io;

use factum_types::{BatchHeader, Offset, Timestamp, record};

use crate::damage::Fault;
use crate::index::{Place, SegmentIndex, UNKNOWN_TIME};
use crate::partition_log::{LogInner, PartitionLog};
use crate::read::{ReadError, Source};
use crate::segment::Segment;
use crate::walk::{Stop, Walk};

const READ_AHEAD: usize = 64 << 10;
/// A batch that unpacks to more than this is not looked into; its first record stands for it.
const UNPACKED_BYTES: u64 = 64 << 20;
/// Records looked at between two questions whether the search was cancelled.
const CANCEL_INTERVAL: usize = 4_096;

/// What one search is after.
struct TimeSearch<'a> {
    time: Timestamp,
    log_start: Offset,
    until: Offset,
    is_cancelled: &'a dyn Fn() -> bool,
}

/// Why a search ended early.
enum SearchStop {
    /// Bytes, or the disk.
    Unreadable(Stop),
    /// The caller no longer wants the answer.
    Cancelled,
}

impl From<Stop> for SearchStop {
    fn from(stop: Stop) -> Self {
        Self::Unreadable(stop)
    }
}

impl From<io::Error> for SearchStop {
    fn from(error: io::Error) -> Self {
        Self::Unreadable(Stop::Io(error))
    }
}

type Answer = Option<(Offset, Timestamp)>;

impl PartitionLog {
    /// The first record at or after `time` that readers may see, with its own time; `None` if there is none.
    ///
    /// If bytes that cannot be read may hold that record, it is the first damaged offset, with `time` itself;
    /// reading there gives [`ReadError::Damaged`]. Reads the disk in the caller's thread: about 64 KiB of
    /// batches and one batch more, unpacked in a stream of at most 64 MiB, of which some 16 MiB at most are in
    /// memory at once; all of a segment if it is found damaged, once.
    ///
    /// # Errors
    /// [`ReadError::Io`].
    pub fn offset_for_time(&self, time: Timestamp) -> Result<Answer, ReadError> {
        self.offset_for_time_unless(time, &|| false)
    }

    /// As [`PartitionLog::offset_for_time`], but gives up as soon as `is_cancelled`, which is asked about every
    /// millisecond of work.
    ///
    /// # Errors
    /// [`ReadError::Io`], [`ReadError::Cancelled`].
    pub fn offset_for_time_unless(
        &self,
        time: Timestamp,
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<Answer, ReadError> {
        let log = &*self.0;
        let (until, log_start) = (log.high_watermark.get(), log.log_start.get());
        let search = TimeSearch { time, log_start, until, is_cancelled };
        let segments = log.view();
        let first = segments[0].base();
        if log_start < first && log_start < until {
            return Ok(Some((log_start, search.stand_in())));
        }
        for (at, segment) in segments.iter().enumerate() {
            let end = segments.get(at + 1).map_or(until, |next| next.base());
            if end <= log_start || segment.base() >= until || latest(segment) < time {
                continue;
            }
            match log.search(segment, end, &search) {
                Ok(None) => {}
                Ok(found) => return Ok(found),
                Err(SearchStop::Cancelled) => return Err(ReadError::Cancelled),
                Err(SearchStop::Unreadable(stop)) => match log.explain(stop, segment.base().max(log_start)) {
                    ReadError::Damaged(damage) => {
                        return Ok(Some((damage.at.max(log_start), search.stand_in())));
                    }
                    // It was removed meanwhile: what is kept begins behind it.
                    ReadError::OutOfRange { .. } => {}
                    error => return Err(error),
                },
            }
        }
        Ok(None)
    }

    /// The first record with the greatest timestamp that readers may see; `None` if no record has one.
    ///
    /// Damaged bytes may hold it, or one as great before it: then it is the first damaged offset, as in
    /// [`PartitionLog::offset_for_time`].
    ///
    /// # Errors
    /// [`ReadError::Io`].
    pub fn max_timestamp(&self) -> Result<Answer, ReadError> {
        let log = &*self.0;
        let until = log.high_watermark.get();
        let mut greatest = Timestamp::NONE;
        for segment in log.view().iter().filter(|segment| segment.base() < until) {
            let (summary, latest) = (segment.summary(), latest(segment));
            if summary.next <= log.log_start.get() || latest <= greatest {
                continue;
            }
            let is_visible = log.log_start.get() <= summary.base && summary.next <= until;
            let is_known = is_visible && latest != UNKNOWN_TIME;
            let visible = if is_known { Ok(latest) } else { log.max_within(segment, until) };
            match visible.map_err(|stop| log.explain(stop, summary.base)) {
                Ok(visible) => greatest = greatest.max(visible),
                Err(ReadError::Damaged(_) | ReadError::OutOfRange { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        if greatest == Timestamp::NONE { Ok(None) } else { self.offset_for_time(greatest) }
    }
}

/// How late the records of `segment` may be.
fn latest(segment: &Segment) -> Timestamp {
    let damage = segment.damage().lock().clone();
    damage.map_or_else(|| segment.summary().max_timestamp, |damage| damage.index.summary.max_timestamp)
}

impl TimeSearch<'_> {
    /// The time of a record that cannot be read. Clients take no negative one.
    fn stand_in(&self) -> Timestamp {
        self.time.max(Timestamp::from_millis(0))
    }

    fn begin(&self, index: &SegmentIndex) -> Place {
        let (by_time, by_offset) = (index.before_time(self.time), index.floor(self.log_start));
        if by_time.position < by_offset.position { by_offset } else { by_time }
    }

    /// The first record of one batch at or after both the time and the log start.
    fn first_in(&self, header: &BatchHeader, batch: &[u8]) -> Result<Answer, SearchStop> {
        let whole = Some((Offset::new(header.base_offset).max(self.log_start), header.max_timestamp));
        let Ok(times) = record::times(batch, UNPACKED_BYTES) else { return Ok(whole) };
        for (at, record) in times.enumerate() {
            if at.is_multiple_of(CANCEL_INTERVAL) && (self.is_cancelled)() {
                return Err(SearchStop::Cancelled);
            }
            // Its checksum fits: what a client sent cannot be read as records, or is too large to look into.
            let Ok((offset, time)) = record else { return Ok(whole) };
            if time >= self.time && offset >= self.log_start {
                return Ok(Some((offset, time)));
            }
        }
        Ok(None)
    }
}

impl LogInner {
    /// The first record of `segment`, which reaches to `end`, that `search` is after.
    fn search(&self, segment: &Segment, end: Offset, search: &TimeSearch<'_>) -> Result<Answer, SearchStop> {
        let find = |index: &SegmentIndex| search.begin(index);
        let source = self.source(segment, find)?;
        match self.search_from(&source, segment, end, search) {
            Err(SearchStop::Unreadable(Stop::Damaged(_))) => {
                let source = self.examined(segment, &source, find)?;
                self.search_from(&source, segment, end, search)
            }
            found => found,
        }
    }

    fn search_from(
        &self,
        source: &Source,
        segment: &Segment,
        end: Offset,
        search: &TimeSearch<'_>,
    ) -> Result<Answer, SearchStop> {
        let epochs = self.epochs();
        let (file, readable) = (&*source.file, segment.readable());
        let mut walk = Walk::new(file, segment.base(), Some(&epochs), source.place, readable, READ_AHEAD);
        loop {
            if (search.is_cancelled)() {
                return Err(SearchStop::Cancelled);
            }
            if let Some(range) = source.damaged_at(walk.place()) {
                let next = range.next.map_or(end, |next| next.offset);
                match range.next {
                    _ if next > search.log_start => {
                        return Ok(Some((range.from.offset.max(search.log_start), search.stand_in())));
                    }
                    Some(next) => walk.jump(next),
                    None => return Ok(None),
                }
            }
            if walk.place().offset >= search.until {
                return Ok(None);
            }
            let Some((header, batch)) = walk.verified()? else { break };
            if header.max_timestamp >= search.time && header.last_offset() >= search.log_start.get() {
                let found = search.first_in(&header, batch)?;
                if found.is_some() {
                    return Ok(found);
                }
            }
            walk.step(&header);
        }
        let next = end.min(search.until);
        if walk.place().offset < next { Err(walk.damaged(Fault::Short { next }).into()) } else { Ok(None) }
    }

    /// The greatest timestamp of the records of `segment` from the log start on and below `until` that can be
    /// read.
    fn max_within(&self, segment: &Segment, until: Offset) -> Result<Timestamp, Stop> {
        let log_start = self.log_start.get();
        let find = |index: &SegmentIndex| index.floor(log_start);
        let source = self.source(segment, find)?;
        match self.max_from(&source, segment, until) {
            Err(Stop::Damaged(_)) => {
                let source = self.examined(segment, &source, find)?;
                self.max_from(&source, segment, until)
            }
            greatest => greatest,
        }
    }

    fn max_from(&self, source: &Source, segment: &Segment, until: Offset) -> Result<Timestamp, Stop> {
        let (log_start, epochs) = (self.log_start.get(), self.epochs());
        let (file, readable) = (&*source.file, segment.readable());
        let mut walk = Walk::new(file, segment.base(), Some(&epochs), source.place, readable, READ_AHEAD);
        let mut greatest = Timestamp::NONE;
        loop {
            match source.damaged_at(walk.place()).map(|range| range.next) {
                Some(Some(next)) => walk.jump(next),
                Some(None) => return Ok(greatest),
                None => {}
            }
            let found = walk.verified()?.filter(|(header, _)| header.base_offset < until.get());
            let Some((header, batch)) = found else { return Ok(greatest) };
            if header.is_control() {
                // It has no records.
            } else if header.base_offset >= log_start.get() {
                greatest = greatest.max(header.max_timestamp);
            } else {
                greatest = greatest.max(greatest_from(batch, log_start));
            }
            walk.step(&header);
        }
    }
}

/// The greatest timestamp of the records of one batch from `log_start` on.
fn greatest_from(batch: &[u8], log_start: Offset) -> Timestamp {
    let Ok(times) = record::times(batch, UNPACKED_BYTES) else { return Timestamp::NONE };
    let kept = times.map_while(Result::ok).filter(|(offset, _)| *offset >= log_start);
    kept.map(|(_, time)| time).max().unwrap_or(Timestamp::NONE)
}
