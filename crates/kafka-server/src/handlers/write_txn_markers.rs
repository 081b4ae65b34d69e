//! WriteTxnMarkers: ends transactions in partitions, for operators whose partitions hold one open that no one ends.

use factum_broker::EndTransaction;
use factum_types::record::TransactionOutcome;
use factum_types::{Action, TopicName, TopicPartition};

use super::{Call, Handle, lookup};
use crate::error_code::ErrorCode;
use crate::messages::write_txn_markers::{
    TxnMarker, TxnMarkerPartitionResult, TxnMarkerResult, TxnMarkerTopic, TxnMarkerTopicResult,
    WriteTxnMarkersRequest, WriteTxnMarkersResponse,
};

impl Handle for WriteTxnMarkersRequest {
    type Response = WriteTxnMarkersResponse;

    async fn handle(self, call: &Call) -> WriteTxnMarkersResponse {
        let allowed = call.session.check_cluster(Action::ClusterAction);
        let mut markers = Vec::with_capacity(self.markers.len());
        for marker in self.markers {
            markers.push(write(call, allowed, marker).await);
        }
        WriteTxnMarkersResponse { markers }
    }
}

async fn write(call: &Call, allowed: Result<(), ErrorCode>, marker: TxnMarker) -> TxnMarkerResult {
    let end = EndTransaction {
        producer_id: marker.producer_id,
        producer_epoch: marker.producer_epoch,
        outcome: match marker.transaction_result {
            true => TransactionOutcome::Commit,
            false => TransactionOutcome::Abort,
        },
        coordinator_epoch: marker.coordinator_epoch,
    };
    let mut topics = Vec::new();
    for topic in lookup::unique(marker.topics, |topic| topic.name.clone()) {
        topics.push(write_topic(call, allowed, &end, topic).await);
    }
    TxnMarkerResult { producer_id: marker.producer_id, topics }
}

async fn write_topic(
    call: &Call,
    allowed: Result<(), ErrorCode>,
    end: &EndTransaction,
    asked: TxnMarkerTopic,
) -> TxnMarkerTopicResult {
    // Who may act as a broker may end what hangs in any topic, as in Kafka, but not in those of the server itself.
    let topic = allowed.and_then(|()| {
        let name = TopicName::new(asked.name.as_str()).map_err(|_| ErrorCode::UnknownTopicOrPartition)?;
        if name.is_internal() {
            return Err(ErrorCode::InvalidTopicException);
        }
        call.session.broker().topic(name.as_str()).ok_or(ErrorCode::UnknownTopicOrPartition)
    });
    let mut partitions = Vec::new();
    for partition_index in lookup::unique(asked.partition_indexes, |partition| *partition) {
        let found = lookup::partition(&topic, partition_index);
        let error_code = match found.map(|partition| partition.topic_partition().clone()) {
            Ok(partition) => write_partition(call, &partition, end).await,
            Err(code) => code,
        };
        partitions.push(TxnMarkerPartitionResult { partition_index, error_code });
    }
    TxnMarkerTopicResult { partitions, name: asked.name }
}

async fn write_partition(call: &Call, partition: &TopicPartition, end: &EndTransaction) -> ErrorCode {
    let written = call.session.broker().transactions().write_marker(partition, end).await;
    match written.map_err(|error| ErrorCode::from(&error)) {
        Ok(()) => ErrorCode::None,
        Err(ErrorCode::ProducerFenced) => ErrorCode::InvalidProducerEpoch,
        Err(ErrorCode::TransactionalIdNotFound) => ErrorCode::UnknownTopicOrPartition,
        Err(code) => code,
    }
}
