//! Waiters for a log's high watermark or stable offset: producers for their acknowledgement, fetches for something to
//! read.
//!
//! Invariants: a waiter either sees the one that it waits for already past its offset or is woken when it
//! passes; both sides look under the same lock, so no wake-up is lost.

use std::sync::{Arc, Weak};

use factum_types::Offset;
use tokio::sync::{Notify, oneshot};

use crate::commit::SyncError;
use crate::transactions::Isolation;

/// One sleeper that many logs may wake: a fetch over several partitions registers the same waiter with each.
///
/// A wake-up that comes before [`Waiter::woken`] is kept, several of them as one.
#[derive(Debug, Default)]
pub struct Waiter(Notify);

impl Waiter {
    /// A waiter that nothing has woken yet.
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// Ends the wait, now or the next.
    pub fn wake(&self) {
        self.0.notify_one();
    }

    /// Waits for a wake-up. Dropping the future loses none.
    pub async fn woken(&self) {
        self.0.notified().await;
    }
}

/// The waiters of one log.
#[derive(Default)]
pub(crate) struct Waiters {
    durable: Vec<(Offset, oneshot::Sender<Result<(), SyncError>>)>,
    readers: Vec<(Offset, Isolation, Weak<Waiter>)>,
    /// Readers after the last pruning; at twice as many, dead ones are dropped again.
    pruned_to: usize,
}

impl Waiters {
    /// Waits for the high watermark to pass `last`.
    pub(crate) fn add_durable(&mut self, last: Offset) -> oneshot::Receiver<Result<(), SyncError>> {
        let (sender, receiver) = oneshot::channel();
        self.durable.push((last, sender));
        receiver
    }

    /// Wakes `waiter` once what it is given reaches past `offset`.
    pub(crate) fn add_reader(&mut self, offset: Offset, isolation: Isolation, waiter: &Arc<Waiter>) {
        if self.readers.len() >= (2 * self.pruned_to).max(16) {
            self.readers.retain(|(.., waiter)| waiter.strong_count() > 0);
            self.pruned_to = self.readers.len();
        }
        self.readers.push((offset, isolation, Arc::downgrade(waiter)));
    }

    /// Wakes all that the high watermark, or the stable offset, has passed.
    pub(crate) fn pass(&mut self, high_watermark: Offset, stable: Offset) {
        for (_, sender) in self.durable.extract_if(.., |(last, _)| *last < high_watermark) {
            // A waiter that gave up needs no answer.
            drop(sender.send(Ok(())));
        }
        let is_passed = |offset: Offset, isolation| match isolation {
            Isolation::ReadUncommitted => offset < high_watermark,
            Isolation::ReadCommitted => offset < stable,
        };
        for (.., waiter) in
            self.readers.extract_if(.., |(offset, isolation, _)| is_passed(*offset, *isolation))
        {
            wake(&waiter);
        }
    }

    /// Tells the producers that their records are not durable for now; readers wait on.
    pub(crate) fn refuse(&mut self, error: &SyncError) {
        for (_, sender) in self.durable.drain(..) {
            drop(sender.send(Err(error.clone())));
        }
    }

    /// Tells all that what is not durable now will never be known to be.
    pub(crate) fn fail(&mut self, error: &SyncError) {
        self.refuse(error);
        self.close();
    }

    /// Wakes every reader: the high watermark will not move again.
    pub(crate) fn close(&mut self) {
        for (.., waiter) in self.readers.drain(..) {
            wake(&waiter);
        }
    }
}

fn wake(waiter: &Weak<Waiter>) {
    if let Some(waiter) = waiter.upgrade() {
        waiter.wake();
    }
}
