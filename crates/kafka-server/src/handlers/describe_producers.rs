//! DescribeProducers: the idempotent producers that partitions remember, and their open transactions.

use std::sync::Arc;

use factum_broker::Topic;
use factum_types::{Action, PartitionId};

use super::{Call, Handle, lookup};
use crate::error_code::ErrorCode;
use crate::messages::describe_producers::{
    ActiveProducer, DescribeProducersRequest, DescribeProducersResponse, DescribeProducersTopic,
    ProducersOfPartition, ProducersOfTopic,
};

/// The most producers in one response; a partition remembers 10,000 at most.
const MOST_PRODUCERS: usize = 100_000;

impl Handle for DescribeProducersRequest {
    type Response = DescribeProducersResponse;

    async fn handle(self, call: &Call) -> DescribeProducersResponse {
        let mut room = MOST_PRODUCERS;
        let topics = lookup::unique(self.topics, |topic| topic.name.clone());
        let topics = topics.map(|topic| describe_topic(call, topic, &mut room)).collect();
        DescribeProducersResponse { throttle_time_ms: 0, topics }
    }
}

fn describe_topic(call: &Call, asked: DescribeProducersTopic, room: &mut usize) -> ProducersOfTopic {
    let topic = call.session.topic(Action::Read, &asked.name);
    let partitions = lookup::unique(asked.partition_indexes, |partition| *partition);
    let partitions = partitions.map(|partition_index| {
        let described = describe(&topic, partition_index, room);
        let error_code = described.as_ref().err().copied().unwrap_or(ErrorCode::None);
        let is_too_much = error_code == ErrorCode::PolicyViolation;
        ProducersOfPartition {
            partition_index,
            error_code,
            error_message: is_too_much.then(|| {
                format!("a response has at most {MOST_PRODUCERS} producers: ask for fewer partitions at once")
            }),
            active_producers: described.unwrap_or_default(),
        }
    });
    ProducersOfTopic { partitions: partitions.collect(), name: asked.name }
}

fn describe(
    topic: &Result<Arc<Topic>, ErrorCode>,
    partition: PartitionId,
    room: &mut usize,
) -> Result<Vec<ActiveProducer>, ErrorCode> {
    let producers = lookup::partition(topic, partition)?.log().producers();
    *room = room.checked_sub(producers.len()).ok_or(ErrorCode::PolicyViolation)?;
    let described = producers.into_iter().map(|producer| ActiveProducer {
        producer_id: producer.id,
        producer_epoch: producer.epoch.into(),
        last_sequence: producer.last_sequence.unwrap_or(-1),
        last_timestamp: producer.last_append.as_millis(),
        coordinator_epoch: producer.coordinator_epoch.unwrap_or(-1),
        current_txn_start_offset: producer.open_since.map_or(-1, |first| first.get()),
    });
    Ok(described.collect())
}
