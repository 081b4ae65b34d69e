//! Transactions of producers in this process: those of tasks, and of requests that are to be stored whole.
//!
//! ```text
//!   accept all records ─► append to each partition ─► all on disk ─► offsets ─► end ─► answer
//!        │ refused            │ refused                                          ▲
//!        ▼                    └───────────────── abort ──────────────────────────┘
//!   nothing was begun
//! ```
//!
//! Invariants: a transaction that has begun is ended, whether its caller still waits or not; one producer has one
//! transaction at a time; what can be refused is refused before anything is appended.
//!
//! Not here: what a transaction is (see [`crate::transactions`]).

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::Duration;

use async_trait::async_trait;
use factum_base::clients::ClientAddress;
use factum_eventlog::{
    GroupOffsets, NewRecord, NewTransaction, ProduceError, RecordMetadata, TransactionError,
    TransactionalProducer,
};
use factum_types::record::TransactionOutcome;
use factum_types::{TopicName, TransactionalId};
use tokio::sync::oneshot;

use super::produce::{self, AcceptedRecords};
use super::reason;
use crate::access::Access;
use crate::broker::Broker;
use crate::coordinator::Commit;
use crate::transactions::{
    self, InitProducer, ProducerIdentity, TransactionCoordinator, TransactionOffsets, TransactionVersion,
};

mod pool;

pub(crate) use pool::ProducerPool;
pub(super) use pool::append_whole;

/// How long a transaction may stay open: far longer than one takes, and short for readers that it would hold back.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How long a transaction waits for the markers of the one before it, which a full disk may keep from being written.
const MOST_WAIT: Duration = Duration::from_secs(5);
/// Between two questions whether a decided transaction is complete.
const PAUSE: Duration = Duration::from_millis(50);

/// A producer of transactions.
#[derive(Debug)]
pub(super) struct Producer {
    broker: Broker,
    access: Access,
    id: TransactionalId,
    state: State,
}

/// Where a producer stands.
#[derive(Debug)]
enum State {
    /// It may begin a transaction.
    Ready(ProducerIdentity),
    /// A transaction goes on, and tells who the producer is after it.
    Busy(oneshot::Receiver<Option<ProducerIdentity>>),
    /// Who it is now is not known.
    Lost,
}

/// Records of a transaction, accepted; the places of those of one topic among all of them.
type AcceptedTopics = Vec<(AcceptedRecords, Vec<usize>)>;

impl Producer {
    /// Takes `id` over, once what it may have left decided is complete.
    pub(super) async fn open(
        broker: Broker,
        access: Access,
        id: TransactionalId,
    ) -> Result<Self, TransactionError> {
        let timeout = TIMEOUT.min(broker.shared().options.transactions.max_timeout);
        let client = ClientAddress::UNKNOWN;
        let init = InitProducer { id: id.clone(), timeout, expected: None, client };
        let latest = broker.clock().monotonic() + MOST_WAIT;
        loop {
            match broker.transactions().init_producer(init.clone()).await {
                Ok(producer) => return Ok(Self { broker, access, id, state: State::Ready(producer) }),
                Err(transactions::TransactionError::Concurrent) if broker.clock().monotonic() < latest => {
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => return Err(refused(&id, &error)),
            }
        }
    }

    /// Refuses what can be refused, of all topics.
    async fn accept(&self, records: Vec<(TopicName, NewRecord)>) -> Result<AcceptedTopics, ProduceError> {
        let mut topics = BTreeMap::<TopicName, (Vec<NewRecord>, Vec<usize>)>::new();
        for (index, (topic, record)) in records.into_iter().enumerate() {
            let (records, indexes) = topics.entry(topic).or_default();
            records.push(record);
            indexes.push(index);
        }
        let mut accepted = AcceptedTopics::with_capacity(topics.len());
        for (topic, (records, indexes)) in topics {
            let of_topic = produce::accept(&self.broker, self.access, &topic, records).await;
            accepted.push((of_topic.map_err(|error| at_its_place(error, &indexes))?, indexes));
        }
        Ok(accepted)
    }

    /// Commits what was accepted.
    async fn commit_accepted(
        &mut self,
        accepted: AcceptedTopics,
        offsets: Option<GroupOffsets>,
    ) -> Result<Vec<RecordMetadata>, TransactionError> {
        if accepted.is_empty() && offsets.is_none() {
            return Ok(Vec::new());
        }
        let producer = self.ready().await?;
        let (answer, answered) = oneshot::channel();
        let (next, ended) = oneshot::channel();
        self.state = State::Busy(ended);
        let transaction =
            Open { broker: self.broker.clone(), id: self.id.clone(), producer, answer: Some(answer) };
        let work = async move {
            // The caller may be gone, and its producer with it.
            next.send(transaction.run(accepted, offsets).await).ok();
        };
        match self.broker.shared().tasks.get() {
            Some(tasks) => tasks.spawn_quiet(work),
            None => work.await,
        }
        answered.await.unwrap_or_else(|_| {
            let reason = "the server stopped".to_owned();
            Err(TransactionError::Undecided { id: self.id.clone(), reason })
        })
    }

    /// Who the producer is, once the transaction before is complete.
    async fn ready(&mut self) -> Result<ProducerIdentity, TransactionError> {
        if let State::Busy(ended) = &mut self.state {
            let Ok(ended) = tokio::time::timeout(MOST_WAIT, ended).await else {
                let reason = "the transaction before it is not complete yet".to_owned();
                return Err(TransactionError::Refused { id: self.id.clone(), reason, is_transient: true });
            };
            self.state = ended.ok().flatten().map_or(State::Lost, State::Ready);
        }
        let fenced = || TransactionError::Fenced { id: self.id.clone() };
        let State::Ready(producer) = self.state else { return Err(fenced()) };
        // It may have been forgotten, after a long time in which it was not used.
        match self.broker.transactions().partitions(&self.id, producer) {
            Ok(_) => Ok(producer),
            Err(_) => Err(fenced()),
        }
    }
}

#[async_trait]
impl TransactionalProducer for Producer {
    async fn commit(&mut self, transaction: NewTransaction) -> Result<Vec<RecordMetadata>, TransactionError> {
        let accepted = self.accept(transaction.records).await?;
        self.commit_accepted(accepted, transaction.offsets).await
    }
}

/// A transaction that has begun.
struct Open {
    broker: Broker,
    id: TransactionalId,
    producer: ProducerIdentity,
    /// Who waits for it.
    answer: Option<oneshot::Sender<Result<Vec<RecordMetadata>, TransactionError>>>,
}

impl Open {
    /// Runs it to its end; gives who the producer is after it, if that is known.
    async fn run(
        mut self,
        accepted: AcceptedTopics,
        offsets: Option<GroupOffsets>,
    ) -> Option<ProducerIdentity> {
        match self.append(accepted, offsets).await {
            Ok(placed) => self.end(TransactionOutcome::Commit, Ok(placed)).await,
            Err(error) => self.end(TransactionOutcome::Abort, Err(error)).await,
        }
    }

    async fn append(
        &self,
        accepted: AcceptedTopics,
        offsets: Option<GroupOffsets>,
    ) -> Result<Vec<RecordMetadata>, TransactionError> {
        let refused = |error| refused(&self.id, &error);
        let append = self.coordinator().append(&self.id, VERSION, ClientAddress::UNKNOWN);
        let append = append.map_err(refused)?;
        let partitions = accepted.iter().map(|(records, _)| records.shares.len()).sum();
        let request = NonZeroUsize::new(partitions).unwrap_or(NonZeroUsize::MIN);
        let mut placed = vec![None; accepted.iter().map(|(records, _)| records.count).sum()];
        let mut durable = Vec::with_capacity(partitions);
        for (AcceptedRecords { topic, shares, .. }, indexes) in accepted {
            for (number, mut share) in shares {
                // Each transaction has an epoch of its own, in which a partition gets one batch.
                let batch = share.batch.producer(self.producer.id, self.producer.epoch, 0).transactional();
                let appended = share.partition.append_in_transaction(batch.build(), request, &append);
                let appended = appended.map_err(|error| produce::refused(&topic, error))?;
                durable.push((topic.clone(), share.partition.durable(appended.last_offset)));
                share.indexes.iter_mut().for_each(|index| *index = indexes[*index]);
                produce::place(&mut placed, number, &share.indexes, appended.base_offset);
            }
        }
        for (topic, synced) in durable {
            synced.await.map_err(|error| produce::not_durable(&topic, &error))?;
        }
        if let Some(offsets) = offsets {
            self.commit_offsets(offsets).await.map_err(refused)?;
        }
        Ok(produce::all(placed))
    }

    async fn commit_offsets(&self, offsets: GroupOffsets) -> Result<(), transactions::TransactionError> {
        let commit = Commit::of_no_member(offsets.group, offsets.offsets);
        let (id, producer) = (self.id.clone(), self.producer);
        self.coordinator().commit_offsets(TransactionOffsets { id, producer, version: VERSION, commit }).await
    }

    /// Ends it, and answers as soon as that is decided; gives who the producer is once it is complete.
    async fn end(
        &mut self,
        outcome: TransactionOutcome,
        result: Result<Vec<RecordMetadata>, TransactionError>,
    ) -> Option<ProducerIdentity> {
        let ended = self.coordinator().end(&self.id, self.producer, outcome, VERSION).await;
        match &ended {
            // Decided; a disk that takes no marker now only keeps the producer from its next transaction.
            Ok(_) | Err(transactions::TransactionError::Concurrent) => self.answer(result),
            Err(error) => {
                let failed = self.not_ended(error);
                self.answer(result.and(Err(failed)));
            }
        }
        self.complete(outcome, ended).await
    }

    /// Waits until what is decided is complete; gives who the producer is then.
    async fn complete(
        &self,
        outcome: TransactionOutcome,
        mut ended: Result<ProducerIdentity, transactions::TransactionError>,
    ) -> Option<ProducerIdentity> {
        while let Err(transactions::TransactionError::Concurrent) = ended {
            if self.is_stopped_within(PAUSE).await {
                return None;
            }
            ended = self.coordinator().end(&self.id, self.producer, outcome, VERSION).await;
        }
        ended.ok()
    }

    fn not_ended(&self, error: &transactions::TransactionError) -> TransactionError {
        match error {
            transactions::TransactionError::Storage(_) => {
                TransactionError::Undecided { id: self.id.clone(), reason: reason(error) }
            }
            error => refused(&self.id, error),
        }
    }

    fn answer(&mut self, result: Result<Vec<RecordMetadata>, TransactionError>) {
        if let Some(answer) = self.answer.take() {
            // The caller may have gone away.
            drop(answer.send(result));
        }
    }

    fn coordinator(&self) -> &TransactionCoordinator {
        self.broker.transactions()
    }

    async fn is_stopped_within(&self, pause: Duration) -> bool {
        let Some(tasks) = self.broker.shared().tasks.get() else { return true };
        let stop = tasks.stop();
        tokio::select! {
            () = stop.requested() => true,
            () = tokio::time::sleep(pause) => false,
        }
    }
}

/// Each transaction has an epoch of its own (KIP-890).
const VERSION: TransactionVersion = TransactionVersion::V2;

fn refused(id: &TransactionalId, error: &transactions::TransactionError) -> TransactionError {
    let id = id.clone();
    match error {
        transactions::TransactionError::Fenced { .. }
        | transactions::TransactionError::UnknownProducer
        | transactions::TransactionError::NotFound => TransactionError::Fenced { id },
        error => TransactionError::Refused { id, reason: reason(error), is_transient: error.is_transient() },
    }
}

/// The error with the record's place among all of the transaction.
fn at_its_place(error: ProduceError, indexes: &[usize]) -> ProduceError {
    match error {
        ProduceError::Refused { index, reason } => {
            ProduceError::Refused { index: indexes.get(index).copied().unwrap_or(index), reason }
        }
        error => error,
    }
}
