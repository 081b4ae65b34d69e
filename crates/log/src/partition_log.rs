//! A partition's log as its owner holds it: its parts, its bounds, its end of life.
//!
//! Locks, always taken in this order: `compacting`, `checkpoint`, `writer`, `segments`, a segment's own state; `waiters`,
//! `undecided` last. Appends take the writer's alone and never wait for the disk; only the holder of `checkpoint` syncs.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use factum_types::{LeaderEpoch, Offset, Timestamp};
use parking_lot::{Mutex, RwLock};

use crate::active_file::{ActiveFile, UnsyncedFile};
use crate::checkpoint::{Checkpoint, Mark};
use crate::commit::SyncError;
use crate::compaction::{CompactionOptions, UnfinishedSwap};
use crate::damage::Damage;
use crate::environment::Environment;
use crate::epochs::Epochs;
use crate::index::SegmentIndex;
use crate::producers::Producers;
use crate::segment::Segment;
use crate::synced_end::Notes;
use crate::tail_cache::LogId;
use crate::transactions::{Isolation, UndecidedTransactions};
use crate::trouble::{Trouble, Troubles};
use crate::waiters::Waiters;

/// The file that holds the two checkpoint slots.
pub(crate) const CHECKPOINT: &str = "checkpoint";
/// The file that lists the leader epochs.
pub(crate) const EPOCHS: &str = "leader-epochs";

/// How one log keeps its records; may be changed while it is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// A segment that would grow beyond this many bytes is sealed; one batch always fits.
    pub segment_bytes: u64,
    /// A segment whose first batch was appended so long ago is sealed before the next; `None` sets no limit. After a
    /// start the time counts from the first append.
    pub segment_age: Option<Duration>,
    /// About every so many bytes a segment's index has an entry.
    pub index_interval_bytes: u32,
    /// Segments whose records are all older may be removed; `None` keeps them forever.
    pub retention: Option<Duration>,
    /// The oldest segments of a log larger than this may be removed; `None` sets no limit.
    pub retention_bytes: Option<u64>,
    /// How the log is compacted; `None` keeps every record for as long as its segment.
    pub compaction: Option<CompactionOptions>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            segment_bytes: 128 << 20,
            segment_age: None,
            index_interval_bytes: 64 << 10,
            retention: Some(Duration::from_secs(7 * 24 * 3600)),
            retention_bytes: None,
            compaction: None,
        }
    }
}

/// Where a log begins and ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The first offset kept.
    pub log_start: Offset,
    /// Behind the last durable record: readers see what is below.
    pub high_watermark: Offset,
    /// Behind the last record that is decided, as all before it: readers of committed records see what is below.
    /// Between the log start and the high watermark.
    pub stable: Offset,
    /// Behind the last record appended.
    pub log_end: Offset,
    /// The epoch that new batches get.
    pub leader_epoch: LeaderEpoch,
    /// Bytes of all segments.
    pub bytes: u64,
    /// Whether appends can succeed: not closed, not in quarantine, no sync failed, no commit stalled.
    pub is_writable: bool,
}

impl Bounds {
    /// Behind the last record that a reader is given.
    pub fn end_for(&self, isolation: Isolation) -> Offset {
        match isolation {
            Isolation::ReadUncommitted => self.high_watermark,
            Isolation::ReadCommitted => self.stable,
        }
    }
}

/// One segment, as an operator sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentInfo {
    /// Offset of the first record, and the file's name.
    pub base_offset: Offset,
    /// Offset after the last record.
    pub next_offset: Offset,
    /// Bytes of the `.log` file.
    pub bytes: u64,
    /// Greatest timestamp of its batches.
    pub max_timestamp: Timestamp,
}

/// One partition's log. A clone is the same log.
#[derive(Clone)]
pub struct PartitionLog(pub(crate) Arc<LogInner>);

/// What all clones of a log share.
pub(crate) struct LogInner {
    pub(crate) environment: Environment,
    pub(crate) id: LogId,
    pub(crate) dir: PathBuf,
    pub(crate) epochs: RwLock<Arc<Epochs>>,
    /// What recovery or a reader found damaged first; the log is then read-only.
    pub(crate) quarantine: OnceLock<Damage>,
    pub(crate) options: RwLock<Options>,
    /// In offset order, never empty, the last one active.
    pub(crate) segments: RwLock<Arc<Vec<Arc<Segment>>>>,
    pub(crate) log_start: OffsetCell,
    pub(crate) high_watermark: OffsetCell,
    /// The stable offset; may lag behind the high watermark for a moment, and never passes it.
    pub(crate) stable: OffsetCell,
    pub(crate) log_end: OffsetCell,
    pub(crate) bytes: AtomicU64,
    /// Whether appends are over; changed under the writer's lock.
    pub(crate) is_closed: AtomicBool,
    /// Changed under the writer's lock.
    pub(crate) undecided: Mutex<UndecidedTransactions>,
    pub(crate) writer: Mutex<Writer>,
    /// The one saved last. Its lock is the right to sync, to save another, and to remove segments.
    pub(crate) checkpoint: Mutex<Checkpoint>,
    /// Whether a new leader epoch must begin before the next append; changed under the checkpoint's lock.
    pub(crate) is_epoch_due: AtomicBool,
    /// Where the synced end is noted; written under the checkpoint's lock.
    pub(crate) notes: Notes,
    /// The right to compact: one pass at a time.
    pub(crate) compacting: Mutex<()>,
    /// Up to where the log is compacted; changed by the pass.
    pub(crate) compacted: OffsetCell,
    /// Taken by the holder of the checkpoint's lock.
    pub(crate) unfinished_swap: Mutex<Option<UnfinishedSwap>>,
    pub(crate) waiters: Mutex<Waiters>,
    /// The first sync that failed.
    pub(crate) failed: OnceLock<SyncError>,
    /// What keeps it from working for now.
    pub(crate) troubles: Troubles,
}

/// The end of the log, where batches are appended.
pub(crate) struct Writer {
    pub(crate) active: Arc<Segment>,
    pub(crate) file: Arc<ActiveFile>,
    /// Behind the last batch appended.
    pub(crate) end: Mark,
    /// Time does not run backwards here, whatever the clock says.
    pub(crate) last_append: Timestamp,
    /// The first append to the active segment since it was opened.
    pub(crate) first_append: Option<Timestamp>,
    pub(crate) producers: Producers,
    /// Segments sealed since the last commit; their last bytes may not be synced.
    pub(crate) sealed: Vec<SealedSegment>,
    /// Whether a part of a refused batch may lie behind the end.
    pub(crate) is_torn: bool,
    /// The smallest request, in logs, of which a batch waits for the next commit; `None` if none does.
    pub(crate) request: Option<NonZeroUsize>,
}

/// A segment that was active a moment ago.
pub(crate) struct SealedSegment {
    pub(crate) segment: Arc<Segment>,
    pub(crate) file: UnsyncedFile,
    pub(crate) index: Arc<SegmentIndex>,
    /// The producers' snapshot where it ended.
    pub(crate) producers: Vec<u8>,
}

impl PartitionLog {
    /// Where the log begins and ends at this moment.
    pub fn bounds(&self) -> Bounds {
        self.0.bounds()
    }

    /// What recovery or a reader found damaged, if the log is in quarantine.
    pub fn quarantine(&self) -> Option<&Damage> {
        self.0.quarantine.get()
    }

    /// The sync that failed, if one did: nothing more is acknowledged until the log is opened again.
    pub fn failure(&self) -> Option<&SyncError> {
        self.0.failed.get()
    }

    /// What keeps the log from working for now, although it has not failed; it ends by itself.
    pub fn trouble(&self) -> Option<Trouble> {
        self.0.troubles.current()
    }

    /// The greatest leader epoch not above `asked` and the offset where it ended (KIP-101); `None` if the log
    /// never knew an epoch as great.
    pub fn epoch_end(&self, asked: LeaderEpoch) -> Option<(LeaderEpoch, Offset)> {
        self.0.epochs().end_of(asked, self.0.log_end.get())
    }

    /// How the log keeps its records.
    pub fn options(&self) -> Options {
        *self.0.options.read()
    }

    /// Changes how the log keeps its records, from the next append or retention on.
    pub fn set_options(&self, options: Options) {
        *self.0.options.write() = options;
    }

    /// The directory that holds its files.
    pub fn dir(&self) -> &Path {
        &self.0.dir
    }

    /// Its segments in offset order, the active one last.
    pub fn segments(&self) -> Vec<SegmentInfo> {
        let describe = |segment: &Arc<Segment>| {
            let summary = segment.summary();
            SegmentInfo {
                base_offset: summary.base,
                next_offset: summary.next,
                bytes: summary.bytes,
                max_timestamp: summary.max_timestamp,
            }
        };
        self.0.view().iter().map(describe).collect()
    }
}

impl LogInner {
    pub(crate) fn bounds(&self) -> Bounds {
        let high_watermark = self.high_watermark.get();
        let log_start = self.log_start.get();
        Bounds {
            log_start,
            high_watermark,
            stable: self.stable.get().clamp(log_start.min(high_watermark), high_watermark),
            log_end: self.log_end.get().max(high_watermark),
            leader_epoch: self.epochs().current(),
            bytes: self.bytes.load(Ordering::Relaxed),
            is_writable: self.quarantine.get().is_none()
                && self.failed.get().is_none()
                && !self.is_closed()
                && self.troubles.commit().is_none(),
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Relaxed)
    }

    /// The segments at this moment.
    pub(crate) fn view(&self) -> Arc<Vec<Arc<Segment>>> {
        Arc::clone(&self.segments.read())
    }

    /// Which leader epoch ruled where.
    pub(crate) fn epochs(&self) -> Arc<Epochs> {
        Arc::clone(&self.epochs.read())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
}

/// An offset that one thread moves and others watch.
pub(crate) struct OffsetCell(AtomicI64);

impl OffsetCell {
    pub(crate) fn new(offset: Offset) -> Self {
        Self(AtomicI64::new(offset.get()))
    }

    pub(crate) fn get(&self) -> Offset {
        Offset::new(self.0.load(Ordering::Acquire))
    }

    pub(crate) fn set(&self, offset: Offset) {
        self.0.store(offset.get(), Ordering::Release);
    }
}
