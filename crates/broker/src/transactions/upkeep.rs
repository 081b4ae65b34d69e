//! Periodic work: open transactions time out, transactional ids expire, the journal is kept short.

use std::sync::Arc;
use std::time::{Duration, Instant};

use factum_base::tasks::{Stop, TaskGroup};
use factum_types::{Offset, Timestamp};
use parking_lot::Mutex;
use tracing::{debug, info, warn};

use super::cell::Cell;
use super::records;
use super::service::Transactions;
use super::transaction::TransactionState;
use super::{TransactionCoordinator, TransactionError};
use crate::journal::LogError;
use crate::metrics;

/// Until a time-out that could not be stored is tried again.
const PAUSE: Duration = Duration::from_secs(1);

impl TransactionCoordinator {
    /// Has transactions completed in `tasks` from now on; before, only while their callers wait.
    pub(crate) fn complete_in(&self, tasks: TaskGroup) {
        self.0.tasks.get_or_init(|| tasks);
    }

    /// Completes what a crash left decided, then looks after transactions until a stop is requested.
    pub(crate) async fn run(self, stop: Stop) {
        let transactions = &self.0;
        for cell in transactions.cells() {
            if cell.lock().transaction.state.is_decided() {
                drop(transactions.complete(cell, true));
            }
        }
        let interval = transactions.options.id_expiration_check_interval;
        let mut next_sweep = transactions.clock.monotonic() + interval;
        while !stop.is_requested() {
            let now = transactions.clock.monotonic();
            transactions.abort_due(now);
            if next_sweep <= now {
                transactions.expire();
                next_sweep = now + interval;
            }
            if transactions.journal.is_snapshot_due() {
                transactions.snapshot_or_wait().await;
            }
            let next = transactions.timers.next().map_or(next_sweep, |timer| timer.min(next_sweep));
            tokio::select! {
                () = stop.requested() => {}
                () = tokio::time::sleep(next.saturating_duration_since(now)) => {}
                () = transactions.timers.sooner() => {}
                () = transactions.journal.snapshot_due() => {}
            }
        }
    }
}

impl Transactions {
    /// Aborts the open transactions whose time has come.
    fn abort_due(self: &Arc<Self>, now: Instant) {
        while let Some((at, id)) = self.timers.take_due(now) {
            let Some(cell) = self.cell(&id) else { continue };
            match self.abort_late(&cell, at) {
                Ok(false) => {}
                Ok(true) => {
                    info!(transactional_id = %id, "aborted a transaction that timed out");
                    metrics::observe_transaction_timeout();
                    drop(self.complete(cell, false));
                }
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    warn!(transactional_id = %id, error, "could not abort a transaction that timed out yet");
                    self.try_again_later(&mut cell.lock(), at);
                }
            }
        }
    }

    /// Has the transaction whose time-out was `at` time out once more, a little later.
    fn try_again_later(&self, inside: &mut Cell, at: Instant) {
        if inside.deadline == Some(at) {
            let again = self.clock.monotonic() + PAUSE;
            inside.deadline = Some(again);
            self.timers.schedule(again, inside.id.clone(), None);
        }
    }

    /// Decides to abort the open transaction, if it is the one whose time-out was `at`.
    fn abort_late(&self, cell: &Mutex<Cell>, at: Instant) -> Result<bool, TransactionError> {
        let mut inside = cell.lock();
        if inside.deadline != Some(at) || inside.transaction.state != TransactionState::Ongoing {
            return Ok(false);
        }
        let now = self.trusted_time.stamp();
        let next = inside.transaction.fence(now);
        inside.store(next, &self.journal, now)?;
        inside.deadline = None;
        Ok(true)
    }

    /// Forgets transactional ids that were not used for their expiration.
    pub(super) fn expire(&self) {
        let (now, stamp) = (self.trusted_time.now(), self.trusted_time.stamp());
        for cell in self.cells() {
            let mut inside = cell.lock();
            let until = inside.transaction.last_update.plus(self.options.id_expiration);
            if !inside.is_idle() || until > now {
                continue;
            }
            let gone = (records::encode_key(&inside.id), None);
            if let Err(error) = self.journal.append([gone], stamp) {
                warn!(error = &error as &dyn std::error::Error, "could not forget old transactional ids");
                return;
            }
            self.forget(&mut inside);
        }
    }

    async fn snapshot_or_wait(&self) {
        if let Err(error) = self.snapshot().await {
            let error = &error as &dyn std::error::Error;
            warn!(error, "could not shorten the journal of transactions");
            self.journal.put_off_snapshot();
        }
    }

    /// Rewrites what is known of every transactional id and drops the journal before it.
    pub(super) async fn snapshot(&self) -> Result<(), TransactionError> {
        let keep_from = self.journal.begin_snapshot();
        let now = self.trusted_time.stamp();
        let mut last = None;
        for cell in self.cells() {
            last = last.max(self.rewrite(&mut cell.lock(), now)?);
            tokio::task::yield_now().await;
        }
        let before = keep_from.get().checked_sub(1).filter(|offset| *offset >= 0).map(Offset::new);
        self.journal.durable(last.max(before)).await?;
        self.journal.finish_snapshot(keep_from)?;
        debug!(%keep_from, "shortened the journal of transactions");
        Ok(())
    }

    fn rewrite(&self, inside: &mut Cell, now: Timestamp) -> Result<Option<Offset>, LogError> {
        if inside.is_dead {
            return Ok(None);
        }
        let value = records::encode_value(&inside.transaction);
        let change = (records::encode_key(&inside.id), Some(value));
        let written = self.journal.rewrite([(change, Offset::ZERO)].into_iter(), now)?;
        inside.stored = written.or(inside.stored);
        Ok(written)
    }
}
