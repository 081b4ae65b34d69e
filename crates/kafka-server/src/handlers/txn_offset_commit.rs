//! TxnOffsetCommit: how far a group has read, if a transaction is committed.

use factum_types::Action;

use super::errors::TRANSACTIONS_UNSUPPORTED;
use super::{Call, Handle, lookup};
use crate::error_code::ErrorCode;
use crate::messages::txn_offset_commit::{
    TxnOffsetCommitPartitionResult, TxnOffsetCommitRequest, TxnOffsetCommitResponse, TxnOffsetCommitTopic,
    TxnOffsetCommitTopicResult,
};

impl Handle for TxnOffsetCommitRequest {
    type Response = TxnOffsetCommitResponse;

    async fn handle(self, call: &Call) -> TxnOffsetCommitResponse {
        let session = &call.session;
        let producer = session.transactional_id(Action::Write, &self.transactional_id);
        let allowed = producer.and_then(|_| session.group(Action::Read, &self.group_id)).map(drop);
        let topics = self.topics.into_iter().map(|topic| refuse(call, allowed, topic));
        TxnOffsetCommitResponse { throttle_time_ms: 0, topics: topics.collect() }
    }
}

fn refuse(
    call: &Call,
    allowed: Result<(), ErrorCode>,
    asked: TxnOffsetCommitTopic,
) -> TxnOffsetCommitTopicResult {
    let topic = allowed.and_then(|()| call.session.topic(Action::Read, &asked.name));
    let partitions = asked.partitions.into_iter().map(|each| TxnOffsetCommitPartitionResult {
        partition_index: each.partition_index,
        error_code: lookup::partition(&topic, each.partition_index).err().unwrap_or(TRANSACTIONS_UNSUPPORTED),
    });
    TxnOffsetCommitTopicResult { partitions: partitions.collect(), name: asked.name }
}
