//! AddPartitionsToTxn: which partitions a transaction writes to. All partitions of a transaction are added, or none.

use factum_broker::transactions::ProducerIdentity;
use factum_types::{Action, TopicName, TopicPartition, TransactionalId};

use super::errors::fenced_before;
use super::{Call, Handle, lookup};
use crate::error_code::ErrorCode;
use crate::messages::add_partitions_to_txn::{
    AddPartitionsToTxnPartitionResult, AddPartitionsToTxnRequest, AddPartitionsToTxnResponse,
    AddPartitionsToTxnResult, AddPartitionsToTxnTopic, AddPartitionsToTxnTopicResult,
    AddPartitionsToTxnTransaction,
};

/// From this version on only brokers ask each other.
const FIRST_VERSION_OF_BROKERS: i16 = 4;
/// From this version on clients know `PRODUCER_FENCED`.
const FENCED_SINCE: i16 = 2;

impl Handle for AddPartitionsToTxnRequest {
    type Response = AddPartitionsToTxnResponse;

    async fn handle(self, call: &Call) -> AddPartitionsToTxnResponse {
        let mut response = AddPartitionsToTxnResponse {
            throttle_time_ms: 0,
            error_code: ErrorCode::None,
            results_by_transaction: Vec::new(),
        };
        if call.header.version >= FIRST_VERSION_OF_BROKERS
            && let Err(code) = call.session.check_cluster(Action::ClusterAction)
        {
            response.error_code = code;
            return response;
        }
        let transactions = lookup::unique(self.transactions, |each| each.transactional_id.clone());
        for each in transactions {
            response.results_by_transaction.push(add(call, each).await);
        }
        response
    }
}

async fn add(call: &Call, mut asked: AddPartitionsToTxnTransaction) -> AddPartitionsToTxnResult {
    let id = call.session.transactional_id(Action::Write, &asked.transactional_id);
    let allowed = id.as_ref().map(drop).map_err(|code| *code);
    let topics = lookup::unique(std::mem::take(&mut asked.topics), |topic| topic.name.clone());
    let mut topic_results: Vec<_> = topics.map(|topic| check(call, allowed, topic)).collect();
    let is_refused = partitions(&mut topic_results).any(|each| !each.partition_error_code.is_none());
    let outcome = match id {
        Ok(id) if !is_refused => change_or_verify(call, &id, &asked, &mut topic_results).await,
        _ => Err(ErrorCode::OperationNotAttempted),
    };
    if let Err(code) = outcome {
        let code = fenced_before(FENCED_SINCE, call.header.version, code);
        for partition in partitions(&mut topic_results).filter(|each| each.partition_error_code.is_none()) {
            partition.partition_error_code = code;
        }
    }
    AddPartitionsToTxnResult { transactional_id: asked.transactional_id, topic_results }
}

/// Adds the partitions, or says of each whether it is in the transaction.
async fn change_or_verify(
    call: &Call,
    id: &TransactionalId,
    asked: &AddPartitionsToTxnTransaction,
    topics: &mut [AddPartitionsToTxnTopicResult],
) -> Result<(), ErrorCode> {
    let (transactions, client) = (call.session.broker().transactions(), call.session.peer.ip().into());
    let producer = ProducerIdentity { id: asked.producer_id, epoch: asked.producer_epoch };
    if !asked.verify_only {
        let added = transactions.add_partitions(id, producer, named(topics).collect(), client).await;
        return added.map_err(|error| ErrorCode::from(&error));
    }
    let there = transactions.partitions(id, producer).map_err(|error| ErrorCode::from(&error))?;
    let missing: Vec<_> = named(topics).map(|partition| !there.contains(&partition)).collect();
    for (partition, is_missing) in partitions(topics).zip(missing) {
        if is_missing {
            partition.partition_error_code = ErrorCode::TransactionAbortable;
        }
    }
    Ok(())
}

fn named(topics: &[AddPartitionsToTxnTopicResult]) -> impl Iterator<Item = TopicPartition> {
    topics.iter().filter_map(|topic| Some((TopicName::new(topic.name.as_str()).ok()?, topic))).flat_map(
        |(name, topic)| {
            let partitions = topic.results_by_partition.iter();
            partitions.map(move |each| TopicPartition::new(name.clone(), each.partition_index))
        },
    )
}

/// Says of each partition why it cannot be added.
fn check(
    call: &Call,
    allowed: Result<(), ErrorCode>,
    asked: AddPartitionsToTxnTopic,
) -> AddPartitionsToTxnTopicResult {
    let topic = allowed.and_then(|()| call.session.topic(Action::Write, &asked.name));
    let topic = match topic {
        // As in Kafka: the code that a producer gives up after.
        Ok(topic) if topic.name().is_internal() => Err(ErrorCode::TopicAuthorizationFailed),
        found => found,
    };
    let partitions = lookup::unique(asked.partitions, |partition| *partition);
    let partitions = partitions.map(|partition_index| AddPartitionsToTxnPartitionResult {
        partition_index,
        partition_error_code: lookup::partition(&topic, partition_index).err().unwrap_or(ErrorCode::None),
    });
    AddPartitionsToTxnTopicResult { results_by_partition: partitions.collect(), name: asked.name }
}

fn partitions(
    topics: &mut [AddPartitionsToTxnTopicResult],
) -> impl Iterator<Item = &mut AddPartitionsToTxnPartitionResult> {
    topics.iter_mut().flat_map(|topic| &mut topic.results_by_partition)
}
