//! ListOffsets: where a partition begins, ends, or passes a point in time.

use std::sync::Arc;

use factum_broker::Partition;
use factum_types::{Action, LeaderEpoch, Offset, Timestamp};
use tokio::task::coop::consume_budget;

use super::{Call, Handle, lookup};
use crate::error_code::ErrorCode;
use crate::messages::list_offsets::{
    AskedPartition, AskedTopic, EARLIEST, EARLIEST_LOCAL, FoundPartition, FoundTopic, LATEST, LATEST_TIERED,
    ListOffsetsRequest, ListOffsetsResponse, MAX_TIMESTAMP,
};

/// An offset with the time of its record, where one was looked for.
type Found = (Offset, Timestamp);

impl Handle for ListOffsetsRequest {
    type Response = ListOffsetsResponse;

    async fn handle(self, call: &Call) -> ListOffsetsResponse {
        let mut topics = Vec::with_capacity(self.topics.len());
        for topic in self.topics {
            topics.push(find_in_topic(call, topic).await);
        }
        ListOffsetsResponse { throttle_time_ms: 0, topics }
    }
}

async fn find_in_topic(call: &Call, asked: AskedTopic) -> FoundTopic {
    let topic = call.session.topic(Action::Describe, &asked.name);
    let mut partitions = Vec::with_capacity(asked.partitions.len());
    for each in &asked.partitions {
        let found = lookup::partition(&topic, each.partition_index);
        let found = found.and_then(|partition| find(partition, each).map(|found| (partition, found)));
        partitions.push(render(each.partition_index, found));
        // A look-up by time may read the disk: others have their turn in between.
        consume_budget().await;
    }
    FoundTopic { name: asked.name, partitions }
}

fn find(partition: &Arc<Partition>, asked: &AskedPartition) -> Result<Option<Found>, ErrorCode> {
    let (log, bounds) = (partition.log(), partition.bounds());
    lookup::check_epoch(asked.current_leader_epoch, bounds.leader_epoch)?;
    let found = match asked.timestamp {
        LATEST => Ok(Some((bounds.high_watermark, Timestamp::NONE))),
        EARLIEST | EARLIEST_LOCAL => Ok(Some((bounds.log_start, Timestamp::NONE))),
        MAX_TIMESTAMP => log.max_timestamp(),
        // Nothing is ever moved to remote storage.
        LATEST_TIERED => Ok(None),
        time if time < 0 => return Err(ErrorCode::InvalidRequest),
        time => log.offset_for_time(Timestamp::from_millis(time)),
    };
    found.map_err(|error| ErrorCode::from(&error))
}

fn render(
    partition_index: i32,
    found: Result<(&Arc<Partition>, Option<Found>), ErrorCode>,
) -> FoundPartition {
    let nothing = FoundPartition {
        partition_index,
        error_code: ErrorCode::None,
        timestamp: -1,
        offset: -1,
        leader_epoch: -1,
    };
    match found {
        Err(error_code) => FoundPartition { error_code, ..nothing },
        Ok((_, None)) => nothing,
        Ok((partition, Some((offset, timestamp)))) => FoundPartition {
            timestamp: timestamp.as_millis(),
            offset: offset.get(),
            leader_epoch: epoch_at(partition, offset),
            ..nothing
        },
    }
}

/// The epoch in which the record at `offset` was, or will be, appended.
fn epoch_at(partition: &Partition, offset: Offset) -> LeaderEpoch {
    let mut epoch = partition.bounds().leader_epoch;
    while let Some((earlier, end)) = partition.log().epoch_end(epoch - 1) {
        if end <= offset {
            break;
        }
        epoch = earlier;
    }
    epoch
}
