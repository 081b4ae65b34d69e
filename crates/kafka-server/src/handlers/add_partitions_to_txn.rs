//! AddPartitionsToTxn: which partitions a transaction writes to. All partitions of a transaction are added, or none.

use factum_types::Action;

use super::errors::TRANSACTIONS_UNSUPPORTED;
use super::{Call, Handle, lookup};
use crate::error_code::ErrorCode;
use crate::messages::add_partitions_to_txn::{
    AddPartitionsToTxnPartitionResult, AddPartitionsToTxnRequest, AddPartitionsToTxnResponse,
    AddPartitionsToTxnResult, AddPartitionsToTxnTopic, AddPartitionsToTxnTopicResult,
    AddPartitionsToTxnTransaction,
};

/// From this version on only brokers ask each other.
const FIRST_VERSION_OF_BROKERS: i16 = 4;

impl Handle for AddPartitionsToTxnRequest {
    type Response = AddPartitionsToTxnResponse;

    async fn handle(self, call: &Call) -> AddPartitionsToTxnResponse {
        let mut response = AddPartitionsToTxnResponse {
            throttle_time_ms: 0,
            error_code: ErrorCode::None,
            results_by_transaction: Vec::new(),
        };
        if call.header.version >= FIRST_VERSION_OF_BROKERS
            && let Err(code) = call.session.check_cluster(Action::Alter)
        {
            response.error_code = code;
            return response;
        }
        let transactions = lookup::unique(self.transactions, |each| each.transactional_id.clone());
        response.results_by_transaction = transactions.map(|each| add(call, each)).collect();
        response
    }
}

fn add(call: &Call, asked: AddPartitionsToTxnTransaction) -> AddPartitionsToTxnResult {
    let allowed = call.session.transactional_id(Action::Write, &asked.transactional_id).map(drop);
    let topics = lookup::unique(asked.topics, |topic| topic.name.clone());
    let mut topic_results: Vec<_> = topics.map(|topic| check(call, allowed, topic)).collect();
    let is_refused = partitions(&mut topic_results).any(|each| !each.partition_error_code.is_none());
    let rest = if is_refused { ErrorCode::OperationNotAttempted } else { TRANSACTIONS_UNSUPPORTED };
    for partition in partitions(&mut topic_results).filter(|each| each.partition_error_code.is_none()) {
        partition.partition_error_code = rest;
    }
    AddPartitionsToTxnResult { transactional_id: asked.transactional_id, topic_results }
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
