//! Forgetting: whole segments from the front, by age, by size, or because the owner said so.
//!
//! Invariants: the log start is durable in the checkpoint before a file is removed, so that a crash leaves
//! at worst files below the log start, which the next open removes. Offsets are never used again. A log that
//! is closed touches no file: its directory may be gone, or another log's by now.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use factum_types::{Offset, Timestamp};

use crate::checkpoint::Checkpoint;
use crate::commit::CommitError;
use crate::committer::Progress;
use crate::damage::Damage;
use crate::disk::remove_if_there;
use crate::partition_log::{Bounds, LogInner, Options, PartitionLog, Writer};
use crate::segment::Segment;

/// A producer that appended nothing for so long may start over with any sequence number.
const PRODUCER_EXPIRY: Duration = Duration::from_secs(24 * 3600);

/// What was removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RetentionResult {
    /// Segments removed.
    pub segments: usize,
    /// Their bytes.
    pub bytes: u64,
}

/// Why retention stopped. It may be tried again.
#[derive(Debug, thiserror::Error)]
pub enum RetainError {
    /// The disk refused.
    #[error("remove expired segments")]
    Io(#[from] io::Error),
}

/// Why the log start was not advanced.
#[derive(Debug, thiserror::Error)]
pub enum TruncateError {
    /// Past the high watermark.
    #[error("offset {asked} is past the high watermark {}", bounds.high_watermark)]
    OutOfRange {
        /// The offset asked for.
        asked: Offset,
        /// What the log holds.
        bounds: Bounds,
    },
    /// The log is read-only: what recovery found is left as it is.
    #[error("the log is in quarantine")]
    Quarantined(#[source] Damage),
    /// The log was closed.
    #[error("the log is closed")]
    Closed,
    /// The disk refused.
    #[error("advance the log start")]
    Io(#[from] io::Error),
}

impl PartitionLog {
    /// Removes segments that the options let go, the active one too if all in it has expired.
    ///
    /// A record counts as old as its timestamp says, but no younger than its append. Producers that appended
    /// nothing for a day are forgotten. Does nothing to a log that takes no appends. Blocks on the disk.
    ///
    /// # Errors
    /// [`RetainError`]; what was removed until then stays removed.
    pub fn retain(&self, now: Timestamp) -> Result<RetentionResult, RetainError> {
        let log = &*self.0;
        if !log.bounds().is_writable {
            return Ok(RetentionResult::default());
        }
        let options = self.options();
        log.writer.lock().producers.expire(now, PRODUCER_EXPIRY);
        log.view().iter().for_each(|segment| segment.date(now));
        self.roll_if(|writer| is_expired(&writer.active, now, &options))?;
        let start = log.expired_until(now, &options);
        Ok(log.start_at(start)?)
    }

    /// Makes `start` the first offset kept (Kafka's `DeleteRecords`) and removes the segments wholly below it.
    /// A `start` below the log start changes nothing. Blocks on the disk.
    ///
    /// # Errors
    /// [`TruncateError`]; the log start may have advanced all the same if the disk failed to remove a file.
    pub fn truncate_before(&self, start: Offset) -> Result<RetentionResult, TruncateError> {
        let log = &*self.0;
        if let Some(damage) = log.quarantine.get() {
            return Err(TruncateError::Quarantined(damage.clone()));
        }
        if log.is_closed() {
            return Err(TruncateError::Closed);
        }
        let bounds = log.bounds();
        if start > bounds.high_watermark {
            return Err(TruncateError::OutOfRange { asked: start, bounds });
        }
        self.roll_if(|writer| writer.active.summary().next <= start)?;
        Ok(log.start_at(start)?)
    }

    /// Seals the active segment if it holds something and `should` says so, and makes that durable.
    pub(crate) fn roll_if(&self, should: impl Fn(&Writer) -> bool) -> io::Result<()> {
        let mut writer = self.0.writer.lock();
        if self.0.is_closed() || writer.end.position == 0 || !should(&writer) {
            return Ok(());
        }
        self.0.roll(&mut writer)?;
        drop(writer);
        if self.0.commit_waiting() == Progress::Stalled {
            self.0.environment.committer.retry_later(&self.0);
        }
        Ok(())
    }
}

impl LogInner {
    /// Where the log may start by its options; only what is durable may go, and nothing from the first record of an
    /// open transaction on.
    fn expired_until(&self, now: Timestamp, options: &Options) -> Offset {
        let segments = self.view();
        let stable = self.bounds().stable;
        let mut start = self.log_start.get();
        let mut left = self.bytes.load(Ordering::Relaxed);
        for segment in &segments[..segments.len() - 1] {
            let summary = segment.summary();
            let fits = options.retention_bytes.is_none_or(|limit| left.saturating_sub(summary.bytes) < limit);
            if summary.next > stable || (fits && !is_expired(segment, now, options)) {
                break;
            }
            left = left.saturating_sub(summary.bytes);
            start = start.max(summary.next);
        }
        start
    }

    fn start_at(&self, start: Offset) -> io::Result<RetentionResult> {
        let dropped = self.drop_below(start)?;
        for segment in &dropped {
            self.environment.open_segments.forget(self.id, segment.base());
            self.remove_files(segment)?;
        }
        let bytes = dropped.iter().map(|segment| segment.summary().bytes).sum();
        Ok(RetentionResult { segments: dropped.len(), bytes })
    }

    /// Removes the files of a segment that is out of sight. Closing waits for the same lock, so that no removal
    /// outlasts it.
    fn remove_files(&self, segment: &Segment) -> io::Result<()> {
        let _right_to_remove = self.checkpoint.lock();
        if self.is_closed() {
            return Ok(());
        }
        remove_if_there(&*self.environment.disk, &segment.path())?;
        remove_if_there(&*self.environment.disk, &segment.index_path())
    }

    /// Makes `start` the log start, durably, and takes the segments below it out of sight.
    fn drop_below(&self, start: Offset) -> io::Result<Vec<Arc<Segment>>> {
        let mut checkpoint = self.checkpoint.lock();
        if self.is_closed() {
            return Ok(Vec::new());
        }
        // A segment that does not have its name yet could not be removed with what it replaces.
        self.finish_swap(&checkpoint)?;
        if start > checkpoint.log_start {
            match self.save(Checkpoint { log_start: start, ..*checkpoint }, &mut checkpoint) {
                Ok(()) => self.log_start.set(start),
                Err(CommitError::Refused(error)) => return Err(error),
                Err(CommitError::Sync(error)) => {
                    let told = io::Error::new(error.kind(), error.to_string());
                    self.fail(error);
                    return Err(told);
                }
            }
        }
        let durable = checkpoint.recovery_point.segment;
        let mut segments = self.segments.write();
        let is_below = |segment: &&Arc<Segment>| segment.base() < durable && segment.summary().next <= start;
        let count = segments.iter().take_while(is_below).count();
        let dropped = segments[..count].to_vec();
        *segments = Arc::new(segments[count..].to_vec());
        let bytes: u64 = dropped.iter().map(|segment| segment.summary().bytes).sum();
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        Ok(dropped)
    }
}

fn is_expired(segment: &Segment, now: Timestamp, options: &Options) -> bool {
    let Some(retention) = options.retention else { return false };
    segment.summary().latest() < now.minus(retention)
}
