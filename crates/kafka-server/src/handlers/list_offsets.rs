//! ListOffsets: where a partition begins, ends, or passes a point in time.
//!
//! A search by time opens a batch, which may be large once it is unpacked. So it runs beside the async threads,
//! a few at once for all clients and for one address, one partition after the other: when the connection ends,
//! the rest is not begun. A partition that is named twice is answered as an error, as in Kafka.

use std::collections::HashSet;
use std::sync::Arc;

use factum_broker::{Isolation, LogReadError, Partition};
use factum_types::{Action, LeaderEpoch, Offset, PartitionId, Timestamp};

use super::{Call, Handle, lookup};
use crate::error_code::ErrorCode;
use crate::messages::list_offsets::{
    AskedPartition, AskedTopic, EARLIEST, EARLIEST_LOCAL, EARLIEST_PENDING_UPLOAD, FoundPartition,
    FoundTopic, LATEST, LATEST_TIERED, ListOffsetsRequest, ListOffsetsResponse, MAX_TIMESTAMP,
};

/// An offset with the time of its record, where one was looked for.
type OffsetAndTime = (Offset, Timestamp);

impl Handle for ListOffsetsRequest {
    type Response = ListOffsetsResponse;

    async fn handle(self, call: &Call) -> ListOffsetsResponse {
        let twice = named_twice(&self.topics);
        let isolation = lookup::isolation(self.isolation_level);
        let mut topics = Vec::with_capacity(self.topics.len());
        for topic in self.topics {
            topics.push(find_in_topic(call, topic, &twice, isolation).await);
        }
        ListOffsetsResponse { throttle_time_ms: 0, topics }
    }
}

/// The partitions that the request names more than once.
fn named_twice(topics: &[AskedTopic]) -> HashSet<(String, PartitionId)> {
    let mut seen = HashSet::new();
    let all = topics.iter().flat_map(|topic| {
        topic.partitions.iter().map(move |partition| (topic.name.as_str(), partition.partition_index))
    });
    let twice = all.filter(|partition| !seen.insert(*partition));
    twice.map(|(name, index)| (name.to_owned(), index)).collect()
}

async fn find_in_topic(
    call: &Call,
    asked: AskedTopic,
    twice: &HashSet<(String, PartitionId)>,
    isolation: Isolation,
) -> FoundTopic {
    let topic = call.session.topic(Action::Describe, &asked.name);
    let mut partitions = Vec::with_capacity(asked.partitions.len());
    for each in &asked.partitions {
        let found = match lookup::partition(&topic, each.partition_index) {
            Ok(_) if twice.contains(&(asked.name.clone(), each.partition_index)) => {
                Err(ErrorCode::InvalidRequest)
            }
            Ok(partition) => find(call, partition, each, isolation).await.map(|found| (partition, found)),
            Err(code) => Err(code),
        };
        partitions.push(render(each.partition_index, found));
    }
    FoundTopic { name: asked.name, partitions }
}

async fn find(
    call: &Call,
    partition: &Arc<Partition>,
    asked: &AskedPartition,
    isolation: Isolation,
) -> Result<Option<OffsetAndTime>, ErrorCode> {
    let bounds = partition.bounds();
    lookup::check_epoch(asked.current_leader_epoch, bounds.leader_epoch)?;
    let end = bounds.end_for(isolation);
    let visible = |found: Option<OffsetAndTime>| found.filter(|(offset, _)| *offset < end);
    match asked.timestamp {
        LATEST => Ok(Some((end, Timestamp::NONE))),
        EARLIEST | EARLIEST_LOCAL => Ok(Some((bounds.log_start, Timestamp::NONE))),
        MAX_TIMESTAMP => {
            search(call, partition, |partition| partition.log().max_timestamp()).await.map(visible)
        }
        // Nothing is ever moved to remote storage.
        LATEST_TIERED | EARLIEST_PENDING_UPLOAD => Ok(None),
        time if time < 0 => Err(ErrorCode::InvalidRequest),
        time => {
            let time = Timestamp::from_millis(time);
            search(call, partition, move |partition| partition.log().offset_for_time(time)).await.map(visible)
        }
    }
}

/// Runs `work` beside the async threads, once it is this address's turn and everybody's. Work that was begun
/// keeps its place until it ends, whether or not anybody still waits for it.
async fn search(
    call: &Call,
    partition: &Arc<Partition>,
    work: impl FnOnce(&Partition) -> Result<Option<OffsetAndTime>, LogReadError> + Send + 'static,
) -> Result<Option<OffsetAndTime>, ErrorCode> {
    let (session, partition) = (&call.session, Arc::clone(partition));
    let own = Arc::clone(&session.connection.address.searches).acquire_owned().await;
    let shared = Arc::clone(&session.node.searches).acquire_owned().await;
    let searching = tokio::task::spawn_blocking(move || {
        let _turn = (own, shared);
        work(&partition)
    });
    match searching.await {
        Ok(found) => found.map_err(|error| ErrorCode::from(&error)),
        Err(failed) => std::panic::resume_unwind(failed.into_panic()),
    }
}

fn render(
    partition_index: i32,
    found: Result<(&Arc<Partition>, Option<OffsetAndTime>), ErrorCode>,
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
