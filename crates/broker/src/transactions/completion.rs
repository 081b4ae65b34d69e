//! Completing a decided transaction: markers to its partitions, then one record that says so.
//!
//! Invariants
//! - No marker is written before the decision is on disk, and "complete" only after all markers are.
//! - A decided transaction is completed by one task, and no other transaction is.
//! - What a disk refuses is tried again until it works or the server stops: the next start goes on. Until then the
//!   transactional id begins no other transaction; all others are not concerned.
//! - After a crash a marker is not written where it is: in version 2, where a later transaction of the producer may have
//!   begun in that partition before "complete" was on disk, the marker's epoch tells.

use std::sync::Arc;
use std::time::Duration;

use factum_base::tasks::TaskGroup;
use factum_log::EndTransaction;
use factum_types::TopicPartition;
use factum_types::record::TransactionOutcome;
use parking_lot::Mutex;
use tokio::sync::oneshot;
use tracing::warn;

use super::TransactionError;
use super::cell::Cell;
use super::markers::Marker;
use super::service::Transactions;
use super::transaction::{ProducerIdentity, Transaction, TransactionState, TransactionVersion};
use crate::journal::LogError;
use crate::metrics;

/// Pauses between attempts: the first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

impl Transactions {
    /// Completes the transaction of a cell, which is decided, beside the caller; `is_again` after a start, where some of the
    /// markers may be there. Gives who its producer is from then on, or what stands in the way for now: it goes on all
    /// the same, until the server stops. Dropping the future takes nothing back.
    ///
    /// # Errors
    /// [`TransactionError::Concurrent`] if the disk refuses a marker for now, or it is being completed already;
    /// [`TransactionError::Storage`].
    pub(super) fn complete(
        self: &Arc<Self>,
        cell: Arc<Mutex<Cell>>,
        is_again: bool,
    ) -> impl Future<Output = Result<ProducerIdentity, TransactionError>> + Send + use<> {
        let (reply, answer) = oneshot::channel();
        let completion = Completion::begin(Arc::clone(self), cell, is_again, reply);
        let unspawned = match (self.tasks.get(), completion) {
            (Some(tasks), Some(completion)) => {
                tasks.spawn_quiet(completion.run());
                None
            }
            (_, completion) => completion.map(Completion::run),
        };
        async move {
            if let Some(completion) = unspawned {
                completion.await;
            }
            answer.await.unwrap_or(Err(TransactionError::Concurrent))
        }
    }

    /// Writes the markers; gives the partitions that did not take theirs.
    async fn write_markers(
        &self,
        transaction: &Transaction,
        partitions: Vec<TopicPartition>,
        is_again: bool,
    ) -> Vec<TopicPartition> {
        let mut left = Vec::new();
        let mut markers: Vec<(TopicPartition, Marker)> = Vec::new();
        for partition in partitions {
            if is_again && self.has_marker(transaction, &partition) {
                continue;
            }
            match self.append_marker(transaction, &partition) {
                Ok(Some(marker)) => markers.push((partition, marker)),
                Ok(None) => {}
                Err(error) => left.push((partition, error)),
            }
        }
        for (partition, marker) in markers {
            if let Err(error) = marker.await {
                left.push((partition, error));
            }
        }
        if let Some((partition, error)) = left.first() {
            let (producer_id, partitions) = (transaction.producer.id, left.len());
            let error = error as &dyn std::error::Error;
            warn!(%partition, partitions, producer_id, error, "could not write the markers of a transaction yet");
        }
        left.into_iter().map(|(partition, _)| partition).collect()
    }

    /// Appends a marker; `None` if none is needed. Where the log has an epoch beyond it and the transaction is open there all the
    /// same, something was written past this coordinator, which is the only one: the marker takes that epoch, since what is
    /// decided must be what readers see.
    fn append_marker(
        &self,
        transaction: &Transaction,
        partition: &TopicPartition,
    ) -> Result<Option<Marker>, LogError> {
        let end = self.end_of(transaction);
        match self.markers.append(partition, &end) {
            Err(error) if error.is_fenced() => {}
            appended => return appended,
        }
        let known = self.markers.producer(partition, end.producer_id);
        let Some(known) = known.filter(|known| known.open_since.is_some()) else { return Ok(None) };
        let producer_id = end.producer_id;
        warn!(%partition, producer_id, "the log has an epoch that no coordinator gave; its transaction is ended in that");
        let end = EndTransaction {
            producer_epoch: end.producer_epoch.max(known.epoch),
            coordinator_epoch: end.coordinator_epoch.max(known.coordinator_epoch.unwrap_or(-1)),
            ..end
        };
        self.markers.append(partition, &end)
    }

    pub(super) fn end_of(&self, transaction: &Transaction) -> EndTransaction {
        EndTransaction {
            producer_id: transaction.producer.id,
            producer_epoch: transaction.producer.epoch,
            outcome: transaction.state.outcome().unwrap_or(TransactionOutcome::Abort),
            coordinator_epoch: self.epoch,
        }
    }

    /// Whether the partition has the marker of a decided transaction.
    fn has_marker(&self, transaction: &Transaction, partition: &TopicPartition) -> bool {
        let Some(producer) = self.markers.producer(partition, transaction.producer.id) else { return false };
        match transaction.version {
            // Its epoch begins with the marker. What is open in it is the next transaction.
            TransactionVersion::V2 => producer.epoch >= transaction.producer.epoch,
            TransactionVersion::V1 => producer.open_since.is_none(),
        }
    }

    fn store_complete(&self, cell: &Mutex<Cell>) -> Result<(ProducerIdentity, TransactionOutcome), LogError> {
        let mut inside = cell.lock();
        let now = self.trusted_time.stamp();
        let next = inside.transaction.complete(now);
        let (producer, outcome) = (next.producer, next.state.outcome());
        debug_assert!(inside.transaction.state.is_decided(), "no other task completes it");
        inside.store(next, &self.journal, now)?;
        inside.is_completing = false;
        for partition in std::mem::take(&mut inside.reopened) {
            let had_begun = inside.transaction.state == TransactionState::Ongoing;
            inside.transaction.begin_or_extend(partition, now);
            if !had_begun {
                self.begin_again(&mut inside);
            }
        }
        Ok((producer, outcome.unwrap_or(TransactionOutcome::Abort)))
    }
}

/// The completion of one transaction under way.
struct Completion {
    transactions: Arc<Transactions>,
    cell: Arc<Mutex<Cell>>,
    is_again: bool,
    /// Whether it is complete: the next one may be under way.
    is_done: bool,
    /// Who waits for it.
    reply: Option<oneshot::Sender<Result<ProducerIdentity, TransactionError>>>,
}

impl Completion {
    /// Begins to complete the transaction of `cell`, unless that is under way.
    fn begin(
        transactions: Arc<Transactions>,
        cell: Arc<Mutex<Cell>>,
        is_again: bool,
        reply: oneshot::Sender<Result<ProducerIdentity, TransactionError>>,
    ) -> Option<Self> {
        if std::mem::replace(&mut cell.lock().is_completing, true) {
            return None;
        }
        Some(Self { transactions, cell, is_again, is_done: false, reply: Some(reply) })
    }

    async fn run(mut self) {
        let transactions = Arc::clone(&self.transactions);
        let started = transactions.clock.monotonic();
        let (transaction, stored) = {
            let inside = self.cell.lock();
            (inside.transaction.clone(), inside.stored)
        };
        if let Err(error) = transactions.journal.durable(stored).await {
            // Nothing is acknowledged by this journal any more: the next start finds what was decided.
            return self.answer(Err(error.into()));
        }
        let mut left: Vec<_> = transaction.partitions.iter().cloned().collect();
        let mut pause = PAUSES.0;
        loop {
            left = transactions.write_markers(&transaction, left, self.is_again).await;
            if left.is_empty() {
                match transactions.store_complete(&self.cell) {
                    Ok((producer, outcome)) => {
                        self.is_done = true;
                        let took = transactions.clock.monotonic().saturating_duration_since(started);
                        metrics::observe_transaction_end(outcome, took);
                        return self.answer(Ok(producer));
                    }
                    Err(error) => {
                        warn!(
                            error = &error as &dyn std::error::Error,
                            "could not store the end of a transaction"
                        );
                    }
                }
            }
            self.answer(Err(TransactionError::Concurrent));
            if transactions.is_stopped_within(pause).await {
                return;
            }
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    /// Tells who waits, once.
    fn answer(&mut self, answer: Result<ProducerIdentity, TransactionError>) {
        if let Some(reply) = self.reply.take() {
            // The caller may have gone away.
            drop(reply.send(answer));
        }
    }
}

impl Drop for Completion {
    fn drop(&mut self) {
        if !self.is_done {
            self.cell.lock().is_completing = false;
        }
    }
}

impl Transactions {
    /// Whether the server stops within `pause`.
    async fn is_stopped_within(&self, pause: Duration) -> bool {
        let Some(stop) = self.tasks.get().map(TaskGroup::stop) else { return true };
        tokio::select! {
            () = stop.requested() => true,
            () = tokio::time::sleep(pause) => false,
        }
    }
}
