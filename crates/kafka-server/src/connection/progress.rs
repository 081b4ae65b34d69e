//! Progress of a client that sends a request or takes a response.

use std::time::Duration;

use tokio::time::Instant;

/// Fewer bytes than this are no progress: a client that moves a byte now and then holds as much as one that
/// stands still.
const WORTH_COUNTING: usize = 64 * 1024;

/// When so many bytes had moved last.
#[derive(Debug)]
pub(super) struct Progress {
    since: Instant,
    bytes: usize,
}

impl Progress {
    pub(super) fn new(now: Instant) -> Self {
        Self { since: now, bytes: 0 }
    }

    /// Something new begins: the time before it does not count.
    pub(super) fn restart(&mut self, now: Instant) {
        *self = Self::new(now);
    }

    /// `bytes` more have moved.
    pub(super) fn add(&mut self, bytes: usize, now: Instant) {
        self.bytes += bytes;
        if self.bytes >= WORTH_COUNTING {
            self.restart(now);
        }
    }

    /// When the client counts as stalled if it is given `limit` for each piece.
    pub(super) fn deadline(&self, limit: Duration) -> Instant {
        self.since + limit
    }
}
