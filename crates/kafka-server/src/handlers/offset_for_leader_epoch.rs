//! OffsetForLeaderEpoch: whether a client's last record is still in the log, or was in a tail that a crash took.

use std::sync::Arc;

use factum_broker::Topic;
use factum_types::Action;

use super::{Call, Handle, lookup};
use crate::error_code::ErrorCode;
use crate::messages::offset_for_leader_epoch::{
    LeaderEpochEnd, LeaderEpochsOfTopic, OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse,
    OffsetForLeaderPartition, OffsetForLeaderTopic,
};

impl Handle for OffsetForLeaderEpochRequest {
    type Response = OffsetForLeaderEpochResponse;

    async fn handle(self, call: &Call) -> OffsetForLeaderEpochResponse {
        let topics = lookup::unique(self.topics, |topic| topic.topic.clone());
        let topics = topics.map(|topic| find_in_topic(call, topic)).collect();
        OffsetForLeaderEpochResponse { throttle_time_ms: 0, topics }
    }
}

fn find_in_topic(call: &Call, asked: OffsetForLeaderTopic) -> LeaderEpochsOfTopic {
    let topic = call.session.topic(Action::Describe, &asked.topic);
    let partitions = lookup::unique(asked.partitions, |partition| partition.partition);
    let partitions = partitions.map(|asked| {
        let nothing = LeaderEpochEnd {
            error_code: ErrorCode::None,
            partition: asked.partition,
            leader_epoch: -1,
            end_offset: -1,
        };
        find(&topic, &asked, nothing).unwrap_or_else(|error_code| LeaderEpochEnd { error_code, ..nothing })
    });
    LeaderEpochsOfTopic { topic: asked.topic, partitions: partitions.collect() }
}

fn find(
    topic: &Result<Arc<Topic>, ErrorCode>,
    asked: &OffsetForLeaderPartition,
    nothing: LeaderEpochEnd,
) -> Result<LeaderEpochEnd, ErrorCode> {
    let partition = lookup::partition(topic, asked.partition)?;
    lookup::check_epoch(asked.current_leader_epoch, partition.bounds().leader_epoch)?;
    Ok(match partition.log().epoch_end(asked.leader_epoch) {
        Some((leader_epoch, end)) => LeaderEpochEnd { leader_epoch, end_offset: end.get(), ..nothing },
        None => nothing,
    })
}
