//! TxnOffsetCommit: how far a group has read, if a transaction is committed. Answered once it is on disk.

use factum_broker::coordinator::{Commit, CommittedOffset};
use factum_broker::transactions::{
    ProducerIdentity, TransactionError, TransactionOffsets, TransactionVersion,
};
use factum_types::{Action, GroupId, TopicPartition, TransactionalId};

use super::{Call, Handle, lookup};
use crate::error_code::ErrorCode;
use crate::messages::txn_offset_commit::{
    TxnOffsetCommitPartitionResult, TxnOffsetCommitRequest, TxnOffsetCommitResponse, TxnOffsetCommitTopic,
    TxnOffsetCommitTopicResult,
};

/// From this version on the offsets need not be added to the transaction first (KIP-890).
const IMPLICIT_SINCE: i16 = 5;

/// What is to be kept.
type Offsets = Vec<(TopicPartition, CommittedOffset)>;

impl Handle for TxnOffsetCommitRequest {
    type Response = TxnOffsetCommitResponse;

    async fn handle(mut self, call: &Call) -> TxnOffsetCommitResponse {
        let session = &call.session;
        let id = session.transactional_id(Action::Write, &self.transactional_id);
        let allowed = id.and_then(|id| Ok((id, session.group(Action::Read, &self.group_id)?)));
        let refused = allowed.as_ref().err().copied();
        let mut offsets = Offsets::new();
        let topics = std::mem::take(&mut self.topics).into_iter();
        let mut topics: Vec<_> = topics.map(|topic| sort_out(call, refused, topic, &mut offsets)).collect();
        if let Ok((id, group)) = allowed
            && let Err(code) = keep(call, self, id, group, offsets).await
        {
            let partitions = topics.iter_mut().flat_map(|topic| &mut topic.partitions);
            for partition in partitions.filter(|partition| partition.error_code.is_none()) {
                partition.error_code = code;
            }
        }
        TxnOffsetCommitResponse { throttle_time_ms: 0, topics }
    }
}

/// Adds to `offsets` what may be kept, and says of the rest why not.
fn sort_out(
    call: &Call,
    refused: Option<ErrorCode>,
    asked: TxnOffsetCommitTopic,
    offsets: &mut Offsets,
) -> TxnOffsetCommitTopicResult {
    let topic = refused.map_or_else(|| call.session.topic(Action::Read, &asked.name), Err);
    let partitions = asked.partitions.into_iter().map(|each| {
        let partition_index = each.partition_index;
        let outcome = lookup::partition(&topic, partition_index).and_then(|partition| {
            let offset = CommittedOffset {
                offset: each.committed_offset,
                leader_epoch: each.committed_leader_epoch,
                metadata: each.committed_metadata,
            };
            let partition = partition.topic_partition();
            let checked = call.session.broker().coordinator().check_metadata(partition, &offset);
            checked.map_err(|error| ErrorCode::from(&error))?;
            offsets.push((partition.clone(), offset));
            Ok(())
        });
        TxnOffsetCommitPartitionResult {
            partition_index,
            error_code: outcome.err().unwrap_or(ErrorCode::None),
        }
    });
    TxnOffsetCommitTopicResult { partitions: partitions.collect(), name: asked.name }
}

async fn keep(
    call: &Call,
    asked: TxnOffsetCommitRequest,
    id: TransactionalId,
    group: GroupId,
    offsets: Offsets,
) -> Result<(), ErrorCode> {
    let is_implicit = call.header.version >= IMPLICIT_SINCE;
    let kept = call.session.broker().transactions().commit_offsets(TransactionOffsets {
        id,
        producer: ProducerIdentity { id: asked.producer_id, epoch: asked.producer_epoch },
        version: if is_implicit { TransactionVersion::V2 } else { TransactionVersion::V1 },
        commit: Commit {
            group,
            generation: asked.generation_id,
            member_id: asked.member_id,
            instance_id: asked.group_instance_id,
            client: call.session.peer.ip().into(),
            offsets,
        },
    });
    kept.await.map_err(|error| match error {
        // What older clients ask again after.
        TransactionError::Concurrent if !is_implicit => ErrorCode::CoordinatorLoadInProgress,
        error => ErrorCode::from(&error),
    })
}
