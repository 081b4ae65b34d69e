//! One transactional id: the state machine of its transactions (KIP-98, KIP-360, KIP-890).
//!
//! ```text
//!            first record, or partitions added          end              markers are on disk
//!   Empty ────────────────────────────────▶ Ongoing ─────▶ PrepareCommit ─────▶ CompleteCommit ─┐
//!     ▲                                        ▲      └───▶ PrepareAbort  ─────▶ CompleteAbort  ─┤
//!     └── initialized: the epoch goes up       └─────────────────────────────────────────────────┘
//! ```
//!
//! Invariants
//! - Pure: a method looks at the transaction and gives the one that follows, which the caller stores and then puts in
//!   its place. Nothing here waits, allocates an id or writes a marker.
//! - The epoch never goes down, and goes up whenever someone could still speak for what was: at each initialization, at
//!   each end of a transaction of version 2, and where an open transaction is aborted by the server.
//! - A request that was answered and is sent again gets the same answer, and changes nothing.
//!
//! Not here: time-outs, who may speak for a transactional id, and where it is kept.

use std::collections::BTreeSet;
use std::time::Duration;

use factum_types::record::TransactionOutcome;
use factum_types::{ProducerEpoch, ProducerId, Timestamp, TopicPartition};

use super::TransactionError;

/// The last epoch that a client is given; the next one fences it before its id is replaced.
const LAST_EPOCH: ProducerEpoch = ProducerEpoch::MAX - 1;

/// A producer in one of its lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProducerIdentity {
    /// Its id.
    pub id: ProducerId,
    /// Its epoch.
    pub epoch: ProducerEpoch,
}

/// Where a transactional id stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TransactionState {
    /// It has begun no transaction since it was initialized.
    Empty,
    /// A transaction is open.
    Ongoing,
    /// It is decided that the transaction counts, and its markers are being written.
    PrepareCommit,
    /// It is decided that it does not.
    PrepareAbort,
    /// The last transaction counts.
    CompleteCommit,
    /// The last transaction does not count.
    CompleteAbort,
}

/// How a client speaks of transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TransactionVersion {
    /// It adds each partition before it writes to it; the epoch stays the same from one transaction to the next (KIP-98).
    V1,
    /// A partition is added by the first record written to it; each transaction has an epoch of its own (KIP-890).
    V2,
}

/// A transactional id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Transaction {
    /// Epoch -1 until it is first initialized.
    pub(crate) producer: ProducerIdentity,
    /// The id before this one, whose epochs were used up.
    pub(crate) previous_id: Option<ProducerId>,
    /// The id that takes over once the markers are on disk, as the epochs of this one are used up.
    pub(crate) next_id: Option<ProducerId>,
    /// The epoch that the client had before, for a request that it sends again; not kept on disk, as in Kafka.
    pub(crate) last_epoch: Option<ProducerEpoch>,
    pub(crate) timeout: Duration,
    pub(crate) version: TransactionVersion,
    pub(crate) state: TransactionState,
    /// Those of the open transaction, or those that are to get a marker.
    pub(crate) partitions: BTreeSet<TopicPartition>,
    pub(crate) last_update: Timestamp,
    /// When the transaction began; [`Timestamp::NONE`] if there was none since it was initialized.
    pub(crate) started: Timestamp,
}

/// What follows from an initialization.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Initialization {
    /// To be stored, and told to the client.
    Ready(Box<Transaction>),
    /// The open transaction is to be aborted first; to be stored, and completed.
    Abort(Box<Transaction>),
    /// The epochs are used up: ask again with a new id.
    NeedsId,
}

/// What follows from the end of a transaction.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It was ended so before.
    Repeated(ProducerIdentity),
    /// To be stored, and completed.
    Prepared(Box<Transaction>),
    /// The epochs are used up: ask again with a new id.
    NeedsId,
}

impl TransactionState {
    /// Every state.
    pub const ALL: [Self; 6] = [
        Self::Empty,
        Self::Ongoing,
        Self::PrepareCommit,
        Self::PrepareAbort,
        Self::CompleteCommit,
        Self::CompleteAbort,
    ];

    /// Its name in Kafka's APIs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::Ongoing => "Ongoing",
            Self::PrepareCommit => "PrepareCommit",
            Self::PrepareAbort => "PrepareAbort",
            Self::CompleteCommit => "CompleteCommit",
            Self::CompleteAbort => "CompleteAbort",
        }
    }

    /// Whether it is decided how the transaction ends, and its markers are being written.
    pub fn is_decided(self) -> bool {
        matches!(self, Self::PrepareCommit | Self::PrepareAbort)
    }

    fn prepared(outcome: TransactionOutcome) -> Self {
        match outcome {
            TransactionOutcome::Commit => Self::PrepareCommit,
            TransactionOutcome::Abort => Self::PrepareAbort,
        }
    }

    /// How a transaction in this state ends or ended, if that is decided.
    pub(crate) fn outcome(self) -> Option<TransactionOutcome> {
        match self {
            Self::PrepareCommit | Self::CompleteCommit => Some(TransactionOutcome::Commit),
            Self::PrepareAbort | Self::CompleteAbort => Some(TransactionOutcome::Abort),
            Self::Empty | Self::Ongoing => None,
        }
    }
}

impl Transaction {
    /// A transactional id of which nothing was known.
    pub(crate) fn new(id: ProducerId, timeout: Duration, now: Timestamp) -> Self {
        Self {
            producer: ProducerIdentity { id, epoch: -1 },
            previous_id: None,
            next_id: None,
            last_epoch: None,
            timeout,
            version: TransactionVersion::V1,
            state: TransactionState::Empty,
            partitions: BTreeSet::new(),
            last_update: now,
            started: Timestamp::NONE,
        }
    }

    /// Gives the producer an epoch of its own (`InitProducerId`). `expected` is what a producer that goes on says that it
    /// is (KIP-360); `spare_id` one that was never used.
    ///
    /// # Errors
    /// [`TransactionError::Fenced`] if another has taken over, [`TransactionError::Concurrent`].
    pub(crate) fn initialize(
        &self,
        expected: Option<ProducerIdentity>,
        timeout: Duration,
        spare_id: Option<ProducerId>,
        now: Timestamp,
    ) -> Result<Initialization, TransactionError> {
        if self.state.is_decided() {
            return Err(TransactionError::Concurrent);
        }
        if let Some(expected) = expected.filter(|expected| !self.may_go_on(*expected)) {
            return Err(self.fenced(expected));
        }
        if self.state == TransactionState::Ongoing {
            return Ok(Initialization::Abort(Box::new(self.fence(now))));
        }
        let is_current = expected.is_none_or(|expected| expected.epoch == self.producer.epoch);
        let fresh = Self {
            timeout,
            state: TransactionState::Empty,
            partitions: BTreeSet::new(),
            last_update: now,
            started: Timestamp::NONE,
            ..self.clone()
        };
        if self.is_exhausted() && is_current {
            let Some(id) = spare_id else { return Ok(Initialization::NeedsId) };
            return Ok(Initialization::Ready(Box::new(Self {
                producer: ProducerIdentity { id, epoch: 0 },
                previous_id: Some(self.producer.id),
                last_epoch: expected.map(|expected| expected.epoch),
                ..fresh
            })));
        }
        let (epoch, last_epoch) = self.next_epoch(expected)?;
        let producer = ProducerIdentity { epoch, ..self.producer };
        Ok(Initialization::Ready(Box::new(Self { producer, last_epoch, ..fresh })))
    }

    /// The epoch after an initialization, and the one before it as far as a repeated request may name it.
    fn next_epoch(
        &self,
        expected: Option<ProducerIdentity>,
    ) -> Result<(ProducerEpoch, Option<ProducerEpoch>), TransactionError> {
        let current = self.producer.epoch;
        match expected {
            None => Ok((current + 1, None)),
            Some(expected) if current == -1 || expected.epoch == current => Ok((current + 1, Some(current))),
            // The same request again: no other producer was initialized since.
            Some(expected) if Some(expected.epoch) == self.last_epoch => Ok((current, self.last_epoch)),
            Some(expected) => Err(self.fenced(expected)),
        }
    }

    /// Whether a producer that says what it is may be initialized, as far as its id tells.
    fn may_go_on(&self, expected: ProducerIdentity) -> bool {
        self.producer.epoch == -1
            || expected.id == self.producer.id
            || Some(expected.id) == self.previous_id && expected.epoch >= LAST_EPOCH
    }

    /// Checks who speaks.
    ///
    /// # Errors
    /// [`TransactionError::UnknownProducer`], [`TransactionError::Fenced`].
    pub(crate) fn check(&self, producer: ProducerIdentity) -> Result<(), TransactionError> {
        if producer.id != self.producer.id {
            return Err(TransactionError::UnknownProducer);
        }
        if producer.epoch != self.producer.epoch {
            return Err(self.fenced(producer));
        }
        Ok(())
    }

    /// Whether a producer of version 2 may write to the partition, which becomes part of the transaction with the first
    /// record; of version 1 if it was added before.
    ///
    /// # Errors
    /// [`TransactionError`].
    pub(crate) fn check_append(
        &self,
        producer: ProducerIdentity,
        version: TransactionVersion,
        partition: &TopicPartition,
    ) -> Result<(), TransactionError> {
        self.check(producer)?;
        if self.state.is_decided() {
            return Err(TransactionError::Concurrent);
        }
        let is_part = self.state == TransactionState::Ongoing && self.partitions.contains(partition);
        if version == TransactionVersion::V1 && !is_part {
            return Err(TransactionError::NotInTransaction { partition: partition.clone() });
        }
        Ok(())
    }

    /// The transaction with these partitions added; `None` if it has them.
    ///
    /// # Errors
    /// [`TransactionError`].
    pub(crate) fn add(
        &self,
        producer: ProducerIdentity,
        version: TransactionVersion,
        partitions: &[TopicPartition],
        now: Timestamp,
    ) -> Result<Option<Self>, TransactionError> {
        self.check(producer)?;
        if self.state.is_decided() {
            return Err(TransactionError::Concurrent);
        }
        let is_ongoing = self.state == TransactionState::Ongoing;
        if is_ongoing && partitions.iter().all(|partition| self.partitions.contains(partition)) {
            return Ok(None);
        }
        let mut next = Self { version, last_update: now, ..self.clone() };
        for partition in partitions {
            next.begin_or_extend(partition.clone(), now);
        }
        Ok(Some(next))
    }

    /// Adds a partition in place, which begins a transaction if none is open.
    pub(crate) fn begin_or_extend(&mut self, partition: TopicPartition, now: Timestamp) {
        if self.state != TransactionState::Ongoing {
            self.state = TransactionState::Ongoing;
            self.partitions.clear();
            self.started = now;
        }
        self.partitions.insert(partition);
    }

    /// Decides how the transaction ends (`EndTxn`); `spare_id` is an id that was never used.
    ///
    /// # Errors
    /// [`TransactionError`].
    pub(crate) fn end(
        &self,
        producer: ProducerIdentity,
        outcome: TransactionOutcome,
        version: TransactionVersion,
        spare_id: Option<ProducerId>,
        now: Timestamp,
    ) -> Result<End, TransactionError> {
        let is_repeated = version == TransactionVersion::V2 && self.is_answered(producer);
        if producer.id != self.producer.id && !is_repeated {
            return Err(TransactionError::UnknownProducer);
        }
        if producer.epoch != self.producer.epoch && !is_repeated {
            return Err(self.fenced(producer));
        }
        let is_same = self.state.outcome() == Some(outcome);
        let invalid = Err(TransactionError::InvalidState { state: self.state, outcome });
        match (self.state, version) {
            (TransactionState::Ongoing, _) if !is_repeated => {}
            (TransactionState::PrepareCommit | TransactionState::PrepareAbort, _) if is_same => {
                return Err(TransactionError::Concurrent);
            }
            (TransactionState::CompleteCommit | TransactionState::CompleteAbort, TransactionVersion::V1)
                if is_same =>
            {
                return Ok(End::Repeated(self.producer));
            }
            (TransactionState::CompleteCommit | TransactionState::CompleteAbort, _) if is_repeated => {
                return if is_same { Ok(End::Repeated(self.producer)) } else { invalid };
            }
            // A producer may abort what it has not begun: then nothing of it is on its way any more (KIP-890).
            (state, TransactionVersion::V2)
                if outcome == TransactionOutcome::Abort && !state.is_decided() && !is_repeated => {}
            _ => return invalid,
        }
        if version == TransactionVersion::V2 && self.is_exhausted() && spare_id.is_none() {
            return Ok(End::NeedsId);
        }
        Ok(End::Prepared(Box::new(self.prepare(outcome, version, spare_id, now))))
    }

    /// The decided transaction. In version 2 its markers bring the epoch of the next one.
    fn prepare(
        &self,
        outcome: TransactionOutcome,
        version: TransactionVersion,
        spare_id: Option<ProducerId>,
        now: Timestamp,
    ) -> Self {
        let state = TransactionState::prepared(outcome);
        let is_ongoing = self.state == TransactionState::Ongoing;
        let mut next = Self { state, version, last_update: now, ..self.clone() };
        if !is_ongoing {
            next.partitions.clear();
            next.started = now;
        }
        if version == TransactionVersion::V2 {
            next.last_epoch = Some(self.producer.epoch);
            next.producer.epoch = self.producer.epoch.saturating_add(1);
            next.next_id = spare_id.filter(|_| self.is_exhausted());
        }
        next
    }

    /// The open transaction aborted by the server: its producer is fenced.
    pub(crate) fn fence(&self, now: Timestamp) -> Self {
        let producer = ProducerIdentity { epoch: self.producer.epoch.saturating_add(1), ..self.producer };
        let state = TransactionState::PrepareAbort;
        Self { producer, state, last_epoch: None, next_id: None, last_update: now, ..self.clone() }
    }

    /// What follows once the markers are on disk.
    pub(crate) fn complete(&self, now: Timestamp) -> Self {
        let state = match self.state {
            TransactionState::PrepareCommit => TransactionState::CompleteCommit,
            _ => TransactionState::CompleteAbort,
        };
        let (producer, previous_id) = match self.next_id {
            Some(id) => (ProducerIdentity { id, epoch: 0 }, Some(self.producer.id)),
            None => (self.producer, self.previous_id),
        };
        let (next_id, partitions) = (None, BTreeSet::new());
        Self { producer, previous_id, next_id, state, partitions, last_update: now, ..self.clone() }
    }

    /// Whether the client has not heard yet that the transaction of this epoch has ended: it asks again.
    fn is_answered(&self, producer: ProducerIdentity) -> bool {
        let follows =
            producer.id == self.producer.id && producer.epoch.checked_add(1) == Some(self.producer.epoch);
        let was_replaced =
            Some(producer.id) == self.previous_id && producer.epoch == LAST_EPOCH && self.producer.epoch == 0;
        let is_ended = !matches!(self.state, TransactionState::Empty | TransactionState::Ongoing);
        is_ended && (follows || was_replaced)
    }

    /// The ids that its producers have, had last, and will have.
    pub(crate) fn producer_ids(&self) -> impl Iterator<Item = ProducerId> {
        [Some(self.producer.id), self.previous_id, self.next_id].into_iter().flatten().filter(|id| *id >= 0)
    }

    pub(crate) fn is_exhausted(&self) -> bool {
        self.producer.epoch >= LAST_EPOCH
    }

    fn fenced(&self, producer: ProducerIdentity) -> TransactionError {
        TransactionError::Fenced { current: self.producer.epoch, found: producer.epoch }
    }
}

#[cfg(test)]
mod tests;
