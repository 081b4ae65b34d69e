//! Produce: records in. PendingAppend at once, in the order of arrival; answered when they are on disk.
//!
//! ```text
//!   begin: check, append to the page cache ──▶ the next request of the connection begins
//!   settle: wait until each partition's records are durable ──▶ answer
//! ```
//!
//! `acks=1` and `acks=all` are the same here: one disk has the records when the answer says so. `acks=0` waits
//! for nothing and is answered with nothing.

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::BytesMut;
use factum_access::QuotaKey;
use factum_broker::transactions::{TransactionError, TransactionVersion};
use factum_broker::{InlineWork, InvalidRecord, Partition, ProduceError, TransactionalAppend};
use factum_types::{Action, Compression, Offset, RecordBatch, Timestamp, TopicId};
use tracing::{debug, warn};

use super::{Call, Refusal, StartedRequest, lookup, throttling};
use crate::connection::{Answer, READ_BYTES};
use crate::error_code::ErrorCode;
use crate::messages::produce::{
    PartitionOutcome, PartitionRecords, ProduceRequest, ProduceResponse, RecordError, TopicOutcome,
    TopicRecords,
};
use crate::messages::{ApiKey, Response};

/// The first version in which a producer may compress with zstd (KIP-110).
const ZSTD_SINCE: i16 = 7;
/// The first version whose records add their partition to the transaction (KIP-890).
const IMPLICIT_PARTITIONS_SINCE: i16 = 12;
/// The first version whose clients know `TRANSACTION_ABORTABLE`.
const ABORTABLE_SINCE: i16 = 11;
/// A batch is copied out of its frame if it is so many times smaller: a small batch in the tail cache must not
/// keep a large frame in memory.
const WORTH_A_COPY: usize = 8;

/// An append whose records are to be waited for.
struct PendingAppend {
    /// Their place among the outcomes: topic, partition.
    place: (usize, usize),
    partition: Arc<Partition>,
    last: Offset,
}

/// Why records were not appended.
struct PartitionRefusal {
    code: ErrorCode,
    reason: String,
    /// The records at fault, if some of them are.
    records: Vec<InvalidRecord>,
}

impl From<ErrorCode> for PartitionRefusal {
    fn from(code: ErrorCode) -> Self {
        Self::new(code, "")
    }
}

impl PartitionRefusal {
    fn new(code: ErrorCode, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into(), records: Vec::new() }
    }
}

/// Takes the frame apart and appends what it brings. What its client has used is known by then, so it waits from now on: until
/// the records are on disk, and if that is not enough, after its answer.
pub(super) fn begin(call: &Call, frame: BytesMut, body: usize) -> Result<StartedRequest, Refusal> {
    let (version, frame_len) = (call.header.version, frame.len());
    let wait = call.charge(QuotaKey::ProducerByteRate, frame_len as f64);
    let request = ProduceRequest::decode(frame, body, version)
        .map_err(|source| Refusal::Body { api: ApiKey::Produce, source })?;
    let acks = request.acks;
    let partitions = request.topics.iter().map(|topic| topic.partitions.len()).sum();
    let unsynced = UnsyncedPartitions::add(&call.session.unsynced, partitions);
    let request_size = unsynced.request_size;
    let mut produce = Produce {
        call,
        frame_len,
        acks,
        request_size,
        appended: Vec::new(),
        inline: InlineWork::default(),
        named: HashSet::new(),
        transactional_id: request.transactional_id,
        transaction: None,
    };
    let append = || request.topics.into_iter().enumerate().map(|(i, t)| produce.topic(i, t)).collect();
    let (topics, busy): (Vec<_>, _) = throttling::measured_now(call, append);
    let appended = produce.appended;
    let throttle_time_ms = wait.max(throttling::charge_time(call, busy));
    call.hold_back(throttle_time_ms);
    let response = ProduceResponse { topics, throttle_time_ms, node_endpoints: Vec::new() };
    if acks == 0 {
        return unacknowledged(&response);
    }
    let correlation_id = call.header.correlation_id;
    let answer = match appended.is_empty() {
        true => Answer::Ready(response.frame(version, correlation_id)),
        false => Answer::Pipelined(Box::pin(async move {
            let response = settle(response, appended).await;
            drop(unsynced);
            response.frame(version, correlation_id)
        })),
    };
    Ok(StartedRequest { api: ApiKey::Produce, answer: Some(answer) })
}

/// Partitions of one request that wait to be synced, counted in its connection while it lives.
struct UnsyncedPartitions {
    count: Arc<AtomicUsize>,
    partitions: usize,
    /// Partitions of this request and of those sent before it: librdkafka sends one for each partition, and a client
    /// that writes to hundreds at a time is synced after one that writes to a few, however it divides them.
    request_size: NonZeroUsize,
}

impl UnsyncedPartitions {
    fn add(count: &Arc<AtomicUsize>, partitions: usize) -> Self {
        let before = count.fetch_add(partitions, Ordering::Relaxed);
        let request_size = NonZeroUsize::new(before + partitions).unwrap_or(NonZeroUsize::MIN);
        Self { count: Arc::clone(count), partitions, request_size }
    }
}

impl Drop for UnsyncedPartitions {
    fn drop(&mut self) {
        self.count.fetch_sub(self.partitions, Ordering::Relaxed);
    }
}

/// Waits until all of it is on disk.
async fn settle(mut response: ProduceResponse, appended: Vec<PendingAppend>) -> ProduceResponse {
    for PendingAppend { place: (topic, index), partition, last } in appended {
        if let Err(error) = partition.durable(last).await {
            let outcome = &mut response.topics[topic].partitions[index];
            *outcome = failed(outcome.index, ErrorCode::from(&error), error.to_string());
        }
    }
    response
}

fn unacknowledged(response: &ProduceResponse) -> Result<StartedRequest, Refusal> {
    let outcomes = response.topics.iter().flat_map(|topic| &topic.partitions);
    match outcomes.into_iter().find(|outcome| !outcome.error_code.is_none()) {
        None => Ok(StartedRequest { api: ApiKey::Produce, answer: None }),
        Some(outcome) => {
            let words = outcome.error_message.as_deref().unwrap_or_default();
            Err(Refusal::Unacknowledged { reason: format!("{} {words}", outcome.error_code) })
        }
    }
}

/// One request being appended.
struct Produce<'a> {
    call: &'a Call,
    frame_len: usize,
    acks: i16,
    /// As [`UnsyncedPartitions::request_size`].
    request_size: NonZeroUsize,
    appended: Vec<PendingAppend>,
    inline: InlineWork,
    /// Partitions that it has named, by their places in memory.
    named: HashSet<usize>,
    transactional_id: Option<String>,
    /// The transaction of its batches, once one is of any.
    transaction: Option<TransactionalAppend>,
}

impl Produce<'_> {
    fn topic(&mut self, at: usize, records: TopicRecords) -> TopicOutcome {
        let session = &self.call.session;
        let topic = match records.topic_id {
            TopicId::NIL => session.topic(Action::Write, &records.name),
            id => session.topic_by_id(Action::Write, id),
        };
        let partitions =
            records.partitions.into_iter().enumerate().map(|(i, PartitionRecords { index, records })| {
                let found = lookup::partition(&topic, index).map_err(PartitionRefusal::from);
                let outcome = found.and_then(|partition| self.append((at, i), partition, index, records));
                outcome.unwrap_or_else(|refused| self.refuse(index, refused))
            });
        let partitions = partitions.collect();
        TopicOutcome { name: records.name, topic_id: records.topic_id, partitions }
    }

    fn append(
        &mut self,
        place: (usize, usize),
        partition: &Arc<Partition>,
        index: i32,
        records: Option<BytesMut>,
    ) -> Result<PartitionOutcome, PartitionRefusal> {
        if !(-1..=1).contains(&self.acks) {
            return Err(ErrorCode::InvalidRequiredAcks.into());
        }
        if !self.named.insert(Arc::as_ptr(partition).addr()) {
            return Err(PartitionRefusal::new(
                ErrorCode::InvalidRequest,
                "the request names this partition twice",
            ));
        }
        let batch = self.batch(records.unwrap_or_default())?;
        if batch.header().is_transactional() {
            self.find_transaction()?;
        }
        let (appended, append_time) = partition
            .append_timed(batch, self.request_size, &mut self.inline, self.transaction.as_ref())
            .map_err(|error| PartitionRefusal {
                code: self.code(&error),
                reason: error.to_string(),
                records: error.invalid_records(),
            })?;
        self.appended.push(PendingAppend {
            place,
            partition: Arc::clone(partition),
            last: appended.last_offset,
        });
        Ok(PartitionOutcome {
            index,
            error_code: ErrorCode::None,
            base_offset: appended.base_offset.get(),
            log_append_time_ms: append_time.map_or(-1, Timestamp::as_millis),
            log_start_offset: appended.log_start.get(),
            record_errors: Vec::new(),
            error_message: None,
            current_leader: None,
        })
    }

    /// Asks whether the client may write in the transaction that the request names, if it names one.
    fn find_transaction(&mut self) -> Result<(), PartitionRefusal> {
        let Some(id) = self.transactional_id.as_deref().filter(|_| self.transaction.is_none()) else {
            return Ok(());
        };
        let session = &self.call.session;
        let id = session.transactional_id(Action::Write, id)?;
        let version = match self.call.header.version {
            ..IMPLICIT_PARTITIONS_SINCE => TransactionVersion::V1,
            _ => TransactionVersion::V2,
        };
        let found = session.broker().transactions().append(&id, version, session.peer.ip().into());
        let found =
            found.map_err(|error| PartitionRefusal::new(self.transaction_code(&error), error.to_string()))?;
        self.transaction = Some(found);
        Ok(())
    }

    fn code(&self, error: &ProduceError) -> ErrorCode {
        match error {
            ProduceError::Transaction(error) => self.transaction_code(error),
            error => ErrorCode::from(error),
        }
    }

    /// What clients of this version act rightly on.
    fn transaction_code(&self, error: &TransactionError) -> ErrorCode {
        let version = self.call.header.version;
        match error {
            // They send the batch again.
            TransactionError::Concurrent if version < IMPLICIT_PARTITIONS_SINCE => {
                ErrorCode::NotEnoughReplicas
            }
            TransactionError::Fenced { .. } => ErrorCode::InvalidProducerEpoch,
            TransactionError::NotInTransaction { .. } if version >= ABORTABLE_SINCE => {
                ErrorCode::TransactionAbortable
            }
            error => ErrorCode::from(error),
        }
    }

    /// Checks that the bytes are one batch that this version of the request may bring.
    fn batch(&self, records: BytesMut) -> Result<RecordBatch, PartitionRefusal> {
        if records.is_empty() {
            return Err(PartitionRefusal::new(ErrorCode::InvalidRecord, "there are no records"));
        }
        let is_small = records.len() < self.frame_len.max(READ_BYTES) / WORTH_A_COPY;
        let records = if is_small { BytesMut::from(&records[..]) } else { records };
        let batch = RecordBatch::new(records)
            .map_err(|error| PartitionRefusal::new(ErrorCode::from(&error), error.to_string()))?;
        if self.call.header.version < ZSTD_SINCE && batch.header().compression() == Ok(Compression::Zstd) {
            let reason = format!("zstd needs version {ZSTD_SINCE} of the request");
            return Err(PartitionRefusal::new(ErrorCode::UnsupportedCompressionType, reason));
        }
        Ok(batch)
    }

    /// Tells the operator of invalid records: many clients show the code alone, and not the reason.
    fn note(&self, code: ErrorCode, partition: i32, reason: &str) {
        let (session, is_invalid) = (&self.call.session, code == ErrorCode::InvalidRecord);
        match is_invalid.then(|| session.node.may_log(session.peer.ip())).flatten() {
            Some(left_out) => {
                warn!(peer = %session.peer, partition, reason, left_out, "refused invalid records");
            }
            None => debug!(peer = %session.peer, partition, %code, reason, "refused records"),
        }
    }

    fn refuse(&self, index: i32, refused: PartitionRefusal) -> PartitionOutcome {
        let PartitionRefusal { code, reason, records } = refused;
        self.note(code, index, &reason);
        // KIP-467: a client may drop these records and send the rest again.
        let record_error =
            |InvalidRecord { index, reason }| RecordError { batch_index: index, message: Some(reason) };
        let record_errors = records.into_iter().map(record_error).collect();
        PartitionOutcome { record_errors, ..failed(index, code, reason) }
    }
}

fn failed(index: i32, error_code: ErrorCode, reason: String) -> PartitionOutcome {
    PartitionOutcome {
        index,
        error_code,
        base_offset: -1,
        log_append_time_ms: -1,
        log_start_offset: -1,
        record_errors: Vec::new(),
        error_message: Some(reason).filter(|reason| !reason.is_empty()),
        current_leader: None,
    }
}
