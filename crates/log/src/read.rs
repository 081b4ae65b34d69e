//! Reading: whole batches below the high watermark, from memory if they are there, else from the segments.
//!
//! Invariants: a batch read from a file is handed out only if its checksum fits and its base offset and
//! leader epoch, which no checksum covers, are those that belong there. A reader takes no lock that an append
//! holds for long, and keeps its file handle even if the segment is removed meanwhile.

use std::cell::RefCell;
use std::io;
use std::sync::Arc;

use bytes::BytesMut;
use factum_types::{BatchHeader, Offset, batch};

use crate::damage::{Damage, Fault};
use crate::disk::{DiskFile, read_fully};
use crate::index::{Place, SegmentIndex};
use crate::open_segments::{OpenSegment, SegmentOpening};
use crate::partition_log::{Bounds, LogInner, PartitionLog};
use crate::scan::DamagedRange;
use crate::segment::{Segment, State};
use crate::segment_damage::SegmentDamage;
use crate::slice::{Gather, Slice};
use crate::transactions::{AbortedTransaction, Isolation};
use crate::walk::{Stop, Walk};

/// Bytes read to find a batch behind an index entry.
const SEEK_BYTES: usize = 16 << 10;
/// Bytes read from a file at once, unless one batch is larger.
const PIECE_BYTES: usize = 1 << 20;

/// Why a log could not serve a read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Before the first offset kept, or past the end.
    #[error("offset {asked} is outside {}..{}", bounds.log_start, bounds.log_end)]
    OutOfRange {
        /// The offset asked for.
        asked: Offset,
        /// What the log holds.
        bounds: Bounds,
    },
    /// The bytes on disk are not what was written. What lies before is still served.
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// The disk did not answer.
    #[error("read the log")]
    Io(#[source] io::Error),
    /// The caller no longer wants the answer.
    #[error("the search was cancelled")]
    Cancelled,
}

impl ReadError {
    /// Whether the same read may succeed later with no one doing anything to the log itself.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Io(_))
    }
}

impl From<Stop> for ReadError {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Damaged(damage) => Self::Damaged(damage),
            Stop::Io(error) => Self::Io(error),
        }
    }
}

/// What it takes to read a segment.
pub(crate) struct Source {
    pub(crate) file: Arc<dyn DiskFile>,
    /// Where to begin.
    pub(crate) place: Place,
    /// The index that says so, of a sealed segment. It may be wrong although its checksum fits.
    pub(crate) index: Option<Arc<SegmentIndex>>,
    /// What is damaged in it, as far as that is known.
    pub(crate) damage: Option<Arc<SegmentDamage>>,
}

impl Source {
    /// The damaged range at `place`, if one is known.
    pub(crate) fn damaged_at(&self, place: Place) -> Option<&DamagedRange> {
        self.damage.as_ref()?.at(place.position)
    }
}

impl PartitionLog {
    /// Whether [`PartitionLog::read`] at `from` would have to read a file: there is something to read, and it is not
    /// in memory. It may have changed by the time of the read.
    pub fn is_cold(&self, from: Offset, isolation: Isolation) -> bool {
        let log = &*self.0;
        from < log.bounds().end_for(isolation) && !log.environment.tail_cache.holds(log.id, from)
    }

    /// Reads whole batches from the one that contains `from` on, never past the high watermark, or the stable offset
    /// for a reader of committed records.
    ///
    /// Returns at most `limit_bytes` of encoded batches, but always one if there is one, so that a reader
    /// cannot stall on a large batch. Empty if `from` is at or past that end. Batches of aborted transactions are among
    /// them: [`Slice::aborted`] says which to pass over. May read from the disk
    /// in the caller's thread.
    ///
    /// # Errors
    /// [`ReadError::OutOfRange`] if `from` is below the log start or past the log end;
    /// [`ReadError::Damaged`] if the batch at `from` cannot be read; [`ReadError::Io`].
    pub fn read(&self, from: Offset, limit_bytes: usize, isolation: Isolation) -> Result<Slice, ReadError> {
        let log = &*self.0;
        let bounds = log.bounds();
        if from < bounds.log_start || from > bounds.log_end {
            return Err(ReadError::OutOfRange { asked: from, bounds });
        }
        let mut gather = Gather::new(limit_bytes);
        let mut next = from;
        let end = bounds.end_for(isolation);
        while next < end && (gather.is_empty() || gather.room() > 0) {
            match log.read_on(next, end, &mut gather) {
                Ok(reached) if reached == next => break,
                Ok(reached) => next = reached,
                Err(_) if !gather.is_empty() => break,
                Err(error) => return Err(log.explain(error, from)),
            }
        }
        let aborted = match isolation {
            Isolation::ReadCommitted if !gather.is_empty() => log.aborted(from, next),
            _ => Ok(Vec::new()),
        };
        Ok(gather.finish(bounds, aborted.map_err(|error| log.explain(Stop::Io(error), from))?))
    }
}

impl LogInner {
    /// Reads some batches from `from` on; returns the offset after them, `from` itself if there is no room.
    fn read_on(&self, from: Offset, until: Offset, gather: &mut Gather) -> Result<Offset, Stop> {
        let mut reached = from;
        for batch in self.environment.tail_cache.run(self.id, from, until, gather.room()) {
            if !gather.takes(batch.bytes.len()) {
                return Ok(reached);
            }
            gather.push(batch.bytes);
            reached = batch.next;
        }
        if reached > from { Ok(reached) } else { self.read_segment(from, until, gather) }
    }

    /// The aborted transactions that have records in `from..until`, by their markers.
    pub(crate) fn aborted(&self, from: Offset, until: Offset) -> io::Result<Vec<AbortedTransaction>> {
        let segments = self.view();
        let at = segments.partition_point(|segment| segment.base() <= from).saturating_sub(1);
        let mut found = Vec::new();
        for segment in &segments[at..] {
            if segment.summary().aborted.is_none_or(|aborted| aborted.first >= until) {
                continue;
            }
            let listed = self.aborted_of(segment)?;
            for aborted in listed.iter().filter(|aborted| aborted.last >= from) {
                if aborted.first < until {
                    found.push(*aborted);
                }
                if aborted.stable >= until {
                    return Ok(found);
                }
            }
        }
        Ok(found)
    }

    fn aborted_of(&self, segment: &Segment) -> io::Result<Vec<AbortedTransaction>> {
        let listed = RefCell::new(Vec::new());
        self.source(segment, |index| {
            listed.replace(index.aborted().to_vec());
            Place { offset: segment.base(), position: 0 }
        })?;
        Ok(listed.into_inner())
    }

    fn read_segment(&self, from: Offset, until: Offset, gather: &mut Gather) -> Result<Offset, Stop> {
        let segments = self.view();
        let at = segments.partition_point(|segment| segment.base() <= from).saturating_sub(1);
        let segment = &segments[at];
        let next = segment.base();
        if from < next {
            let damage = Damage { at: from, next, segment: from, byte: 0, fault: Fault::Missing };
            return Err(Stop::Damaged(damage));
        }
        let end = segments.get(at + 1).map_or(until, |next| next.base());
        let find = |index: &SegmentIndex| index.floor(from);
        let source = self.source(segment, find)?;
        match self.read_source(&source, segment, from, end, until, gather) {
            Err(Stop::Damaged(_)) => {
                let source = self.examined(segment, &source, find)?;
                self.read_source(&source, segment, from, end, until, gather)
            }
            read => read,
        }
    }

    /// What it takes to read `segment` from where `find` says to begin.
    pub(crate) fn source(
        &self,
        segment: &Segment,
        find: impl Fn(&SegmentIndex) -> Place,
    ) -> io::Result<Source> {
        let damage = segment.damage().lock().clone();
        let state = segment.state().read();
        let opening = match &*state {
            State::Active { file, index } => {
                return Ok(Source { file: file.for_read()?, place: find(index), index: None, damage });
            }
            State::Sealed(summary) => {
                let disk = &*self.environment.disk;
                self.environment.open_segments.get(disk, self.id, segment, summary)?
            }
            State::Replaced(_, open) => SegmentOpening::WithIndex(open.clone()),
        };
        drop(state);
        match opening {
            SegmentOpening::WithIndex(OpenSegment { file, index }) => {
                Ok(Source { file, place: find(&index), index: Some(index), damage })
            }
            SegmentOpening::WithoutIndex(file) => {
                let place = Place { offset: segment.base(), position: 0 };
                self.examined(segment, &Source { file, place, index: None, damage }, find)
            }
        }
    }

    /// As [`LogInner::source`], after the segment was examined: the index is right, and damage is known.
    pub(crate) fn examined(
        &self,
        segment: &Segment,
        source: &Source,
        find: impl Fn(&SegmentIndex) -> Place,
    ) -> io::Result<Source> {
        let before = match &*segment.state().read() {
            State::Active { index, .. } => Some(index.clone()),
            State::Sealed(_) | State::Replaced(..) => {
                source.index.as_ref().map(|index| SegmentIndex::clone(index))
            }
        };
        let (index, damage) = self.examine(segment, &source.file, before)?;
        Ok(Source { file: Arc::clone(&source.file), place: find(&index), index: Some(index), damage })
    }

    /// Finds the batch that contains `from` and loads it with what follows. The segment reaches to `end`.
    fn read_source(
        &self,
        source: &Source,
        segment: &Segment,
        from: Offset,
        end: Offset,
        until: Offset,
        gather: &mut Gather,
    ) -> Result<Offset, Stop> {
        let (readable, epochs) = (segment.readable(), self.epochs());
        let file = &*source.file;
        let mut walk = Walk::new(file, segment.base(), Some(&epochs), source.place, readable, SEEK_BYTES);
        let first = loop {
            match source.damaged_at(walk.place()) {
                Some(DamagedRange { next: Some(next), .. }) if next.offset <= from => walk.jump(*next),
                Some(range) => return Err(Stop::Damaged(self.damage_of(range, segment.base()))),
                None => {}
            }
            match walk.header()? {
                Some(header) if header.last_offset() >= from.get() => break header,
                Some(header) => walk.step(&header),
                None => return Err(walk.damaged(Fault::Short { next: end })),
            }
        };
        if !gather.takes(first.encoded_len()) {
            return Ok(from);
        }
        let left = usize::try_from(readable - walk.place().position).unwrap_or(usize::MAX);
        let length = gather.room().min(PIECE_BYTES).max(first.encoded_len()).min(left);
        let mut piece = BytesMut::zeroed(length);
        let read = read_fully(&*source.file, &mut piece, walk.place().position)?;
        piece.truncate(read);
        let sound = self.verify(&piece, &mut walk, until, gather.room());
        if sound.bytes == 0 {
            return Err(walk.damaged(sound.fault.unwrap_or(Fault::Short { next: end })));
        }
        piece.truncate(sound.bytes);
        gather.push(piece.freeze());
        Ok(walk.place().offset)
    }

    /// How many whole batches at the front of `piece` are sound; moves `walk` behind them.
    fn verify(&self, piece: &[u8], walk: &mut Walk<'_>, until: Offset, room: usize) -> Sound {
        let mut bytes = 0;
        loop {
            let rest = &piece[bytes..];
            let header = match BatchHeader::check_stored(rest) {
                Ok(header) => header,
                Err(batch::Error::Truncated { .. }) => return Sound { bytes, fault: None },
                Err(error) => return Sound { bytes, fault: Some(error.into()) },
            };
            if let Err(fault) = walk.follows(&header) {
                return Sound { bytes, fault: Some(fault) };
            }
            let fits = bytes == 0 || bytes + header.encoded_len() <= room;
            if !fits || header.base_offset >= until.get() {
                return Sound { bytes, fault: None };
            }
            bytes += header.encoded_len();
            walk.step(&header);
        }
    }

    /// Says what a failed read at `from` means to the reader: a segment may have been removed meanwhile.
    pub(crate) fn explain(&self, stop: Stop, from: Offset) -> ReadError {
        match stop {
            _ if from < self.log_start.get() => ReadError::OutOfRange { asked: from, bounds: self.bounds() },
            Stop::Io(error) if error.kind() == io::ErrorKind::NotFound => {
                let segments = self.view();
                let at = segments.partition_point(|segment| segment.base() <= from).saturating_sub(1);
                let segment = segments[at].base();
                let next = self.readable_behind(segment);
                let damage = Damage { at: segment, next, segment, byte: 0, fault: Fault::Missing };
                self.quarantine(damage.clone());
                damage.into()
            }
            Stop::Damaged(damage) if damage.next <= damage.at => {
                Damage { next: self.readable_behind(damage.at), ..damage }.into()
            }
            stop => stop.into(),
        }
    }

    /// Where a reader goes on that cannot read `at`: at the next segment, or at the end.
    pub(crate) fn readable_behind(&self, at: Offset) -> Offset {
        let segments = self.view();
        let next = segments.partition_point(|segment| segment.base() <= at);
        segments.get(next).map_or_else(|| self.bounds().high_watermark, |segment| segment.base())
    }
}

/// The front of a piece that may be handed out, and what is wrong behind it.
struct Sound {
    bytes: usize,
    fault: Option<Fault>,
}
