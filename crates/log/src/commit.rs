//! Making one log's appends durable, and telling who waits for that.
//!
//! Always holds
//! - The high watermark moves to an offset only after every byte before it was synced, and into a new segment
//!   only after the segment's name and a checkpoint that names it were synced as well.
//! - A sync that failed is never tried again: the system may have dropped the bytes and call the next one a
//!   success. The log then acknowledges nothing more.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use factum_types::Offset;

use crate::checkpoint::{self, Checkpoint, Mark};
use crate::disk::{DiskFile, remove_if_there, write_cache};
use crate::partition_log::{CHECKPOINT, JustSealed, PartitionLog, Shared, Writer};
use crate::segment::{Segment, State};
use crate::waiters::Waiter;

/// Why something appended may not be durable.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SyncError {
    /// The disk failed to sync. What was appended since the last sync may or may not survive a restart.
    #[error("the disk failed to sync")]
    Failed(#[source] Arc<io::Error>),
    /// The log was dropped before its committer came to it.
    #[error("the log was closed before it was synced")]
    Closed,
}

/// What one commit covers.
struct Round {
    /// Behind the last batch that it covers.
    end: Mark,
    active: Arc<Segment>,
    file: Arc<dyn DiskFile>,
    sealed: Vec<JustSealed>,
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

    /// Whether the high watermark is past `offset`; if not, `waiter` is woken when it is, or when the log fails
    /// or closes.
    ///
    /// Wakes once: register again after looking.
    pub fn wait_past(&self, offset: Offset, waiter: &Arc<Waiter>) -> bool {
        let mut waiters = self.0.waiters.lock();
        if self.0.high_watermark.get() > offset {
            return true;
        }
        waiters.add_reader(offset, waiter);
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
        self.0.commit();
        let closed = self.0.seal_off();
        self.0.waiters.lock().close();
        let environment = &self.0.environment;
        environment.tail_cache.forget(self.0.id);
        environment.open_segments.forget_log(self.0.id);
        closed
    }
}

impl Shared {
    /// Makes durable what was appended until now.
    pub(crate) fn commit(&self) {
        let mut checkpoint = self.checkpoint.lock();
        let round = self.take_round();
        let is_idle = round.sealed.is_empty() && round.end.offset == self.high_watermark.get();
        if is_idle || self.failed.get().is_some() {
            return;
        }
        match self.make_durable(&round, &mut checkpoint) {
            Ok(()) => self.reveal(&round),
            Err(error) => return self.fail(error),
        }
        for sealed in &round.sealed {
            self.store_caches(sealed);
        }
    }

    /// Gives up: what waits for this log waits in vain.
    pub(crate) fn fail(&self, error: io::Error) {
        tracing::error!(dir = %self.dir.display(), %error, "log has failed and takes no more appends");
        let error = self.failed.get_or_init(|| SyncError::Failed(Arc::new(error)));
        self.waiters.lock().fail(error);
    }

    fn take_round(&self) -> Round {
        let mut writer = self.writer.lock();
        self.is_queued.store(false, Ordering::Relaxed);
        let sealed = std::mem::take(&mut writer.sealed);
        Round { end: writer.end, active: Arc::clone(&writer.active), file: Arc::clone(&writer.file), sealed }
    }

    fn make_durable(&self, round: &Round, checkpoint: &mut Checkpoint) -> io::Result<()> {
        for sealed in &round.sealed {
            sealed.file.set_len(sealed.index.summary.bytes)?;
            sealed.file.sync()?;
        }
        round.file.sync()?;
        if round.end.segment != checkpoint.recovery_point.segment {
            self.environment.disk.sync_dir(&self.dir)?;
            self.save(Checkpoint { recovery_point: round.end, clean: false, ..*checkpoint }, checkpoint)?;
        }
        Ok(())
    }

    /// Makes `next` the checkpoint.
    pub(crate) fn save(&self, next: Checkpoint, checkpoint: &mut Checkpoint) -> io::Result<()> {
        let next = Checkpoint { generation: checkpoint.generation + 1, ..next };
        checkpoint::save(&*self.environment.disk, &self.path(CHECKPOINT), &next)?;
        *checkpoint = next;
        Ok(())
    }

    /// Moves the high watermark: the bytes first, so that whoever sees the offset sees what is below it.
    fn reveal(&self, round: &Round) {
        for sealed in &round.sealed {
            sealed.segment.reveal(sealed.index.summary.bytes);
        }
        round.active.reveal(round.end.position);
        let mut waiters = self.waiters.lock();
        self.high_watermark.set(round.end.offset);
        waiters.pass(round.end.offset);
    }

    /// Stores what makes the next open quick. None of it is needed, so none of it can fail a commit.
    fn store_caches(&self, sealed: &JustSealed) {
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
        if self.quarantine.is_some() {
            return Ok(());
        }
        let mut writer = self.writer.lock();
        let clean = Checkpoint { recovery_point: writer.end, clean: true, ..*checkpoint };
        if clean == *checkpoint {
            return Ok(());
        }
        let trimmed = writer.trim().and_then(|()| self.store_active(&writer));
        let stored = trimmed.and_then(|()| self.save(clean, &mut checkpoint));
        stored.map_err(|error| SyncError::Failed(Arc::new(error)))
    }

    fn store_active(&self, writer: &Writer) -> io::Result<()> {
        let index = match &*writer.active.state().read() {
            State::Active { index, .. } => index.encode(),
            State::Sealed(_) => unreachable!("the writer's segment is the active one"),
        };
        write_cache(&*self.environment.disk, &writer.active.index_path(), &index)?;
        self.store_producers(writer.end.offset, &writer.producers.encode(writer.end.offset))
    }
}

impl Writer {
    /// Takes away what the file has behind the last batch.
    fn trim(&mut self) -> io::Result<()> {
        if self.file_bytes == self.end.position {
            return Ok(());
        }
        self.file.set_len(self.end.position)?;
        self.file.sync()?;
        self.file_bytes = self.end.position;
        Ok(())
    }
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
