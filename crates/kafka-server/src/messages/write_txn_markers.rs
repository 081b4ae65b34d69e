//! WriteTxnMarkers (KIP-98): ends transactions in partitions. Coordinators ask other brokers, and operators whose
//! partitions keep a transaction that no coordinator knows (KIP-664).

use factum_types::{PartitionId, ProducerEpoch, ProducerId};

use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// Asks to write markers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteTxnMarkersRequest {
    /// The markers.
    pub markers: Vec<TxnMarker>,
}

/// The end of one producer's transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TxnMarker {
    /// The producer's id.
    pub producer_id: ProducerId,
    /// The producer's epoch.
    pub producer_epoch: ProducerEpoch,
    /// Whether the transaction was committed; otherwise it was aborted.
    pub transaction_result: bool,
    /// Where to write the marker.
    pub topics: Vec<TxnMarkerTopic>,
    /// The epoch of the coordinator that ends the transaction; a marker of an older one than the last is refused.
    pub coordinator_epoch: i32,
    /// The level of the feature `transaction.version` that the transaction had, from version 2; 0 before (KIP-1228).
    pub transaction_version: i8,
}

/// Partitions of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TxnMarkerTopic {
    /// The topic.
    pub name: String,
    /// Its partitions.
    pub partition_indexes: Vec<PartitionId>,
}

/// Says which markers are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteTxnMarkersResponse {
    /// One for each marker of the request.
    pub markers: Vec<TxnMarkerResult>,
}

/// The results of one producer's marker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TxnMarkerResult {
    /// The producer's id.
    pub producer_id: ProducerId,
    /// The results by topic.
    pub topics: Vec<TxnMarkerTopicResult>,
}

/// The results in one topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TxnMarkerTopicResult {
    /// The topic.
    pub name: String,
    /// The results by partition.
    pub partitions: Vec<TxnMarkerPartitionResult>,
}

/// The result in one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TxnMarkerPartitionResult {
    /// The partition.
    pub partition_index: PartitionId,
    /// Why the marker is not written.
    pub error_code: ErrorCode,
}

impl Request for WriteTxnMarkersRequest {
    const API: ApiKey = ApiKey::WriteTxnMarkers;

    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, wire::Error> {
        let request = Self { markers: r.array("markers", |r| TxnMarker::decode(r, version))? };
        r.skip_tagged_fields()?;
        Ok(request)
    }
}

impl TxnMarker {
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, wire::Error> {
        let marker = Self {
            producer_id: r.i64("producer_id")?,
            producer_epoch: r.i16("producer_epoch")?,
            transaction_result: r.bool("transaction_result")?,
            topics: r.array("topics", TxnMarkerTopic::decode)?,
            coordinator_epoch: r.i32("coordinator_epoch")?,
            transaction_version: if version >= 2 { r.i8("transaction_version")? } else { 0 },
        };
        r.skip_tagged_fields()?;
        Ok(marker)
    }
}

impl TxnMarkerTopic {
    fn decode(r: &mut Reader<'_>) -> Result<Self, wire::Error> {
        let topic = Self { name: r.string("name")?, partition_indexes: r.i32_array("partition_indexes")? };
        r.skip_tagged_fields()?;
        Ok(topic)
    }
}

impl Response for WriteTxnMarkersResponse {
    const API: ApiKey = ApiKey::WriteTxnMarkers;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        None
    }

    fn encode(&self, w: &mut Writer, _: i16) {
        w.array(&self.markers, |w, marker| {
            w.i64(marker.producer_id);
            w.array(&marker.topics, |w, topic| {
                w.string(&topic.name);
                w.array(&topic.partitions, |w, partition| {
                    w.i32(partition.partition_index);
                    w.error_code(partition.error_code);
                    w.no_tagged_fields();
                });
                w.no_tagged_fields();
            });
            w.no_tagged_fields();
        });
        w.no_tagged_fields();
    }
}
