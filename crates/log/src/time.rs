//! Finding records by their time.
//!
//! Segments and index entries know the greatest timestamp before them, so only the batches of one index
//! interval are looked at, and of those only one is decoded: times within a batch are known to its records
//! alone.

use bytes::Bytes;
use factum_types::{BatchHeader, Offset, Timestamp, record};

use crate::partition_log::{PartitionLog, Shared};
use crate::read::ReadError;
use crate::segment::Segment;
use crate::walk::{Stop, Walk};

const READ_AHEAD: usize = 64 << 10;
/// A batch that unpacks to more than this is not looked into; its first record stands for it.
const DECODED_BYTES: usize = 256 << 20;

impl PartitionLog {
    /// The first record at or after `time` that readers may see, with its own time; `None` if there is none.
    ///
    /// # Errors
    /// [`ReadError::Damaged`] or [`ReadError::Io`] if the batches in question cannot be read.
    pub fn offset_for_time(&self, time: Timestamp) -> Result<Option<(Offset, Timestamp)>, ReadError> {
        let log = &*self.0;
        let until = log.high_watermark.get();
        for segment in log.view().iter() {
            let summary = segment.summary();
            if summary.next <= log.log_start.get() || summary.max_timestamp < time || summary.base >= until {
                continue;
            }
            let found = log.search(segment, time, until).map_err(|stop| log.explain(stop, summary.base))?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// The first record with the greatest timestamp that readers may see; `None` if no record has one.
    ///
    /// # Errors
    /// As [`PartitionLog::offset_for_time`].
    pub fn max_timestamp(&self) -> Result<Option<(Offset, Timestamp)>, ReadError> {
        let log = &*self.0;
        let until = log.high_watermark.get();
        let mut greatest = Timestamp::NONE;
        for segment in log.view().iter().filter(|segment| segment.base() < until) {
            let summary = segment.summary();
            if summary.next <= log.log_start.get() || summary.max_timestamp <= greatest {
                continue;
            }
            let is_visible = log.log_start.get() <= summary.base && summary.next <= until;
            let visible = if is_visible { Ok(summary.max_timestamp) } else { log.max_within(segment, until) };
            let visible = visible.map_err(|stop| log.explain(stop, summary.base))?;
            greatest = greatest.max(visible);
        }
        if greatest == Timestamp::NONE { Ok(None) } else { self.offset_for_time(greatest) }
    }
}

impl Shared {
    /// The first record of `segment` below `until` at or after `time`.
    fn search(
        &self,
        segment: &Segment,
        time: Timestamp,
        until: Offset,
    ) -> Result<Option<(Offset, Timestamp)>, Stop> {
        let log_start = self.log_start.get();
        let source = self.source(segment, |index| index.before_time(time))?;
        let (file, epochs) = (&*source.file, Some(&self.epochs));
        let mut walk = Walk::new(file, segment.base(), epochs, source.place, segment.readable(), READ_AHEAD);
        while let Some(header) = walk.header()?.filter(|header| header.base_offset < until.get()) {
            if header.max_timestamp >= time && header.last_offset() >= log_start.get() {
                let Some((_, bytes)) = walk.verified()? else { break };
                let found = first_in(&header, &Bytes::copy_from_slice(bytes), time, log_start);
                if found.is_some() {
                    return Ok(found);
                }
            }
            walk.step(&header);
        }
        Ok(None)
    }

    /// The greatest timestamp of the records of `segment` from the log start on and below `until`.
    fn max_within(&self, segment: &Segment, until: Offset) -> Result<Timestamp, Stop> {
        let log_start = self.log_start.get();
        let source = self.source(segment, |index| index.floor(log_start))?;
        let (file, epochs) = (&*source.file, Some(&self.epochs));
        let mut walk = Walk::new(file, segment.base(), epochs, source.place, segment.readable(), READ_AHEAD);
        let mut greatest = Timestamp::NONE;
        while let Some(header) = walk.header()?.filter(|header| header.base_offset < until.get()) {
            if header.base_offset >= log_start.get() {
                greatest = greatest.max(header.max_timestamp);
            } else if let Some((_, bytes)) = walk.verified()? {
                greatest = greatest.max(max_from(bytes, log_start));
            }
            walk.step(&header);
        }
        Ok(greatest)
    }
}

/// The greatest timestamp of the records of one batch from `log_start` on.
fn max_from(batch: &[u8], log_start: Offset) -> Timestamp {
    let records = record::decode(&Bytes::copy_from_slice(batch), DECODED_BYTES).unwrap_or_default();
    let kept = records.into_iter().filter(|record| record.offset >= log_start);
    kept.map(|record| record.timestamp).max().unwrap_or(Timestamp::NONE)
}

/// The first record of one batch at or after both `time` and `log_start`.
fn first_in(
    header: &BatchHeader,
    batch: &Bytes,
    time: Timestamp,
    log_start: Offset,
) -> Option<(Offset, Timestamp)> {
    let Ok(records) = record::decode(batch, DECODED_BYTES) else {
        // Its checksum fits: what a client sent cannot be read as records, or is too large to look into.
        return Some((Offset::new(header.base_offset).max(log_start), header.max_timestamp));
    };
    let found = records.into_iter().find(|record| record.timestamp >= time && record.offset >= log_start);
    found.map(|record| (record.offset, record.timestamp))
}
