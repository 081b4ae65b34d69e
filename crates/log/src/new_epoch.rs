//! The leader epoch that begins where a log was opened that was not closed.
//!
//! Invariant: nothing is appended before the list of epochs that names the new one is durable. That takes a few
//! hundred bytes of disk. If the disk refuses them, the log is open all the same: it is read, it can be
//! described, and it refuses appends for a reason ([`crate::Trouble::Commit`]), until the committer gets them
//! through.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::checkpoint::Checkpoint;
use crate::commit::CommitError;
use crate::committer::Progress;
use crate::epochs::Epochs;
use crate::partition_log::{EPOCHS, LogInner};

impl LogInner {
    /// Begins the new epoch, or has the committer do it when the disk allows.
    ///
    /// # Errors
    /// A sync that failed.
    pub(crate) fn begin_epoch_or_stall(self: &Arc<Self>) -> io::Result<()> {
        let mut checkpoint = self.checkpoint.lock();
        match self.begin_epoch(&mut checkpoint) {
            Ok(()) => Ok(()),
            Err(CommitError::Sync(error)) => Err(error),
            Err(CommitError::Refused(error)) => {
                let dir = self.dir.display();
                tracing::warn!(%dir, %error, "log is open and read-only: it cannot begin a leader epoch; trying again");
                self.is_epoch_due.store(true, Ordering::Release);
                self.troubles.commit_stalled(Arc::new(error));
                self.environment.committer.retry_later(self);
                Ok(())
            }
        }
    }

    /// Begins the new epoch if that is still to be done; what came of it, unless the commit can go on.
    pub(crate) fn retry_new_epoch(&self, checkpoint: &mut Checkpoint) -> Option<Progress> {
        if !self.is_epoch_due.load(Ordering::Acquire) {
            return None;
        }
        match self.begin_epoch(checkpoint) {
            Ok(()) => {
                self.is_epoch_due.store(false, Ordering::Release);
                self.troubles.commit_worked();
                tracing::info!(dir = %self.dir.display(), "log has begun its leader epoch and takes appends");
                None
            }
            Err(CommitError::Sync(error)) => {
                self.fail(error);
                Some(Progress::Done)
            }
            Err(CommitError::Refused(error)) => {
                self.troubles.commit_stalled(Arc::new(error));
                Some(Progress::Stalled)
            }
        }
    }

    /// Makes the new epoch durable, then a checkpoint of what recovery found.
    fn begin_epoch(&self, checkpoint: &mut Checkpoint) -> Result<(), CommitError> {
        let end = self.writer.lock().end;
        let mut epochs = Epochs::clone(&self.epochs());
        epochs.bump(self.log_end.get());
        // A file that is rewritten at each attempt: that its sync failed says nothing of the next one.
        epochs.save(&*self.environment.disk, &self.path(EPOCHS)).map_err(CommitError::Refused)?;
        self.save(Checkpoint { recovery_point: end, clean: false, ..*checkpoint }, checkpoint)?;
        *self.epochs.write() = Arc::new(epochs);
        Ok(())
    }
}
