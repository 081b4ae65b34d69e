//! OffsetCommit: how far a group has read. Answered when it is on disk.
//!
//! `retention_time_ms` of old versions is not heeded, as in Kafka since KIP-211: offsets live as long as their
//! group, and a while longer.

use factum_broker::coordinator::{Commit, CommittedOffset};
use factum_types::Action;

use super::{Call, Handle, lookup};
use crate::error_code::ErrorCode;
use crate::messages::offset_commit::{
    CommitPartition, CommittedPartition, CommittedTopic, OffsetCommitRequest, OffsetCommitResponse,
};

impl Handle for OffsetCommitRequest {
    type Response = OffsetCommitResponse;

    async fn handle(self, call: &Call) -> OffsetCommitResponse {
        let group = call.session.group(Action::Read, &self.group_id);
        let mut offsets = Vec::new();
        let mut topics: Vec<_> = self
            .topics
            .into_iter()
            .map(|topic| {
                let found = group.as_ref().map_err(|code| *code);
                let found = found.and_then(|_| call.session.topic(Action::Read, &topic.name));
                let partitions = topic.partitions.into_iter().map(|each| {
                    let (partition_index, partition) =
                        (each.partition_index, lookup::partition(&found, each.partition_index));
                    let error_code = partition.as_ref().err().copied().unwrap_or(ErrorCode::None);
                    if let Ok(partition) = partition {
                        offsets.push((partition.topic_partition().clone(), committed(each)));
                    }
                    CommittedPartition { partition_index, error_code }
                });
                let partitions = partitions.collect();
                CommittedTopic { name: topic.name, partitions }
            })
            .collect();
        if let Ok(group) = group {
            let commit = Commit {
                group,
                generation: self.generation_id,
                member_id: self.member_id,
                instance_id: self.group_instance_id,
                offsets,
            };
            fail_all(&mut topics, keep(call, commit).await);
        }
        OffsetCommitResponse { throttle_time_ms: 0, topics }
    }
}

async fn keep(call: &Call, commit: Commit) -> Result<(), ErrorCode> {
    // A member is told of a rebalance even if every topic that it commits is gone.
    let kept = call.session.broker().coordinator().commit(commit).await;
    kept.map_err(|error| ErrorCode::from(&error))
}

/// Gives the partitions that were to be kept the error that befell them all.
fn fail_all(topics: &mut [CommittedTopic], outcome: Result<(), ErrorCode>) {
    let Err(code) = outcome else { return };
    for partition in topics.iter_mut().flat_map(|topic| &mut topic.partitions) {
        if partition.error_code.is_none() {
            partition.error_code = code;
        }
    }
}

fn committed(partition: CommitPartition) -> CommittedOffset {
    CommittedOffset {
        offset: partition.committed_offset,
        leader_epoch: partition.committed_leader_epoch,
        metadata: partition.committed_metadata,
    }
}
