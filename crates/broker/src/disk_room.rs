//! The bytes that clients may still write before the disk's reserve begins.
//!
//! Invariant: between two looks at the disk clients write no more than the last one found free, so that a fast writer
//! does not use up the reserve before the next look: what is left of it is for state, offsets and administration.
//!
//! Not here: looking at the disk, and how much is kept back, which is the server's.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use factum_log::AppendError;

/// Bytes that clients may write until the disk is looked at again.
#[derive(Debug)]
pub(crate) struct DiskRoom {
    bytes: AtomicI64,
    has_refused: AtomicBool,
}

impl Default for DiskRoom {
    /// No limit: no one has looked yet.
    fn default() -> Self {
        Self { bytes: AtomicI64::new(i64::MAX), has_refused: AtomicBool::new(false) }
    }
}

impl DiskRoom {
    /// What a look at the disk has found.
    pub(crate) fn set(&self, bytes: u64) {
        self.bytes.store(i64::try_from(bytes).unwrap_or(i64::MAX), Ordering::Relaxed);
    }

    /// Whether a batch found no room since this was asked last.
    pub(crate) fn has_refused(&self) -> bool {
        self.has_refused.swap(false, Ordering::Relaxed)
    }

    /// Takes room for a batch of `bytes`.
    ///
    /// # Errors
    /// [`AppendError::Full`] if there is none.
    pub(crate) fn take(&self, bytes: usize) -> Result<(), AppendError> {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        let take = |room: i64| (room >= bytes).then(|| room - bytes);
        if self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() {
            return Ok(());
        }
        self.has_refused.store(true, Ordering::Relaxed);
        Err(AppendError::Full(Arc::new(io::ErrorKind::StorageFull.into())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_taken_than_was_found() {
        let room = DiskRoom::default();
        room.take(1 << 40).expect("no one has looked yet");
        room.set(100);
        room.take(60).expect("there is room");
        room.take(60).expect_err("there is less");
        room.take(40).expect("there is as much");
        room.take(1).expect_err("there is none");
        assert_eq!((room.has_refused(), room.has_refused()), (true, false));
        room.set(1);
        room.take(1).expect("another look has found some");
    }
}
