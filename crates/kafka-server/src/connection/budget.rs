//! What all connections together may hold in memory on behalf of their clients.
//!
//! Requests wait for room before their bodies are read; answers to fetches are made smaller while unsent
//! bytes pile up. Either way the bound does not grow with the number of clients.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Semaphore;

use crate::options::Options;

/// Shared by all connections of one listener.
#[derive(Debug)]
pub(crate) struct Budget {
    requests: Arc<Semaphore>,
    unsent: AtomicUsize,
    unsent_limit: usize,
    fetch_limit: usize,
}

impl Budget {
    pub(crate) fn new(options: &Options) -> Self {
        // One request of the largest size must fit, or it would wait for ever.
        let requests = options.max_in_flight_bytes.max(options.max_frame_bytes);
        Self {
            requests: Arc::new(Semaphore::new(to_usize(requests.as_u64()).min(Semaphore::MAX_PERMITS))),
            unsent: AtomicUsize::new(0),
            unsent_limit: to_usize(options.max_fetch_in_flight_bytes.as_u64()),
            fetch_limit: to_usize(options.max_fetch_bytes.as_u64()),
        }
    }

    /// One permit for each byte of requests in memory.
    pub(super) fn requests(&self) -> Arc<Semaphore> {
        Arc::clone(&self.requests)
    }

    /// How many bytes of records to read for a client that takes `wanted`.
    pub(crate) fn fetch_limit(&self, wanted: usize) -> usize {
        let free = self.unsent_limit.saturating_sub(self.unsent.load(Ordering::Relaxed));
        wanted.min(self.fetch_limit).min(free)
    }

    pub(super) fn add_unsent(&self, bytes: usize) {
        self.unsent.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn sent(&self, bytes: usize) {
        self.unsent.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// A configured size as a length in memory.
pub(crate) fn to_usize(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use factum_types::ByteSize;

    use super::*;

    #[test]
    fn fetches_shrink_while_unsent_bytes_pile_up() {
        let options = Options {
            max_fetch_bytes: ByteSize(100),
            max_fetch_in_flight_bytes: ByteSize(150),
            ..Options::default()
        };
        let budget = Budget::new(&options);
        assert_eq!(budget.fetch_limit(1_000), 100);
        budget.add_unsent(80);
        assert_eq!(budget.fetch_limit(1_000), 70);
        budget.add_unsent(500);
        assert_eq!(budget.fetch_limit(1_000), 0);
        budget.sent(580);
        assert_eq!(budget.fetch_limit(10), 10);
    }
}
