//! Producers for requests that are to be stored whole over several partitions.
//!
//! Invariant: a producer that was taken comes back, with the transaction that it may be in, also where its request is
//! given up.

use factum_eventlog::{ProduceError, RecordMetadata, TransactionError};
use factum_types::{TopicName, TransactionalId};
use parking_lot::Mutex;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::{Producer, State};
use crate::access::Access;
use crate::broker::Broker;
use crate::in_process::produce::AcceptedRecords;

/// Most requests that are stored whole at one time; more of them wait.
const PRODUCERS: usize = 32;

/// Producers by number, each used by one request at a time.
#[derive(Debug)]
pub(crate) struct ProducerPool {
    permits: Semaphore,
    idle: Mutex<Vec<Idle>>,
}

#[derive(Debug)]
struct Idle {
    number: usize,
    state: State,
}

impl Default for ProducerPool {
    fn default() -> Self {
        let idle = (0..PRODUCERS).rev().map(|number| Idle { number, state: State::Lost });
        Self { permits: Semaphore::new(PRODUCERS), idle: Mutex::new(idle.collect()) }
    }
}

/// A producer taken from the pool.
struct PooledProducer<'a> {
    pool: &'a ProducerPool,
    number: usize,
    producer: Producer,
    _permit: SemaphorePermit<'a>,
}

impl Drop for PooledProducer<'_> {
    fn drop(&mut self) {
        let state = std::mem::replace(&mut self.producer.state, State::Lost);
        self.pool.idle.lock().push(Idle { number: self.number, state });
    }
}

impl ProducerPool {
    async fn take<'a>(&'a self, broker: &Broker) -> PooledProducer<'a> {
        let permit = self.permits.acquire().await.expect("the pool is never closed");
        let Idle { number, state } = self.idle.lock().pop().expect("one for each permit");
        let id = TransactionalId::new(format!("_factum.whole-{number}")).expect("a short name");
        let producer = Producer { broker: broker.clone(), access: Access::Client, id, state };
        PooledProducer { pool: self, number, producer, _permit: permit }
    }
}

/// Appends accepted records of one topic as one transaction.
pub(in crate::in_process) async fn append_whole(
    broker: &Broker,
    accepted: AcceptedRecords,
) -> Result<Vec<RecordMetadata>, ProduceError> {
    let topic = accepted.topic.clone();
    let mut taken = broker.shared().whole_requests.take(broker).await;
    let producer = &mut taken.producer;
    if let Err(TransactionError::Fenced { .. }) = producer.ready().await {
        // It was never used, forgotten after a long time, or left undecided.
        let opened = Producer::open(broker.clone(), producer.access, producer.id.clone()).await;
        *producer = opened.map_err(|error| in_terms_of_records(&topic, error))?;
    }
    let indexes = (0..accepted.count).collect();
    let committed = producer.commit_accepted(vec![(accepted, indexes)], None).await;
    committed.map_err(|error| in_terms_of_records(&topic, error))
}

fn in_terms_of_records(topic: &TopicName, error: TransactionError) -> ProduceError {
    let (topic, reason) = (topic.clone(), error.to_string());
    match error {
        TransactionError::Produce(error) => error,
        TransactionError::Undecided { .. } => ProduceError::NotDurable { topic, reason },
        TransactionError::Fenced { .. } | TransactionError::Refused { .. } => {
            ProduceError::Unavailable { topic, reason }
        }
    }
}
