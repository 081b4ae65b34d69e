//! WriteTxnMarkers: ends transactions in partitions, for brokers and operators. There are no transactions to end.

use factum_types::Action;

use super::{Call, Handle, lookup};
use crate::error_code::ErrorCode;
use crate::messages::write_txn_markers::{
    TxnMarker, TxnMarkerPartitionResult, TxnMarkerResult, TxnMarkerTopic, TxnMarkerTopicResult,
    WriteTxnMarkersRequest, WriteTxnMarkersResponse,
};

impl Handle for WriteTxnMarkersRequest {
    type Response = WriteTxnMarkersResponse;

    async fn handle(self, call: &Call) -> WriteTxnMarkersResponse {
        let allowed = call.session.check_cluster(Action::Alter);
        let markers = self.markers.into_iter().map(|marker| write(call, allowed, marker));
        WriteTxnMarkersResponse { markers: markers.collect() }
    }
}

fn write(call: &Call, allowed: Result<(), ErrorCode>, marker: TxnMarker) -> TxnMarkerResult {
    let topics = lookup::unique(marker.topics, |topic| topic.name.clone());
    let topics = topics.map(|topic| refuse(call, allowed, topic)).collect();
    TxnMarkerResult { producer_id: marker.producer_id, topics }
}

fn refuse(call: &Call, allowed: Result<(), ErrorCode>, asked: TxnMarkerTopic) -> TxnMarkerTopicResult {
    // Who may alter the cluster may end what hangs in any topic, as in Kafka.
    let topic = allowed
        .and_then(|()| call.session.broker().topic(&asked.name).ok_or(ErrorCode::UnknownTopicOrPartition));
    let partitions = lookup::unique(asked.partition_indexes, |partition| *partition);
    let partitions = partitions.map(|partition_index| TxnMarkerPartitionResult {
        partition_index,
        error_code: lookup::partition(&topic, partition_index).err().unwrap_or(ErrorCode::InvalidTxnState),
    });
    TxnMarkerTopicResult { partitions: partitions.collect(), name: asked.name }
}
