//! Log compaction: of the records of a key, the latest stays (KIP-58, KIP-98, KIP-354, KIP-534).
//!
//! ```text
//!   log start            compacted up to                        stable offset
//!      ├── each key at most once ──┼────────── dirty ─────────────┼── active ──┤
//!      │      rewritten against the latest offsets of the dirty keys           │
//! ```
//!
//! One pass takes the latest offset of each key in the dirty part, as far as memory reaches, and rewrites all sealed
//! segments from the log start on without the records that are superseded, and without those of aborted transactions.
//! Small neighbours become one segment. Batches that lose nothing are copied byte by byte.
//!
//! Invariants
//! - A record with a key goes only if a later one of the key stays, or if it is a tombstone whose delete horizon has
//!   passed. A record without a key stays, and so does a batch whose records cannot be read.
//! - Offsets stay what they are, and dense: a gap batch holds those of batches that are gone
//!   (`factum_types::batch::gap`). So a gap between two batches is damage in every segment, compacted or not.
//! - The pass rewrites segments in their order and ends where one cannot be put in its place: what a tombstone in a later
//!   segment removes is gone before its delete horizon is set.
//! - A transaction's marker stays for as long as any of its records does, as a snapshot of producers that does not know
//!   of it, and as it is the last of its producer.
//! - A log that is damaged is left as it is, as by retention.
//!
//! Not here: when and how fast; the caller has the clock and the thread, and slows a pass down (`pace`).

mod decision;
mod key_map;
mod pass;
mod segment_writer;
mod swap;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Buf;
use factum_types::{Offset, Timestamp};

use crate::checkpoint::get_offset;
use crate::checksum::{self, Kind};
use crate::damage::Damage;
use crate::disk::{Disk, read_file, write_cache};
use crate::index::{Place, SegmentIndex};
use crate::partition_log::{LogInner, PartitionLog};
use crate::read::ReadError;
use crate::segment::Segment;
use crate::walk::Walk;

pub(crate) use swap::UnfinishedSwap;

/// The file that says up to where a log is compacted; a cache.
pub(crate) const COMPACTED: &str = "compacted";
const KIND: Kind = *b"FCTCOMP1";

/// How a log is compacted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompactionOptions {
    /// Records younger than this are left alone, and so are all behind them (`min.compaction.lag.ms`).
    pub min_lag: Duration,
    /// Records older than this are compacted however little is dirty (`max.compaction.lag.ms`); `None` sets no limit.
    pub max_lag: Option<Duration>,
    /// How long tombstones and markers stay after the pass that removed what they are about (`delete.retention.ms`).
    pub delete_retention: Duration,
    /// A pass is due when this much of the bytes that could be compacted is dirty, in millionths
    /// (`min.cleanable.dirty.ratio`).
    pub min_dirty_millionths: u32,
}

impl Default for CompactionOptions {
    fn default() -> Self {
        Self {
            min_lag: Duration::ZERO,
            max_lag: None,
            delete_retention: Duration::from_secs(24 * 3600),
            min_dirty_millionths: 500_000,
        }
    }
}

/// How much of a log there is to compact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompactionState {
    /// Bytes of the segments that were compacted.
    pub clean_bytes: u64,
    /// Bytes of the segments that could be compacted now and were not.
    pub dirty_bytes: u64,
    /// Whether a pass is due.
    pub is_due: bool,
}

impl CompactionState {
    /// How much is dirty, in millionths.
    pub fn dirty_millionths(&self) -> u32 {
        let all = u128::from(self.clean_bytes) + u128::from(self.dirty_bytes);
        let millionths = (u128::from(self.dirty_bytes) * 1_000_000).checked_div(all).unwrap_or(0);
        u32::try_from(millionths).expect("it is a part of the whole")
    }
}

/// A pass over a log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CompactionResult {
    /// Behind the last record whose key was looked at; the next pass goes on there.
    pub until: Offset,
    /// Bytes of all segments that were read for rewriting.
    pub bytes_before: u64,
    /// Bytes of what they have become.
    pub bytes_after: u64,
    /// Segments before.
    pub segments_before: usize,
    /// Segments after.
    pub segments_after: usize,
    /// Records that were removed, markers included.
    pub removed_records: u64,
    /// Records that stay because they have no key.
    pub keyless_records: u64,
    /// Batches that stay because their records cannot be read, although their checksum is right.
    pub unreadable_batches: u64,
}

/// Why a pass ended early. What it did until then stays done, and it may be tried again.
#[derive(Debug, thiserror::Error)]
pub enum CompactError {
    /// The caller stopped it.
    #[error("the compaction was stopped")]
    Stopped,
    /// The log was closed.
    #[error("the log is closed")]
    Closed,
    /// The log takes no appends: it has failed, or it is damaged.
    #[error("the log is read-only")]
    ReadOnly,
    /// Retention removed a segment that was being compacted.
    #[error("a segment was removed meanwhile")]
    Removed,
    /// Bytes on disk are not what was written; the log is read-only from now on.
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// The disk refused.
    #[error("compact the log")]
    Io(#[from] io::Error),
}

impl From<ReadError> for CompactError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Damaged(damage) => Self::Damaged(damage),
            ReadError::Io(error) => Self::Io(error),
            ReadError::OutOfRange { .. } => Self::Removed,
            ReadError::Cancelled => Self::Stopped,
        }
    }
}

impl From<CompactError> for io::Error {
    fn from(error: CompactError) -> Self {
        match error {
            CompactError::Io(error) => error,
            other => Self::other(other),
        }
    }
}

impl PartitionLog {
    /// How much there is to compact at `now`; `None` for a log whose options do not ask for it, or that takes no appends.
    /// Reads one batch from the disk if the options limit how long a record may wait.
    ///
    /// # Errors
    /// Any error of the disk.
    pub fn compaction_state(&self, now: Timestamp) -> io::Result<Option<CompactionState>> {
        let log = &*self.0;
        let Some(options) = self.options().compaction.filter(|_| log.check_may_compact().is_ok()) else {
            return Ok(None);
        };
        let cleanable = log.cleanable(now, &options);
        let compacted = log.compacted.get();
        let (clean, dirty): (Vec<_>, Vec<_>) =
            cleanable.iter().partition(|segment| segment.summary().next <= compacted);
        let bytes_of = |segments: &[&Arc<Segment>]| -> u64 {
            segments.iter().map(|segment| segment.summary().bytes).sum()
        };
        let mut state =
            CompactionState { clean_bytes: bytes_of(&clean), dirty_bytes: bytes_of(&dirty), is_due: false };
        state.is_due = !dirty.is_empty() && state.dirty_millionths() >= options.min_dirty_millionths;
        let Some(latest) = options.max_lag.filter(|_| !state.is_due).map(|lag| now.minus(lag)) else {
            return Ok(Some(state));
        };
        state.is_due = match dirty.first() {
            Some(oldest) => log.first_time(oldest)? < latest,
            None => log.writer.lock().was_begun_before(latest),
        };
        Ok(Some(state))
    }

    /// Runs one pass, due or not; nothing if nothing is dirty. The active segment is sealed first if its first record has
    /// waited for too long. Blocks on the disk, for as long as it takes to read the
    /// log and to write it again.
    ///
    /// Takes at most `memory` bytes for the latest offsets of keys, about 45 for each, and twice the largest batch
    /// unpacked. `pace` is told every 256 KiB or so how many bytes were read, may wait, and says whether to go on.
    ///
    /// # Errors
    /// [`CompactError`].
    pub fn compact(
        &self,
        now: Timestamp,
        memory: usize,
        pace: &mut dyn FnMut(u64) -> bool,
    ) -> Result<CompactionResult, CompactError> {
        let log = &*self.0;
        let _only_pass = log.compacting.lock();
        log.check_may_compact()?;
        let Some(options) = self.options().compaction else { return Ok(CompactionResult::default()) };
        if let Some(latest) = options.max_lag.map(|lag| now.minus(lag)) {
            self.roll_if(|writer| writer.was_begun_before(latest))?;
        }
        let checkpoint = log.checkpoint.lock();
        log.finish_swap(&checkpoint)?;
        drop(checkpoint);
        let cleanable = log.cleanable(now, &options);
        let compacted = log.compacted.get();
        if cleanable.last().is_none_or(|last| last.summary().next <= compacted) {
            return Ok(CompactionResult { until: compacted, ..CompactionResult::default() });
        }
        let result = pass::run(log, options, now, memory, pace, &cleanable)?;
        log.compacted.set(result.until);
        log.store_compacted(result.until);
        Ok(result)
    }
}

impl LogInner {
    pub(crate) fn check_may_compact(&self) -> Result<(), CompactError> {
        if self.is_closed() {
            return Err(CompactError::Closed);
        }
        if self.quarantine.get().is_some() || self.failed.get().is_some() {
            return Err(CompactError::ReadOnly);
        }
        Ok(())
    }

    /// The segments that may be compacted: those before the recovery segment that are decided and old enough.
    fn cleanable(&self, now: Timestamp, options: &CompactionOptions) -> Vec<Arc<Segment>> {
        let durable = self.checkpoint.lock().recovery_point.segment;
        let stable = self.bounds().stable;
        let youngest = now.minus(options.min_lag);
        let is_cleanable = |segment: &&Arc<Segment>| {
            segment.date(now);
            let summary = segment.summary();
            summary.base < durable && summary.next <= stable && summary.latest() <= youngest
        };
        self.view().iter().take_while(is_cleanable).cloned().collect()
    }

    /// When the first record of a segment was made, but no later than the segment's last append.
    fn first_time(&self, segment: &Segment) -> io::Result<Timestamp> {
        let start = |_: &SegmentIndex| Place { offset: segment.base(), position: 0 };
        let source = self.source(segment, start)?;
        let mut walk = Walk::new(&*source.file, segment.base(), None, source.place, segment.readable(), 0);
        let time = walk.header().ok().flatten().map_or(Timestamp::NONE, |header| header.max_timestamp);
        let appended_at = segment.summary().appended_at;
        Ok(if time < Timestamp::from_millis(0) { appended_at } else { time.min(appended_at) })
    }

    /// Keeps up to where the log is compacted, which is a cache: a failure costs a pass that finds little to do.
    fn store_compacted(&self, until: Offset) {
        let _right_to_touch_files = self.checkpoint.lock();
        if self.is_closed() {
            return;
        }
        let bytes = checksum::seal(KIND, &until.get().to_be_bytes());
        if let Err(error) = write_cache(&*self.environment.disk, &self.path(COMPACTED), &bytes) {
            tracing::warn!(dir = %self.dir.display(), %error, "could not store up to where the log is compacted");
        }
    }
}

/// Up to where the log in `dir`, which ends at `end`, is compacted, as far as that is known.
pub(crate) fn load_compacted(disk: &dyn Disk, dir: &Path, end: Offset) -> io::Result<Offset> {
    let stored = read_file(disk, &dir.join(COMPACTED))?;
    let decode = |bytes: &Vec<u8>| {
        let mut payload = checksum::unseal(KIND, bytes)?;
        get_offset(&mut payload).filter(|until| !payload.has_remaining() && *until <= end)
    };
    Ok(stored.as_ref().and_then(decode).unwrap_or(Offset::ZERO))
}
