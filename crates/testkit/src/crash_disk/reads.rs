//! Reads that wait, as on a disk that is busy with other things.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

/// A read that waits longer is waiting for a thread that waits for it.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Default)]
pub(super) struct Reads {
    are_held: Mutex<bool>,
    released: Condvar,
}

/// Reads of files wait for as long as it lives.
pub struct HeldReads(Arc<Reads>);

impl HeldReads {
    pub(super) fn new(reads: Arc<Reads>) -> Self {
        *reads.are_held.lock() = true;
        Self(reads)
    }
}

impl Drop for HeldReads {
    fn drop(&mut self) {
        *self.0.are_held.lock() = false;
        self.0.released.notify_all();
    }
}

impl Reads {
    /// # Panics
    /// If they are not released in time.
    pub(super) fn wait(&self) {
        let mut held = self.are_held.lock();
        while *held {
            assert!(
                !self.released.wait_for(&mut held, PATIENCE).timed_out(),
                "the read holds up its release"
            );
        }
    }
}
