//! OffsetDelete: a group's offsets of topics that it no longer reads.

use std::collections::HashSet;

use factum_types::{Action, TopicPartition};

use super::{Call, Handle, lookup};
use crate::error_code::ErrorCode;
use crate::messages::offset_delete::{
    DeletedOffset, DeletedOffsets, OffsetDeleteRequest, OffsetDeleteResponse, OffsetDeleteTopic,
};

/// The answer for a partition, and the partition if its offset may be deleted.
type PartitionAnswer = (DeletedOffset, Option<TopicPartition>);

impl Handle for OffsetDeleteRequest {
    type Response = OffsetDeleteResponse;

    async fn handle(self, call: &Call) -> OffsetDeleteResponse {
        let (error_code, topics) = match delete(call, self).await {
            Ok(topics) => (ErrorCode::None, topics),
            Err(code) => (code, Vec::new()),
        };
        OffsetDeleteResponse { error_code, throttle_time_ms: 0, topics }
    }
}

async fn delete(call: &Call, request: OffsetDeleteRequest) -> Result<Vec<DeletedOffsets>, ErrorCode> {
    let group = call.session.group(Action::Delete, &request.group_id)?;
    let topics: Vec<_> = request.topics.into_iter().map(|topic| find(call, topic)).collect();
    let partitions = topics.iter().flat_map(|(_, asked)| asked).filter_map(|(_, found)| found.clone());
    let deleted = call.session.broker().coordinator().delete_offsets(&group, partitions.collect()).await;
    let read: HashSet<_> = deleted.map_err(|error| ErrorCode::from(&error))?.into_iter().collect();
    let told = |(mut deleted, found): PartitionAnswer| {
        if found.is_some_and(|found| read.contains(&found)) {
            deleted.error_code = ErrorCode::GroupSubscribedToTopic;
        }
        deleted
    };
    let told = |(name, asked): (String, Vec<PartitionAnswer>)| {
        let partitions = asked.into_iter().map(told).collect();
        DeletedOffsets { name, partitions }
    };
    Ok(topics.into_iter().map(told).collect())
}

fn find(call: &Call, topic: OffsetDeleteTopic) -> (String, Vec<PartitionAnswer>) {
    let found = call.session.topic(Action::Read, &topic.name);
    let partitions = topic.partitions.into_iter().map(|partition_index| {
        match lookup::partition(&found, partition_index) {
            Ok(partition) => {
                let partition = partition.topic_partition().clone();
                (DeletedOffset { partition_index, error_code: ErrorCode::None }, Some(partition))
            }
            Err(error_code) => (DeletedOffset { partition_index, error_code }, None),
        }
    });
    (topic.name, partitions.collect())
}
