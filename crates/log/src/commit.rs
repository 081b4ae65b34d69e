//! Making one log's appends durable, and telling who waits for that.
//!
//! Invariants
//! - The high watermark moves to an offset only after every byte before it was synced, and into a new segment
//!   only after the segment's name and a checkpoint that names it were synced as well.
//! - Between the sync and the high watermark the synced end is noted (`synced_end.rs`), so that no
//!   acknowledged batch is ever taken for a torn tail.
//! - A sync that failed is never tried again: the system may have dropped the bytes and call the next one a
//!   success. The log then acknowledges nothing more. That holds for a segment, for the checkpoint and for the
//!   directory that got a new segment's name, which may be lost in the same way.
//! - Nothing else is final. Whatever fails before a sync (no free descriptor, no space for the checkpoint) leaves
//!   the log as it was: the commit is stalled and tried again, and appends are refused until it gets through. Who
//!   waits goes on waiting, and is told after [`PATIENCE`] attempts.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use factum_types::Offset;

use crate::active_file::UnsyncedFile;
use crate::checkpoint::{self, Checkpoint, Mark};
use crate::committer::Progress;
use crate::disk::{Disk, remove_if_there, write_cache};
use crate::partition_log::{CHECKPOINT, LogInner, PartitionLog, SealedSegment, Writer};
use crate::segment::{Segment, State};
use crate::synced_end::SyncedEnd;
use crate::transactions::Isolation;
use crate::waiters::Waiter;

/// Why something appended may not be durable.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SyncError {
    /// The disk failed to sync. What was appended since the last sync may or may not survive a restart.
    #[error("the disk failed to sync")]
    Failed(#[source] Arc<io::Error>),
    /// The disk does not let the log sync for now, for want of a descriptor or of space. What was appended is not
    /// lost: it is tried again, and may become durable after this was said.
    #[error("the disk could not be asked to sync; it is tried again")]
    Stalled(#[source] Arc<io::Error>),
    /// The log was dropped before its committer came to it.
    #[error("the log was closed before it was synced")]
    Closed,
}

impl SyncError {
    /// Whether the same records may become durable, or be appended again, with no one doing anything to the log.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Stalled(_))
    }
}

/// Why something was not made durable.
#[derive(Debug)]
pub(crate) enum CommitError {
    /// A sync failed, which is final.
    Sync(io::Error),
    /// The disk refused what comes before a sync. Nothing is lost, and it may be tried again.
    Refused(io::Error),
}

impl From<CommitError> for io::Error {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Sync(error) | CommitError::Refused(error) => error,
        }
    }
}

/// Stalled commits in a row after which waiters get an error.
const PATIENCE: u32 = 20;

/// What one commit covers.
struct Round {
    /// Behind the last batch that it covers.
    end: Mark,
    active: Arc<Segment>,
    file: UnsyncedFile,
    sealed: Vec<SealedSegment>,
}

impl PartitionLog {
    /// Waits until the record at `last`, and all before it, is durable.
    ///
    /// The wait counts from the call, not from the first poll. Dropping the future loses nothing.
    ///
    /// # Errors
    /// [`SyncError`] if the disk failed before that, or the log was dropped.
    pub fn durable(
        &self,
        last: Offset,
    ) -> impl Future<Output = Result<(), SyncError>> + Send + 'static + use<> {
        let answer = {
            let mut waiters = self.0.waiters.lock();
            match self.0.failed.get() {
                _ if self.0.high_watermark.get() > last => Ok(None),
                Some(error) => Err(error.clone()),
                None => Ok(Some(waiters.add_durable(last))),
            }
        };
        async move {
            match answer? {
                Some(receiver) => receiver.await.unwrap_or(Err(SyncError::Closed)),
                None => Ok(()),
            }
        }
    }

    /// Whether what a reader is given reaches past `offset`; if not, `waiter` is woken when it does, or when the log
    /// fails or closes.
    ///
    /// Wakes once: register again after looking.
    pub fn wait_past(&self, offset: Offset, isolation: Isolation, waiter: &Arc<Waiter>) -> bool {
        let mut waiters = self.0.waiters.lock();
        let end = match isolation {
            Isolation::ReadUncommitted => &self.0.high_watermark,
            Isolation::ReadCommitted => &self.0.stable,
        };
        if end.get() > offset {
            return true;
        }
        waiters.add_reader(offset, isolation, waiter);
        false
    }

    /// Ends the log's life here: syncs what was appended, so that the next open finds all in order and needs
    /// no recovery. Appends fail from now on; reads go on. Closing again does nothing.
    ///
    /// # Errors
    /// [`SyncError`]; the next open then recovers as after a crash.
    pub fn close(&self) -> Result<(), SyncError> {
        let writer = self.0.writer.lock();
        if self.0.is_closed.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        drop(writer);
        self.0.commit(&mut self.0.checkpoint.lock());
        let closed = self.0.seal_off();
        let mut waiters = self.0.waiters.lock();
        if let Err(error) = &closed {
            waiters.refuse(error);
        }
        waiters.close();
        drop(waiters);
        let environment = &self.0.environment;
        environment.tail_cache.forget(self.0.id);
        environment.open_segments.forget_log(self.0.id);
        closed
    }
}

impl LogInner {
    /// Makes durable what was appended until now. Closing the log does it for one that is closed.
    pub(crate) fn commit_waiting(&self) -> Progress {
        let mut checkpoint = self.checkpoint.lock();
        if self.is_closed() { Progress::Done } else { self.commit(&mut checkpoint) }
    }

    fn commit(&self, checkpoint: &mut Checkpoint) -> Progress {
        if self.failed.get().is_some() {
            return Progress::Done;
        }
        if let Some(progress) = self.retry_new_epoch(checkpoint) {
            return progress;
        }
        let appends = self.retry_refused_append();
        let round = self.take_round();
        if round.sealed.is_empty() && round.end.offset == self.high_watermark.get() {
            return appends;
        }
        let durable = self.make_durable(&round, checkpoint);
        match durable.and_then(|()| self.note_synced(round.end)) {
            Ok(()) => self.reveal(&round),
            Err(CommitError::Sync(error)) => {
                self.fail(error);
                return Progress::Done;
            }
            Err(CommitError::Refused(error)) => {
                self.stall(round, error);
                return Progress::Stalled;
            }
        }
        for sealed in &round.sealed {
            self.store_caches(sealed);
        }
        appends
    }

    /// Gives up: what waits for this log waits in vain.
    pub(crate) fn fail(&self, error: io::Error) {
        tracing::error!(dir = %self.dir.display(), %error, "log has failed and takes no more appends");
        let error = self.failed.get_or_init(|| SyncError::Failed(Arc::new(error)));
        self.waiters.lock().fail(error);
    }

    /// Gives back what a commit could not make durable for now.
    fn stall(&self, round: Round, error: io::Error) {
        let error = Arc::new(error);
        self.writer.lock().sealed.splice(0..0, round.sealed);
        let stalls = self.troubles.commit_stalled(Arc::clone(&error));
        if stalls == 1 {
            let dir = self.dir.display();
            tracing::warn!(%dir, %error, "log cannot make appends durable for now and refuses more; trying again");
        }
        if stalls.is_multiple_of(PATIENCE) {
            self.waiters.lock().refuse(&SyncError::Stalled(error));
        }
    }

    fn take_round(&self) -> Round {
        let mut writer = self.writer.lock();
        writer.request = None;
        let sealed = std::mem::take(&mut writer.sealed);
        Round { end: writer.end, active: Arc::clone(&writer.active), file: writer.file.unsynced(), sealed }
    }

    fn make_durable(&self, round: &Round, checkpoint: &mut Checkpoint) -> Result<(), CommitError> {
        for sealed in &round.sealed {
            sealed.file.sync().map_err(CommitError::Sync)?;
        }
        round.file.sync().map_err(CommitError::Sync)?;
        if round.end.segment != checkpoint.recovery_point.segment {
            sync_dir(&*self.environment.disk, &self.dir)?;
            self.save(Checkpoint { recovery_point: round.end, clean: false, ..*checkpoint }, checkpoint)?;
        }
        Ok(())
    }

    /// Notes up to where all is synced: recovery takes nothing before it for a torn tail. Without it nothing is
    /// acknowledged, but all is durable, so that it may be tried again.
    fn note_synced(&self, mark: Mark) -> Result<(), CommitError> {
        let synced_end = SyncedEnd { mark, leader_epoch: self.epochs().current() };
        let path = self.path(CHECKPOINT);
        self.notes.write(&*self.environment.disk, &path, &synced_end).map_err(CommitError::Refused)
    }

    /// Makes `next` the checkpoint.
    pub(crate) fn save(&self, next: Checkpoint, checkpoint: &mut Checkpoint) -> Result<(), CommitError> {
        let next = Checkpoint { generation: checkpoint.generation + 1, ..next };
        checkpoint::save(&*self.environment.disk, &self.path(CHECKPOINT), &next)?;
        *checkpoint = next;
        Ok(())
    }

    /// Moves the high watermark: the bytes first, so that a reader that sees the offset sees what is below it.
    fn reveal(&self, round: &Round) {
        for sealed in &round.sealed {
            sealed.segment.reveal(sealed.index.summary.bytes);
        }
        round.active.reveal(round.end.position);
        let mut waiters = self.waiters.lock();
        self.high_watermark.set(round.end.offset);
        let stable = self.undecided.lock().stable(round.end.offset);
        self.stable.set(stable);
        waiters.pass(round.end.offset, stable);
        drop(waiters);
        if self.troubles.commit_worked() {
            tracing::info!(dir = %self.dir.display(), "log makes appends durable again");
        }
    }

    /// Stores what makes the next open quick. None of it is needed, so none of it can fail a commit.
    fn store_caches(&self, sealed: &SealedSegment) {
        let disk = &*self.environment.disk;
        let end = sealed.index.summary.next;
        let index = write_cache(disk, &sealed.segment.index_path(), &sealed.index.encode());
        if let Err(error) = index.and_then(|()| self.store_producers(end, &sealed.producers)) {
            tracing::warn!(dir = %self.dir.display(), %error, "could not store an index or a snapshot");
        }
    }

    /// Stores a snapshot of the producers and removes all but the newest two.
    fn store_producers(&self, end: Offset, snapshot: &[u8]) -> io::Result<()> {
        let disk = &*self.environment.disk;
        write_cache(disk, &self.path(&snapshot_name(end)), snapshot)?;
        let mut snapshots = snapshots(&disk.list(&self.dir)?);
        snapshots.truncate(snapshots.len().saturating_sub(2));
        for old in snapshots {
            remove_if_there(disk, &self.path(&snapshot_name(old)))?;
        }
        Ok(())
    }

    /// The last acts of a log that was closed with all synced: caches, then the checkpoint that vouches.
    fn seal_off(&self) -> Result<(), SyncError> {
        let mut checkpoint = self.checkpoint.lock();
        if let Some(error) = self.failed.get() {
            return Err(error.clone());
        }
        if self.quarantine.get().is_some() {
            return Ok(());
        }
        let mut writer = self.writer.lock();
        if let Some(error) = self.troubles.commit() {
            return Err(SyncError::Stalled(error));
        }
        let clean = Checkpoint { recovery_point: writer.end, clean: true, ..*checkpoint };
        if clean == *checkpoint {
            return Ok(());
        }
        let stored = self.cut_torn_tail(&mut writer).and_then(|()| self.store_active(&writer));
        match stored.map_err(CommitError::Refused).and_then(|()| self.save(clean, &mut checkpoint)) {
            Ok(()) => Ok(()),
            Err(CommitError::Sync(error)) => Err(SyncError::Failed(Arc::new(error))),
            Err(CommitError::Refused(error)) => Err(SyncError::Stalled(Arc::new(error))),
        }
    }

    fn store_active(&self, writer: &Writer) -> io::Result<()> {
        let index = match &*writer.active.state().read() {
            State::Active { index, .. } => index.encode(),
            State::Sealed(_) | State::Replaced(..) => unreachable!("the writer's segment is the active one"),
        };
        write_cache(&*self.environment.disk, &writer.active.index_path(), &index)?;
        self.store_producers(writer.end.offset, &writer.producers.encode(writer.end.offset))
    }
}

/// Makes the names in `dir` durable. That its directory cannot be opened is no failed sync.
pub(crate) fn sync_dir(disk: &dyn Disk, dir: &Path) -> Result<(), CommitError> {
    let dir = disk.open_dir(dir).map_err(CommitError::Refused)?;
    dir.sync().map_err(CommitError::Sync)
}

const SNAPSHOT_PREFIX: &str = "producers.";

/// The name of the snapshot taken where the log ended at `end`.
pub(crate) fn snapshot_name(end: Offset) -> String {
    format!("{SNAPSHOT_PREFIX}{:020}", end.get())
}

/// Where the snapshots among `names` were taken, in rising order.
pub(crate) fn snapshots(names: &[String]) -> Vec<Offset> {
    let end_of =
        |name: &String| name.strip_prefix(SNAPSHOT_PREFIX)?.parse().ok().filter(|end: &i64| *end >= 0);
    let mut ends: Vec<_> = names.iter().filter_map(end_of).map(Offset::new).collect();
    ends.sort_unstable();
    ends
}
