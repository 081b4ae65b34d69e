//! Answers on their way to clients, over all connections.
//!
//! Answers to fetches are made smaller while unsent bytes pile up, of one address sooner than of all; beyond
//! twice the limit no further records are read until clients have taken some. So the bound does not grow with
//! the number of clients.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

use super::addresses::SharedByAddress;
use crate::options::Options;

/// Shared by all connections of one listener.
#[derive(Debug)]
pub(crate) struct Budget {
    unsent: AtomicUsize,
    unsent_limit: usize,
    fetch_limit: usize,
    /// A client has taken bytes.
    taken: Notify,
}

impl Budget {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            unsent: AtomicUsize::new(0),
            unsent_limit: to_usize(options.max_fetch_in_flight_bytes.as_u64()),
            fetch_limit: to_usize(options.max_fetch_bytes.as_u64()),
            taken: Notify::new(),
        }
    }

    /// How many bytes of records to read for a client that takes `wanted`.
    pub(crate) fn fetch_limit(&self, address: &SharedByAddress, wanted: usize) -> usize {
        let free = self.unsent_limit.saturating_sub(self.unsent.load(Ordering::Relaxed));
        let own = (self.unsent_limit / 2).saturating_sub(address.unsent_bytes.load(Ordering::Relaxed));
        wanted.min(self.fetch_limit).min(free).min(own)
    }

    /// Whether clients have taken so little of their answers that those who take nothing are let go sooner.
    pub(super) fn is_crowded(&self) -> bool {
        self.unsent.load(Ordering::Relaxed) >= self.unsent_limit
    }

    /// Resolves once there is room for one more batch, however large. Dropping it has no effect.
    pub(crate) async fn room(&self) {
        loop {
            let taken = self.taken.notified();
            if self.unsent.load(Ordering::Relaxed) < self.unsent_limit.saturating_mul(2) {
                return;
            }
            taken.await;
        }
    }

    /// Resolves once the clients of the address have left less than half of the limit untaken, and all together less than twice
    /// the limit. Dropping it has no effect.
    pub(crate) async fn room_of(&self, address: &SharedByAddress) {
        loop {
            let taken = self.taken.notified();
            let is_free = self.unsent.load(Ordering::Relaxed) < self.unsent_limit.saturating_mul(2);
            if is_free && address.unsent_bytes.load(Ordering::Relaxed) < self.address_limit() {
                return;
            }
            taken.await;
        }
    }

    fn address_limit(&self) -> usize {
        (self.unsent_limit / 2).max(1)
    }

    pub(super) fn add_unsent(&self, address: &SharedByAddress, bytes: usize) {
        self.unsent.fetch_add(bytes, Ordering::Relaxed);
        address.unsent_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn sent(&self, address: &SharedByAddress, bytes: usize) {
        let of_address = address.unsent_bytes.fetch_sub(bytes, Ordering::Relaxed);
        let before = self.unsent.fetch_sub(bytes, Ordering::Relaxed);
        if before >= self.unsent_limit.saturating_mul(2) || of_address >= self.address_limit() {
            self.taken.notify_waiters();
        }
    }
}

/// A configured size as a length in memory.
pub(crate) fn to_usize(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::sync::Arc;

    use factum_types::ByteSize;

    use super::super::addresses::Addresses;
    use super::*;

    #[test]
    fn fetches_shrink_while_unsent_bytes_pile_up() {
        let options = Options {
            max_fetch_bytes: ByteSize(100),
            max_fetch_in_flight_bytes: ByteSize(150),
            ..Options::default()
        };
        let budget = Budget::new(&options);
        let addresses = Arc::new(Addresses::new(10));
        let [one, other] = [1, 2].map(|n| addresses.connect(IpAddr::from([192, 0, 2, n])).expect("room"));
        let (one, other) = (&one.address, &other.address);
        assert_eq!(budget.fetch_limit(one, 1_000), 75, "one address has half of it");
        budget.add_unsent(one, 80);
        assert_eq!((budget.fetch_limit(one, 1_000), budget.fetch_limit(other, 1_000)), (0, 70));
        assert!(!budget.is_crowded());
        budget.add_unsent(one, 500);
        assert_eq!(budget.fetch_limit(other, 1_000), 0);
        assert!(budget.is_crowded());
        budget.sent(one, 580);
        assert_eq!(budget.fetch_limit(other, 10), 10);
    }

    #[test]
    fn long_answers_wait_until_their_address_has_taken_others() {
        use std::task::{Context, Waker};

        let options = Options { max_fetch_in_flight_bytes: ByteSize(150), ..Options::default() };
        let budget = Budget::new(&options);
        let addresses = Arc::new(Addresses::new(10));
        let [one, other] = [1, 2].map(|n| addresses.connect(IpAddr::from([192, 0, 2, n])).expect("room"));
        let (one, other) = (&one.address, &other.address);
        let mut context = Context::from_waker(Waker::noop());
        budget.add_unsent(one, 100);
        let mut waiting = Box::pin(budget.room_of(one));
        assert!(waiting.as_mut().poll(&mut context).is_pending());
        assert!(Box::pin(budget.room_of(other)).as_mut().poll(&mut context).is_ready(), "another address");
        budget.sent(one, 50);
        assert!(waiting.as_mut().poll(&mut context).is_ready());
    }
}
