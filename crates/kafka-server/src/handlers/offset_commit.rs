//! OffsetCommit: how far a group has read. RequestWithResponse when it is on disk.
//!
//! `retention_time_ms` of old versions is not heeded, as in Kafka since KIP-211: offsets live as long as their
//! group, and a while longer. Of a partition that is named twice the last offset is kept.

use std::collections::HashMap;

use factum_broker::coordinator::{Commit, CommittedOffset};
use factum_types::{Action, TopicId, TopicPartition};

use super::{Call, Handle, lookup};
use crate::error_code::ErrorCode;
use crate::messages::offset_commit::{
    CommitPartition, CommitTopic, CommittedPartition, CommittedTopic, OffsetCommitRequest,
    OffsetCommitResponse,
};

/// What is to be kept.
type Offsets = HashMap<TopicPartition, CommittedOffset>;

impl Handle for OffsetCommitRequest {
    type Response = OffsetCommitResponse;

    async fn handle(self, call: &Call) -> OffsetCommitResponse {
        let group = call.session.group(Action::Read, &self.group_id);
        let mut offsets = Offsets::new();
        let refused = group.as_ref().err().copied();
        let topics = self.topics.into_iter().map(|topic| sort_out(call, refused, topic, &mut offsets));
        let mut topics: Vec<_> = topics.collect();
        if let Ok(group) = group {
            let commit = Commit {
                group,
                generation: self.generation_id,
                member_id: self.member_id,
                instance_id: self.group_instance_id,
                client: call.session.peer.ip().into(),
                offsets: offsets.into_iter().collect(),
            };
            fail_all(&mut topics, keep(call, commit).await);
        }
        OffsetCommitResponse { throttle_time_ms: 0, topics }
    }
}

/// Adds to `offsets` what may be kept, and says of the rest why not.
fn sort_out(
    call: &Call,
    refused: Option<ErrorCode>,
    topic: CommitTopic,
    offsets: &mut Offsets,
) -> CommittedTopic {
    let found = match (refused, topic.topic_id) {
        (Some(code), _) => Err(code),
        (None, TopicId::NIL) => call.session.topic(Action::Read, &topic.name),
        (None, id) => call.session.topic_by_id(Action::Read, id),
    };
    let partitions = topic.partitions.into_iter().map(|each| {
        let partition_index = each.partition_index;
        let outcome = lookup::partition(&found, partition_index).and_then(|partition| {
            let (partition, offset) = (partition.topic_partition(), committed(each));
            let checked = call.session.broker().coordinator().check_metadata(partition, &offset);
            checked.map_err(|error| ErrorCode::from(&error))?;
            offsets.insert(partition.clone(), offset);
            Ok(())
        });
        CommittedPartition { partition_index, error_code: outcome.err().unwrap_or(ErrorCode::None) }
    });
    let partitions = partitions.collect();
    CommittedTopic { name: topic.name, topic_id: topic.topic_id, partitions }
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
