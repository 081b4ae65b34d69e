//! DescribeTransactions: transactional producers and their transactions.

use factum_types::{Action, TopicPartition};

use super::{Call, Handle, lookup};
use crate::error_code::ErrorCode;
use crate::messages::describe_transactions::{
    DescribeTransactionsRequest, DescribeTransactionsResponse, TransactionDescription, TransactionTopic,
};

impl Handle for DescribeTransactionsRequest {
    type Response = DescribeTransactionsResponse;

    async fn handle(self, call: &Call) -> DescribeTransactionsResponse {
        let ids = lookup::unique(self.transactional_ids, String::clone);
        let described =
            ids.map(|id| describe(call, &id).unwrap_or_else(|code| TransactionDescription::error(id, code)));
        DescribeTransactionsResponse { throttle_time_ms: 0, transaction_states: described.collect() }
    }
}

fn describe(call: &Call, id: &str) -> Result<TransactionDescription, ErrorCode> {
    let id = call.session.transactional_id(Action::Describe, id)?;
    let found = call.session.broker().transactions().describe(&id);
    let found = found.map_err(|error| ErrorCode::from(&error))?;
    let partitions = found.partitions.into_iter();
    let visible =
        partitions.filter(|partition| call.session.check_topic(Action::Describe, &partition.topic).is_ok());
    Ok(TransactionDescription {
        error_code: ErrorCode::None,
        transactional_id: id.as_str().to_owned(),
        transaction_state: found.listing.state.name().to_owned(),
        transaction_timeout_ms: i32::try_from(found.timeout.as_millis()).unwrap_or(i32::MAX),
        transaction_start_time_ms: found.listing.started.as_millis(),
        producer_id: found.listing.producer.id,
        producer_epoch: found.listing.producer.epoch,
        topics: by_topic(visible),
    })
}

/// The partitions, which come by topic.
fn by_topic(partitions: impl Iterator<Item = TopicPartition>) -> Vec<TransactionTopic> {
    let mut topics: Vec<TransactionTopic> = Vec::new();
    for TopicPartition { topic, partition } in partitions {
        match topics.last_mut().filter(|last| last.topic == topic.as_str()) {
            Some(last) => last.partitions.push(partition),
            None => topics
                .push(TransactionTopic { topic: topic.as_str().to_owned(), partitions: vec![partition] }),
        }
    }
    topics
}
